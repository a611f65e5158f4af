"""Notifications of settings: inet_netconf_notify_devconf() and its relatives.

They carry neither port nor sequence number of whoever changed one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.netconf.fill import body
from nlemu.protocol.uapi.rtnetlink import RTNLGRP
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_MPLS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

GROUPS = {
    AF_INET: int(RTNLGRP.IPV4_NETCONF), AF_INET6: int(RTNLGRP.IPV6_NETCONF), AF_MPLS: int(RTNLGRP.MPLS_NETCONF),
}


class NetconfNotify(RtnlNotify):
    """RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF and RTNLGRP_MPLS_NETCONF."""

    def netconf(
        self, net: Net, event: int, family: int, ifindex: int, conf: Any, fields: Iterable[Any] | None = None
    ) -> None:
        """inet_netconf_notify_devconf()."""
        self.notify(net, GROUPS[family], event, lambda: body(self.machine.build, family, ifindex, conf, fields))
