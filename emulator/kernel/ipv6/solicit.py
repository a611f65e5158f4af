"""Asking for routers: a solicitation when the first address of the link has passed, and more at growing intervals,
since no router ever answers here (addrconf_dad_completed() and addrconf_rs_timer() of net/ipv6/addrconf.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import packets
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

READY, RS_SENT = int(InetDeviceFlag.READY), int(InetDeviceFlag.RS_SENT)
TENTATIVE = int(IFA_F.TENTATIVE)
NOT_YET = TENTATIVE | int(IFA_F.OPTIMISTIC)
NSEC_PER_MSEC = NSEC_PER_SEC // 1000
FIRST, NEXT = (0.9, 1.1), (1.9, 2.1)
"""How much of the initial interval, and of the one before: rfc3315_s14_backoff_init() and _update()."""


def start(dev: Device) -> None:
    """Asks, and will ask again."""
    idev: Inet6Device = dev.inet6
    packets.send(dev, ip6.ALL_ROUTERS, packets.router_solicitation(dev))
    idev.flags |= RS_SENT
    dev.changed()
    _again(dev, idev, idev.conf[Ipv6Devconf.RTR_SOLICIT_INTERVAL] * dev.kernel.random.uniform(*FIRST), 1)


def has_source(dev: Device, banned: int = NOT_YET) -> bool:
    """ipv6_get_lladdr(): whether there is an address of the link without those flags: by default, one that passed."""
    return any(ifa.scope == ip6.AddrType.LINKLOCAL and not ifa.flags & banned for ifa in dev.inet6.addresses)


def stop(idev: Inet6Device) -> None:
    """addrconf_del_rs_timer()."""
    if idev.solicit is not None:
        idev.solicit.cancel()
        idev.solicit = None


def _again(dev: Device, idev: Inet6Device, interval: float, probes: int) -> None:
    stop(idev)
    idev.solicit = dev.kernel.work.at(
        dev.kernel.clock.now + round(interval * NSEC_PER_MSEC), lambda: _timer(dev, idev, interval, probes)
    )


def _timer(dev: Device, idev: Inet6Device, interval: float, probes: int) -> None:
    """addrconf_rs_timer(): a negative number of solicitations is no limit. Without an address to ask from it ends."""
    idev.solicit = None
    limit = idev.conf[Ipv6Devconf.RTR_SOLICITS]
    if idev.dead or not idev.flags & READY or not idev.conf[Ipv6Devconf.ACCEPT_RA] or 0 <= limit <= probes:
        return
    if not has_source(dev, TENTATIVE):
        return
    packets.send(dev, ip6.ALL_ROUTERS, packets.router_solicitation(dev))
    longest = idev.conf[Ipv6Devconf.RTR_SOLICIT_MAX_INTERVAL]
    interval *= dev.kernel.random.uniform(*NEXT)
    if interval > longest:
        interval = longest * dev.kernel.random.uniform(*FIRST)
    _again(dev, idev, interval, probes + 1)
