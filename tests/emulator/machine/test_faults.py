"""Faults on demand: a request fails as it would in a kernel that is short of something, and nothing is changed."""

from __future__ import annotations

import errno

import pytest

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script import trace
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import TraceError
from nlemu.emulator.world.export import export
from nlemu.protocol.frame import split
from nlemu.protocol.uapi.netlink import NLM_F


class Stage:
    """A machine with a NIC, and a socket that asks the netdev family."""

    def __init__(self) -> None:
        self.steps = Steps(Machine())
        self.do(nsim_new=[1, 1, 2])
        self.do(open="a", proto=16, opts=[[10, 1], [11, 1]])

    def do(self, **fields: object) -> None:
        self.steps.do(trace.step_of(fields))

    def ask(self, hexed: str) -> list[bytes]:
        answer = self.steps.perform(trace.step_of({"send": "a", "hex": hexed}))
        return [got for got in answer.got.get("a", []) if isinstance(got, bytes)]


DEV_GET = "1c0000001400050001000000000000000101000008000100020000 00".replace(" ", "")
DEV_DUMP = "14000000140001030100000000000000 01010000".replace(" ", "")


def error_of(datagram: bytes) -> int:
    return -int.from_bytes(datagram[16:20], "little", signed=True)


def test_it_strikes_so_often_and_then_no_more() -> None:
    stage = Stage()
    stage.do(fault="netdev.dev-get", errno="ENOMEM", text="no memory, says the test", count=2)
    for _ in range(2):
        (refused,) = stage.ask(DEV_GET)
        assert error_of(refused) == errno.ENOMEM and b"no memory, says the test\0" in refused
    _, ack = stage.ask(DEV_GET)
    assert error_of(ack) == 0 and not stage.steps.machine.faults


def test_it_strikes_until_it_is_healed() -> None:
    stage = Stage()
    stage.do(fault="netdev.dev-get", errno="ENOMEM", count=0)
    assert [error_of(stage.ask(DEV_GET)[-1]) for _ in range(3)] == [errno.ENOMEM] * 3
    stage.do(heal=True)
    assert error_of(stage.ask(DEV_GET)[-1]) == 0


def test_it_strikes_only_in_its_namespace() -> None:
    stage = Stage()
    stage.do(netns="pod")
    stage.do(fault="netdev.dev-get", errno="ENOMEM", netns="pod")
    assert error_of(stage.ask(DEV_GET)[-1]) == 0
    assert stage.steps.machine.faults


def test_a_dump_can_be_refused_or_interrupted() -> None:
    stage = Stage()
    stage.do(fault="netdev.dev-get", errno="EBUSY")
    assert error_of(stage.ask(DEV_DUMP)[0]) == errno.EBUSY
    stage.do(interrupt="netdev.dev-get")
    flags = [header.flags for data in stage.ask(DEV_DUMP) for header, _ in split(data)]
    assert flags[0] & NLM_F.DUMP_INTR
    flags = [header.flags for data in stage.ask(DEV_DUMP) for header, _ in split(data)]
    assert not any(flag & NLM_F.DUMP_INTR for flag in flags)


def test_a_refused_request_changes_nothing() -> None:
    stage = Stage()
    stage.do(open="r", proto=0)
    before = len(stage.steps.machine.init_net)
    stage.do(fault="route.newlink", errno="ENOMEM")
    header = "3000000010000506010000000000000000000000000000000000000000000000"
    dummy = header + "100012000a00010064756d6d79000000"
    answer = stage.steps.perform(trace.step_of({"send": "r", "hex": dummy}))
    (refused,) = answer.got["r"]
    assert isinstance(refused, bytes) and error_of(refused) == errno.ENOMEM
    assert len(stage.steps.machine.init_net) == before


def test_datagrams_are_lost() -> None:
    stage = Stage()
    stage.do(lose="a", count=1)
    answer = stage.steps.perform(trace.step_of({"send": "a", "hex": DEV_GET}))
    lost, ack = answer.got["a"]
    assert isinstance(lost, OSError) and lost.errno == errno.ENOBUFS
    assert isinstance(ack, bytes) and error_of(ack) == 0


def test_healing_takes_all_away() -> None:
    stage = Stage()
    stage.do(fault="netdev.dev-get", errno="ENOMEM", count=100)
    stage.do(heal=True)
    assert error_of(stage.ask(DEV_GET)[-1]) == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"fault": "netdev.nosuch", "errno": "ENOMEM"}, "netdev.nosuch"),
        ({"interrupt": "netdev.bind-rx"}, "bind-rx"),
        ({"fault": "netdev.dev-get", "errno": "ENOSUCH"}, "errno"),
        ({"fault": "netdev.dev-get"}, "errno"),
        ({"lose": "nobody"}, "nobody"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(fields: dict[str, object], said: str) -> None:
    stage = Stage()
    with pytest.raises((StepError, TraceError), match=said):
        stage.do(**fields)
    assert not stage.steps.machine.faults


@pytest.mark.parametrize("fields", [{"hang_up": "asked"}, {"restart": True}])
def test_a_socket_of_no_transport_is_closed(fields: dict[str, object]) -> None:
    stage = Stage()
    stage.do(fault="netdev.dev-get", **fields)
    endpoint = stage.steps.sockets["a"]
    assert stage.ask(DEV_GET) == [] and endpoint.closed


def test_who_looks_from_within_is_spared() -> None:
    """A world is exported by dumps, which are nobody's requests."""
    stage = Stage()
    stage.do(fault="*", errno="EIO", count=0)
    assert export(stage.steps.machine).namespaces
    (fault,) = stage.steps.machine.faults.listed
    assert fault.aim.met == 0
