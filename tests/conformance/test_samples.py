"""Counters that vary by the same chance are not told apart; others are, however little they differ."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from nlemu.emulator.script.replay import Difference
from tests.conformance.compare import Comparison
from tests.conformance.run import found
from tests.conformance.samples import RUNS, Counts, Place, apart

PLACE = Place(3, "r0", 0, ".stats64.tx-packets")
OTHER = Place(2, "r0", 0, ".stats64.tx-bytes")


def drawn(ours: Callable[[], int], theirs: Callable[[], int]) -> Callable[[int], Counts]:
    """Runs in which both count by chance."""

    def run(_: int) -> Counts:
        one, other = ours(), theirs()
        return {PLACE: (one, other)} if one != other else {}

    return run


def test_what_never_varies_is_apart() -> None:
    again = drawn(lambda: 4, lambda: 5)
    [sample] = apart(again(0), again)
    assert (sample.place, sample.ours, sample.theirs) == (PLACE, [4] * RUNS, [5] * RUNS)


def test_one_that_reaches_the_other_is_not_apart() -> None:
    counted = iter((1, 1, 1, 2, 1, 1, 1, 1))
    again = drawn(lambda: next(counted), lambda: 2)
    assert not apart({PLACE: (next(counted), 2)}, again)


def test_ranges_that_meet_are_not_apart() -> None:
    """Though no run brought the same number on both sides."""
    counts: list[Counts] = [{PLACE: (1, 2)}, {PLACE: (3, 2)}]
    assert not apart(counts[0], counts.__getitem__)


def test_the_same_chance_is_the_same() -> None:
    """Few of a thousand that count alike are told apart, and all that do not."""
    rng = random.Random(1)

    def far(low: int) -> bool:
        again = drawn(lambda: rng.randrange(10), lambda: rng.randrange(low, low + 10))
        return bool(apart(again(0), again))

    assert sum(far(0) for _ in range(1000)) < 5
    assert all(far(10) for _ in range(1000))


def test_the_first_comes_first() -> None:
    counts: Counts = {PLACE: (1, 2), OTHER: (1, 2)}
    assert [one.place for one in apart(counts, lambda run: counts)] == [OTHER, PLACE]


def test_it_stops_when_nothing_is_left() -> None:
    runs: list[int] = []

    def again(run: int) -> Counts:
        runs.append(run)
        return {}

    assert not apart({PLACE: (1, 2)}, again)
    assert runs == [1]


def test_a_race_is_looked_behind() -> None:
    """What Linux says as we do in another run is none; what differs in all of them is, the latest of those steps."""
    first: Comparison = [Difference(4, "r", 0, "00", "01")], {}
    later: Comparison = [Difference(7, "r", 0, "00", "01")], {}
    steps: list[Mapping[str, Any]] = [{"sleep": 1}] * 9
    assert found("", steps, first, lambda run: ([], {})) is None
    one = found("", steps, first, lambda run: later if run == 2 else first)
    assert one is not None and len(one.steps) == 7
