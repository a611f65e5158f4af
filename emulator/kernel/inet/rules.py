"""Routing rules: which table is asked in which order (net/core/fib_rules.c, net/ipv4/fib_rules.c).

Nobody has added a rule yet when a namespace begins, so there are the three of IPv4: the table of local addresses,
the main one, the default one. The recorded machine is built without tables of IPv6, so IPv6 has no rules at all.

Rules are asked in the order of their priorities. One that fits leads to a table, past some other rules, or nowhere; a
table that knows no route leaves the rest to the next rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from errno import EACCES, EEXIST, EINVAL, ENETUNREACH, ENOENT, EPERM
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.fib_rules import FR_ACT
from nlemu.protocol.uapi.rtnetlink import RT_TABLE, RTM, RTPROT

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net

TO_TABLE, GOTO, NOP = int(FR_ACT.TO_TBL), int(FR_ACT.GOTO), int(FR_ACT.NOP)
STAYS, INVERT = 0x1, 0x2
"""FIB_RULE_PERMANENT, FIB_RULE_INVERT"""
NONE = -1
REFUSALS: dict[int, int] = {FR_ACT.UNREACHABLE: ENETUNREACH, FR_ACT.PROHIBIT: EACCES}
"""What a rule that leads nowhere gives; any other EINVAL."""
Range = tuple[int, int]


@dataclass(slots=True, eq=False)
class Rule:
    """struct fib4_rule. What is 0, "" or None is no condition; suppress_prefixlen, suppress_ifgroup: NONE for none."""

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
    dscp: tuple[int, int] | None = None
    """Value and mask of the DSCP, where it was not said as a type of service."""
    dscp_masked: bool = False
    """Whether the mask was said."""
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

    def like(self, wanted: Rule) -> bool:
        """rule_exists(): whether another one like it would be no other. What it looks for in a packet, it may look for
        more than what is wanted (fib4_rule_compare())."""
        return self.looks_for(wanted) and all(getattr(self, name) == getattr(wanted, name) for name in KNOWN_BY)

    def looks_for(self, wanted: Rule) -> bool:
        """fib4_rule_compare(): as far as it is said."""
        if wanted.src_length and (wanted.src, wanted.src_length) != (self.src, self.src_length):
            return False
        if wanted.dst_length and (wanted.dst, wanted.dst_length) != (self.dst, self.dst_length):
            return False
        if wanted.tos and (self.dscp is not None or self.tos != wanted.tos):
            return False
        if wanted.dscp is None:
            return True
        if self.dscp is None or self.dscp[0] != wanted.dscp[0]:
            return False
        return not wanted.dscp_masked or self.dscp[1] == wanted.dscp[1]


@dataclass(slots=True)
class Flow:
    """struct flowi4: what a rule looks at."""

    dst: int
    src: int = 0
    tos: int = 0
    oif: int = 0
    mark: int = 0
    uid: int = 0
    iif: int = 1
    """LOOPBACK_IFINDEX: what is looked up here begins on this machine."""


class Rules:
    """struct fib_rules_ops of one family in one namespace: the rules in the order of their priorities."""

    __slots__ = ("rules",)

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules

    @classmethod
    def of_ip4(cls) -> Rules:
        """fib_default_rules_init()."""
        return cls([Rule(0, RT_TABLE.LOCAL), Rule(0x7FFE, RT_TABLE.MAIN), Rule(0x7FFF, RT_TABLE.DEFAULT)])

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


def _in(prefix: int, length: int, address: int) -> bool:
    return not length or prefix >> 32 - length == address >> 32 - length


def fits(net: Net, rule: Rule, flow: Flow) -> bool:
    """fib_rule_match() and fib4_rule_match()."""
    matches = (
        (not rule.iifname or index_of(net, rule.iifname) == flow.iif)
        and (not rule.oifname or index_of(net, rule.oifname) == flow.oif)
        and not (rule.mark ^ flow.mark) & rule.mask
        and not rule.tun_id
        and (rule.uids is None or rule.uids[0] <= flow.uid <= rule.uids[1])
        and _in(rule.src, rule.src_length, flow.src)
        and _in(rule.dst, rule.dst_length, flow.dst)
        and rule.tos in (0, flow.tos)
        and (rule.dscp is None or not (flow.tos >> 2 ^ rule.dscp[0]) & rule.dscp[1])
        and not rule.ip_proto
        and rule.sports is None
        and rule.dports is None
    )
    return matches != bool(rule.flags & INVERT)


def suppressed(rule: Rule, length: int, group: int | None) -> bool:
    """fib4_rule_suppress(): whether a route that was found is not good enough: its prefix too short, or its device of
    the wrong group."""
    return length <= rule.suppress_prefixlen or (rule.suppress_ifgroup != NONE and group == rule.suppress_ifgroup)


KNOWN_BY = (
    "action", "table", "priority", "iifname", "oifname", "mark", "suppress_ifgroup", "suppress_prefixlen", "mask",
    "tun_id", "uids", "ip_proto", "protocol", "sports", "dports", "sport_mask", "dport_mask",
)
SAID = (
    "action", "table", "iifname", "oifname", "mark", "mask", "tun_id", "uids", "ip_proto", "protocol", "sports",
    "dports", "sport_mask", "dport_mask",
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
