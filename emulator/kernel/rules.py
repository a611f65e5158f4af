"""Routing rules: which table is asked in which order (net/core/fib_rules.c, net/ipv4/fib_rules.c).

Nobody has added a rule yet when a namespace begins, so there are the three of IPv4: the table of local addresses,
the main one, the default one. The recorded machine is built without tables of IPv6, so IPv6 has no rules at all.

Rules are asked in the order of their priorities. One that fits leads to a table, past some other rules, or nowhere; a
table that knows no route leaves the rest to the next rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from errno import EACCES, EEXIST, EINVAL, ENETUNREACH, ENOENT
from typing import TYPE_CHECKING

from protocol.refusal import Refusal
from protocol.uapi.fib_rules import FR_ACT
from protocol.uapi.rtnetlink import RT_TABLE, RTM, RTPROT

if TYPE_CHECKING:
    from emulator.kernel.events import Origin
    from emulator.kernel.net import Net

TO_TABLE, GOTO, NOP = int(FR_ACT.TO_TBL), int(FR_ACT.GOTO), int(FR_ACT.NOP)
INVERT = 0x2
"""FIB_RULE_INVERT"""
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
    iifname: str = ""
    oifname: str = ""
    mark: int = 0
    mask: int = 0
    tun_id: int = 0
    uids: Range | None = None
    ip_proto: int = 0
    sports: Range | None = None
    dports: Range | None = None
    target: int = 0
    """Of a jump: the priority of the rule to go on with."""

    def same(self, other: Rule) -> bool:
        """rule_exists(): whether there is no difference."""
        return all(getattr(self, field.name) == getattr(other, field.name) for field in fields(self))


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
        and not rule.ip_proto
        and rule.sports is None
        and rule.dports is None
    )
    return matches != bool(rule.flags & INVERT)


def suppressed(rule: Rule, length: int, group: int | None) -> bool:
    """fib4_rule_suppress(): whether a route that was found is not good enough: its prefix too short, or its device of
    the wrong group."""
    return length <= rule.suppress_prefixlen or (rule.suppress_ifgroup != NONE and group == rule.suppress_ifgroup)


def add(net: Net, rules: Rules, rule: Rule, *, exclusive: bool, origin: Origin | None = None) -> None:
    """fib_newrule(), once the request has been read: behind all of its priority. EEXIST."""
    if exclusive and any(rule.same(other) for other in rules.rules):
        raise Refusal(EEXIST)
    at = 0
    while at < len(rules.rules) and rules.rules[at].priority <= rule.priority:
        at += 1
    rules.rules.insert(at, rule)
    net.kernel.announcer.rule(net, RTM.NEWRULE, rule, origin=origin)


def delete(net: Net, rules: Rules, wanted: Rule, *, by_priority: bool, origin: Origin | None = None) -> None:
    """fib_delrule(), once the request has been read: the first that fits what is said. ENOENT."""
    for rule in rules.rules:
        if _meant(rule, wanted, by_priority=by_priority):
            rules.rules.remove(rule)
            net.kernel.announcer.rule(net, RTM.DELRULE, rule, origin=origin)
            return
    raise Refusal(ENOENT)


SAID = (
    "action", "table", "iifname", "oifname", "mark", "mask", "tun_id", "uids", "ip_proto", "sports", "dports", "tos",
)  # fmt: skip
"""What a request to delete says of a rule unless it is empty."""


def _meant(rule: Rule, wanted: Rule, *, by_priority: bool) -> bool:
    """rule_find() and fib4_rule_compare()."""
    if by_priority and rule.priority != wanted.priority:
        return False
    if any(getattr(wanted, name) and getattr(rule, name) != getattr(wanted, name) for name in SAID):
        return False
    if wanted.suppress_prefixlen not in (NONE, rule.suppress_prefixlen):
        return False
    if wanted.suppress_ifgroup not in (NONE, rule.suppress_ifgroup):
        return False
    if wanted.src_length and (wanted.src, wanted.src_length) != (rule.src, rule.src_length):
        return False
    return not wanted.dst_length or (wanted.dst, wanted.dst_length) == (rule.dst, rule.dst_length)
