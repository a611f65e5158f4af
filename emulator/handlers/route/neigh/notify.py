"""Notifications of neighbours: __neigh_notify(). They carry the port of the request that changed one, but never its
sequence number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import ROUTE, RtnlNotify
from nlemu.emulator.handlers.route.neigh import bridge_fdb, dump, vxlan_fdb
from nlemu.protocol.frame import message
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.bridge.bridge import Entry
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.neighbour import Neighbour
    from nlemu.emulator.kernel.vxlan.vxlan import Remote, TunnelEntry

NEIGH = int(RTNLGRP.NEIGH)


class NeighbourNotify(RtnlNotify):
    """RTNLGRP_NEIGH."""

    def neighbour(self, event: int, entry: Neighbour, *, portid: int = 0) -> None:
        """__neigh_notify()."""
        held = int(event == RTM.NEWNEIGH)
        self.machine.multicast.notify(
            entry.dev.net, ROUTE, NEIGH, lambda: message(int(event), 0, 0, portid, dump.body(entry, held))
        )

    def fdb(self, event: int, dev: Device, entry: Entry) -> None:
        """fdb_notify()."""
        br = dev.priv
        self.machine.multicast.notify(
            dev.net, ROUTE, NEIGH, lambda: message(int(event), 0, 0, 0, bridge_fdb.body(br, entry))
        )

    def tunnel_fdb(self, event: int, dev: Device, entry: TunnelEntry, remote: Remote | None) -> None:
        """__vxlan_fdb_notify()."""
        self.machine.multicast.notify(
            dev.net, ROUTE, NEIGH, lambda: message(int(event), 0, 0, 0, vxlan_fdb.body(dev, entry, remote))
        )
