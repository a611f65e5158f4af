"""The rules of a NIC by their locations, with what a driver asks of them all when another one comes.

Drivers walk a list or look into a hash; here nothing is walked, so that ten thousand rules are made in the time of ten
thousand and not of their square.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, MutableMapping

from nlemu.emulator.kernel.devices.rules import Rule


class RuleTable(MutableMapping[int, Rule]):
    """match: by what two rules are the same to the driver."""

    def __init__(self, match: Callable[[Rule], Hashable]) -> None:
        self._match = match
        self._rules: dict[int, Rule] = {}
        self._matching: dict[Hashable, dict[int, Rule]] = {}
        self._kinds: dict[Hashable, dict[int, Rule]] = {}
        self._free = 0

    def __getitem__(self, location: int) -> Rule:
        return self._rules[location]

    def __setitem__(self, location: int, rule: Rule) -> None:
        if location in self._rules:
            del self[location]
        self._rules[location] = rule
        self._matching.setdefault(self._match(rule), {})[location] = rule
        self._kinds.setdefault(rule.flow, {})[location] = rule

    def __delitem__(self, location: int) -> None:
        rule = self._rules.pop(location)
        _forget(self._matching, self._match(rule), location)
        _forget(self._kinds, rule.flow, location)
        self._free = min(self._free, location)

    def __iter__(self) -> Iterator[int]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def free(self) -> int:
        """The lowest location at which there is none."""
        while self._free in self._rules:
            self._free += 1
        return self._free

    def matching(self, rule: Rule) -> dict[int, Rule]:
        """Those that are the same to the driver, by location."""
        return self._matching.get(self._match(rule), {})

    def of_kind(self, flow: int) -> Rule | None:
        """One of those for that kind of packet."""
        return next(iter(self._kinds.get(flow, {}).values()), None)


def _forget(index: dict[Hashable, dict[int, Rule]], key: Hashable, location: int) -> None:
    del index[key][location]
    if not index[key]:
        del index[key]
