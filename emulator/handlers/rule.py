"""Dumps of routing rules: fib_nl_dumprule() of net/core/fib_rules.c."""

from __future__ import annotations

import errno
from functools import partial

from emulator.call import Call, Messages
from emulator.dump import Dump
from emulator.handlers.by_family import UNSPEC, dumpit_of, family_of, header_of
from emulator.kernel import ip4
from emulator.kernel.ip4 import AF_INET
from emulator.kernel.rules import Rule
from protocol.families.route_rule import GETRULE, HEADER, TOLD, Fra
from protocol.refusal import Refusal
from protocol.uapi.rtnetlink import RT_TABLE

COMPAT = int(RT_TABLE.COMPAT)


def body(rule: Rule) -> bytes:
    """fib_nl_fill_rule()."""
    table = rule.table if rule.table < 256 else COMPAT
    head = HEADER.codec.pack(family=AF_INET, table=table, action=rule.action, flags=rule.flags)
    return head + TOLD.encode(
        {
            Fra.table: rule.table,
            Fra.suppress_prefixlen: rule.suppress_prefixlen & 0xFFFFFFFF,
            Fra.protocol: rule.protocol,
            Fra.priority: rule.priority or None,
        }
    )


def check(call: Call) -> None:
    """fib_valid_dumprule_req(): EINVAL, with texts."""
    header = header_of(call, HEADER, "Invalid header for fib rule dump request")
    if any(header[1:]):
        raise Refusal(errno.EINVAL, "Invalid values in header for fib rule dump request")
    if len(call.message) > 16 + (HEADER.size or 0):
        raise Refusal(errno.EINVAL, "Invalid data after header in fib rule dump request")


def walk(call: Call) -> Messages:
    """dump_rules(). Only IPv4 has rules here: EAFNOSUPPORT for any other family."""
    if call.endpoint.strict:
        check(call)
    if family_of(call) not in (UNSPEC, AF_INET):
        raise Refusal(errno.EAFNOSUPPORT)
    for rule in ip4.of(call.net).rules:
        yield partial(body, rule)


@dumpit_of(GETRULE, UNSPEC)
def dump(call: Call) -> Dump:
    """fib_nl_dumprule()."""
    return Dump(call, walk(call))
