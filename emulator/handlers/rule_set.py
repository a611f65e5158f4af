"""Routing rules are added and deleted: fib_newrule(), fib_delrule() and fib_nl2rule() of net/core/fib_rules.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from emulator.handlers.by_family import UNSPEC, doit_of, family_of, parse
from emulator.kernel import ip4, rules
from emulator.kernel.ip4 import AF_INET
from emulator.kernel.rules import GOTO, TO_TABLE, Rule
from protocol.families.route_rule import DELRULE, HEADER, NEWRULE, TAKEN, Fra
from protocol.refusal import Refusal
from protocol.uapi.netlink import NLM_F

if TYPE_CHECKING:
    from emulator.call import Call
    from protocol.attributes import Attr, Attrs

EXCL = int(NLM_F.EXCL)
BODY = 16 + (HEADER.size or 0)
ECN = 0x03
ALL_BITS = 0xFFFFFFFF


def read(call: Call) -> Rule:
    """fib_nl2rule(): what the request says of a rule. EINVAL, EAFNOSUPPORT, and what the policy refuses, with texts."""
    if len(call.message) < BODY:
        raise Refusal(errno.EINVAL, "Invalid msg length")
    if family_of(call) != AF_INET:
        raise Refusal(errno.EAFNOSUPPORT, "Rule family not supported")
    try:
        attrs = parse(call, HEADER, TAKEN)
    except Refusal as refused:
        refused.text = "Error parsing msg"
        raise
    header = call.fixed
    src = _address(attrs, Fra.src, header.src_len, "Invalid source address")
    dst = _address(attrs, Fra.dst, header.dst_len, "Invalid dst address")
    if Fra.l3mdev in attrs:
        raise Refusal(errno.EINVAL, "l3mdev support is not enabled in kernel")
    mark = attrs.get(Fra.fwmark, 0)
    rule = Rule(
        attrs.get(Fra.priority, ip4.of(call.net).rules.next_priority()),
        attrs.get(Fra.table, header.table),
        header.action,
        attrs.get(Fra.protocol, 0),
        header.flags,
        _signed(attrs.get(Fra.suppress_prefixlen, ALL_BITS)),
        _signed(attrs.get(Fra.suppress_ifgroup, ALL_BITS)),
        src,
        header.src_len,
        dst,
        header.dst_len,
        header.tos,
        attrs.get(Fra.iifname, ""),
        attrs.get(Fra.oifname, ""),
        mark,
        attrs.get(Fra.fwmask, ALL_BITS if mark else 0),
        int.from_bytes(attrs.get(Fra.tun_id, b""), "big"),
    )
    _read_jump(attrs, rule)
    rule.uids = _range(attrs, Fra.uid_range, "Invalid uid range")
    rule.ip_proto = attrs.get(Fra.ip_proto, 0)
    rule.sports = _range(attrs, Fra.sport_range, "Invalid sport range")
    rule.dports = _range(attrs, Fra.dport_range, "Invalid dport range")
    return rule


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _address(attrs: Attrs, attr: Attr[bytes], length: int, complaint: str) -> int:
    if not length:
        return 0
    payload = attrs.get(attr, b"")
    if length > 32 or len(payload) != 4:
        raise Refusal(errno.EINVAL, complaint)
    return int.from_bytes(payload, "big")


def _read_jump(attrs: Attrs, rule: Rule) -> None:
    if Fra.goto in attrs:
        if rule.action != GOTO:
            raise Refusal(errno.EINVAL, "Unexpected goto")
        rule.target = attrs[Fra.goto]
        if rule.target <= rule.priority:
            raise Refusal(errno.EINVAL, "Backward goto not supported")
    elif rule.action == GOTO:
        raise Refusal(errno.EINVAL, "Missing goto target for action goto")


def _range(attrs: Attrs, attr: Attr[Any], complaint: str) -> tuple[int, int] | None:
    asked: Any = attrs.get(attr)
    if asked is None:
        return None
    if asked.start > asked.end:
        raise Refusal(errno.EINVAL, complaint)
    return asked.start, asked.end


@doit_of(NEWRULE, UNSPEC)
def newrule(call: Call) -> None:
    """fib_newrule() and fib4_rule_configure()."""
    rule = read(call)
    if rule.tos & ECN:
        raise Refusal(errno.EINVAL, "Invalid dsfield (tos): ECN bits must be 0")
    fib = ip4.of(call.net).fib
    fib.split = True
    if not rule.table and rule.action == TO_TABLE:
        rule.table = fib.empty_table()
    rules.add(call.net, ip4.of(call.net).rules, rule, exclusive=bool(call.flags & EXCL), origin=call)


@doit_of(DELRULE, UNSPEC)
def delrule(call: Call) -> None:
    """fib_delrule()."""
    wanted = read(call)
    by_priority = Fra.priority in call.attrs
    ip4.of(call.net).fib.split = True
    rules.delete(call.net, ip4.of(call.net).rules, wanted, by_priority=by_priority, origin=call)
