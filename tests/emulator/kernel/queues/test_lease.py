"""queue-create: what is refused, in which order, and what a lease does."""

from __future__ import annotations

from errno import EBUSY, EINVAL, ENODEV, ENONET, EOPNOTSUPP, ERANGE

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.queue import is_leased
from nlemu.emulator.kernel.devices.register import alloc_device, register
from nlemu.emulator.kernel.nics.netdevsim.bus import new_device
from nlemu.emulator.kernel.queues.lease import create_queue
from nlemu.protocol.refusal import Refusal
from tests.emulator.kernel.world import World, world

VIRTUAL = 4


class VirtualOps(DeviceOps):
    """A driver that can add queues, as long as there is room."""

    def queue_create(self, dev: Device) -> int:
        if dev.real_num_rx_queues == dev.num_rx_queues:
            raise Refusal(EINVAL, "full")
        dev.real_num_rx_queues += 1
        return dev.real_num_rx_queues - 1


class PlainOps(DeviceOps):
    """A driver that cannot."""


def add(w: World, ops: DeviceOps, name: str, rx: int = 1) -> Device:
    dev = alloc_device(w.kernel.init_net, name, ops, lambda dev: None, rx=rx)
    dev.real_num_rx_queues = 1
    dev.queue_mgmt_ops = isinstance(ops, VirtualOps)
    register(dev)
    return dev


def two_ports() -> World:
    """eth0 is 2 and eth1 is 3, two queues each; virt, with room for two more queues, is 4; plain is 5."""
    w = world(queues=2)
    new_device(w.kernel, 11, 1, 2)
    add(w, VirtualOps(), "virt", rx=3)
    add(w, PlainOps(), "plain")
    return w


def refusal(w: World, ifindex: int, lessor: int, queue: int, nsid: int | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        create_queue(w.kernel.init_net, ifindex, lessor, queue, nsid)
    return caught.value


@pytest.mark.parametrize(
    ("ifindex", "lessor", "queue", "nsid", "errno", "text"),
    [
        (77, 2, 1, None, ENODEV, None),
        (VIRTUAL, 77, 1, None, ENODEV, None),
        (VIRTUAL, 2, 1, 55, ENONET, None),
        (VIRTUAL, 2, 2, None, ERANGE, None),
        (2, 3, 1, None, EINVAL, "Device is not a virtual device"),
        (VIRTUAL, VIRTUAL, 0, None, EINVAL, "Lease device is a virtual device"),
        (VIRTUAL, 1, 0, None, EINVAL, "Lease device is a virtual device"),
        (1, 2, 0, None, EINVAL, "Device does not support queue creation"),
        (5, 2, 0, None, EINVAL, "Device does not support queue creation"),
        (5, 77, 0, 55, EINVAL, "Device does not support queue creation"),
        (VIRTUAL, 77, 0, 55, ENONET, None),
    ],
)
def test_refusals(
    ifindex: int, lessor: int, queue: int, nsid: int | None, errno: int, text: str | None
) -> None:
    refused = refusal(two_ports(), ifindex, lessor, queue, nsid)
    assert (refused.errno, refused.text) == (errno, text)
    assert refused.at == ("queue-id" if errno == ERANGE else None)


def test_leases_until_there_is_no_room() -> None:
    w = two_ports()
    net = w.kernel.init_net
    virtual = net.device(VIRTUAL)
    assert virtual is not None
    assert create_queue(net, VIRTUAL, 2, 1) == 1
    assert virtual.rx[1].lease is w.port.rx[1]
    assert w.port.rx[1].lease is virtual.rx[1]
    assert is_leased(w.port, 1)
    other = refusal(w, VIRTUAL, 3, 1)
    assert (other.errno, other.text) == (EOPNOTSUPP, "Leasing queues from different devices not supported")
    again = refusal(w, VIRTUAL, 2, 1)
    assert (again.errno, again.text) == (EBUSY, "Device queue in use due to queue leasing")
    assert create_queue(net, VIRTUAL, 2, 0) == 2
    # Full as well, but the other device is what the kernel finds first.
    assert refusal(w, VIRTUAL, 3, 0).errno == EOPNOTSUPP


def test_the_drivers_refusal_leaves_no_lease() -> None:
    w = two_ports()
    virtual = w.kernel.init_net.device(VIRTUAL)
    assert virtual is not None
    virtual.real_num_rx_queues = virtual.num_rx_queues
    assert refusal(w, VIRTUAL, 2, 0).text == "full"
    assert not is_leased(w.port, 0)


def test_an_absent_lessor() -> None:
    w = two_ports()
    w.port.present = False
    assert refusal(w, VIRTUAL, 2, 0).text == "Lease device has been removed from the system"
    w.port.present = True
    w.port.queue_mgmt_ops = False
    assert refusal(w, VIRTUAL, 2, 0).text == "Lease device does not support queue management operations"


def test_across_namespaces() -> None:
    w = two_ports()
    guest = w.kernel.new_net("guest")
    new_device(w.kernel, 12, 1, 1, net=guest)
    nsid = w.kernel.init_net.id_alloc(guest)
    assert nsid is not None
    assert create_queue(w.kernel.init_net, VIRTUAL, 2, 0, nsid) == 1
    virtual = w.kernel.init_net.device(VIRTUAL)
    assert virtual is not None
    lessor = virtual.rx[1].lease
    assert lessor is not None
    assert lessor.dev.net is guest
