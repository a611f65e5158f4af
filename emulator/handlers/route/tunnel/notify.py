"""Notifications of what VXLANs filter: RTNLGRP_TUNNEL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.tunnel import vnis
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.vxlan.vxlan import Vni

TUNNEL = int(RTNLGRP.TUNNEL)


class TunnelNotify(RtnlNotify):
    """RTNLGRP_TUNNEL."""

    def vni(self, event: int, dev: Device, vni: Vni) -> None:
        """vxlan_vnifilter_notify()."""
        self.notify(dev.net, TUNNEL, event, lambda: vnis.body(dev, [vnis.entry([vni])]))
