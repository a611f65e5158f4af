"""The groups of those who snoop: a bridge that looks at who joins what listens to them while it is up
(br_multicast_join_snoopers() of net/bridge/br_multicast.c).

Nobody speaks to them; what the bridge hears of others stands in snooping.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv4 import groups
from nlemu.emulator.kernel.ipv6 import mld

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ALL_SNOOPERS = 0xE000006A
"""INADDR_ALLSNOOPERS_GROUP, 224.0.0.106"""
ALL_SNOOPERS6 = 0xFF020000_00000000_00000000_0000006A
"""ff02::6a"""


def join(dev: Device) -> None:
    """The bridge came up, or begins to snoop."""
    if dev.ip4 is not None:
        groups.join(dev, dev.ip4, ALL_SNOOPERS)
    if dev.ip6 is not None:
        mld.join(dev, ALL_SNOOPERS6)


def leave(dev: Device) -> None:
    """It goes down, or snoops no longer."""
    if dev.ip4 is not None:
        groups.leave(dev, dev.ip4, ALL_SNOOPERS)
    if dev.ip6 is not None:
        mld.leave(dev, dev.ip6.listener, ALL_SNOOPERS6)
