"""Routing rules: which table is asked in which order (net/core/fib_rules.c, net/ipv4/fib_rules.c,
net/ipv6/fib6_rules.c).

Several families have rules, each if the kernel is built with it; what differs between them is said in a RulesOps. A
namespace begins with those that lead to the tables of local addresses, the main one, and that of IPv4's default.

Rules are asked in the order of their priorities. One that fits leads to a table, past some other rules, or nowhere; a
table that knows no route leaves the rest to the next rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import EACCES, EEXIST, EINVAL, ENETUNREACH, ENOENT, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet import fib_chain
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.fib_rules import FR_ACT
from nlemu.protocol.uapi.rtnetlink import RT_TABLE, RTM, RTNL_FAMILY_IP6MR, RTNL_FAMILY_IPMR, RTPROT
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net

TO_TABLE, GOTO, NOP = int(FR_ACT.TO_TBL), int(FR_ACT.GOTO), int(FR_ACT.NOP)
STAYS, INVERT, FINDS_SOURCE = 0x1, 0x2, 0x10000
"""FIB_RULE_PERMANENT, FIB_RULE_INVERT, FIB_RULE_FIND_SADDR"""
NONE = -1
REFUSALS: dict[int, int] = {FR_ACT.UNREACHABLE: ENETUNREACH, FR_ACT.PROHIBIT: EACCES}
"""What a rule that leads nowhere gives; any other EINVAL."""
Range = tuple[int, int]


@dataclass(frozen=True)
class RulesOps:
    """struct fib_rules_ops: what the rules of one family are like.

    option: the kernel has them if it is built with that. bits: of an address. defaults: the priorities and tables of
    the rules that a namespace begins with. selects: a rule looks at what is the family's own, addresses and the class
    of service. legacy_tos: of the class of service as it was, only the bits that it then had; labels: rules may ask for
    a flow label; realms: they may give realms (FRA_FLOW, CONFIG_IP_ROUTE_CLASSID); late_source: a source address that
    is not chosen yet fits no rule that wants one, unless the rule says that it is to be found.
    """

    family: int
    option: str
    bits: int
    defaults: tuple[tuple[int, int], ...]
    selects: bool = True
    legacy_tos: bool = False
    labels: bool = False
    realms: bool = False
    late_source: bool = False


FIRST, LAST_BUT_ONE, LAST = 0, 0x7FFE, 0x7FFF
"""Priorities of the rules that are there from the start."""
IPV4 = RulesOps(
    AF_INET, "IP_MULTIPLE_TABLES", 32,
    ((FIRST, int(RT_TABLE.LOCAL)), (LAST_BUT_ONE, int(RT_TABLE.MAIN)), (LAST, int(RT_TABLE.DEFAULT))),
    legacy_tos=True, realms=True,
)
"""fib4_rules_ops_template"""
IPMR = RulesOps(
    RTNL_FAMILY_IPMR, "IP_MROUTE_MULTIPLE_TABLES", 32, ((LAST, int(RT_TABLE.DEFAULT)),), selects=False
)
"""ipmr_rules_ops_template: of groups of IPv4, as far as user space sees them."""
IP6MR = RulesOps(
    RTNL_FAMILY_IP6MR, "IPV6_MROUTE_MULTIPLE_TABLES", 128, ((LAST, int(RT_TABLE.MAIN)),), selects=False
)
"""ip6mr_rules_ops_template; RT6_TABLE_DFLT is the main one."""
IPV6 = RulesOps(
    AF_INET6, "IPV6_MULTIPLE_TABLES", 128,
    ((FIRST, int(RT_TABLE.LOCAL)), (LAST_BUT_ONE, int(RT_TABLE.MAIN))), labels=True, late_source=True,
)
"""fib6_rules_ops_template"""
IN_ORDER = IPV4, IPMR, IP6MR, IPV6
"""As they register, and as a dump of all families walks them."""


@dataclass(slots=True, eq=False)
class Rule:
    """struct fib_rule, fib4_rule, fib6_rule. What is 0, "" or None is no condition, or has not been said;
    suppress_prefixlen, suppress_ifgroup: NONE for none."""

    priority: int
    table: int
    action: int = TO_TABLE
    protocol: int = int(RTPROT.KERNEL)
    flags: int = 0
    suppress_prefixlen: int = NONE
    suppress_ifgroup: int = NONE
    src: int = 0
    src_length: int = 0
    dst: int = 0
    dst_length: int = 0
    tos: int = 0
    dscp: int | None = None
    """The DSCP, where it was not said as a type of service."""
    dscp_mask: int | None = None
    iifname: str = ""
    oifname: str = ""
    mark: int = 0
    mask: int = 0
    tun_id: int = 0
    uids: Range | None = None
    ip_proto: int = 0
    sports: Range | None = None
    dports: Range | None = None
    sport_mask: int = 0
    dport_mask: int = 0
    target: int = 0
    """Of a jump: the priority of the rule to go on with."""
    l3mdev: int = 0
    """1: the table is that of the VRF device that a packet belongs to."""
    flowlabel: int | None = None
    flowlabel_mask: int | None = None
    realm: int | None = None
    """The realms that a route gets."""
    ops: RulesOps = field(default=IPV4, repr=False)

    def like(self, wanted: Rule) -> bool:
        """rule_exists(): whether another one like it would be no other. What it looks for in a packet, it may look for
        more than what is wanted (ops->compare())."""
        return self.looks_for(wanted) and all(getattr(self, name) == getattr(wanted, name) for name in KNOWN_BY)

    def looks_for(self, wanted: Rule) -> bool:
        """fib4_rule_compare(), fib6_rule_compare(): as far as it is said."""
        if wanted.src_length and (wanted.src, wanted.src_length) != (self.src, self.src_length):
            return False
        if wanted.dst_length and (wanted.dst, wanted.dst_length) != (self.dst, self.dst_length):
            return False
        if wanted.tos and (self.dscp is not None or self.tos != wanted.tos):
            return False
        if wanted.dscp not in (None, self.dscp) or wanted.dscp_mask not in (None, self.dscp_mask):
            return False
        return all(getattr(wanted, name) in (None, getattr(self, name) or 0) for name in NUMBERS)


@dataclass(slots=True)
class Flow:
    """struct flowi4, flowi6: what a rule looks at. src: 0 where it is still to be chosen."""

    dst: int
    src: int = 0
    tos: int = 0
    oif: int = 0
    mark: int = 0
    uid: int = 0
    iif: int = 1
    """LOOPBACK_IFINDEX: what is looked up here begins on this machine."""
    proto: int = 0
    sport: int = 0
    dport: int = 0
    label: int = 0
    """The flow label."""
    l3mdev: int = 0
    """The index of the master of the domain that the packet is in (flowi_l3mdev), and whether that is so because of the
    device by which it is to leave (FLOWI_FLAG_L3MDEV_OIF)."""
    l3mdev_oif: bool = False


class Rules:
    """The rules of one family in one namespace, in the order of their priorities. changed: there have been others than
    those from the start; until then nothing asks them, but the tables that they stand for."""

    __slots__ = ("changed", "ops", "rules")

    def __init__(self, ops: RulesOps) -> None:
        """fib_rules_register(), fib_default_rule_add()."""
        self.ops = ops
        self.rules = [Rule(priority, table, ops=ops) for priority, table in ops.defaults]
        self.changed = False

    def __iter__(self) -> Iterator[Rule]:
        return iter(tuple(self.rules))

    def next_priority(self) -> int:
        """fib_default_rule_pref(): before the second rule."""
        return max(self.rules[1].priority - 1, 0) if len(self.rules) > 1 else 0

    def target(self, rule: Rule) -> Rule | None:
        """Where a jump leads, if there is such a rule."""
        return next((other for other in self.rules if other.priority == rule.target), None)

    def chosen(self, net: Net, flow: Flow) -> Iterator[Rule]:
        """fib_rules_lookup(): the rules that fit and lead to a table, one after the other. Refusal: one leads
        nowhere."""
        at, rules = 0, tuple(self.rules)
        while at < len(rules):
            rule = rules[at]
            at += 1
            if not fits(net, rule, flow) or rule.action == NOP:
                continue
            if rule.action == GOTO:
                target = self.target(rule)
                at = at if target is None else rules.index(target)
            elif rule.action == TO_TABLE:
                yield rule
            else:
                raise Refusal(REFUSALS.get(rule.action, EINVAL))


def index_of(net: Net, name: str) -> int:
    """The index that the name of a device stands for now; NONE if there is no such device."""
    dev = net.by_name(name)
    return NONE if dev is None else dev.ifindex


def table_of(net: Net, rule: Rule, flow: Flow) -> int:
    """fib_rule_get_table(): where the rule leads a packet."""
    return l3mdev.flow_table(net, flow) if rule.l3mdev else rule.table


def _device_fits(net: Net, name: str, index: int, flow: Flow, *, out: bool) -> bool:
    """fib_rule_iif_match(), fib_rule_oif_match(): a master stands for its domain."""
    dev = net.by_name(name)
    if dev is not None and l3mdev.is_master(dev):
        return flow.l3mdev_oif == out and flow.l3mdev == dev.ifindex
    return dev is not None and dev.ifindex == index


def covers(rule: Rule, prefix: int, length: int, address: int) -> bool:
    """Whether an address is in a prefix that the rule names."""
    host = rule.ops.bits - length
    return prefix >> host == address >> host


def _source_fits(rule: Rule, flow: Flow) -> bool:
    if rule.src_length and rule.ops.late_source and not flow.src:
        return bool(rule.flags & FINDS_SOURCE)
    return covers(rule, rule.src, rule.src_length, flow.src)


def _port_fits(ports: Range | None, mask: int, port: int) -> bool:
    """fib_rule_port_match()."""
    if ports is None:
        return True
    return not (ports[0] ^ port) & mask if mask else ports[0] <= port <= ports[1]


def fits(net: Net, rule: Rule, flow: Flow) -> bool:
    """fib_rule_match(), fib4_rule_match(), fib6_rule_match()."""
    matches = (
        (not rule.iifname or _device_fits(net, rule.iifname, flow.iif, flow, out=False))
        and (not rule.oifname or _device_fits(net, rule.oifname, flow.oif, flow, out=True))
        and not (rule.mark ^ flow.mark) & rule.mask
        and not rule.tun_id
        and (not rule.l3mdev or l3mdev.flow_table(net, flow) != 0)
        and (rule.uids is None or rule.uids[0] <= flow.uid <= rule.uids[1])
        and _source_fits(rule, flow)
        and covers(rule, rule.dst, rule.dst_length, flow.dst)
        and rule.tos in (0, flow.tos)
        and (rule.dscp is None or not (flow.tos >> 2 ^ rule.dscp) & (rule.dscp_mask or 0))
        and not ((rule.flowlabel or 0) ^ flow.label) & (rule.flowlabel_mask or 0)
        and rule.ip_proto in (0, flow.proto)
        and _port_fits(rule.sports, rule.sport_mask, flow.sport)
        and _port_fits(rule.dports, rule.dport_mask, flow.dport)
    )
    return matches != bool(rule.flags & INVERT)


def suppressed(rule: Rule, length: int, group: int | None) -> bool:
    """fib4_rule_suppress(), fib6_rule_suppress(): whether a route that was found is not good enough: its prefix too
    short, or its device of the wrong group."""
    return length <= rule.suppress_prefixlen or (rule.suppress_ifgroup != NONE and group == rule.suppress_ifgroup)


KNOWN_BY = (
    "action", "table", "priority", "iifname", "oifname", "mark", "suppress_ifgroup", "suppress_prefixlen", "mask",
    "tun_id", "l3mdev", "uids", "ip_proto", "protocol", "sports", "dports", "sport_mask", "dport_mask",
)
NUMBERS = "flowlabel", "flowlabel_mask", "realm"
SAID = (
    "action", "table", "iifname", "oifname", "mark", "mask", "tun_id", "l3mdev", "uids", "ip_proto", "protocol",
    "sports", "dports", "sport_mask", "dport_mask",
)
"""What a request to delete says of a rule unless it is empty."""


def check_new(rules: Rules, wanted: Rule) -> None:
    """EEXIST."""
    if any(rule.like(wanted) for rule in rules):
        raise Refusal(EEXIST)


def add(net: Net, rules: Rules, rule: Rule, origin: Origin | None = None) -> None:
    """fib_newrule(), once the request has been read: behind all of its priority."""
    at = 0
    while at < len(rules.rules) and rules.rules[at].priority <= rule.priority:
        at += 1
    fib_chain.check_rule(net, rules)
    rules.rules.insert(at, rule)
    net.kernel.announcer.rule(net, RTM.NEWRULE, rule, origin=origin)


def find(rules: Rules, wanted: Rule, *, by_priority: bool) -> Rule:
    """rule_find(): the first that fits what is said. ENOENT; EPERM for one that is to stay."""
    for rule in rules:
        if _meant(rule, wanted, by_priority=by_priority):
            if rule.flags & STAYS:
                raise Refusal(EPERM)
            return rule
    raise Refusal(ENOENT)


def delete(net: Net, rules: Rules, rule: Rule, origin: Origin | None = None) -> None:
    """The end of fib_delrule()."""
    rules.rules.remove(rule)
    net.kernel.announcer.rule(net, RTM.DELRULE, rule, origin=origin)


def _meant(rule: Rule, wanted: Rule, *, by_priority: bool) -> bool:
    if by_priority and rule.priority != wanted.priority:
        return False
    if any(getattr(wanted, name) and getattr(rule, name) != getattr(wanted, name) for name in SAID):
        return False
    if wanted.suppress_prefixlen not in (NONE, rule.suppress_prefixlen):
        return False
    if wanted.suppress_ifgroup not in (NONE, rule.suppress_ifgroup):
        return False
    return rule.looks_for(wanted)
