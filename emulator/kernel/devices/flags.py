"""Up, down, and the other flags of a device: dev_open(), dev_close(), dev_change_flags() of net/core/dev.c.

A device that goes up or down is announced after the driver has done its part and before the rest of the kernel hears
of it. How, depends on who asks: closing as such says IFF_UP and IFF_RUNNING have changed, a request for other flags
says exactly which ones did.

Flags are plain integers here: arithmetic on the members of an IntFlag costs a hundred times as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from errno import ENODEV
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import announce, qdisc, rx_mode
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF, IfOper

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.devices.device import Device

UP = int(IFF.UP)
RUNNING = int(IFF.RUNNING)
LOWER_UP = int(IFF.LOWER_UP)
DORMANT = int(IFF.DORMANT)
PROMISC = int(IFF.PROMISC)
ALLMULTI = int(IFF.ALLMULTI)
SETTABLE = int(
    IFF.DEBUG | IFF.NOTRAILERS | IFF.NOARP | IFF.DYNAMIC | IFF.MULTICAST | IFF.PORTSEL | IFF.AUTOMEDIA
)
"""What __dev_change_flags() takes from the request as it is."""
KEPT = int(IFF.UP | IFF.VOLATILE | IFF.PROMISC | IFF.ALLMULTI)
"""What it keeps of the device's own flags."""


def get_flags(dev: Device) -> int:
    """netif_get_flags(): the flags that user space sees."""
    flags = dev.flags & ~(PROMISC | ALLMULTI | RUNNING | LOWER_UP | DORMANT) | dev.gflags & (PROMISC | ALLMULTI)
    if dev.running:
        if dev.operstate in (IfOper.UP, IfOper.UNKNOWN):
            flags |= RUNNING
        if not dev.no_carrier:
            flags |= LOWER_UP
        if dev.dormant:
            flags |= DORMANT
    return flags


def combine_flags(dev: Device, flags: int, change: int) -> int:
    """rtnl_dev_combine_flags(): the flags that a request wants: those in its mask, the rest as they are. No mask
    means all of them."""
    if not change:
        return flags
    current = dev.flags & ~(PROMISC | ALLMULTI) | dev.gflags & (PROMISC | ALLMULTI)
    return flags & change | current & ~change


# Up and down


def _open(dev: Device) -> None:
    """__dev_open()."""
    if not dev.present:
        raise Refusal(ENODEV)
    dev.kernel.notify(NetdevEvent.PRE_UP, dev)
    dev.running = True
    try:
        dev.ops.validate_address(dev)
        dev.ops.open(dev)
    except Refusal:
        dev.running = False
        raise
    finally:
        dev.changed()
    dev.flags |= UP
    rx_mode.update(dev)
    qdisc.activate(dev)
    dev.kernel.link_watch.reconsider(dev)


def _close_many(devices: list[Device]) -> None:
    """__dev_close_many()."""
    for dev in devices:
        dev.kernel.notify(NetdevEvent.GOING_DOWN, dev)
        dev.running = False
        dev.changed()
    for dev in devices:
        qdisc.deactivate(dev)
    for dev in devices:
        dev.ops.stop(dev)
        dev.flags &= ~UP
        dev.changed()


def open_device(dev: Device) -> None:
    """dev_open(): up, and announced as that. Refuses what a notifier or the driver refuses, and ENODEV."""
    if dev.up:
        return
    _open(dev)
    announce.announce(dev, UP | RUNNING)
    dev.kernel.notify(NetdevEvent.UP, dev)


def close_many(devices: Iterable[Device]) -> None:
    """netif_close_many(): those that are up go down together, and are announced one after the other."""
    closing = [dev for dev in devices if dev.up]
    _close_many(closing)
    for dev in closing:
        announce.announce(dev, UP | RUNNING)
        dev.kernel.notify(NetdevEvent.DOWN, dev)


def close_device(dev: Device) -> None:
    """dev_close()."""
    close_many((dev,))


# Promiscuity


def set_promiscuity(dev: Device, inc: int, *, notify: bool = True) -> None:
    """dev_set_promiscuity(): one more, or one less, who wants all frames; announced, and the driver asked by then,
    unless told not to."""
    old = dev.flags
    changed = rx_mode.change_promiscuity(dev, inc)
    if notify:
        notify_flags(dev, old, PROMISC)
    if changed:
        rx_mode.update(dev)
    if notify:
        dev.kernel.netdev_work.sync_rx_mode(dev)


# All flags


def apply_flags(dev: Device, flags: int) -> None:
    """__dev_change_flags(): tells nobody but what opening and closing tells. What it did before a refusal of the driver
    to open stays done."""
    old = dev.flags
    dev.flags = flags & SETTABLE | old & KEPT
    rx_mode.update(dev)
    refusal = None
    if (old ^ flags) & UP:
        if old & UP:
            _close_many([dev])
        else:
            try:
                _open(dev)
            except Refusal as refused:
                refusal = refused
    if (flags ^ dev.gflags) & PROMISC:
        dev.gflags ^= PROMISC
        set_promiscuity(dev, 1 if flags & PROMISC else -1, notify=False)
    if (flags ^ dev.gflags) & ALLMULTI:
        dev.gflags ^= ALLMULTI
        rx_mode.change_allmulti(dev, 1 if flags & ALLMULTI else -1, sync=False)
    dev.changed()
    if refusal is not None:
        raise refusal


def notify_flags(dev: Device, old: int, change: int, origin: Origin | None = None) -> None:
    """__dev_notify_flags(): announces the device with that change mask, unless it is empty, then tells the chain what
    is different from the old flags."""
    changes = dev.flags ^ old
    if change:
        announce.announce(dev, change, origin=origin)
    if changes & UP:
        dev.kernel.notify(NetdevEvent.UP if dev.up else NetdevEvent.DOWN, dev)
    if dev.up and changes & ~KEPT:
        dev.kernel.notify(NetdevEvent.CHANGE, dev, Info(flags_changed=changes))


def change_flags(dev: Device, flags: int) -> None:
    """dev_change_flags(): the device is to have those flags, as far as they can be set."""
    old, old_gflags = dev.flags, dev.gflags
    apply_flags(dev, flags)
    notify_flags(dev, old, (old ^ dev.flags) | (old_gflags ^ dev.gflags))
