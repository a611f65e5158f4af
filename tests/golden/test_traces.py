"""Every recorded trace, replayed whole: what we answer is what the Linux that it names answered, byte for byte."""

import pytest

from fixtures import recorded_again, traces
from nlemu.emulator.script import trace as tape
from nlemu.emulator.script.replay import Result, replay
from nlemu.emulator.script.report import report

TRACES = {path.stem: path for path in traces()} | {f"{path.parent.name}/{path.stem}": path for path in recorded_again()}


def replayed(name: str) -> Result:
    result = replay(tape.read(TRACES[name]))
    assert result.datagrams or not any(step.got for step in result.trace.steps)
    return result


def test_there_is_something_to_replay() -> None:
    assert len(TRACES) >= 240


@pytest.mark.parametrize("name", TRACES)
def test_a_trace(name: str) -> None:
    """And the same every time: clock and randomness are the machine's own and seeded."""
    result = replayed(name)
    assert not result.bugs
    assert result.equal, "\n".join(report(result))
    assert tape.render(result.actual) == tape.render(replayed(name).actual)
