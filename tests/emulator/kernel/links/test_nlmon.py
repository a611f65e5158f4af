"""nlmon: what it hears, where, and what a socket has to be for it."""

from __future__ import annotations

from errno import EINVAL

import pytest

from nlemu.emulator.kernel.devices import flags, links, move
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.links.nlmon import KIND as NLMON
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NetlinkProtocol

ASK = bytes.fromhex("10000000010005000700000000000000")
"""A control message, which is acked: 36 bytes come for those 16."""


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def dev(machine: Machine) -> Device:
    made = links.new_link(machine.init_net, NLMON, LinkParams())
    flags.open_device(made)
    return made


def heard(dev: Device) -> tuple[int, int]:
    return dev.stats.rx_packets, dev.stats.rx_bytes


def test_a_request_and_what_comes_of_it_are_heard(machine: Machine, dev: Device) -> None:
    Endpoint(machine, machine.init_net, NetlinkProtocol.ROUTE).send(ASK)
    assert heard(dev) == (2, 16 + 36)


def test_what_is_said_elsewhere_is_not(machine: Machine, dev: Device) -> None:
    net = machine.new_net("one")
    Endpoint(machine, net, NetlinkProtocol.ROUTE).send(ASK)
    assert heard(dev) == (0, 0)
    move.change_net_namespace(dev, net)
    flags.open_device(dev)
    Endpoint(machine, net, NetlinkProtocol.ROUTE).send(ASK)
    assert heard(dev) == (2, 16 + 36)
    assert not machine.init_net.taps


def test_one_that_is_down_hears_nothing(machine: Machine, dev: Device) -> None:
    flags.close_device(dev)
    Endpoint(machine, machine.init_net, NetlinkProtocol.ROUTE).send(ASK)
    assert heard(dev) == (0, 0)


def test_programs_that_speak_to_each_other_are_heard(machine: Machine, dev: Device) -> None:
    one, other = (Endpoint(machine, machine.init_net, NetlinkProtocol.USERSOCK, portid=port) for port in (5, 6))
    one.send_to(ASK, 6, 0)
    assert other.receive() == ASK
    assert heard(dev) == (1, 16)
    with pytest.raises(ConnectionRefusedError):
        one.send(ASK)
    assert heard(dev) == (1, 16)


def test_uevents_are_not(machine: Machine, dev: Device) -> None:
    listening = Endpoint(machine, machine.init_net, NetlinkProtocol.KOBJECT_UEVENT, groups=1)
    links.new_link(machine.init_net, NLMON, LinkParams())
    assert listening.receive()
    assert heard(dev) == (0, 0)


def test_it_has_no_address() -> None:
    with pytest.raises(Refusal) as caught:
        NLMON.validate(LinkParams(address=b"\2" * 6))
    assert caught.value.errno == EINVAL
