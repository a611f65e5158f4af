"""Of /proc/net what tells of routes and neighbours: route, ipv6_route, arp, rt_cache (fib_trie.c, ip6_fib.c, arp.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.fib import MAIN
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.uapi.if_arp import ATF
from nlemu.protocol.uapi.neighbour import NUD
from nlemu.protocol.uapi.route import RTF
from nlemu.protocol.uapi.rtnetlink import RTAX, RTN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv4.fib import Route4
    from nlemu.emulator.kernel.ipv6.fib import Route6, Table6

UNTOLD = frozenset((RTN.BROADCAST, RTN.MULTICAST))
REFUSING = frozenset((RTN.UNREACHABLE, RTN.PROHIBIT))
VALID = int(NUD.PERMANENT | NUD.NOARP | NUD.REACHABLE | NUD.PROBE | NUD.STALE | NUD.DELAY)
WIDTH = 127
"""Lines of route and rt_cache are padded to this many letters."""
AF_INET = 2
NOWHERE = f"{0:032x}"
NULL_METRIC = 0xFFFFFFFF
"""Of the entry that stands where there is no default route (fib6_null_entry): it refuses."""

ROUTE_HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
CACHE_HEAD = (
    "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT"
    "\tTOS\tHHRef\tHHUptod\tSpecDst"
)
ARP_HEAD = "IP address       HW type     Flags       HW address            Mask     Device\n"


def _swapped(address: int) -> int:
    """An address of IPv4 in network order, as a little-endian machine reads it."""
    return int.from_bytes(address.to_bytes(4, "big"), "little")


def _dotted(address: int) -> str:
    return ".".join(str(byte) for byte in address.to_bytes(4, "big"))


def route(net: Net) -> str:
    """fib_route_seq_show(): the main table."""
    table = ip4.of(net).fib.table(MAIN)
    if table is None:
        return ""  # it is made with the first route
    lines = [ROUTE_HEAD] + [_route_line(entry) for entry in table if entry.type not in UNTOLD]
    return "".join(f"{line:<{WIDTH}}\n" for line in lines)


def _route_line(entry: Route4) -> str:
    info = entry.info
    hop = info.nexthops[0] if info.nexthops else None
    gateway = hop.gateway if hop is not None else None
    mask = ip4.mask_of(entry.length)
    via = gateway.address if gateway is not None and gateway.family == AF_INET else 0
    told = (
        RTF.UP | (RTF.REJECT if entry.type in REFUSING else 0) | (RTF.GATEWAY if via else 0)
        | (RTF.HOST if entry.length == 32 else 0)
    )
    metrics = dict(info.metrics)
    advmss = int(metrics.get(RTAX.ADVMSS, 0))
    name = hop.dev.name if hop is not None and hop.dev is not None else "*"
    return (
        f"{name}\t{_swapped(entry.dst):08X}\t{_swapped(via):08X}\t{told:04X}\t0\t0\t{info.priority}\t{_swapped(mask):08X}\t"
        f"{advmss + 40 if advmss else 0}\t{metrics.get(RTAX.WINDOW, 0)}\t{int(metrics.get(RTAX.RTT, 0)) >> 3}"
    )


def rt_cache(net: Net) -> str:
    """rt_cache_seq_show(): there has been no cache since 3.6."""
    return f"{CACHE_HEAD:<{WIDTH}}\n"


def ipv6_route(net: Net) -> str:
    """ipv6_route_native_seq_show(). How often a route is referred to is told as of one that no packet has taken."""
    return "".join(line for table in ip6.of(net).fib.in_order() for line in _table6(table))


def _table6(table: Table6) -> Iterator[str]:
    default = False
    for node in table.nodes():
        for entry in node:
            default = default or not entry.length
            yield _route6_line(entry)
    if not default:
        yield _line6(0, 0, 0, NULL_METRIC, 1, RTF.REJECT | RTF.NONEXTHOP, "lo")


def _route6_line(entry: Route6) -> str:
    if entry.reject:
        flags = RTF.REJECT | RTF.NONEXTHOP
    else:
        flags = RTF.UP | (RTF.GATEWAY if entry.gateway else 0) | (RTF.EXPIRES if entry.expires is not None else 0)
        if entry.local:
            flags |= RTF.LOCAL | RTF.NONEXTHOP
        elif entry.type == RTN.ANYCAST:
            flags |= RTF.ANYCAST | RTF.NONEXTHOP
    name = entry.dev.name if entry.dev is not None else "lo"
    return _line6(
        entry.dst, entry.length, entry.gateway, entry.metric, 2 if entry.local else 1, flags, name, entry.src,
        entry.src_length,
    )


def _line6(
    dst: int, length: int, gateway: int, metric: int, references: int, flags: int, name: str, src: int = 0,
    src_length: int = 0,
) -> str:
    return (
        f"{dst:032x} {length:02x} {src:032x} {src_length:02x} {gateway:032x} {metric:08x} {references:08x} {0:08x} "
        f"{flags:08x} {name:>8}\n"
    )


def arp(net: Net) -> str:
    """arp_seq_show(): neighbours that need resolution, then those for whom this machine answers."""
    lines = [ARP_HEAD]
    known = neighbour.of(net)
    for entry in known:
        if entry.family != AF_INET or not entry.state & ~int(NUD.NOARP):
            continue
        flags = ATF.PERM | ATF.COM if entry.state & NUD.PERMANENT else ATF.COM if entry.state & VALID else 0
        lladdr = (entry.lladdr or bytes(len(entry.dev.address))).hex(":")
        lines.append(
            f"{_dotted(entry.address):<16} 0x{entry.dev.type:<10x}0x{flags:<10x}{lladdr:<17}     *        "
            f"{entry.dev.name}\n"
        )
    for proxy in known.proxies:
        if proxy.family == AF_INET:
            kind, name = (proxy.dev.type, proxy.dev.name) if proxy.dev is not None else (0, "*")
            lines.append(
                f"{_dotted(proxy.address):<16} 0x{kind:<10x}0x{ATF.PUBL | ATF.PERM:<10x}00:00:00:00:00:00     *        "
                f"{name}\n"
            )
    return "".join(lines)
