"""Random walks: on Linux where an image is given, and in any case on the emulator itself, so that they do not rust."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlemu.emulator.kernel.core.build import DEFAULT
from nlemu.emulator.machine.machine import Machine
from tests.conformance.compare import compare, differences, told
from tests.conformance.machines import Emulator, Fields, Linux, Outcome, serving
from tests.conformance.run import ALL_AREAS, AREAS, compared, shrink, walked

LENGTH = 150


def test_walks_on_linux(linux: Linux, pytestconfig: pytest.Config) -> None:
    """With `--kernel bzImage --steps N --seed S`; `python -m tests.conformance` also shrinks what differs."""
    steps, seed = pytestconfig.getoption("--steps"), pytestconfig.getoption("--seed")
    done = 0
    while done < steps:
        counters = linux.renew()
        walk = walked(str(seed), LENGTH, AREAS, counters, linux.build)
        found = compared(linux, walk, str(seed))
        assert not walk.machine.bugs
        assert found is None, "\n".join([f"seed {seed}", *found.told()])
        done += len(walk.steps)
        seed += 1


@pytest.mark.parametrize("area", ALL_AREAS)
def test_a_walk_on_the_emulator(area: str) -> None:
    """It meets no bug, and the steps mean the same to a machine that has not seen the walk."""
    walk = walked(f"test {area}", 200, [area], None)
    assert not walk.machine.bugs
    again = Emulator(Machine()).perform(walk.steps)
    assert again == walk.outcomes


def test_a_walk_on_the_daemon() -> None:
    """The same walk over real sockets."""
    walk = walked("test daemon", 200, AREAS, None)
    with serving(Machine()) as client:
        there = client.perform(walk.steps)
    different, counts = compare(walk.steps, walk.outcomes, there)
    assert not counts
    assert not different, "\n".join(line for one in different for line in told(walk.steps, one))


def test_a_difference_is_found_and_told() -> None:
    walk = walked("test found", 50, ["netdev"], None)
    other = list(walk.outcomes)
    number, outcome = next(
        (number, outcome)
        for number, outcome in enumerate(other)
        if any(len(got[0]) > 60 for got in outcome.got.values())
    )
    socket, texts = next(iter(outcome.got.items()))
    changed = texts[0][:-8] + f"{int(texts[0][-8:], 16) ^ 1:08x}"
    other[number] = Outcome(outcome.error, {**outcome.got, socket: (changed, *texts[1:])})
    [difference] = differences(walk.steps, walk.outcomes, other)
    assert (difference.step, difference.socket, difference.index) == (number + 1, socket, 0)
    assert len(told(walk.steps, difference)) > 1


def test_an_errno_is_a_difference() -> None:
    steps: list[Fields] = [{"nsim_del": 7}]
    [difference] = differences(steps, Emulator(Machine()).perform(steps), [Outcome()])
    assert (difference.socket, difference.expected, difference.got) == (None, None, "!ENOENT")


def test_shrinking_keeps_what_matters() -> None:
    """Of a hundred steps, the two that matter and the last one, which differs, are left."""
    steps: list[Fields] = [{"sleep": number} for number in range(100)]
    wanted = [{"sleep": 17}, {"sleep": 61}, {"sleep": 99}]
    assert shrink(steps, lambda fewer: all(step in fewer for step in wanted)) == wanted


def test_a_place_to_save(tmp_path: Path) -> None:
    """What is saved can be replayed: it is a trace."""
    from nlemu.emulator.script import trace
    from tests.conformance.__main__ import save

    steps: list[Fields] = [{"nsim_new": [1, 1, 1], "settle": 1.0}, {"nsim_del": 8}]
    save(tmp_path / "one.jsonl", "a seed", DEFAULT, steps, Emulator(Machine()).perform(steps))
    saved = trace.read(tmp_path / "one.jsonl")
    assert [step.error for step in saved.steps] == [0, 2]
