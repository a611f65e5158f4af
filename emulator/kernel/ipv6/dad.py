"""Duplicate address detection, and what follows when an address has passed it: addrconf_dad_*() of net/ipv6/addrconf.c.

An address is checked from work, never while the request that brought it is at hand: so even where there is nothing to
check (no address resolution on the device, or the request said so) it is announced as new only after the answer.
Otherwise a random part of a second goes by, a solicitation is sent, and after another second in which nobody objected
the address is ours. Nobody ever objects: packets here are counted, and read by nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.ipv6 import address, mld, packets, solicit
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

NODAD, OPTIMISTIC, DADFAILED = int(IFA_F.NODAD), int(IFA_F.OPTIMISTIC), int(IFA_F.DADFAILED)
TENTATIVE, PERMANENT = int(IFA_F.TENTATIVE), int(IFA_F.PERMANENT)
PASSED = TENTATIVE | OPTIMISTIC | DADFAILED
READY = int(InetDeviceFlag.READY)
LOOPBACK, SILENT = int(IFF.LOOPBACK), int(IFF.NOARP | IFF.LOOPBACK)
NSEC_PER_MSEC = NSEC_PER_SEC // 1000
RETRANS_TIME = NSEC_PER_SEC
"""ND_RETRANS_TIMER"""


def start(ifa: Address6) -> None:
    """addrconf_dad_start()."""
    if ifa.state != address.State.DEAD:
        ifa.state = address.State.PREDAD
        _run_later(ifa, 0)


def cancel(ifa: Address6) -> None:
    """addrconf_del_dad_work()."""
    if ifa.dad is not None:
        ifa.dad.cancel()
        ifa.dad = None


def run(idev: Inet6Device, *, restart: bool = False) -> None:
    """addrconf_dad_run(): the device can carry packets now, so what waited for it goes on; restart: all begin anew."""
    for ifa in tuple(idev.addresses):
        if restart or (ifa.flags & TENTATIVE and ifa.state == address.State.DAD):
            if restart:
                ifa.state = address.State.PREDAD
            _kick(ifa)


def _run_later(ifa: Address6, delay: int) -> None:
    """addrconf_mod_dad_work(): delay in nanoseconds."""
    cancel(ifa)
    kernel = ifa.dev.kernel
    ifa.dad = kernel.work.at(kernel.clock.now + delay, lambda: _work(ifa))


def _work(ifa: Address6) -> None:
    """addrconf_dad_work()."""
    ifa.dad = None
    state = address.State
    if ifa.state == state.PREDAD:
        ifa.state = state.DAD
        _begin(ifa)
        return
    if not ifa.dad_probes and ifa.state == state.DAD:
        ifa.state = state.POSTDAD
    elif not ifa.dad_probes:
        return
    if ifa.idev.dead or not ifa.idev.flags & READY:
        return
    if not ifa.dad_probes:
        ifa.flags &= ~PASSED
        _completed(ifa)
        return
    ifa.dad_probes -= 1
    _run_later(ifa, RETRANS_TIME)
    packets.send(ifa.dev, ip6.solicited_node(ifa.address), packets.NEIGHBOUR_SOLICITATION)


def _begin(ifa: Address6) -> None:
    """addrconf_dad_begin()."""
    dev, idev = ifa.dev, ifa.idev
    join_solicited(dev, ifa.address)
    if (
        dev.flags & SILENT
        or max(idev.conf[Ipv6Devconf.ACCEPT_DAD], ip6.of(dev.net).conf_all[Ipv6Devconf.ACCEPT_DAD]) < 1
        or not ifa.flags & TENTATIVE
        or ifa.flags & NODAD
    ):
        ifa.flags &= ~PASSED
        _completed(ifa)
    elif idev.flags & READY:
        _kick(ifa)
    # Otherwise it stays tentative, until the device can carry packets (addrconf_dad_stop()).


def _kick(ifa: Address6) -> None:
    """addrconf_dad_kick()."""
    conf, random = ifa.idev.conf, ifa.dev.kernel.random
    delay = 0 if ifa.flags & OPTIMISTIC else random.randrange(conf[Ipv6Devconf.RTR_SOLICIT_DELAY] or 1)
    ifa.dad_probes = conf[Ipv6Devconf.DAD_TRANSMITS]
    _run_later(ifa, delay * NSEC_PER_MSEC)


def _completed(ifa: Address6) -> None:
    """addrconf_dad_completed(): the address is ours. After the first of the link, routers are asked for."""
    dev, idev = ifa.dev, ifa.idev
    cancel(ifa)
    address.notify(RTM.NEWADDR, ifa)
    conf = idev.conf
    if ifa.scope == ip6.AddrType.LINKLOCAL and _lonely(ifa):
        mld.dad_complete(dev)
        of_team = dev.master is not None and dev.master.ops.lag and not dev.no_addrconf  # netif_is_team_port()
        asks = not dev.flags & LOOPBACK and dev.type != ARPHRD.TUNNEL and not of_team
        if conf[Ipv6Devconf.ACCEPT_RA] and conf[Ipv6Devconf.RTR_SOLICITS] and asks:
            solicit.start(dev)


def _lonely(ifa: Address6) -> bool:
    """ipv6_lonely_lladdr(): no other address of the link has passed."""
    return not any(
        other is not ifa
        and other.scope == ip6.AddrType.LINKLOCAL
        and other.flags & (PERMANENT | PASSED) == PERMANENT
        for other in ifa.idev.addresses
    )


def join_solicited(dev: Device, address: int) -> None:
    """addrconf_join_solict()."""
    if not dev.flags & SILENT:
        mld.join(dev, ip6.solicited_node(address))


def leave_solicited(dev: Device, idev: Inet6Device, address: int) -> None:
    """addrconf_leave_solict(). idev: of the device, which may have lost it by now."""
    if not dev.flags & SILENT:
        mld.leave(dev, idev.listener, ip6.solicited_node(address))
