"""Dumps of groups and of anycast addresses, and how one is told: inet_dump_ifmcaddr() of net/ipv4/devinet.c,
inet6_dump_ifmcaddr() and inet6_dump_ifacaddr() of net/ipv6/addrconf.c.

The newest group of a device comes first, and so does the newest anycast address.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.handlers.common.inet import stamp
from nlemu.emulator.handlers.route.addr.dump import Asked, asked, devices
from nlemu.emulator.handlers.route.addr.fill import pack_header
from nlemu.emulator.kernel.core.lifetime import INFINITY
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.protocol.families.route.addr import Ifa
from nlemu.protocol.families.route.multicast import ANYCAST, GETANYCAST, GETMULTICAST, GROUP
from nlemu.protocol.release import V7_3
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.membership import Membership
    from nlemu.emulator.kernel.ipv6.anycast import Anycast
    from nlemu.emulator.netlink.call import Call, Messages

PERMANENT = int(IFA_F.PERMANENT)
UNIVERSE, SITE = int(RT_SCOPE.UNIVERSE), int(RT_SCOPE.SITE)


class _Family(NamedTuple):
    """Of one of the two: its number, and how long its addresses are, in bytes."""

    number: int
    size: int


_IP4, _IP6 = _Family(AF_INET, 4), _Family(AF_INET6, 16)


def _body(
    family: _Family, dev: Device, group: int, membership: Membership, nsid: int | None = None, scope: int = UNIVERSE
) -> bytes:
    when = stamp(dev.kernel.build.booted + membership.cstamp)
    head = pack_header(
        family=family.number, prefixlen=8 * family.size, flags=PERMANENT, scope=scope, index=dev.ifindex
    )
    return head + GROUP.encode(
        {
            Ifa.target_netnsid: nsid,
            Ifa.multicast: group.to_bytes(family.size, "big"),
            Ifa.mc_users: membership.users if dev.kernel.build.release >= V7_3 else None,
            Ifa.cacheinfo: {"prefered": INFINITY, "valid": INFINITY, "cstamp": when, "tstamp": when},
        }
    )


def body4(dev: Device, group: int, membership: Membership) -> bytes:
    """inet_fill_ifmcaddr(), which does not say the namespace that the asker has named."""
    return _body(_IP4, dev, group, membership)


def body6(
    dev: Device, group: int, membership: Membership, nsid: int | None = None, *, universe: bool = False
) -> bytes:
    """inet6_fill_ifmcaddr(). nsid: the namespace that the asker has named; universe: whatever the group is, it is said
    to reach everywhere."""
    site = not universe and ip6.classify(group)[0] & ip6.AddrType.SITELOCAL
    return _body(_IP6, dev, group, membership, nsid, SITE if site else UNIVERSE)


def body_anycast(dev: Device, address: int, found: Anycast, nsid: int | None = None) -> bytes:
    """inet6_fill_ifacaddr(). nsid: the namespace that the asker has named."""
    when = stamp(dev.kernel.build.booted + found.cstamp)
    scope = SITE if ip6.classify(address)[0] & ip6.AddrType.SITELOCAL else UNIVERSE
    head = pack_header(family=AF_INET6, prefixlen=128, flags=PERMANENT, scope=scope, index=dev.ifindex)
    return head + ANYCAST.encode(
        {
            Ifa.target_netnsid: nsid,
            Ifa.anycast: address.to_bytes(16, "big"),
            Ifa.cacheinfo: {"prefered": INFINITY, "valid": INFINITY, "cstamp": when, "tstamp": when},
        }
    )


def _walk4(what: Asked) -> Messages:
    for dev in devices(what):
        at = 0
        while dev.ip4 is not None and (found := dev.ip4.groups.newest(at)) is not None:
            yield partial(body4, dev, *found)
            at += 1


def _walk6(what: Asked) -> Messages:
    for dev in devices(what):
        at = 0
        while dev.ip6 is not None and (found := dev.ip6.listener.members.newest(at)) is not None:
            yield partial(body6, dev, found[0], found[1], what.nsid)
            at += 1


def _walk_anycast(what: Asked) -> Messages:
    for dev in devices(what):
        at = 0
        while dev.ip6 is not None and at < len(dev.ip6.anycasts):
            address, found = list(dev.ip6.anycasts.items())[-1 - at]
            yield partial(body_anycast, dev, address, found, what.nsid)
            at += 1


def _ask4(call: Call) -> Messages:
    yield from _walk4(asked(call, "ipv4"))


def _ask6(call: Call) -> Messages:
    yield from _walk6(asked(call, "ipv6"))


def _ask_anycast(call: Call) -> Messages:
    yield from _walk_anycast(asked(call, "ipv6"))


@dumpit_of(GETMULTICAST, AF_INET)
def groups4(call: Call) -> Dump:
    """inet_dump_ifmcaddr()."""
    return Dump(call, _ask4(call), generation=partial(ip4.base_seq, call.net))


@dumpit_of(GETMULTICAST, AF_INET6)
def groups6(call: Call) -> Dump:
    """inet6_dump_ifmcaddr(), which does not look whether its list has changed."""
    return Dump(call, _ask6(call))


@dumpit_of(GETANYCAST, AF_INET6)
def anycast6(call: Call) -> Dump:
    """inet6_dump_ifacaddr()."""
    return Dump(call, _ask_anycast(call))
