"""Counters that chance has a hand in: whether two machines count alike, which no single run can tell.

IPv6 lets random times pass before it probes, reports and solicits, so by a given step Linux has sent a packet more in
one run than in another. What it would never count is a difference all the same. So where two machines count
differently both do the same steps again, a few times, each with other random numbers, and keep what they counted: a
counter is a difference when all that one of them ever counted is less than all that the other did. Two that count
alike by the same chance are told apart wrongly once in 6,000 times (2 of the 12,870 orders of sixteen numbers); two
that never vary are told apart always.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

RUNS = 8
"""How often both do the steps at most, the first time included."""


@dataclass(frozen=True, order=True)
class Place:
    """Where a counter stands: the step, counted from 1, the socket, which of its datagrams, the path of the fact."""

    step: int
    socket: str
    index: int
    path: str


Counts = Mapping[Place, tuple[int, int]]
"""What was counted differently in one run: ours, theirs."""


@dataclass
class Sample:
    """What both counted in one place, run by run."""

    place: Place
    ours: list[int] = field(default_factory=list)
    theirs: list[int] = field(default_factory=list)

    @property
    def apart(self) -> bool:
        """Whether one side never counted as little, or as much, as the other."""
        return max(self.ours) < min(self.theirs) or max(self.theirs) < min(self.ours)


def apart(first: Counts, again: Callable[[int], Counts], runs: int = RUNS) -> list[Sample]:
    """Which counters of a first run really differ, the first of them first. again: does run number 1, 2 ... and tells
    what was counted differently in it; a place that it does not name was counted alike."""
    samples = [Sample(place, [ours], [theirs]) for place, (ours, theirs) in sorted(first.items())]
    for run in range(1, runs):
        if not samples:
            break
        counts = again(run)
        samples = [one for one in samples if one.place in counts]
        for one in samples:
            ours, theirs = counts[one.place]
            one.ours.append(ours)
            one.theirs.append(theirs)
        samples = [one for one in samples if one.apart]
    return samples
