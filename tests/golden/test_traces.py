"""Every recorded trace, replayed whole: what we answer is what the Linux that it names answered, byte for byte.

A trace that is not within reach yet is named in OUT_OF_REACH with what it lacks, and the test holds that list true: a
trace that has become equal has to leave it. Of some traces only the generic netlink part is within reach; of those
every generic netlink datagram is compared.
"""

import pytest

from fixtures import recorded_again, traces
from nlemu.emulator.script import trace as tape
from nlemu.emulator.script.replay import Result, protocol_of, replay
from nlemu.emulator.script.report import report
from nlemu.protocol.uapi.netlink import NetlinkProtocol

OTHER_FAMILIES = "nlctrl lists families of a distribution that are not answered here, and they have groups"
OUT_OF_REACH: dict[str, str] = {
    "7.2.13/c03_headers": OTHER_FAMILIES,
    "7.2.13/c08_dumps": OTHER_FAMILIES,
    "7.2.13/c10_groups": OTHER_FAMILIES,
    "7.2.13/c12_elsewhere": OTHER_FAMILIES,
}
GENERIC_ONLY: tuple[str, ...] = ()

TRACES = {path.stem: path for path in traces()} | {f"{path.parent.name}/{path.stem}": path for path in recorded_again()}


def replayed(name: str) -> Result:
    result = replay(tape.read(TRACES[name]))
    assert result.datagrams or not any(step.got for step in result.trace.steps)
    return result


def test_there_is_something_to_replay() -> None:
    assert len(TRACES) >= 42
    assert set(OUT_OF_REACH) | set(GENERIC_ONLY) <= set(TRACES)


@pytest.mark.parametrize("name", [name for name in TRACES if name not in OUT_OF_REACH])
def test_a_trace(name: str) -> None:
    result = replayed(name)
    assert not result.bugs
    if name in GENERIC_ONLY:
        result.differences = [
            difference
            for difference in result.differences
            if protocol_of(result.trace, difference) == NetlinkProtocol.GENERIC
        ]
    assert result.equal, "\n".join(report(result))


@pytest.mark.parametrize("name", OUT_OF_REACH)
def test_a_trace_out_of_reach(name: str) -> None:
    result = replayed(name)
    assert not result.bugs
    assert not result.equal, f"{name} is within reach now: take it off the list"


@pytest.mark.parametrize("name", TRACES)
def test_a_replay_is_the_same_every_time(name: str) -> None:
    """Clock and randomness are the machine's own and seeded."""
    assert tape.render(replayed(name).actual) == tape.render(replayed(name).actual)
