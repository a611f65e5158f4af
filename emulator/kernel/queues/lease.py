"""Leases: a queue of a physical device lent to a virtual one.

`create_queue` is queue-create once its attributes are parsed. The kernel locks the virtual device before the physical
one, so that is also the order in which it finds something to complain about: first everything about the lessee, then
the namespace, then the lessor, then the lessor's queue. Only the new queue is looked at, and the newest old one, so
the cost is the same for the first lease of a device and for the thousandth.
"""

from __future__ import annotations

from errno import EBUSY, EINVAL, ENODEV, ENONET, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.queue import queue_busy
from nlemu.emulator.kernel.queues import provider
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netdev import QueueType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.queue import RxQueue


def check_lessee(dev: Device) -> None:
    """netdev_can_create_queue(): whether a queue can be added to the device at all. EINVAL."""
    if dev.parent is not None:
        raise Refusal(EINVAL, "Device is not a virtual device")
    if not (dev.queue_mgmt_ops and dev.ops.has("queue_create")):
        raise Refusal(EINVAL, "Device does not support queue creation")
    if dev.real_num_rx_queues < 1 or dev.real_num_tx_queues < 1:
        raise Refusal(EINVAL, "Device must have at least one real queue")


def check_lessor(dev: Device) -> None:
    """netdev_can_lease_queue(): whether a device can lend a queue. EINVAL."""
    if dev.parent is None:
        raise Refusal(EINVAL, "Lease device is a virtual device")
    if not dev.present:
        raise Refusal(EINVAL, "Lease device has been removed from the system")
    if not dev.queue_mgmt_ops:
        raise Refusal(EINVAL, "Lease device does not support queue management operations")


def create_queue(net: Net, ifindex: int, lessor_ifindex: int, queue: int, nsid: int | None = None) -> int:
    """netdev_nl_queue_create_doit(), from its look-ups on: gives the device `ifindex` of `net` a receive queue that
    leads to queue number `queue` of the device `lessor_ifindex`, which is in the same namespace or, with `nsid`, in
    the one that `net` knows by that id.

    Returns the new queue's index. Refusals: ENODEV (either device), ENONET (the id), ERANGE (at "queue-id": the
    lessor has no such queue), EINVAL, EBUSY and EOPNOTSUPP with a text, and what the driver's queue_create refuses."""
    dev = net.device(ifindex)
    if dev is None:
        raise Refusal(ENODEV)
    check_lessee(dev)
    lessor_net: Net | None = net
    if nsid is not None:
        lessor_net = net.by_id(nsid)
    if lessor_net is None:
        raise Refusal(ENONET)
    lessor = lessor_net.device(lessor_ifindex)
    if lessor is None:
        raise Refusal(ENODEV)
    check_lessor(lessor)
    if queue >= lessor.real_num_rx_queues:
        raise Refusal(ERANGE, at="queue-id")
    busy = queue_busy(lessor, queue, QueueType.RX)
    if busy is not None:
        raise Refusal(EBUSY, busy)
    # Leases from two devices would need the intersection of what both can do, so the kernel has one lessor a lessee.
    newest = dev.rx.get(dev.real_num_rx_queues - 1)
    if newest is not None and newest.lease is not None and newest.lease.dev is not lessor:
        raise Refusal(EOPNOTSUPP, "Leasing queues from different devices not supported")
    index = dev.ops.queue_create(dev)
    lease(dev.rx[index], lessor.rx[queue])
    return index


def lease(virtual: RxQueue, physical: RxQueue) -> None:
    """netdev_rx_queue_lease(): from now on the two are one."""
    virtual.lease = physical
    physical.lease = virtual


def unlease(virtual: RxQueue) -> None:
    """netdev_rx_queue_unlease(): both ends are free again. A memory provider that came through the lease is taken off
    the physical queue, which goes on without it."""
    physical = virtual.lease
    assert physical is not None
    provider.cleanup_unlease(physical, virtual)
    virtual.lease = None
    physical.lease = None
