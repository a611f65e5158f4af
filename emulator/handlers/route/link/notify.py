"""Notifications of links: RTNLGRP_LINK and RTNLGRP_IPV6_IFINFO.

rtmsg_ifinfo() and its relatives of net/core/rtnetlink.c. The notification carries the port and the sequence number of
the request that caused it only if that asked for an echo.

The kernel fills a link's message whether or not anyone will read it. Of that, one thing shows: the namespace of the
other half of a pair gets an id if it had none. So it does here, and the message is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from nlemu.emulator.handlers.common.notify import ROUTE, RtnlNotify
from nlemu.emulator.handlers.route.link import bridge, family
from nlemu.emulator.handlers.route.link import fill as link_fill
from nlemu.protocol.frame import message
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

LINK, IPV6_IFINFO = int(RTNLGRP.LINK), int(RTNLGRP.IPV6_IFINFO)
NEWLINK, DELLINK = int(RTM.NEWLINK), int(RTM.DELLINK)


def build_link(
    kind: int, dev: Device, change: int, event: int, new_nsid: int | None, new_ifindex: int, call: Call | None
) -> bytes:
    """rtmsg_ifinfo_build_skb(): the message, from the device as it is now."""
    if event or new_nsid is not None or new_ifindex:
        body = link_fill.event_body(dev, change, event, new_nsid, new_ifindex)
    else:
        body = link_fill.body(dev, dev.net, 0, change)
    if call is None or not call.echo:
        return message(kind, 0, 0, 0, body)
    return message(kind, 0, call.seq, call.portid, body)


class LinkNotify(RtnlNotify):
    """RTNLGRP_LINK and RTNLGRP_IPV6_IFINFO."""

    def link_new(
        self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None, new_ifindex: int = 0,
        origin: Origin | None = None,
    ) -> None:
        """rtmsg_ifinfo(RTM_NEWLINK)."""
        call = cast("Call | None", origin)
        link_fill.leave_traces(dev)
        self.machine.multicast.notify(
            dev.net, ROUTE, LINK,
            lambda: build_link(NEWLINK, dev, change, event, new_nsid, new_ifindex, call), call,
        )

    def link_going(
        self, dev: Device, change: int, *, event: int = 0, new_nsid: int | None = None, new_ifindex: int = 0,
        origin: Origin | None = None,
    ) -> Callable[[], None]:
        """rtmsg_ifinfo_build_skb(RTM_DELLINK), to be sent when the answer is called."""
        call = cast("Call | None", origin)
        multicast, net = self.machine.multicast, dev.net
        link_fill.leave_traces(dev)
        if not multicast.heard(ROUTE, LINK) and (call is None or not call.echo):
            return nothing
        data = build_link(DELLINK, dev, change, event, new_nsid, new_ifindex, call)
        return lambda: multicast.notify(net, ROUTE, LINK, lambda: data, call)

    def bridge_link(self, event: int, dev: Device) -> None:
        """br_ifinfo_notify()."""
        self.machine.multicast.notify(
            dev.net, ROUTE, LINK,
            lambda: message(int(event), 0, 0, 0, bridge.body(dev, event, bridge.COMPRESSED)),
        )

    def link6(self, dev: Device) -> None:
        """inet6_ifinfo_notify()."""
        self.machine.multicast.notify(
            dev.net, ROUTE, IPV6_IFINFO, lambda: message(NEWLINK, 0, 0, 0, family.inet6_body(dev))
        )


def nothing() -> None:
    """Nobody wants to know."""
