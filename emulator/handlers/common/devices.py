"""How requests of generic netlink find devices: one by its index, or all of a namespace."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call


def device(net: Net, ifindex: int) -> Device:
    """The device of that index (netdev_get_by_index_lock()). Refusal ENODEV."""
    dev = net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    return dev


def devices(net: Net) -> Iterator[Device]:
    """All devices, in the order of their indexes, with room for change in between (for_each_netdev_lock_scoped())."""
    dev = net.after(0)
    while dev is not None:
        yield dev
        dev = net.after(dev.ifindex)


def chosen_devices(call: Call, ifindex: int | None) -> Iterator[Device]:
    """One device, or all of them where none is named. Refusal ENODEV."""
    return devices(call.net) if ifindex is None else iter((device(call.net, ifindex),))
