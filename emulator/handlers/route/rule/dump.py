"""Dumps of routing rules: fib_nl_dumprule() of net/core/fib_rules.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.rules import GOTO, NONE, Rule, index_of
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.emulator.netlink.request import family_of
from nlemu.protocol.families.route.rule import GETRULE, HEADER, TOLD, Fra
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RT_TABLE
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

COMPAT = int(RT_TABLE.COMPAT)
UNRESOLVED, IIF_DETACHED, OIF_DETACHED = 0x4, 0x8, 0x10
"""FIB_RULE_*: a jump to nowhere, names of devices that are not there."""


def ports(range_: tuple[int, int] | None) -> dict[str, int] | None:
    """A range of ports, or of users."""
    return None if range_ is None else {"start": range_[0], "end": range_[1]}


def body(net: Net, rule: Rule) -> bytes:
    """fib_nl_fill_rule() and fib4_rule_fill()."""
    flags = rule.flags
    if rule.action == GOTO and ip4.of(net).rules.target(rule) is None:
        flags |= UNRESOLVED
    if rule.iifname and index_of(net, rule.iifname) == NONE:
        flags |= IIF_DETACHED
    if rule.oifname and index_of(net, rule.oifname) == NONE:
        flags |= OIF_DETACHED
    head = HEADER.codec.pack(
        family=AF_INET, dst_len=rule.dst_length, src_len=rule.src_length, tos=rule.tos,
        table=rule.table if rule.table < 256 else COMPAT, action=rule.action, flags=flags,
    )
    return head + TOLD.encode(
        {
            Fra.table: rule.table,
            Fra.suppress_prefixlen: rule.suppress_prefixlen & 0xFFFFFFFF,
            Fra.protocol: rule.protocol,
            Fra.iifname: rule.iifname or None,
            Fra.oifname: rule.oifname or None,
            Fra.priority: rule.priority or None,
            Fra.fwmark: rule.mark or None,
            Fra.fwmask: rule.mask if rule.mark or rule.mask else None,
            Fra.goto: rule.target or None,
            Fra.tun_id: rule.tun_id or None,
            Fra.uid_range: ports(rule.uids),
            Fra.suppress_ifgroup: None if rule.suppress_ifgroup == NONE else rule.suppress_ifgroup,
            Fra.sport_range: ports(rule.sports),
            Fra.sport_mask: rule.sport_mask or None,
            Fra.dport_range: ports(rule.dports),
            Fra.dport_mask: rule.dport_mask or None,
            Fra.ip_proto: rule.ip_proto or None,
            Fra.dscp: None if rule.dscp is None else rule.dscp[0],
            Fra.dscp_mask: None if rule.dscp is None else rule.dscp[1],
            Fra.dst: rule.dst.to_bytes(4, "big") if rule.dst_length else None,
            Fra.src: rule.src.to_bytes(4, "big") if rule.src_length else None,
        }
    )


def walk(call: Call) -> Messages:
    """dump_rules(). Only IPv4 has rules here: EAFNOSUPPORT for any other family."""
    if family_of(call) not in (AF_UNSPEC, AF_INET):
        raise Refusal(errno.EAFNOSUPPORT)
    for rule in ip4.of(call.net).rules:
        yield partial(body, call.net, rule)


@dumpit_of(GETRULE, AF_UNSPEC)
def dump(call: Call) -> Messages:
    """fib_nl_dumprule()."""
    return walk(call)
