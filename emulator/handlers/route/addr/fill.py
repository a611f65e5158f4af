"""How an address is told: inet_fill_ifaddr() of net/ipv4/devinet.c, inet6_fill_ifaddr() of net/ipv6/addrconf.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.inet import pack4, pack6, stamp
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.protocol.families.route.addr import HEADER, TOLD4, TOLD6, Ifa
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.ipv4.address import Address4
    from nlemu.emulator.kernel.ipv6.address import Address6

pack_header = HEADER.codec.pack
SCOPES = (
    (int(ip6.AddrType.LOOPBACK), int(RT_SCOPE.HOST)),
    (int(ip6.AddrType.LINKLOCAL), int(RT_SCOPE.LINK)),
    (int(ip6.AddrType.SITELOCAL), int(RT_SCOPE.SITE)),
)


def body4(ifa: Address4, nsid: int | None = None) -> bytes:
    """The body of a message about an address of IPv4. nsid: the namespace that the asker has named. What is told of an
    address without an end is kept until something about it changes."""
    lifetimes = ifa.lifetimes()
    key = nsid, lifetimes, ifa.flags, ifa.dev.ifindex, ifa.label, ifa.metric, ifa.proto, ifa.tstamp
    if ifa.told is None or ifa.told[0] != key:
        ifa.told = key, _body4(ifa, nsid, *lifetimes)
    return ifa.told[1]


def _body4(ifa: Address4, nsid: int | None, preferred: int, valid: int) -> bytes:
    """inet_fill_ifaddr()."""
    head = pack_header(
        family=AF_INET, prefixlen=ifa.length, flags=ifa.flags & 0xFF, scope=ifa.scope, index=ifa.dev.ifindex
    )
    return head + TOLD4.encode(
        {
            Ifa.target_netnsid: nsid,
            Ifa.address: pack4(ifa.address),
            Ifa.local: pack4(ifa.local),
            Ifa.broadcast: pack4(ifa.broadcast),
            Ifa.label: ifa.label or None,
            Ifa.proto: ifa.proto or None,
            Ifa.flags: ifa.flags,
            Ifa.rt_priority: ifa.metric or None,
            Ifa.cacheinfo: {
                "prefered": preferred, "valid": valid, "cstamp": stamp(ifa.cstamp), "tstamp": stamp(ifa.tstamp),
            },
        }
    )


def scope6(kind: int) -> int:
    """rt_scope()."""
    return next((scope for reach, scope in SCOPES if kind & reach), int(RT_SCOPE.UNIVERSE))


def body6(ifa: Address6, nsid: int | None = None) -> bytes:
    """The body of a message about an address of IPv6, kept in the same way."""
    lifetimes = ifa.lifetimes()
    key = nsid, lifetimes, ifa.flags, ifa.dev.ifindex, ifa.peer, ifa.metric, ifa.proto, ifa.tstamp
    if ifa.told is None or ifa.told[0] != key:
        ifa.told = key, _body6(ifa, nsid, *lifetimes)
    return ifa.told[1]


def _body6(ifa: Address6, nsid: int | None, preferred: int, valid: int) -> bytes:
    """inet6_fill_ifaddr()."""
    head = pack_header(
        family=AF_INET6, prefixlen=ifa.length, flags=ifa.flags & 0xFF, scope=scope6(ifa.scope), index=ifa.dev.ifindex
    )
    return head + TOLD6.encode(
        {
            Ifa.target_netnsid: nsid,
            Ifa.local: pack6(ifa.address) if ifa.peer else None,
            Ifa.address: pack6(ifa.peer or ifa.address),
            Ifa.rt_priority: ifa.metric or None,
            Ifa.cacheinfo: {
                "prefered": preferred, "valid": valid, "cstamp": stamp(ifa.cstamp), "tstamp": stamp(ifa.tstamp),
            },
            Ifa.flags: ifa.flags,
            Ifa.proto: ifa.proto or None,
        }
    )
