"""Walking: the same walk on the emulator and on Linux, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emulator.machine import Machine
from emulator.replay import Difference
from tests.conformance.compare import differences
from tests.conformance.machines import Counters, Emulator, Fields, Linux, Outcome
from tests.conformance.walk import AREAS, Walk

MAKE = Machine


@dataclass
class Found:
    """A walk that differs: the steps up to the first that does, and how."""

    seed: str
    steps: list[Fields]
    renewed: bool
    differences: list[Difference] = field(default_factory=list)
    bugs: int = 0


def walked(seed: str, steps: int, areas: Sequence[str], renewed: Counters | None) -> Walk:
    """A walk of that many steps, made on an emulator of its own."""
    emulator = Emulator(MAKE(), renewed)
    walk = Walk(seed, emulator, areas)
    begun = len(walk.steps)
    while len(walk.steps) < begun + steps:
        walk.step()
    return walk


def compared(linux: Linux, walk: Walk, renewed: bool, seed: str) -> Found | None:
    """Performs a walk on Linux; what differs first, if something does."""
    theirs = linux.perform(walk.steps)
    different = list(differences(walk.steps, walk.outcomes, theirs))
    if not different:
        return None
    first = min(difference.step for difference in different)
    here = [difference for difference in different if difference.step == first]
    return Found(seed, list(walk.steps[:first]), renewed, here, walk.machine.bugs)


def again(linux: Linux, steps: Sequence[Fields], renewed: Counters | None) -> list[Difference]:
    """What differs in steps that are performed once more, on both sides."""
    ours: list[Outcome] = Emulator(MAKE(), renewed).perform(steps)
    return list(differences(steps, ours, linux.perform(steps)))


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


__all__ = ["AREAS", "Found", "again", "compared", "shrink", "walked"]
