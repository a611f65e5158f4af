"""Notifications of VLANs: RTNLGRP_BRVLAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.vlan import vlans
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

BRVLAN = int(RTNLGRP.BRVLAN)


class VlanNotify(RtnlNotify):
    """RTNLGRP_BRVLAN."""

    def bridge_vlan(self, event: int, dev: Device, vid: int, last: int = 0) -> None:
        """br_vlan_notify()."""
        self.notify(dev.net, BRVLAN, event, lambda: vlans.body(dev, event, vid, last))
