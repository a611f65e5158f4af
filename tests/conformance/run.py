"""Walking: the same walk on the emulator and on Linux, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from nlemu.emulator.kernel.core.build import DEFAULT, Build
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.replay import Difference
from tests.conformance.compare import Comparison, compare, counted, told
from tests.conformance.machines import Counters, Emulator, Fields, Linux, Outcome, StepImpossible
from tests.conformance.samples import Counts, Sample, apart
from tests.conformance.walk import ALL_AREAS, AREAS, Walk

MAKE = Machine
RACES = 5
"""How often a walk that differs is done again."""


@dataclass
class Found:
    """A walk that differs: the steps up to the first that does, and how."""

    seed: str
    steps: list[Fields]
    differences: list[Difference] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    bugs: int = 0

    def told(self) -> Iterator[str]:
        """How the last step differs, in lines for people."""
        for difference in self.differences:
            yield from told(self.steps, difference)
        for sample in self.samples:
            yield from counted(self.steps, sample)


def walked(
    seed: str, steps: int, areas: Sequence[str], renewed: Counters | None, build: Build = DEFAULT
) -> Walk:
    """A walk of that many steps, made on an emulator of its own, which is that kernel."""
    emulator = Emulator(MAKE(build=build), renewed)
    walk = Walk(seed, emulator, areas)
    begun = len(walk.steps)
    while len(walk.steps) < begun + steps:
        walk.step()
    return walk


def compared(linux: Linux, walk: Walk, seed: str) -> Found | None:
    """Performs a walk on Linux; what differs first, if something does."""
    first = compare(walk.steps, walk.outcomes, linux.perform(walk.steps))
    return found(seed, walk.steps, first, partial(again, linux, walk.steps), walk.machine.bugs)


def found(
    seed: str, steps: Sequence[Fields], first: Comparison, once_more: Callable[[int], Comparison], bugs: int = 0,
    races: int = RACES,
) -> Found | None:
    """What differs first in a first run and, if only counters do, which of them in all that follow. once_more: does run
    number 1, 2 and so on, each with other random numbers. races: how many more runs there are where something else
    differs; what Linux says in one of them as we do is a race there, and it is looked at what comes after it."""
    different, counts = _furthest(first, once_more, races)

    def sampled(run: int) -> Counts:
        _, counts = once_more(run)  # what else differs now did not before
        return counts

    samples = [] if different else apart(counts, sampled)
    step = min((*(one.step for one in different), *(one.place.step for one in samples)), default=0)
    if not step:
        return None
    here = [one for one in different if one.step == step]
    counted = [one for one in samples if one.place.step == step]
    return Found(seed, list(steps[:step]), here, counted, bugs)


def _furthest(first: Comparison, once_more: Callable[[int], Comparison], races: int) -> Comparison:
    """Of a first run and as many more, as long as each differs, the one in which that is latest."""
    best = first
    for run in range(1, races + 1):
        if not best[0]:
            break
        other = once_more(run)
        if not other[0] or _first_step(other) > _first_step(best):
            best = other
    return best


def _first_step(run: Comparison) -> int:
    return min(one.step for one in run[0])


def again(linux: Linux, steps: Sequence[Fields], run: int = 0) -> Comparison:
    """What differs in steps that are performed once more on both sides, with other random numbers here too."""
    counters = linux.renew()
    ours: list[Outcome] = Emulator(MAKE(seed=run, build=linux.build), counters).perform(steps)
    return compare(steps, ours, linux.perform(steps))


def differs(linux: Linux, steps: Sequence[Fields]) -> Found | None:
    """Whether the last step differs, and how. What does before it does not matter."""

    def last(run: int = 0) -> Comparison:
        differences, counts = again(linux, steps, run)
        here = {place: count for place, count in counts.items() if place.step == len(steps)}
        return [one for one in differences if one.step == len(steps)], here

    try:
        return found("", steps, last(), last, races=0)
    except StepImpossible:
        return None


def shrink(steps: list[Fields], differs: Callable[[list[Fields]], bool], patience: int = 400) -> list[Fields]:
    """Fewer steps that still differ (ddmin). patience: how many attempts it may take."""
    size = max(1, len(steps) // 2)
    while size:
        at, shorter = 0, False
        while at < len(steps) - 1 and patience:
            fewer = (
                steps[:at] + steps[min(at + size, len(steps) - 1) :]
            )  # the last step is the one that differs
            patience -= 1
            if differs(fewer):
                steps, shorter = fewer, True
            else:
                at += size
        if not patience:
            break
        size = size if shorter and size == 1 else size // 2
    return steps


__all__ = ["ALL_AREAS", "AREAS", "Found", "compared", "differs", "found", "shrink", "walked"]
