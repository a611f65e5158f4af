"""The uevents of network devices and their queues: net/core/net-sysfs.c, device_rename() of drivers/base/core.c.

The queues that a device uses are objects of their own, below it: they come before it is announced and go before it
does, and the last goes first. A device that goes because its namespace dies goes in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.devices.states import RegState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlemu.emulator.kernel.devices.device import Device

NET, QUEUES = "net", "queues"
QUEUE_KINDS = ("rx", "tx")


def devpath(dev: Device) -> str:
    """Where the device is below /sys: among those of its parent, or among the virtual ones."""
    parent = "virtual" if dev.parent is None else dev.parent.place or dev.parent.name
    return f"/devices/{parent}/net/{dev.name}"


def announce(dev: Device, action: Action, *more: tuple[str, object]) -> None:
    """kobject_uevent_env() of the device: its type, if it has one, its name and its index (netdev_uevent()), after
    what the action itself has to say."""
    uevents = dev.kernel.uevents
    if not uevents.heard():
        uevents.seqnum += 1
        return
    devtype = "" if dev.kind is None else dev.kind.devtype
    kind = (("DEVTYPE", devtype),) if devtype else ()
    uevents.send(
        dev.net, action, devpath(dev), NET, *more, *kind, ("INTERFACE", dev.name), ("IFINDEX", dev.ifindex)
    )


def added(dev: Device) -> None:
    """netdev_uevent_add()."""
    dev.uevent_sent = True
    announce(dev, Action.ADD)


def renamed(dev: Device, old: str) -> None:
    """device_rename(): old is what `devpath()` was."""
    announce(dev, Action.MOVE, ("DEVPATH_OLD", old))


def removed(dev: Device) -> None:
    """netdev_unregister_kobject(): the queues go, then the device, unless nobody was told that it is there."""
    if dev.net.dying:
        return
    uevents = dev.kernel.uevents
    if not uevents.heard():
        uevents.seqnum += dev.real_num_rx_queues + dev.real_num_tx_queues + dev.uevent_sent
        return
    for kind, count in zip(QUEUE_KINDS, (dev.real_num_rx_queues, dev.real_num_tx_queues), strict=True):
        _queues(dev, Action.REMOVE, kind, range(count - 1, -1, -1))
    if dev.uevent_sent:
        announce(dev, Action.REMOVE)


def queues_added(dev: Device) -> None:
    """register_queue_kobjects()."""
    uevents = dev.kernel.uevents
    if not uevents.heard():
        uevents.seqnum += dev.real_num_rx_queues + dev.real_num_tx_queues
        return
    for kind, count in zip(QUEUE_KINDS, (dev.real_num_rx_queues, dev.real_num_tx_queues), strict=True):
        _queues(dev, Action.ADD, kind, range(count))


def queues_changed(dev: Device, kind: str, old: int, new: int) -> None:
    """net_rx_queue_update_kobjects() or netdev_queue_update_kobjects(), by the kind: that many were in use, and that
    many are. Nothing of a device that is not registered."""
    if dev.reg_state != RegState.REGISTERED:
        return
    if new < old and dev.net.dying:
        return
    uevents = dev.kernel.uevents
    if not uevents.heard():
        uevents.seqnum += abs(new - old)
    elif new > old:
        _queues(dev, Action.ADD, kind, range(old, new))
    else:
        _queues(dev, Action.REMOVE, kind, range(old - 1, new - 1, -1))


def _queues(dev: Device, action: Action, kind: str, indexes: Sequence[int]) -> None:
    place = f"{devpath(dev)}/queues/{kind}-"
    for index in indexes:
        dev.kernel.uevents.send(dev.net, action, f"{place}{index}", QUEUES)
