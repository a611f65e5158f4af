"""What becomes of IPv6 addresses when something happens to their device: addrconf_notify() of net/ipv6/addrconf.c.

When a device can carry packets it gets an address of the link, made of its hardware address, and the loopback device
its ::1. When it goes down it loses all of its addresses, those that were given to it as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.inet import neighbour_events
from nlemu.emulator.kernel.ipv6 import address as ip6_address
from nlemu.emulator.kernel.ipv6 import dad, mld, routes
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.address import State, Wanted
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_addr import IFA_F, IFAPROT
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.device import Inet6Device

TENTATIVE, PERMANENT = int(IFA_F.TENTATIVE), int(IFA_F.PERMANENT)
NODAD, NOPREFIXROUTE = int(IFA_F.NODAD), int(IFA_F.NOPREFIXROUTE)
LOOPBACK, NONE = int(ARPHRD.LOOPBACK), int(ARPHRD.NONE)
AUTOMATIC = frozenset({int(ARPHRD.ETHER), NONE})
"""Types of devices that get an address of the link by addrconf_dev_config()."""
STABLE_PRIVACY = int(IFA_F.STABLE_PRIVACY)
EUI64, RANDOM = int(In6AddrGenMode.EUI64), int(In6AddrGenMode.RANDOM)


def eui64(mac: bytes) -> int:
    """addrconf_ifid_eui48(): the lower half of an address, from a hardware address of six bytes."""
    return int.from_bytes(bytes((mac[0] ^ 2, *mac[1:3], 0xFF, 0xFE, *mac[3:6])), "big")


def restore(dev: Device) -> None:
    """addrconf_permanent_addr(): the routes of addresses that were there before the device came up."""
    if dev.ip6 is None:
        return
    for ifa in tuple(dev.ip6.addresses):
        if not ifa.flags & PERMANENT:
            continue
        if ifa.route is None or not ifa.route.linked:
            ifa.route = routes.local_route(dev, ifa.address)
        if not ifa.flags & NOPREFIXROUTE:
            routes.add_prefix(dev, ifa.address, ifa.length, ifa.metric)
        if ifa.state == State.PREDAD:
            dad.start(ifa)


def configure(dev: Device) -> None:
    """addrconf_init_auto_addrs(): the addresses that a device has by itself."""
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        return
    mld.up(dev)
    try:
        if dev.type == LOOPBACK:
            _add_loopback(dev)
        elif dev.type in AUTOMATIC and not idev.conf[Ipv6Devconf.DISABLE_IPV6]:
            routes.add_multicast(dev)
            if dev.type == NONE and idev.conf[Ipv6Devconf.ADDR_GEN_MODE] == EUI64:
                idev.conf[Ipv6Devconf.ADDR_GEN_MODE] = RANDOM  # there is no hardware address to make one of
            mode = idev.conf[Ipv6Devconf.ADDR_GEN_MODE]
            if mode == EUI64:
                _add_link_local(dev, eui64(dev.address))
            elif mode == RANDOM:
                _add_link_local(dev, _random_id(dev, idev), STABLE_PRIVACY)
    except Refusal:
        return  # it has the address


def _add_loopback(dev: Device) -> None:
    """init_loopback() and add_addr()."""
    wanted = Wanted(ip6.LOOPBACK, 128, proto=IFAPROT.KERNEL_LO, scope=int(ip6.AddrType.LOOPBACK))
    ifa = ip6_address.create(dev, wanted)
    ifa.flags &= ~TENTATIVE
    ip6_address.notify(RTM.NEWADDR, ifa)


def _random_id(dev: Device, idev: Inet6Device) -> int:
    """ipv6_gen_mode_random_init() and ipv6_generate_stable_address(): random, and from then on the same. The kernel's
    random secret goes through SHA-1 with what else there is, which nobody can tell from a random number."""
    if idev.interface_id is None:
        idev.interface_id = dev.kernel.random.getrandbits(64)
    return idev.interface_id


def _add_link_local(dev: Device, interface_id: int, flags: int = 0) -> None:
    """addrconf_add_linklocal()."""
    address = ip6.LINK_LOCAL | interface_id
    scope = int(ip6.AddrType.LINKLOCAL)
    wanted = Wanted(address, 64, flags=flags | PERMANENT, proto=IFAPROT.KERNEL_LL, scope=scope)
    ifa = ip6_address.create(dev, wanted)
    routes.add_prefix(dev, address, 64)
    dad.start(ifa)


def down(dev: Device, *, unregister: bool) -> None:
    """addrconf_ifdown(), as far as addresses and routes go: they are lost, in the order of the list."""
    routes.sync_down(dev, NetdevEvent.UNREGISTER if unregister else NetdevEvent.DOWN)
    neighbour_events.ifdown(dev, ip6.AF_INET6)
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        return
    idev.dead = unregister
    keep = not unregister and idev.conf[Ipv6Devconf.KEEP_ADDR_ON_DOWN] > 0
    for ifa in tuple(idev.addresses):
        _lose(ifa, keep=keep and _keepable(ifa))


def _keepable(ifa: Address6) -> bool:
    kind = ip6.classify(ifa.address)[0]
    return bool(ifa.flags & PERMANENT) and not kind & (ip6.AddrType.LINKLOCAL | ip6.AddrType.LOOPBACK)


def _lose(ifa: Address6, *, keep: bool) -> None:
    dad.cancel(ifa)
    if keep:
        ifa.state = State.PREDAD
        if not ifa.flags & NODAD:
            ifa.flags |= TENTATIVE
        ifa.route = None
        dad.leave_solicited(ifa)
        return
    ip6_address.forget(ifa)
    was, ifa.state = ifa.state, State.DEAD
    if was != State.DEAD:
        ip6_address.tell(RTM.DELADDR, ifa)
    ifa.idev.addresses.remove(ifa)
