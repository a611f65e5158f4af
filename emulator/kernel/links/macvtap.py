"""macvtap: macvlans whose frames a program may read from a character device (drivers/net/macvtap.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Stage
from nlemu.emulator.kernel.links import tap
from nlemu.emulator.kernel.links.macvlan import MacvlanKind, common_setup

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def setup(dev: Device) -> None:
    """macvtap_setup()."""
    common_setup(dev)
    dev.txqlen = tap.READ_QUEUE


class MacvtapKind(tap.Tap, MacvlanKind):
    """macvtap_link_ops."""

    name = "macvtap"
    needs = "macvlan"
    option = "MACVTAP"
    setup = staticmethod(setup)
    notifiers = ((Stage.DRIVERS, tap.follower("macvtap"), tap.HEEDED),)


KIND = MacvtapKind()
