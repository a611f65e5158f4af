"""Notifications of next hop objects: nexthop_notify(). They carry the flags of the request that caused
them; those of buckets are caused by none."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.nexthop.fill import body, of_bucket
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.nexthop import Nexthop
    from nlemu.emulator.netlink.call import Call

NEXTHOP, REPLACE = int(RTNLGRP.NEXTHOP), int(NLM_F.REPLACE)


class NexthopNotify(RtnlNotify):
    """RTNLGRP_NEXTHOP."""

    def nexthop(self, net: Net, event: int, one: Nexthop, *, origin: Origin | None = None) -> None:
        """nexthop_notify()."""
        call = cast("Call | None", origin)
        self.notify(net, NEXTHOP, event, lambda: body(one), 0 if call is None else call.flags, origin=origin)

    def nexthop_bucket(self, net: Net, event: int, one: Nexthop, index: int) -> None:
        """nexthop_bucket_notify()."""
        self.notify(net, NEXTHOP, event, lambda: of_bucket(one, index), REPLACE)
