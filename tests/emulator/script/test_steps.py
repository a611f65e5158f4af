"""The steps of a trace, performed in this process."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import step_of
from nlemu.emulator.script.verbs import VERBS
from tests.emulator.daemon.edge import ACK, NLCTRL, REQUEST, errno_of, getfamily, port_of, type_of


@pytest.fixture
def steps() -> Steps:
    return Steps(Machine())


def do(steps: Steps, **fields: Any) -> dict[str, list[bytes | OSError]]:
    answer = steps.perform(step_of(fields))
    assert answer.error is None, answer.error
    return answer.got


def refused(steps: Steps, **fields: Any) -> int | None:
    answer = steps.perform(step_of(fields))
    assert answer.error is not None and not answer.got
    return answer.error.errno


def send(steps: Steps, name: str, data: bytes, **fields: Any) -> list[bytes]:
    got = do(steps, send=name, hex=data.hex(), **fields).get(name, [])
    return [datagram for datagram in got if isinstance(datagram, bytes)]


def test_a_socket_asks_and_is_answered(steps: Steps) -> None:
    assert do(steps, open="a", proto=16, port=7, opts=[[10, 1]]) == {}
    answer, ack = send(steps, "a", getfamily(flags=REQUEST | ACK))
    assert (type_of(answer), port_of(answer), errno_of(ack)) == (NLCTRL, 7, 0)


def test_every_socket_is_read_after_every_step(steps: Steps) -> None:
    netdev = steps.machine.families.find("netdev")
    assert netdev is not None
    do(steps, open="n", proto=16, port=7)
    do(steps, open="m", proto=16, port=8, opts=[[1, steps.machine.families.group_ids[netdev, "mgmt"]]])
    got = do(steps, nsim_new=[10, 2, 1])
    assert "n" not in got and len(got["m"]) == 2, "two ports, announced to the group netdev's mgmt"


def test_refusals_are_answers(steps: Steps) -> None:
    do(steps, open="a", proto=16, port=7)
    assert refused(steps, open="b", proto=16, port=7) == errno.EADDRINUSE
    assert refused(steps, opt="a", name=1, value=0) == errno.EINVAL
    assert refused(steps, send="a", hex="") == errno.ENODATA
    assert refused(steps, nsim_del=3) == errno.ENOENT


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"send": "a", "hex": "00"}, "send: there is no socket 'a'"),
        ({"close": "a"}, "close: there is no socket 'a'"),
        ({"opt": "a", "name": 1, "value": 1}, "opt: there is no socket 'a'"),
        ({"open": "b", "proto": 0}, "open: there is a socket 'b' already"),
        ({"open": "c", "proto": 0, "netns": "x"}, "open: there is no namespace 'x'"),
        ({"netns": "init"}, "netns: there is a namespace 'init' already"),
        ({"netns_del": "x"}, "netns_del: there is no namespace 'x'"),
        ({"netns_del": "init"}, "netns_del: the first namespace stays as long as the machine"),
        ({"send": "b", "hex": "00" * 8, "patch_fd": [[0, "x"]]}, "send: there is no namespace 'x'"),
    ],
)
def test_steps_that_make_no_sense(steps: Steps, step: dict[str, Any], says: str) -> None:
    do(steps, open="b", proto=0, port=5)
    with pytest.raises(StepError) as error:
        steps.perform(step_of(step))
    assert str(error.value) == says
    assert set(steps.sockets) == {"b"} and set(steps.nets) == {"init"}


def test_a_namespace_is_named_by_a_descriptor(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    do(steps, netns="one")
    do(steps, netns="two")
    do(steps, open="a", proto=16, port=7)
    endpoint = steps.sockets["a"]
    seen: list[bytes] = []
    monkeypatch.setattr(endpoint, "send", seen.append)
    for name in ("two", "one", "two"):
        send(steps, "a", bytes(12), patch_fd=[[4, name]])
    numbers = [int.from_bytes(data[4:8], "little") for data in seen]
    assert [endpoint.descriptors.get(number) for number in numbers] == [
        steps.nets["two"], steps.nets["one"], steps.nets["two"],
    ]
    assert all(data[:4] == data[8:] == bytes(4) for data in seen)
    do(steps, netns_del="two")
    assert endpoint.descriptors.get(numbers[0]) is None
    do(steps, netns="two")
    send(steps, "a", bytes(12), patch_fd=[[4, "two"]])
    assert endpoint.descriptors.get(int.from_bytes(seen[-1][4:8], "little")) is steps.nets["two"]


def test_a_socket_keeps_its_namespace_when_the_name_is_gone(steps: Steps) -> None:
    do(steps, netns="one")
    do(steps, open="a", proto=16, port=7, netns="one")
    do(steps, netns_del="one")
    assert "one" not in steps.nets
    assert type_of(send(steps, "a", getfamily())[0]) == NLCTRL
    do(steps, close="a")
    do(steps, netns="one")
    assert refused(steps, open="b", proto=16, port=1, opts=[[99, 0]]) == errno.ENOPROTOOPT


def test_time_passes(steps: Steps) -> None:
    before = steps.machine.boottime
    do(steps, sleep=0.25)
    assert steps.machine.boottime == before + 0.25


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_performed_by_somebody(steps: Steps, verb: str) -> None:
    assert verb in steps.performers(verb)
