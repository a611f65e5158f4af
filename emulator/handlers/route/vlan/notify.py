"""Notifications of VLANs: RTNLGRP_BRVLAN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.vlan import told
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

BRVLAN, NEW = int(RTNLGRP.BRVLAN), int(RTM.NEWVLAN)


class VlanNotify(RtnlNotify):
    """RTNLGRP_BRVLAN."""

    def bridge_vlan(self, event: int, dev: Device, vid: int, last: int = 0) -> None:
        """br_vlan_notify()."""
        self.notify(dev.net, BRVLAN, event, lambda: told.changed(dev, event, vid, last))

    def bridge_vlan_global(self, dev: Device, vid: int, last: int) -> None:
        """br_vlan_global_opts_notify()."""
        self.notify(dev.net, BRVLAN, NEW, lambda: told.changed_globally(dev, vid, last))
