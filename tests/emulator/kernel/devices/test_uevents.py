"""Uevents of the model: they are counted whether or not they are heard, and say of what type a device is.

What each says, and in which order they come, is in the traces (p01 to p03).
"""

from __future__ import annotations

import pytest

from nlemu.emulator.kernel.devices import move, register, rename, settings, uevents
from nlemu.emulator.kernel.devices.kind import Kind
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine

UEVENT = 15


def story(kernel: Kernel) -> None:
    """A bus device of two ports comes; one port is renamed, loses queues and moves; the device goes."""
    device = kernel.netdevsim_bus.new_device(1, 2, 4)
    port = device.ports[0]
    rename.change_name(port, "port")
    settings.set_real_num_queues(port, 1, 2)
    move.change_net_namespace(port, kernel.new_net("pod"))
    kernel.settle()
    kernel.netdevsim_bus.del_device(1)
    kernel.delete_net("pod")
    kernel.settle()


def test_they_are_counted_whether_or_not_they_are_heard() -> None:
    deaf, hearing, model = Machine(), Machine(), Kernel()
    listener = Endpoint(hearing, hearing.init_net, UEVENT, groups=1)
    before = deaf.uevents.seqnum
    for kernel in (deaf, hearing, model):
        story(kernel)
    assert deaf.uevents.seqnum == hearing.uevents.seqnum == model.uevents.seqnum > before + 40
    assert listener.receive() == (
        b"add@/devices/netdevsim1\0ACTION=add\0DEVPATH=/devices/netdevsim1\0SUBSYSTEM=netdevsim\0SEQNUM=%d\0"
        % (before + 1)
    )


def test_nothing_is_made_that_nobody_hears(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    monkeypatch.setattr(uevents, "devpath", lambda dev: pytest.fail("made in vain"))
    machine.netdevsim_bus.new_device(1, 1, 4)
    machine.netdevsim_bus.del_device(1)


def test_the_type_of_a_device_comes_before_its_name() -> None:
    class Vlan(Kind):
        name = devtype = "vlan"

    machine = Machine()
    listener = Endpoint(machine, machine.init_net, UEVENT, groups=1)
    machine.init_net.loopback.kind = Vlan()
    uevents.added(machine.init_net.loopback)
    assert listener.receive() == (
        b"add@/devices/virtual/net/lo\0ACTION=add\0DEVPATH=/devices/virtual/net/lo\0SUBSYSTEM=net\0DEVTYPE=vlan\0"
        b"INTERFACE=lo\0IFINDEX=1\0SEQNUM=%d\0" % machine.uevents.seqnum
    )


def test_a_device_that_could_not_be_driven_is_bound_to_nothing() -> None:
    machine = Machine()
    listener = Endpoint(machine, machine.init_net, UEVENT, groups=1)
    machine.netdevsim_bus.new_device(1, 1, 0)
    machine.netdevsim_bus.del_device(1)
    actions = []
    while (datagram := listener.receive()) is not None:
        actions.append(datagram.partition(b"@")[0])
    assert actions == [b"add", b"remove"]


def test_queues_of_a_device_that_is_not_registered_are_no_objects() -> None:
    machine = Machine()
    before = machine.uevents.seqnum
    lo = machine.init_net.loopback
    dev = register.alloc_device(machine.init_net, "x0", lo.ops, lambda dev: None, tx=4, rx=4)
    settings.set_real_num_rx_queues(dev, 2)
    assert machine.uevents.seqnum == before
