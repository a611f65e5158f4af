"""ipvtap: ipvlans whose frames a program may read from a character device (drivers/net/ipvlan/ipvtap.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Stage
from nlemu.emulator.kernel.links import ipvlan, tap

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device


def setup(dev: Device) -> None:
    """ipvtap_setup()."""
    ipvlan.setup(dev)
    dev.txqlen = tap.READ_QUEUE
    dev.no_queue = False


class IpvtapKind(tap.Tap, ipvlan.IpvlanKind):
    """ipvtap_link_ops. There is no get_link_net."""

    name = "ipvtap"
    needs = "ipvlan"
    option = "IPVTAP"
    setup = staticmethod(setup)
    notifiers = ((Stage.DRIVERS, tap.follower("ipvtap"), tap.HEEDED),)

    def get_link_net(self, dev: Device) -> Net | None:
        return None


KIND = IpvtapKind()
