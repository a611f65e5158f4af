"""Routing rules: which table is asked in which order (net/core/fib_rules.c, net/ipv4/fib_rules.c).

Nobody has added a rule yet when a namespace begins, so there are the three of IPv4: the table of local addresses,
the main one, the default one. The recorded machine is built without tables of IPv6, so IPv6 has no rules at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocol.uapi.fib_rules import FR_ACT
from protocol.uapi.rtnetlink import RT_TABLE, RTPROT


@dataclass(slots=True)
class Rule:
    """struct fib_rule: at that priority, look in that table."""

    priority: int
    table: int
    action: int = int(FR_ACT.TO_TBL)
    protocol: int = int(RTPROT.KERNEL)
    flags: int = 0
    suppress_prefixlen: int = -1


class Rules:
    """struct fib_rules_ops of one family in one namespace: the rules in the order of their priorities."""

    __slots__ = ("generation", "rules")

    def __init__(self, rules: list[Rule]) -> None:
        self.rules = rules
        self.generation = 1
        """Grows with every change (ops->fib_rules_seq)."""

    @classmethod
    def of_ip4(cls) -> Rules:
        """fib_default_rules_init()."""
        return cls([Rule(0, RT_TABLE.LOCAL), Rule(0x7FFE, RT_TABLE.MAIN), Rule(0x7FFF, RT_TABLE.DEFAULT)])

    def __iter__(self) -> Iterator[Rule]:
        return iter(tuple(self.rules))
