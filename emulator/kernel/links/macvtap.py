"""macvtap: macvlans whose frames a program may read from a character device (drivers/net/macvtap.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Stage
from nlemu.emulator.kernel.devices import rx_handler
from nlemu.emulator.kernel.links import tap
from nlemu.emulator.kernel.links.macvlan import MacvlanKind, common_setup
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import LinkParams
    from nlemu.emulator.kernel.devices.register import KillList


def setup(dev: Device) -> None:
    """macvtap_setup()."""
    common_setup(dev)
    dev.txqlen = tap.READ_QUEUE


class MacvtapKind(MacvlanKind):
    """macvtap_link_ops."""

    name = "macvtap"
    option = "MACVTAP"
    setup = staticmethod(setup)
    notifiers = ((Stage.DRIVERS, tap.follower("macvtap"), tap.HEEDED),)

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


KIND = MacvtapKind()
