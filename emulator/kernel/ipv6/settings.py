"""Settings of IPv6 on a device are changed: what net.ipv6.conf.DEVICE.* and IFLA_AF_SPEC write, with all that follows.

Most change nothing but themselves. disable_ipv6 is to IPv6 as if the device went down and came up: it loses its
addresses, those that were given to it as well, and gets its own back (addrconf_disable_ipv6() of net/ipv6/addrconf.c).
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.ipv6 import solicit
from nlemu.emulator.kernel.ipv6.device import on_event6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

READY = int(InetDeviceFlag.READY)
TOLD = frozenset((Ipv6Devconf.PROXY_NDP, Ipv6Devconf.IGNORE_ROUTES_WITH_LINKDOWN))
"""Settings whose change is told to RTNLGRP_IPV6_NETCONF."""


def set_conf(dev: Device, field: Ipv6Devconf, value: int) -> None:
    """Sets one setting of a device that has IPv6, in the unit that the kernel keeps it in (addrconf_sysctl)."""
    conf = dev.inet6.conf
    was, conf[field] = conf[field], value
    dev.changed()
    if field in TOLD and bool(was) != bool(value):
        dev.kernel.announcer.netconf(dev.net, RTM.NEWNETCONF, AF_INET6, dev.ifindex, conf, (field,))
    if field == Ipv6Devconf.DISABLE_IPV6 and bool(was) != bool(value):
        on_event6(NetdevEvent.DOWN if value else NetdevEvent.UP, dev, Info())


def set_token(dev: Device, token: bytes) -> None:
    """inet6_set_iftoken(): the lower half of addresses that router advertisements bring, in the last eight of sixteen
    bytes. EINVAL with a text that names the module."""
    idev = dev.inet6
    conf = idev.conf
    if dev.flags & IFF.LOOPBACK:
        raise Refusal(EINVAL, "ipv6: Device is loopback")
    if dev.flags & IFF.NOARP:
        raise Refusal(EINVAL, "ipv6: Device does not do neighbour discovery")
    if not accepts_ra(conf[Ipv6Devconf.ACCEPT_RA], conf[Ipv6Devconf.FORWARDING]):
        raise Refusal(EINVAL, "ipv6: Router advertisement is disabled on device")
    if not conf[Ipv6Devconf.RTR_SOLICITS]:
        raise Refusal(EINVAL, "Router solicitation is disabled on device")
    idev.token = idev.token[:8] + token[8:]
    dev.changed()
    if any(token) and idev.flags & READY and solicit.has_source(dev):
        solicit.start(dev)
    dev.kernel.announcer.link6(dev)


def accepts_ra(accept_ra: int, forwarding: int) -> bool:
    """ipv6_accept_ra(): 1 unless it forwards, 2 in any case."""
    return accept_ra == 2 if forwarding else bool(accept_ra)
