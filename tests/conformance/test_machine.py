"""The walks as a state machine of hypothesis, which chooses every step and shrinks what differs.

Without a kernel image the emulator is compared with its daemon, over real sockets; with `--kernel bzImage` with Linux.
`python -m tests.conformance` makes the same steps from a seed: far longer walks, many on one boot.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from nlemu.emulator.kernel.core.build import DEFAULT
from nlemu.emulator.machine.machine import Machine
from tests.conformance.compare import compare
from tests.conformance.machines import Counters, Driven, Emulator, Fields, Linux, Outcome, serving
from tests.conformance.run import Found, again, found
from tests.conformance.walk import AREAS, Walk
from tests.conformance.world import NETS

Other = Callable[[], AbstractContextManager[tuple[Driven, Counters | None]]]
"""Makes a machine to compare with: it has no past, but for the counters."""

STEPS_OF_A_RUN = 30
QUICK = settings(
    max_examples=25,
    stateful_step_count=STEPS_OF_A_RUN,
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


class Conversation(RuleBasedStateMachine):
    """A walk in which hypothesis throws the dice. What it comes to is compared at its end, for Linux answers a whole
    walk at once."""

    other: Other

    def __init__(self) -> None:
        super().__init__()
        self.context = type(self).other()
        self.machine, counters = self.context.__enter__()
        build = self.machine.build if isinstance(self.machine, Linux) else DEFAULT
        self.walk = Walk(0, Emulator(Machine(build=build), counters))

    @rule(net=st.sampled_from(NETS), area=st.sampled_from(AREAS), dice=st.randoms(use_true_random=False))
    def act(self, net: str, area: str, dice: random.Random) -> None:
        self.walk.throw(dice)
        self.walk.net = net
        getattr(self.walk, area)()

    def teardown(self) -> None:
        try:
            steps = self.walk.steps
            assert not self.walk.machine.bugs
            different = differing(self.machine, steps, self.walk.outcomes)
            assert different is None, "\n".join(different.told())
        finally:
            self.context.__exit__(None, None, None)


def differing(machine: Driven, steps: Sequence[Fields], ours: Sequence[Outcome]) -> Found | None:
    """How another machine answers the same steps otherwise."""
    first = compare(steps, ours, machine.perform(steps))
    if isinstance(machine, Linux):
        return found("", steps, first, partial(again, machine, steps))
    different, counts = first
    return Found("", list(steps), different) if different or counts else None


def converse(other: Other, options: settings) -> None:
    """Raises AssertionError, with how it differs, for the shortest conversation found that does."""
    run_state_machine_as_test(
        type("Conversation", (Conversation,), {"other": staticmethod(other)}), settings=options
    )


@contextmanager
def over_sockets() -> Iterator[tuple[Driven, None]]:
    with serving(Machine()) as client:
        yield client, None


def test_the_daemon_says_what_the_emulator_says() -> None:
    converse(over_sockets, QUICK)


def test_linux_says_what_the_emulator_says(linux: Linux, pytestconfig: pytest.Config) -> None:
    """With `--kernel bzImage --steps N`."""

    @contextmanager
    def renewed() -> Iterator[tuple[Driven, Counters]]:
        yield linux, linux.renew()

    examples = max(1, pytestconfig.getoption("--steps") // STEPS_OF_A_RUN)
    converse(renewed, settings(QUICK, max_examples=examples, derandomize=False))


class Forgetful:
    """An emulator that loses its answers to dumps of links."""

    def __init__(self) -> None:
        self.emulator = Emulator(Machine())

    def perform(self, steps: Sequence[Fields]) -> list[Outcome]:
        said = self.emulator.perform(steps)
        asked = ["send" in step and step["hex"][8:16] == "12000103" for step in steps]
        return [Outcome() if one else outcome for one, outcome in zip(asked, said, strict=True)]


def test_a_difference_is_found() -> None:
    @contextmanager
    def forgetful() -> Iterator[tuple[Driven, None]]:
        yield Forgetful(), None

    with pytest.raises(AssertionError, match=r"step \d+ .*\n +- nothing\n +\+ "):
        converse(forgetful, settings(QUICK, max_examples=50, phases=[Phase.generate]))
