"""A machine as it was: whatever was done to it since, it answers as if it had not been."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.machine.snapshot import Snapshot
from nlemu.emulator.script.pauses import catch_up, let_time_pass
from nlemu.emulator.script.replay import Difference, compare, machine_of
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import Step, read, step_of
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol

TRACES = sorted((Path(__file__).resolve().parents[3] / "fixtures" / "traces").glob("*.jsonl"))
SHOWN_ROOM = ("g02_many", "r26_many", "r31_many_ids", "x01_macsec_made")
"""Traces with dumps of several datagrams: how long these are goes by what a reader has shown, and a socket keeps
that."""


def snapshot(steps: Steps) -> Snapshot:
    return Snapshot(steps.machine, steps.nets, steps.descriptors, steps.programs.running)


def perform(steps: Steps, wanted: list[Step]) -> list[Difference]:
    found: list[Difference] = []
    for number, step in enumerate(wanted, 1):
        catch_up(steps, step)
        answer = steps.perform(step)
        let_time_pass(steps, step, answer)
        found += compare(number, step, answer)
    return found


@pytest.mark.parametrize("path", TRACES[::5], ids=lambda path: path.stem)
def test_a_trace_can_be_performed_again(path: Path) -> None:
    """All that a trace does is undone: a second time Linux's own answers come of it."""
    trace = read(path)
    steps = Steps(machine_of(trace.header))
    before = snapshot(steps)
    perform(steps, list(trace.steps))
    for endpoint in steps.sockets.values():
        endpoint.close()
    steps.sockets.clear()
    before.restore()
    assert perform(steps, list(trace.steps)) == []
    assert steps.machine.bugs == 0


@pytest.mark.parametrize("path", TRACES[2::5], ids=lambda path: path.stem)
def test_its_second_half_can_be_performed_again(path: Path) -> None:
    trace = read(path)
    middle = len(trace.steps) // 2
    first, second = list(trace.steps[:middle]), list(trace.steps[middle:])
    if any(step.verb in ("close", "opt") for step in second) or path.stem in SHOWN_ROOM:
        pytest.skip("its sockets are others afterwards")
    steps = Steps(machine_of(trace.header))
    perform(steps, first)
    opened = set(steps.sockets)
    before = snapshot(steps)
    perform(steps, second)
    for name in set(steps.sockets) - opened:
        steps.sockets.pop(name).close()
    before.restore()
    assert perform(steps, second) == []


def test_sockets_stay_open_and_what_waits_in_them_is_thrown_away() -> None:
    steps = Steps(Machine())
    endpoint = steps.open("a", proto=NetlinkProtocol.ROUTE, opts=[(NetlinkOpt.ADD_MEMBERSHIP, 1)])
    before = snapshot(steps)
    steps.do(step_of({"nsim_new": [1, 1, 1]}))
    assert endpoint.pending()
    before.restore()
    assert not endpoint.closed and not endpoint.pending() and endpoint.groups == {1}
    steps.do(step_of({"nsim_new": [1, 1, 1]}))
    assert endpoint.pending(), "it hears on"


def test_a_socket_that_was_opened_since_is_of_the_machine_as_it_was() -> None:
    """Its protocol was started since, and what tells its groups is there all the same."""
    machine = Machine()
    steps = Steps(machine)
    before = snapshot(steps)
    endpoint = Endpoint(machine, machine.init_net, NetlinkProtocol.GENERIC)
    group = machine.families.group_ids[next(one for one in machine.families.numbers if one.name == "netdev"), "mgmt"]
    before.restore()
    endpoint.setsockopt(NetlinkOpt.ADD_MEMBERSHIP, group)
    steps.do(step_of({"nsim_new": [1, 1, 1]}))
    assert endpoint.pending()


def test_sockets_in_namespaces_that_there_were_not_are_named() -> None:
    steps = Steps(Machine())
    before = snapshot(steps)
    steps.do(step_of({"netns": "pod"}))
    endpoint = steps.open("a", netns="pod")
    steps.open("b")
    before.restore()
    assert list(before.orphans()) == [endpoint]
    assert set(steps.nets) == {"init"}


def test_faults_clock_and_randomness_are_the_machine_s() -> None:
    machine = Machine(seed=3)
    steps = Steps(machine)
    steps.do(step_of({"fault": "route.newlink", "errno": "ENOMEM", "chance": 0.5, "count": 9}))
    before = snapshot(steps)
    drawn = machine.random.random()
    steps.do(step_of({"heal": True}))
    steps.do(step_of({"sleep": 5}))
    steps.do(step_of({"notice": "route.newlink", "fate": "lose"}))
    now = machine.clock.now
    before.restore()
    assert machine.random.random() == drawn
    assert machine.clock.now < now
    assert [fault.aim.left for fault in machine.faults.listed] == [9]
    assert machine.multicast.disturb is None


def test_it_can_be_gone_back_to_again_and_again() -> None:
    steps = Steps(Machine())
    before = snapshot(steps)
    for _ in range(3):
        steps.do(step_of({"netns": "pod"}))
        steps.do(step_of({"nsim_new": [1, 2, 4]}))
        before.restore()
    assert [dev.name for dev in steps.machine.init_net] == ["lo"]
