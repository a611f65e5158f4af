"""What the model announces of itself, towards the sockets of a machine.

Nobody can hear what is announced before a socket is open, and then only what its protocol tells. So a machine begins
with what is told here, uevents and page pools; the first socket of rtnetlink brings the rest
(emulator/handlers/route/announcements.py), and the first of generic netlink the messages about page pools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.uevent import KERNEL_GROUP, KOBJECT_UEVENT, text
from nlemu.emulator.kernel.core.events import NullAnnouncer

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.core.uevents import Uevent
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devlink.instance import Instance as Devlink
    from nlemu.emulator.kernel.devlink.objects import Object
    from nlemu.emulator.kernel.queues.page_pool import PagePool, PagePoolEvent
    from nlemu.emulator.kernel.teaming.options import Instance
    from nlemu.emulator.kernel.teaming.team import Port, Team
    from nlemu.emulator.machine.machine import Machine
    from nlemu.protocol.uapi.devlink import DevlinkCmd
    from nlemu.protocol.uapi.hsr_netlink import HsrCmd


class Announcements(NullAnnouncer):
    """The announcer of one machine (emulator/kernel/core/events.py: Announcer)."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def uevent(self, net: Net, event: Uevent) -> None:
        """uevent_net_broadcast_tagged(), and for each namespace uevent_net_broadcast_untagged()."""
        self.machine.multicast.notify(net, KOBJECT_UEVENT, KERNEL_GROUP, lambda: text(event))

    def ethtool(self, dev: Device, message: int, context: int = 0) -> None:
        """ethtool_notify(), ethtool_rss_notify()."""
        self.machine.tell_ethtool(dev, message, context)

    def page_pool(self, event: PagePoolEvent, pool: PagePool) -> None:
        """netdev_nl_page_pool_event()."""
        if self.machine.netdev is not None:
            self.machine.netdev.page_pool(event, pool)

    def team_options(self, team: Team, chosen: list[Instance]) -> bool:
        """team_nl_send_event_options_get()"""
        return self.machine.team.options(team, chosen)

    def team_port(self, team: Team, port: Port) -> bool:
        """team_nl_send_event_port_get()"""
        return self.machine.team.port(team, port)

    def devlink(self, instance: Devlink, command: DevlinkCmd, thing: Object) -> None:
        """devlink_notify() and its like."""
        if self.machine.devlink is not None:
            self.machine.devlink.tell(instance, command, thing)

    def hsr(self, net: Net, command: HsrCmd, address: bytes, ifindex: int | None = None) -> None:
        """hsr_nl_ringerror(), hsr_nl_nodedown()."""
        if self.machine.netdev is not None:
            from nlemu.emulator.handlers.hsr import tell

            tell(self.machine, net, command, address, ifindex)
