"""Notifications of rtnetlink: from a change of the model to the group that hears of it (rtnl_notify()).

Each group of messages has a class beside its handlers (addr/notify.py ...), and all of them together are the announcer
of a machine (emulator/handlers/route/announcements.py). If nobody listens, nothing is filled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from nlemu.protocol.frame import message
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.call import Call

ROUTE = int(NetlinkProtocol.ROUTE)


class RtnlNotify:
    """What one machine's rtnetlink tells its groups."""

    machine: Machine

    def notify(
        self, net: Net, group: int, event: int, body: Callable[[], bytes], nlflags: int = 0,
        origin: Origin | None = None,
    ) -> None:
        """A message of the type ``event`` to a group, with the port and the sequence number of the request that caused
        it, if one did."""
        call = cast("Call | None", origin)
        if (ROUTE, group) not in self.machine.multicast.members and (call is None or not call.echo):
            return
        seq, portid = (0, 0) if call is None else (call.seq, call.portid)
        self.machine.multicast.notify(
            net, ROUTE, group, lambda: message(int(event), nlflags, seq, portid, body()), call
        )
