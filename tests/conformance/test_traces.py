"""Every recorded trace through the daemon: over real sockets it says what the emulator says in process, and Linux said.

A trace does not tell how much time passed before and after its steps; a replay in process finds that out
(emulator/script/pauses.py), and the daemon's clock is moved by as much.

Two things cannot be told through a Unix socket and are left out: the errno of a send that failed, and that of a receive
(ENOBUFS: datagrams were lost).
"""

from collections.abc import Iterator
from itertools import zip_longest

import pytest

from fixtures import traces
from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.script import trace as tape
from nlemu.emulator.script.pauses import catch_up, let_time_pass
from nlemu.emulator.script.replay import machine_of
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import Step, Trace
from tests.conformance.machines import Daemon, serving

TRACES = {path.stem: path for path in traces()}


def pauses(trace: Trace) -> Iterator[tuple[Step, float, float]]:
    """Each step, and how many seconds pass before and after it."""
    machine = machine_of(trace.header)
    steps = Steps(machine)
    for step in trace.steps:
        began = machine.clock.now
        catch_up(steps, step)
        before = machine.clock.now - began
        answer = steps.perform(step)
        performed = machine.clock.now
        let_time_pass(steps, step, answer)
        yield step, before / NSEC_PER_SEC, (machine.clock.now - performed) / NSEC_PER_SEC


def unlike(client: Daemon, trace: Trace) -> Iterator[str]:
    """What the daemon says otherwise than the trace, a line each."""
    for number, (step, before, after) in enumerate(pauses(trace), 1):
        if before:
            client.step({"sleep": before})
        outcome = client.step({**step.fields, "settle": after})
        if outcome.error != step.get("error") and step.verb != "send":
            yield f"step {number}: {outcome.error} instead of {step.get('error')}"
        for socket in {**step.got, **outcome.got}:
            told = [pattern for pattern in step.got.get(socket, ()) if not pattern.startswith("!")]
            pairs = zip_longest(told, outcome.got.get(socket, ()))
            for index, (pattern, text) in enumerate(pairs):
                if pattern is None or text is None or not tape.matches(pattern, bytes.fromhex(text)):
                    yield f"step {number}: {socket} [{index}]: {text} instead of {pattern}"


@pytest.mark.parametrize("name", TRACES)
def test_a_trace_over_sockets(name: str) -> None:
    trace = tape.read(TRACES[name])
    machine = machine_of(trace.header)
    with serving(machine) as client:
        assert not list(unlike(client, trace))
    assert not machine.bugs


def test_a_difference_would_be_seen() -> None:
    trace = tape.read(TRACES["n01_dev_get"])
    spoilt = [step.answered({**step.got, "nobody": ["00"]}, step.error) for step in trace.steps]
    with serving(machine_of(trace.header)) as client:
        assert len(list(unlike(client, Trace(trace.header, spoilt)))) >= len(spoilt)
