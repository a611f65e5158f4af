"""Notifications of addresses and groups: rtmsg_ifa(), inet6_ifa_notify(), inet_ifmcaddr_notify(),
inet6_ifacaddr_notify().

Those of IPv4 addresses carry the port and the sequence number of the request that changed them; those of IPv6 addresses
never do, because they come from work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.addr import fill, groups
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.membership import Membership
    from nlemu.emulator.kernel.ipv4.address import Address4
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.anycast import Anycast

IPV4_IFADDR, IPV6_IFADDR = int(RTNLGRP.IPV4_IFADDR), int(RTNLGRP.IPV6_IFADDR)
IPV4_MCADDR, IPV6_MCADDR = int(RTNLGRP.IPV4_MCADDR), int(RTNLGRP.IPV6_MCADDR)
IPV6_ACADDR = int(RTNLGRP.IPV6_ACADDR)


class AddressNotify(RtnlNotify):
    """RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR and the groups of multicast addresses."""

    def address4(self, event: int, ifa: Address4, *, origin: Origin | None = None) -> None:
        """rtmsg_ifa()."""
        self.notify(ifa.dev.net, IPV4_IFADDR, event, lambda: fill.body4(ifa), origin=origin)

    def address6(self, event: int, ifa: Address6) -> None:
        """inet6_ifa_notify()."""
        self.notify(ifa.dev.net, IPV6_IFADDR, event, lambda: fill.body6(ifa))

    def group4(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        """inet_ifmcaddr_notify()."""
        self.notify(dev.net, IPV4_MCADDR, event, lambda: groups.body4(dev, group, membership))

    def group6(self, event: int, dev: Device, group: int, membership: Membership) -> None:
        """inet6_ifmcaddr_notify(), which does not tell a site's groups from others."""
        self.notify(dev.net, IPV6_MCADDR, event, lambda: groups.body6(dev, group, membership, universe=True))

    def anycast6(self, event: int, dev: Device, address: int, found: Anycast) -> None:
        """inet6_ifacaddr_notify()."""
        self.notify(dev.net, IPV6_ACADDR, event, lambda: groups.body_anycast(dev, address, found))
