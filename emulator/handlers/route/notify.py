"""Notifications of addresses, routes and neighbours: rtmsg_ifa(), inet6_ifa_notify(), rtmsg_fib(), inet6_rt_notify()
and __neigh_notify().

Those of IPv4 addresses and of routes carry the port and the sequence number of whoever asked for the change; those of
IPv6 addresses never do, because they come from work. Nobody listens, nothing is filled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from nlemu.emulator.handlers.route.addr import fill as addr_fill
from nlemu.emulator.handlers.route.addr import groups
from nlemu.emulator.handlers.route.neigh import dump as neigh
from nlemu.emulator.handlers.route.route import fill as route_fill
from nlemu.emulator.handlers.route.rule import dump as rules
from nlemu.protocol.frame import message
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTM, RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.neighbour import Neighbour
    from nlemu.emulator.kernel.inet.rules import Rule
    from nlemu.emulator.kernel.ipv4.address import Address4
    from nlemu.emulator.kernel.ipv4.fib import Route4
    from nlemu.emulator.kernel.ipv4.groups import Membership
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.fib import Route6
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.call import Call

ROUTE = int(NetlinkProtocol.ROUTE)
IPV4_IFADDR, IPV6_IFADDR = int(RTNLGRP.IPV4_IFADDR), int(RTNLGRP.IPV6_IFADDR)
IPV4_MCADDR, IPV6_MCADDR = int(RTNLGRP.IPV4_MCADDR), int(RTNLGRP.IPV6_MCADDR)
IPV4_RULE = int(RTNLGRP.IPV4_RULE)
IPV4_ROUTE, IPV6_ROUTE, NEIGH = int(RTNLGRP.IPV4_ROUTE), int(RTNLGRP.IPV6_ROUTE), int(RTNLGRP.NEIGH)


class IpNotify:
    """What one machine's IP tells rtnetlink's groups (emulator/kernel/core/events.py: Announcer)."""

    machine: Machine

    def _tell(
        self, net: Net, group: int, event: int, body: Callable[[], bytes], nlflags: int = 0,
        origin: Origin | None = None,
    ) -> None:
        call = cast("Call | None", origin)
        seq, portid = (0, 0) if call is None else (call.seq, call.portid)
        self.machine.multicast.notify(
            net, ROUTE, group, lambda: message(int(event), nlflags, seq, portid, body()), call
        )

    def address4(self, event: int, ifa: Address4, *, origin: Origin | None = None) -> None:
        """rtmsg_ifa()."""
        self._tell(ifa.dev.net, IPV4_IFADDR, event, lambda: addr_fill.body4(ifa), origin=origin)

    def address6(self, event: int, ifa: Address6) -> None:
        """inet6_ifa_notify()."""
        self._tell(ifa.dev.net, IPV6_IFADDR, event, lambda: addr_fill.body6(ifa))

    def route4(
        self, net: Net, event: int, route: Route4, *, nlflags: int = 0, origin: Origin | None = None
    ) -> None:
        """rtmsg_fib()."""
        self._tell(net, IPV4_ROUTE, event, lambda: route_fill.body4(route), nlflags, origin)

    def route6(
        self, net: Net, event: int, route: Route6, *, nlflags: int = 0, origin: Origin | None = None
    ) -> None:
        """inet6_rt_notify()."""
        siblings = route_fill.node_siblings
        self._tell(
            net, IPV6_ROUTE, event, lambda: route_fill.body6(route, siblings(net, route)), nlflags, origin
        )

    def group4(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        """inet_ifmcaddr_notify()."""
        self._tell(dev.net, IPV4_MCADDR, event, lambda: groups.body4(dev, group, membership))

    def group6(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        """inet6_ifmcaddr_notify(), which does not tell a site's groups from others."""
        self._tell(dev.net, IPV6_MCADDR, event, lambda: groups.body6(dev, group, membership, universe=True))

    def rule(self, net: Net, event: int, rule: Rule, *, origin: Origin | None = None) -> None:
        """notify_rule_change()."""
        self._tell(net, IPV4_RULE, event, lambda: rules.body(net, rule), origin=origin)

    def neighbour(self, event: int, entry: Neighbour, *, portid: int = 0) -> None:
        """__neigh_notify(): with the port of whoever asked for a change, but never its sequence number."""
        held = int(event == RTM.NEWNEIGH)
        self.machine.multicast.notify(
            entry.dev.net, ROUTE, NEIGH, lambda: message(int(event), 0, 0, portid, neigh.body(entry, held))
        )

