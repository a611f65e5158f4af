"""Routing rules are added and deleted: fib_newrule(), fib_delrule() and fib_nl2rule() of net/core/fib_rules.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.ints import s32
from nlemu.emulator.kernel import rules_families
from nlemu.emulator.kernel.inet import rules
from nlemu.emulator.kernel.inet.rules import GOTO, Rule
from nlemu.emulator.netlink import request
from nlemu.emulator.netlink.registry import doit_of
from nlemu.emulator.netlink.request import check_length, family_of
from nlemu.protocol.families.route.rule import DELRULE, NEWRULE, SET, Fra
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.inet.rules import Rules
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attr, Attrs

EXCL = int(NLM_F.EXCL)
ECN = 0x03
OLD_TOS = 0x1E
"""IPTOS_TOS_MASK"""
ALL_BITS, ALL_PORTS, ALL_DSCP, ALL_LABELS = 0xFFFFFFFF, 0xFFFF, 0x3F, 0xFFFFF


def read(call: Call) -> tuple[Rules, Rule]:
    """fib_nl2rule(): the rules of the family that the request names, and what it says of one of them. EINVAL,
    EAFNOSUPPORT, and what the policy refuses, with texts."""
    check_length(call, SET)
    known = rules_families.of(call.net, family_of(call))
    if known is None:
        raise Refusal(errno.EAFNOSUPPORT, "Rule family not supported")
    attrs, ops = request.read(call, SET), known.ops
    header = call.fixed
    src = _address(attrs, Fra.src, header.src_len, ops.bits, "Invalid source address")
    dst = _address(attrs, Fra.dst, header.dst_len, ops.bits, "Invalid dst address")
    if Fra.l3mdev in attrs and not call.net.kernel.build.has("NET_L3_MASTER_DEV"):
        raise Refusal(errno.EINVAL, "l3mdev support is not enabled in kernel")
    if attrs.get(Fra.l3mdev, 1) != 1:
        raise Refusal(errno.EINVAL, "Invalid l3mdev attribute")
    mark = attrs.get(Fra.fwmark, 0)
    rule = Rule(
        attrs.get(Fra.priority, known.next_priority()),
        attrs.get(Fra.table, header.table),
        header.action,
        attrs.get(Fra.protocol, 0),
        header.flags,
        s32(attrs.get(Fra.suppress_prefixlen, ALL_BITS)),
        s32(attrs.get(Fra.suppress_ifgroup, ALL_BITS)),
        iifname=attrs.get(Fra.iifname, ""),
        oifname=attrs.get(Fra.oifname, ""),
        mark=mark,
        mask=attrs.get(Fra.fwmask, ALL_BITS if mark else 0),
        tun_id=attrs.get(Fra.tun_id, 0),
        l3mdev=attrs.get(Fra.l3mdev, 0),
        ops=ops,
    )
    if ops.selects:
        rule.src, rule.src_length, rule.dst, rule.dst_length = src, header.src_len, dst, header.dst_len
        rule.tos, rule.dscp, rule.dscp_mask = header.tos, attrs.get(Fra.dscp), attrs.get(Fra.dscp_mask)
    if ops.labels:
        rule.flowlabel, rule.flowlabel_mask = attrs.get(Fra.flowlabel), attrs.get(Fra.flowlabel_mask)
    if ops.realms and call.net.kernel.build.has("IP_ROUTE_CLASSID"):
        rule.realm = attrs.get(Fra.flow)
    _read_jump(attrs, rule)
    if rule.l3mdev and rule.table:
        raise Refusal(errno.EINVAL, "l3mdev and table are mutually exclusive")
    rule.uids = _range(attrs, Fra.uid_range, "Invalid uid range", 0, ALL_BITS)
    rule.ip_proto = attrs.get(Fra.ip_proto, 0)
    rule.sports = _range(attrs, Fra.sport_range, "Invalid sport range", 1, ALL_PORTS)
    rule.sport_mask = _mask(attrs, Fra.sport_mask, rule.sports)
    rule.dports = _range(attrs, Fra.dport_range, "Invalid dport range", 1, ALL_PORTS)
    rule.dport_mask = _mask(attrs, Fra.dport_mask, rule.dports)
    if Fra.goto in attrs and rule.target <= rule.priority:
        raise Refusal(errno.EINVAL, "Backward goto not supported")
    return known, rule


def _address(attrs: Attrs, attr: Attr[bytes], length: int, bits: int, complaint: str) -> int:
    if not length:
        return 0
    payload = attrs.get(attr, b"")
    if length > bits or len(payload) * 8 != bits:
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
    """fib4_rule_configure(), fib6_rule_configure(), before the tables: EINVAL, with texts."""
    if not rule.ops.selects:
        return
    labelled = Fra.flowlabel in attrs or Fra.flowlabel_mask in attrs
    if labelled and not rule.ops.labels:
        raise Refusal(errno.EINVAL, "Flow label cannot be specified for IPv4 FIB rules")
    if rule.tos & ECN:
        raise Refusal(errno.EINVAL, "Invalid dsfield (tos): ECN bits must be 0")
    if rule.ops.legacy_tos and rule.tos & ~OLD_TOS:
        raise Refusal(errno.EINVAL, "Invalid tos")
    if rule.dscp is not None and rule.tos:
        raise Refusal(errno.EINVAL, "Cannot specify both TOS and DSCP")
    if Fra.dscp_mask in attrs:
        at = attrs.offset(Fra.dscp_mask)
        if rule.dscp is None:
            raise Refusal(errno.EINVAL, "Cannot specify DSCP mask without DSCP value", at=at)
        if rule.dscp & ~attrs[Fra.dscp_mask]:
            raise Refusal(errno.EINVAL, "Invalid DSCP mask", at=at)
    elif rule.dscp is not None:
        rule.dscp_mask = ALL_DSCP
    if labelled:
        _check_label(attrs)


def _check_label(attrs: Attrs) -> None:
    """fib6_nl2rule_flowlabel()."""
    attrs.require((Fra.flowlabel, Fra.flowlabel_mask))
    label, mask = attrs[Fra.flowlabel], attrs[Fra.flowlabel_mask]
    if mask & ~ALL_LABELS:
        raise Refusal(errno.EINVAL, "Invalid flow label mask", at=attrs.offset(Fra.flowlabel_mask))
    if label & ~mask:
        raise Refusal(errno.EINVAL, "Flow label and mask do not match")


@doit_of(NEWRULE, AF_UNSPEC)
def newrule(call: Call) -> None:
    """fib_newrule()."""
    known, rule = read(call)
    if call.flags & EXCL:
        rules.check_new(known, rule)
    configure(call.attrs, rule)
    rules_families.lead(call.net, known, rule)
    rules.add(call.net, known, rule, call)


@doit_of(DELRULE, AF_UNSPEC)
def delrule(call: Call) -> None:
    """fib_delrule()."""
    known, wanted = read(call)
    rule = rules.find(known, wanted, by_priority=Fra.priority in call.attrs)
    rules.delete(call.net, known, rule, call)
