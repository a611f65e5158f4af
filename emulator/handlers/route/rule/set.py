"""Routing rules are added and deleted: fib_newrule(), fib_delrule() and fib_nl2rule() of net/core/fib_rules.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.inet import rules
from nlemu.emulator.kernel.inet.rules import GOTO, TO_TABLE, Rule
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.netlink import request
from nlemu.emulator.netlink.registry import doit_of
from nlemu.emulator.netlink.request import check_length, family_of
from nlemu.protocol.families.route.rule import DELRULE, NEWRULE, SET, Fra
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attr, Attrs

EXCL = int(NLM_F.EXCL)
ECN = 0x03
OLD_TOS = 0x1E
"""IPTOS_TOS_MASK"""
ALL_BITS, ALL_PORTS, ALL_DSCP = 0xFFFFFFFF, 0xFFFF, 0x3F


def read(call: Call) -> Rule:
    """fib_nl2rule(): what the request says of a rule. EINVAL, EAFNOSUPPORT, and what the policy refuses, with texts."""
    check_length(call, SET)
    if family_of(call) != AF_INET:
        raise Refusal(errno.EAFNOSUPPORT, "Rule family not supported")
    attrs = request.read(call, SET)
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
        iifname=attrs.get(Fra.iifname, ""),
        oifname=attrs.get(Fra.oifname, ""),
        mark=mark,
        mask=attrs.get(Fra.fwmask, ALL_BITS if mark else 0),
        tun_id=attrs.get(Fra.tun_id, 0),
    )
    if Fra.dscp in attrs:
        rule.dscp = attrs[Fra.dscp], attrs.get(Fra.dscp_mask, ALL_DSCP)
        rule.dscp_masked = Fra.dscp_mask in attrs
    _read_jump(attrs, rule)
    rule.uids = _range(attrs, Fra.uid_range, "Invalid uid range", 0, ALL_BITS)
    rule.ip_proto = attrs.get(Fra.ip_proto, 0)
    rule.sports = _range(attrs, Fra.sport_range, "Invalid sport range", 1, ALL_PORTS)
    rule.sport_mask = _mask(attrs, Fra.sport_mask, rule.sports)
    rule.dports = _range(attrs, Fra.dport_range, "Invalid dport range", 1, ALL_PORTS)
    rule.dport_mask = _mask(attrs, Fra.dport_mask, rule.dports)
    if Fra.goto in attrs and rule.target <= rule.priority:
        raise Refusal(errno.EINVAL, "Backward goto not supported")
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
    elif rule.action == GOTO:
        raise Refusal(errno.EINVAL, "Missing goto target for action goto")


def _range(
    attrs: Attrs, attr: Attr[Any], complaint: str, least: int, beyond: int
) -> tuple[int, int] | None:
    """A range of ports, or of users."""
    asked: Any = attrs.get(attr)
    if asked is None:
        return None
    if not least <= asked.start <= asked.end < beyond:
        raise Refusal(errno.EINVAL, complaint)
    return asked.start, asked.end


def _mask(attrs: Attrs, attr: Attr[int], ports: tuple[int, int] | None) -> int:
    """fib_nl2rule_port_mask(): which bits of a port count; of a single one, all."""
    single = ports is not None and ports[0] == ports[1]
    if attr not in attrs:
        return ALL_PORTS if single else 0
    at, mask = attrs.offset(attr), attrs[attr]
    if ports is None:
        raise Refusal(errno.EINVAL, "Cannot specify port mask without port value", at=at)
    if not single:
        raise Refusal(errno.EINVAL, "Cannot specify port mask for port range", at=at)
    if ports[0] & ~mask:
        raise Refusal(errno.EINVAL, "Invalid port mask", at=at)
    return mask


def configure(attrs: Attrs, rule: Rule) -> None:
    """fib4_rule_configure(), before the tables: EINVAL, with texts."""
    if Fra.flowlabel in attrs or Fra.flowlabel_mask in attrs:
        raise Refusal(errno.EINVAL, "Flow label cannot be specified for IPv4 FIB rules")
    if rule.tos & ECN:
        raise Refusal(errno.EINVAL, "Invalid dsfield (tos): ECN bits must be 0")
    if rule.tos & ~OLD_TOS:
        raise Refusal(errno.EINVAL, "Invalid tos")
    if rule.dscp is not None and rule.tos:
        raise Refusal(errno.EINVAL, "Cannot specify both TOS and DSCP")
    if Fra.dscp_mask in attrs:
        at = attrs.offset(Fra.dscp_mask)
        if rule.dscp is None:
            raise Refusal(errno.EINVAL, "Cannot specify DSCP mask without DSCP value", at=at)
        if rule.dscp[0] & ~rule.dscp[1]:
            raise Refusal(errno.EINVAL, "Invalid DSCP mask", at=at)


@doit_of(NEWRULE, AF_UNSPEC)
def newrule(call: Call) -> None:
    """fib_newrule() and fib4_rule_configure()."""
    rule = read(call)
    state = ip4.of(call.net)
    if call.flags & EXCL:
        rules.check_new(state.rules, rule)
    configure(call.attrs, rule)
    state.fib.split = True
    if not rule.table and rule.action == TO_TABLE:
        rule.table = state.fib.empty_table()
    rules.add(call.net, state.rules, rule, call)


@doit_of(DELRULE, AF_UNSPEC)
def delrule(call: Call) -> None:
    """fib_delrule()."""
    state = ip4.of(call.net)
    rule = rules.find(state.rules, read(call), by_priority=Fra.priority in call.attrs)
    state.fib.split = True
    rules.delete(call.net, state.rules, rule, call)
