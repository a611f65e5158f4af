"""Notifications of groups: RTNLGRP_MDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.mdb import told, vxlan
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import PortMulticast
    from nlemu.emulator.kernel.bridge.mdb import Group, PortGroup
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.vxlan.mdb import GroupEntry, GroupRemote

MDB = int(RTNLGRP.MDB)


class MdbNotify(RtnlNotify):
    """RTNLGRP_MDB."""

    def mdb(self, event: int, dev: Device, group: Group, port_group: PortGroup | None) -> None:
        """__br_mdb_notify()."""
        self.notify(dev.net, MDB, event, lambda: told.change(group, port_group))

    def vxlan_mdb(self, event: int, dev: Device, entry: GroupEntry, remote: GroupRemote) -> None:
        """vxlan_mdb_remote_notify()."""
        self.notify(dev.net, MDB, event, lambda: vxlan.change(dev.priv, entry, remote))

    def mdb_router(self, event: int, dev: Device, pmctx: PortMulticast) -> None:
        """br_rtr_notify()."""
        self.notify(dev.net, MDB, event, lambda: told.router(pmctx))
