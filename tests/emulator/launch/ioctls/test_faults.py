"""Faults that wait for ioctls: told by the kernel's constants, and struck before anything is changed."""

from __future__ import annotations

import errno
import struct

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.launch.ioctls.caller import Caller, name_of
from nlemu.emulator.launch.ioctls.calls import answer
from nlemu.emulator.machine.faults.aim import IOCTLS, Aim
from nlemu.emulator.machine.faults.fault import Fault
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import Step
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import EthtoolIoctl
from nlemu.protocol.uapi.socket import AF_INET
from nlemu.protocol.uapi.sockios import Sioc
from tests.emulator.launch.ioctls.test_ethtool import PLACE, Buffer
from tests.emulator.launch.ioctls.test_rss import plugged


def ask(dev: Device, command: int, value: bytes) -> None:
    memory = Buffer()
    memory.write(0, name_of(dev.name) + value)
    memory.write(PLACE, struct.pack("=2I", EthtoolIoctl.SRXCLSRLDEL, 0))
    machine = dev.kernel
    assert isinstance(machine, Machine)
    answer(Caller(dev.net, memory, AF_INET, lambda net: True, machine.faults), command, 0)


def test_they_are_refused_once_and_change_nothing() -> None:
    dev = plugged("mlx5_core")
    machine = dev.kernel
    assert isinstance(machine, Machine)
    machine.faults.add(Fault("1", Aim((IOCTLS["SIOCSIFMTU"],)), errno.ENOMEM))
    with pytest.raises(Refusal) as refused:
        ask(dev, Sioc.SIFMTU, struct.pack("=i", 1400))
    assert (refused.value.errno, dev.mtu) == (errno.ENOMEM, 1500)
    ask(dev, Sioc.SIFMTU, struct.pack("=i", 1400))
    assert dev.mtu == 1400


def test_of_siocethtool_the_command_is_meant() -> None:
    dev = plugged("mlx5_core")
    machine = dev.kernel
    assert isinstance(machine, Machine)
    machine.faults.add(Fault("1", Aim((IOCTLS["ETHTOOL_SRXCLSRLDEL"],)), errno.EBUSY))
    ask(dev, Sioc.SIFMTU, struct.pack("=i", 1400))
    for expected in (errno.EBUSY, errno.ENOENT):     # the fault's, and then the driver's: there is no rule
        with pytest.raises(Refusal) as refused:
            ask(dev, Sioc.ETHTOOL, struct.pack("=Q", PLACE))
        assert refused.value.errno == expected


def test_other_namespaces_are_spared() -> None:
    dev = plugged("mlx5_core")
    machine = dev.kernel
    assert isinstance(machine, Machine)
    machine.faults.add(Fault("1", Aim((IOCTLS["SIOCSIFMTU"],), netns="pod"), errno.ENOMEM))
    ask(dev, Sioc.SIFMTU, struct.pack("=i", 1400))
    assert dev.mtu == 1400 and [fault.aim.met for fault in machine.faults.listed] == [0]


@pytest.mark.parametrize(("line", "told"), [
    ({"fault": "ETHTOOL_SRXCLSRLINX", "errno": "EBUSY"}, "there is no operation 'ETHTOOL_SRXCLSRLINX'"),
    ({"fault": "SIOCETHTOOL", "errno": "EBUSY"}, "there is no operation 'SIOCETHTOOL'"),
    ({"interrupt": "SIOCSIFMTU"}, "SIOCSIFMTU cannot be dumped"),
])
def test_what_cannot_be_is_told(line: dict[str, str], told: str) -> None:
    verb = next(iter(line))
    with pytest.raises(StepError, match=told):
        Steps(Machine()).perform(Step(verb, line))
