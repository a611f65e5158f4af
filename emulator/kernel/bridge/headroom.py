"""The room before a frame that a bridge keeps for its ports, and they for each other: net/bridge/br_if.c.

A bridge wants as much as the port that wants the most, and every port is told, so that what comes in there need not be
moved when it leaves by another. What a driver was told so is no wish of its own (IFF_PHONY_HEADROOM).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import Bridge
    from nlemu.emulator.kernel.devices.device import Device


AS_USUAL = -1
"""netdev_reset_rx_headroom()"""


def wanted(dev: Device) -> int:
    """netdev_get_fwd_headroom(); in bytes."""
    return 0 if dev.ops.phony_headroom else dev.needed_headroom


def joined(br: Bridge, dev: Device) -> None:
    """The part of br_add_if()."""
    if br.dev.needed_headroom < wanted(dev):
        _update(br, wanted(dev))
    else:
        dev.ops.set_rx_headroom(dev, br.dev.needed_headroom)


def left(br: Bridge, dev: Device) -> None:
    """The part of del_nbp(): the port is no longer in the list."""
    if wanted(dev) == br.dev.needed_headroom:
        room = max([wanted(port.dev) for port in br.ports], default=0)
        if room != br.dev.needed_headroom:  # all have been told already
            _update(br, room)
    dev.ops.set_rx_headroom(dev, AS_USUAL)


def _update(br: Bridge, room: int) -> None:
    """update_headroom()"""
    for port in br.ports:
        port.dev.ops.set_rx_headroom(port.dev, room)
    br.dev.needed_headroom = room
    br.dev.changed()
