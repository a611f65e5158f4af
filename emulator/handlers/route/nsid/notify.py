"""Notifications of namespace ids: rtnl_net_notifyid() of net/core/net_namespace.c, with the port and the sequence
number of the request that needed the id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.nsid import nsid as ids
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net

NSID = int(RTNLGRP.NSID)
NEWNSID, DELNSID = int(RTM.NEWNSID), int(RTM.DELNSID)


class NsidNotify(RtnlNotify):
    """RTNLGRP_NSID."""

    def nsid_new(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        """RTM_NEWNSID."""
        self.notify(net, NSID, NEWNSID, lambda: ids.body(nsid), origin=origin)

    def nsid_del(self, net: Net, nsid: int, *, origin: Origin | None = None) -> None:
        """RTM_DELNSID."""
        self.notify(net, NSID, DELNSID, lambda: ids.body(nsid), origin=origin)
