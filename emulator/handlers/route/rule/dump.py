"""Dumps of routing rules: fib_nl_dumprule() of net/core/fib_rules.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel import rules_families
from nlemu.emulator.kernel.inet.rules import GOTO, NONE, Rule, index_of
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
ALL_BITS = 0xFFFFFFFF
UNRESOLVED, IIF_DETACHED, OIF_DETACHED = 0x4, 0x8, 0x10
"""FIB_RULE_*: a jump to nowhere, names of devices that are not there."""


def ports(range_: tuple[int, int] | None) -> dict[str, int] | None:
    """A range of ports, or of users."""
    return None if range_ is None else {"start": range_[0], "end": range_[1]}


def body(net: Net, rule: Rule) -> bytes:
    """fib_nl_fill_rule(), fib4_rule_fill() and fib6_rule_fill()."""
    flags, size = rule.flags, rule.ops.bits // 8
    if rule.action == GOTO:
        rules = rules_families.of(net, rule.ops.family)
        if rules is None or rules.target(rule) is None:
            flags |= UNRESOLVED
    if rule.iifname and index_of(net, rule.iifname) == NONE:
        flags |= IIF_DETACHED
    if rule.oifname and index_of(net, rule.oifname) == NONE:
        flags |= OIF_DETACHED
    head = HEADER.codec.pack(
        family=rule.ops.family, dst_len=rule.dst_length, src_len=rule.src_length, tos=rule.tos,
        table=rule.table if rule.table < 256 else COMPAT, action=rule.action, flags=flags,
    )
    return head + TOLD.encode(
        {
            Fra.table: rule.table,
            Fra.suppress_prefixlen: rule.suppress_prefixlen & ALL_BITS,
            Fra.protocol: rule.protocol,
            Fra.iifname: rule.iifname or None,
            Fra.oifname: rule.oifname or None,
            Fra.priority: rule.priority or None,
            Fra.fwmark: rule.mark or None,
            Fra.fwmask: rule.mask if rule.mark or rule.mask else None,
            Fra.goto: rule.target or None,
            Fra.tun_id: rule.tun_id or None,
            Fra.l3mdev: rule.l3mdev or None,
            Fra.uid_range: ports(rule.uids),
            Fra.suppress_ifgroup: None if rule.suppress_ifgroup == NONE else rule.suppress_ifgroup & ALL_BITS,
            Fra.sport_range: ports(rule.sports),
            Fra.sport_mask: rule.sport_mask or None,
            Fra.dport_range: ports(rule.dports),
            Fra.dport_mask: rule.dport_mask or None,
            Fra.ip_proto: rule.ip_proto or None,
            Fra.dscp: rule.dscp,
            Fra.dscp_mask: rule.dscp_mask,
            Fra.flowlabel: rule.flowlabel if rule.flowlabel_mask else None,
            Fra.flowlabel_mask: rule.flowlabel_mask or None,
            Fra.dst: rule.dst.to_bytes(size, "big") if rule.dst_length else None,
            Fra.src: rule.src.to_bytes(size, "big") if rule.src_length else None,
            Fra.flow: rule.realm or None,
        }
    )


def walk(call: Call) -> Messages:
    """dump_rules(), of one family or of all that have rules: EAFNOSUPPORT for one that has none."""
    family = family_of(call)
    chosen = rules_families.registered(call.net)
    if family != AF_UNSPEC:
        chosen = [rules for rules in chosen if rules.ops.family == family]
        if not chosen:
            raise Refusal(errno.EAFNOSUPPORT)
    for rules in chosen:
        for rule in rules:
            yield partial(body, call.net, rule)


@dumpit_of(GETRULE, AF_UNSPEC)
def dump(call: Call) -> Messages:
    """fib_nl_dumprule()."""
    return walk(call)
