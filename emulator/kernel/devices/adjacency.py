"""Devices above and below each other: the adjacency lists of net/core/dev.c.

A VLAN is above the device that it is on, a bridge above its ports. Devices that are next to each other know it from
both ends (`dev.uppers`, `dev.lowers`); one of those above may be the master (`dev.master`). The chain hears before
and after (PRECHANGEUPPER may be refused, CHANGEUPPER announces the lower device), so whatever is above or below can
follow.

There is no way round in a circle, and no stack of more than eight.
"""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, EMLINK
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices.device import ALONE
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlemu.emulator.kernel.devices.device import Device

MAX_NEST_DEV = 8
"""include/linux/netdevice.h"""

Neighbours = dict["Device", None]
"""In the order in which they were linked."""


def all_of(dev: Device, side: Callable[[Device], Neighbours]) -> Iterator[Device]:
    """netdev_walk_all_upper_dev(), netdev_walk_all_lower_dev(): each device beyond, once a way that leads there,
    the near ones first."""
    for neighbour in tuple(side(dev)):
        yield neighbour
        yield from all_of(neighbour, side)


def uppers(dev: Device) -> Neighbours:
    """The devices directly above."""
    return dev.uppers


def lowers(dev: Device) -> Neighbours:
    """The devices directly below."""
    return dev.lowers


def has_upper(dev: Device, upper: Device) -> bool:
    """netdev_has_upper_dev(): whether that device is above, near or far. It is looked for from above, since a
    device may have thousands on it, and is on few."""
    return any(one is dev for one in all_of(upper, lowers))


def level(dev: Device, side: Callable[[Device], Neighbours]) -> int:
    """dev->upper_level, dev->lower_level: how many devices stand on the longest way up, or down, itself included."""
    return 1 + max((level(neighbour, side) for neighbour in side(dev)), default=0)


def link(dev: Device, upper: Device, *, master: bool = False) -> None:
    """netdev_upper_dev_link(), or with ``master`` netdev_master_upper_dev_link(). EBUSY, EMLINK, EEXIST, and what the
    chain refuses."""
    if dev is upper or has_upper(upper, dev):
        raise Refusal(EBUSY)
    if level(dev, lowers) + level(upper, uppers) > MAX_NEST_DEV:
        raise Refusal(EMLINK)
    if not master:
        if has_upper(dev, upper):
            raise Refusal(EEXIST)
    elif dev.master is not None:
        raise Refusal(EEXIST if dev.master is upper else EBUSY)
    info = Info(upper=upper, master=master, linking=True)
    dev.kernel.notify(NetdevEvent.PRECHANGEUPPER, dev, info)
    if not dev.uppers:
        dev.uppers = {}  # there is one empty dict for all devices that stand alone
    if not upper.lowers:
        upper.lowers = {}
    dev.uppers[upper] = upper.lowers[dev] = None
    if master:
        dev.master = upper
        dev.kernel.link_watch.reconsider(dev)
    dev.changed()
    try:
        dev.kernel.notify(NetdevEvent.CHANGEUPPER, dev, info)
    except Refusal:
        _part(dev, upper)
        raise


def unlink(dev: Device, upper: Device) -> None:
    """netdev_upper_dev_unlink()."""
    info = Info(upper=upper, master=dev.master is upper, linking=False)
    dev.kernel.notify(NetdevEvent.PRECHANGEUPPER, dev, info)
    _part(dev, upper)
    dev.kernel.notify(NetdevEvent.CHANGEUPPER, dev, info)


def _part(dev: Device, upper: Device) -> None:
    del dev.uppers[upper]
    del upper.lowers[dev]
    dev.uppers, upper.lowers = dev.uppers or ALONE, upper.lowers or ALONE
    if dev.master is upper:
        dev.master = None
    dev.changed()


def set_master(dev: Device, ifindex: int) -> None:
    """do_set_master() of net/core/rtnetlink.c: the device leaves its master, and with an index other than 0 becomes a
    slave of that device. EINVAL for no such device, EOPNOTSUPP for one that is no master, and what a master refuses."""
    master = dev.master
    if master is not None:
        if master.ifindex == ifindex:
            return
        master.ops.del_slave(master, dev)
    if ifindex:
        upper = dev.net.device(ifindex)
        if upper is None:
            raise Refusal(EINVAL)
        upper.ops.add_slave(upper, dev)

