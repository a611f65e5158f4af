"""What a namespace keeps of IPv6 (struct netns_ipv6), and what kinds of addresses there are (net/ipv6/addrconf_core.c).

Addresses of IPv6 are integers here, the first byte of the address being the highest.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.rules import IP6MR, IPV6, Rules
from nlemu.emulator.kernel.ipv6.conf import Ipv6Conf
from nlemu.emulator.kernel.ipv6.fib import Fib6
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.labels import Labels

AF_INET6 = 10
LOOPBACK = 1
"""in6addr_loopback, ::1"""
LINK_LOCAL = 0xFE80 << 112
"""fe80::"""
MULTICAST = 0xFF << 120
"""ff00::"""
INTERFACE_NODES = 0xFF01 << 112 | 1
"""in6addr_interfacelocal_allnodes, ff01::1"""
ALL_NODES = 0xFF02 << 112 | 1
"""in6addr_linklocal_allnodes, ff02::1"""
ALL_ROUTERS = 0xFF02 << 112 | 2
ROUTERS = (ALL_ROUTERS, 0xFF01 << 112 | 2, 0xFF05 << 112 | 2)
"""The groups that a router listens to: of the link, of the interface, of the site."""
"""in6addr_linklocal_allrouters, ff02::2"""
ALL_MLD2_ROUTERS = 0xFF02 << 112 | 0x16
"""ff02::16, where reports of multicast listeners go"""
SOLICITED_NODE = 0xFF02 << 112 | 0x1FF000000
"""ff02::1:ff00:0, to which the last three bytes of an address are added"""


class AddrType(IntEnum):
    """IPV6_ADDR_*: what sort of address it is, and how far it reaches (include/net/ipv6.h)."""

    ANY = 0x0000
    UNICAST = 0x0001
    MULTICAST = 0x0002
    LOOPBACK = 0x0010
    LINKLOCAL = 0x0020
    SITELOCAL = 0x0040
    COMPATV4 = 0x0080
    MAPPED = 0x1000


REACH = int(AddrType.LOOPBACK | AddrType.LINKLOCAL | AddrType.SITELOCAL | AddrType.COMPATV4)
"""IPV6_ADDR_SCOPE_MASK"""
SCOPE_LINK, SCOPE_SITE, SCOPE_GLOBAL = 0x2, 0x5, 0xE
"""IPV6_ADDR_SCOPE_*: scopes as multicast addresses spell them."""
MULTICAST_TYPES = {0x1: AddrType.LOOPBACK, 0x2: AddrType.LINKLOCAL, 0x5: AddrType.SITELOCAL}


def classify(address: int) -> tuple[int, int]:
    """__ipv6_addr_type(): the kind of an address, and its scope as multicast addresses spell it."""
    top = address >> 120
    if top >> 5 not in (0, 7):
        return AddrType.UNICAST, SCOPE_GLOBAL
    if top == 0xFF:
        scope = address >> 112 & 0xF
        return AddrType.MULTICAST | MULTICAST_TYPES.get(scope, 0), scope
    if address >> 118 == 0xFE80 >> 6:
        return AddrType.LINKLOCAL | AddrType.UNICAST, SCOPE_LINK
    if address >> 118 == 0xFEC0 >> 6:
        return AddrType.SITELOCAL | AddrType.UNICAST, SCOPE_SITE
    if not address >> 64:
        if address == 0:
            return AddrType.ANY, 0
        if address == LOOPBACK:
            return AddrType.LOOPBACK | AddrType.UNICAST, SCOPE_LINK
        if not address >> 32:
            return AddrType.COMPATV4 | AddrType.UNICAST, SCOPE_GLOBAL
        if address >> 32 == 0xFFFF:
            return AddrType.MAPPED, SCOPE_GLOBAL
    return AddrType.UNICAST, SCOPE_GLOBAL


def prefix_of(address: int, length: int) -> int:
    """ipv6_addr_prefix(): the first address of its prefix."""
    return address >> 128 - length << 128 - length


def solicited_node(address: int) -> int:
    """addrconf_addr_solict_mult(): the group that solicitations for an address go to."""
    return SOLICITED_NODE | address & 0xFFFFFF


class Ip6Net:
    """Of one namespace. addresses: all, by address and device; genid: grows with every change of them (dev_addr_genid);
    mortal: those whose lifetime is not infinite; autojoined: the groups that the kernel's own socket
    has joined, each with the index of a device (mc_autojoin_sk); expiry: the job that looks which of them are due;
    rules: as far as the kernel is built with them; group_rules: of routes of groups; conf_all, conf_default: the
    settings that stand for all devices, and those of devices to come; labels: of addresses."""

    __slots__ = (
        "addresses", "autojoined", "conf_all", "conf_default", "expiry", "fib", "genid", "group_rules", "labels",
        "mortal", "rules",
    )

    def __init__(self, build: Build) -> None:
        self.fib = Fib6(build.has("IPV6_MULTIPLE_TABLES"))
        self.rules = Rules(IPV6)
        self.group_rules = Rules(IP6MR)
        self.addresses: dict[int, dict[Device, Address6]] = {}
        self.genid = 0
        self.mortal: dict[Address6, None] = {}
        self.autojoined: set[tuple[int, int]] = set()
        self.expiry: Job | None = None
        self.labels: Labels | None = None
        self.conf_all, self.conf_default = Ipv6Conf(build), Ipv6Conf(build)
        self.conf_all[Ipv6Devconf.ACCEPT_DAD] = 0


def of(net: Net) -> Ip6Net:
    """What that namespace keeps of IPv6."""
    state: Ip6Net | None = net.ip6
    if state is None:
        state = net.ip6 = Ip6Net(net.kernel.build)
    return state


def find(net: Net, address: int, dev: Device | None = None) -> Address6 | None:
    """ipv6_get_ifaddr(): that address, if a device has it; on that device, or on any."""
    alike = of(net).addresses.get(address)
    if alike is None:
        return None
    return next(iter(alike.values())) if dev is None else alike.get(dev)


def base_seq(net: Net) -> int:
    """inet6_base_seq(): changes with every change of addresses and devices, and is never 0."""
    return (of(net).genid + net.dev_base_seq) & 0xFFFFFFFF or 0x80000000
