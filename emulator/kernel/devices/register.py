"""A device comes into being and goes: alloc_netdev_mqs(), register_netdevice(), unregister_netdevice_many().

Registration is one long function in the kernel, and its order shows: the name is found before the driver is asked, the
index after it, and user space hears of the device last, unless the device is still being configured by the request
that creates it.

Devices that go together are first all closed, then all taken out of their namespaces, and then one by one told about
and freed. The announcement that one is gone is written before the driver lets go of its things, and sent after.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import ENOMEM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import announce, features, flags, link_watch, qdisc, rx_mode, uevents
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.states import AddressAssignment, NameAssignment, RegState
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.ops import DeviceOps

DEFAULT_TX_QUEUE_LEN = 1000
"""include/net/pkt_sched.h"""

KillList = dict[Device, None]
"""Devices to be unregistered together, in order."""


def alloc_device(net: Net, name: str, ops: DeviceOps, setup: Callable[[Device], None], *, tx: int = 1, rx: int = 1,
                 assignment: NameAssignment = NameAssignment.UNKNOWN) -> Device:
    """alloc_netdev_mqs() and dev_net_set(): a device with that many queues of either sort, for that namespace. The
    name may be a pattern until it is registered; setup: the driver's."""
    dev = Device(net.kernel, net, name, ops)
    setup(dev)
    if not dev.txqlen:
        dev.no_queue = True
        dev.txqlen = DEFAULT_TX_QUEUE_LEN
    dev.num_tx_queues = dev.real_num_tx_queues = tx
    dev.num_rx_queues = dev.real_num_rx_queues = rx
    dev.name_assign_type = assignment
    return dev


def register(dev: Device) -> None:
    """register_netdevice(): the device gets its name, its index and its software features, and is found from now on.
    Refuses with EINVAL, EEXIST or ENFILE (the name), EBUSY (the index), and what the driver or a notifier refuses; and
    with ENOMEM, as if there were no memory for it, when there are too many."""
    net, kernel = dev.net, dev.kernel
    if kernel.device_count >= kernel.most_devices:
        raise Refusal(ENOMEM)
    if dev.kind is not None:
        kernel.load(dev.kind)
    dev.name = net.prepare_name(dev.name)
    dev.ops.init(dev)
    try:
        dev.ifindex = net.reserve_index(dev.ifindex)
    except Refusal:
        dev.ops.uninit(dev)
        dev.ops.destroy(dev)
        raise
    features.add_software_features(dev)
    try:
        kernel.notify(NetdevEvent.POST_INIT, dev)
    except Refusal:
        net.release_index(dev.ifindex)
        dev.ops.uninit(dev)
        dev.ops.destroy(dev)
        raise
    uevents.queues_added(dev)
    dev.reg_state = RegState.REGISTERED
    features.recompute(dev)
    dev.present = True
    link_watch.init_device(dev)
    qdisc.init_scheduler(dev)
    net.list_device(dev)
    if dev.addr_assign_type == AddressAssignment.PERM:
        dev.perm_address = dev.address
    dev.changed()
    try:
        kernel.notify(NetdevEvent.REGISTER, dev)
    except Refusal:
        unregister(dev)
        raise
    uevents.added(dev)
    if not _initializing(dev):
        announce.announce(dev, announce.ALL)


def _initializing(dev: Device) -> bool:
    return dev.kind is not None and dev.rtnl_link_initializing


def queue_unregister(dev: Device, kill: KillList) -> None:
    """unregister_netdevice_queue(): last on the list, also when it was on it before."""
    kill.pop(dev, None)
    kill[dev] = None
    dev.unregister_queued = True


def unregister(dev: Device) -> None:
    """unregister_netdevice()."""
    kill: KillList = {}
    queue_unregister(dev, kill)
    unregister_many(kill)


def unregister_many(kill: KillList, origin: Origin | None = None) -> None:
    """unregister_netdevice_many_notify(), and netdev_run_todo() after it."""
    devices = list(kill)
    flags.close_many([dev for dev in devices if dev.ops_locked])
    flags.close_many([dev for dev in devices if not dev.ops_locked])
    for dev in devices:
        dev.net.unlist_device(dev)
        dev.reg_state = RegState.UNREGISTERING
    for dev in devices:
        _unregister(dev, origin)
    for dev in devices:
        dev.reg_state = RegState.UNREGISTERED
        dev.kernel.link_watch.sync(dev)
        dev.ops.destroy(dev)
        dev.moved()


def _unregister(dev: Device, origin: Origin | None) -> None:
    kernel = dev.kernel
    qdisc.shutdown(dev)
    for uninstall in kernel.uninstallers:
        uninstall(dev)
    kernel.netdev_work.cancel_all(dev)
    kernel.notify(NetdevEvent.UNREGISTER, dev)
    gone = None if _initializing(dev) else announce.announce_going(dev, origin=origin)
    rx_mode.flush(dev)
    kernel.notify(NetdevEvent.PRE_UNINIT, dev)
    dev.ops.uninit(dev)
    if gone is not None:
        gone()
    uevents.removed(dev)
