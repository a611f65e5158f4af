"""The rules of a NIC: kept by location, and checked as its driver does.

What a driver takes differs widely, so that each has a check of its own (mlx5.py, bnxt.py); common is the table.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from errno import EINVAL, EMSGSIZE, ENOENT, ENOSPC
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rules import Rule, RuleOps
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """room: how many locations there are; chosen: the driver chooses the location, and none can be said; counts: what
    it tells beside the number of rules, None where it leaves that as it is; all_at_once: where they are is told of all,
    or of none; missing: what it says of a location at which there is no rule."""

    room: int
    chosen: bool = False
    counts: int | None = None
    all_at_once: bool = False
    missing: int = ENOENT


class NicRules(RuleOps):
    """The methods of a driver that has a table of rules; of one without, none is there."""

    rules: RuleFacts | None = None
    RULE_METHODS = frozenset(("rule_count", "rule_locations", "get_rule", "insert_rule", "delete_rule"))

    @property
    def room(self) -> int:
        """How many locations there are, of a driver with rules."""
        assert self.rules is not None
        return self.rules.room

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """What the driver refuses."""

    def match(self, rule: Rule) -> Hashable:
        """By what two rules are the same to it: here kind, values and masks."""
        return rule.flow, rule.values, rule.masks

    def kept(self, rule: Rule) -> Rule:
        """What it remembers of a rule: here all."""
        return rule

    def rule_count(self, dev: Device) -> tuple[int, int | None]:
        assert self.rules is not None
        return len(dev.priv.rules), self.rules.counts

    def rule_locations(self, dev: Device, room: int) -> tuple[int, Sequence[int]]:
        assert self.rules is not None
        kept = sorted(dev.priv.rules)
        if self.rules.all_at_once:
            if len(kept) > room:
                raise Refusal(EMSGSIZE)
        elif room > len(kept):
            raise Refusal(EINVAL)
        return self.room, kept[:room]

    def get_rule(self, dev: Device, location: int) -> Rule:
        assert self.rules is not None
        found: Rule | None = dev.priv.rules.get(location)
        if found is None:
            raise Refusal(self.rules.missing)
        return found

    def insert_rule(self, dev: Device, rule: Rule) -> Rule:
        self.check_rule(dev, rule)
        if self.rules is not None and self.rules.chosen:
            free = dev.priv.rules.free()
            if free >= self.room:
                raise Refusal(ENOSPC)
            rule = replace(rule, location=free)
        dev.priv.rules[rule.location] = self.kept(rule)
        return rule

    def delete_rule(self, dev: Device, location: int) -> None:
        if location not in dev.priv.rules:
            raise Refusal(ENOENT)
        del dev.priv.rules[location]
