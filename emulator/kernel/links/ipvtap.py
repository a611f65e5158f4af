"""ipvtap: ipvlans whose frames a program may read from a character device (drivers/net/ipvlan/ipvtap.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Stage
from nlemu.emulator.kernel.devices import rx_handler
from nlemu.emulator.kernel.links import ipvlan, tap
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import LinkParams
    from nlemu.emulator.kernel.devices.register import KillList


def setup(dev: Device) -> None:
    """ipvtap_setup()."""
    ipvlan.setup(dev)
    dev.txqlen = tap.READ_QUEUE
    dev.no_queue = False


class IpvtapKind(ipvlan.IpvlanKind):
    """ipvtap_link_ops. There is no get_link_net."""

    name = "ipvtap"
    option = "IPVTAP"
    setup = staticmethod(setup)
    notifiers = ((Stage.DRIVERS, tap.follower("ipvtap"), tap.HEEDED),)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        rx_handler.register(dev, tap.pass_by)
        try:
            super().new_link(dev, params)
        except Refusal:
            rx_handler.unregister(dev)
            raise

    def del_link(self, dev: Device, kill: KillList) -> None:
        rx_handler.unregister(dev)
        super().del_link(dev, kill)

    def get_link_net(self, dev: Device) -> Net | None:
        return None


KIND = IpvtapKind()
