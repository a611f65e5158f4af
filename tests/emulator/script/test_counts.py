"""Requests by operation, refusals by operation and errno."""

from __future__ import annotations

import struct

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.counts import begin, refusals, requests
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import step_of
from tests.emulator.daemon.edge import DUMP, NLCTRL, REQUEST, getfamily, message, newlink

ROUTE, GENERIC, GETLINK = 0, 16, 18


def asked(machine: Machine, protocol: int, *datagrams: bytes, private: bool = False) -> None:
    endpoint = Endpoint(machine, machine.init_net, protocol, private=private)
    for datagram in datagrams:
        endpoint.send(datagram)
        while endpoint.receive() is not None:
            pass
    endpoint.close()


def test_requests_and_refusals() -> None:
    machine = begin(Machine())
    asked(machine, ROUTE, newlink("red"), newlink("red"), newlink("red"))
    asked(machine, GENERIC, getfamily(), getfamily("nothing"), getfamily(flags=REQUEST | DUMP))
    assert requests(machine) == {"route.newlink": 3, "nlctrl.getfamily": 3}
    assert refusals(machine) == {("route.newlink", "EEXIST"): 2, ("nlctrl.getfamily", "ENOENT"): 1}


def test_several_messages_in_one_datagram() -> None:
    machine = begin(Machine())
    asked(machine, GENERIC, getfamily() + getfamily())
    assert requests(machine) == {"nlctrl.getfamily": 2}


def test_a_dump_that_ends_with_an_error() -> None:
    machine = begin(Machine())
    steps = Steps(machine)
    steps.do(step_of({"fault": "nlctrl.getfamily", "errno": "EIO", "after": 1}))
    asked(machine, GENERIC, getfamily(flags=REQUEST | DUMP))
    assert requests(machine) == {"nlctrl.getfamily": 1}
    assert refusals(machine) == {("nlctrl.getfamily", "EIO"): 1}


def test_nobody_can_make_the_counters_grow() -> None:
    """What there is not is one operation, whatever it is called."""
    machine = begin(Machine())
    unknown = [message(NLCTRL, struct.pack("<BBH", command, 1, 0)) for command in range(100, 256)]
    unknown += [message(kind, bytes(4)) for kind in range(1000, 1100)]
    asked(machine, GENERIC, *unknown, message(NLCTRL), message(NLCTRL, b"\3"))
    assert requests(machine) == {"unknown": 258}
    assert refusals(machine)["unknown", "EOPNOTSUPP"] == 156 and refusals(machine)["unknown", "ENOENT"] == 100
    assert sum(len(tally.asked) for tally in (machine.tallies or {}).values()) == 1


def test_what_looks_from_within_is_not_counted() -> None:
    machine = begin(Machine())
    asked(machine, ROUTE, message(GETLINK, bytes(16), flags=REQUEST | DUMP), private=True)
    assert requests(machine) == {}


def test_a_machine_that_does_not_count_pays_nothing() -> None:
    machine = Machine()
    endpoint = Endpoint(machine, machine.init_net, ROUTE)
    assert not {"_process", "acknowledge", "_continue"} & vars(endpoint).keys()
    endpoint.send(newlink("red"))
    assert requests(machine) == {} and refusals(machine) == {}
