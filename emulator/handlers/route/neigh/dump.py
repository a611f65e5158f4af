"""Dumps of neighbours: neigh_dump_info() of net/core/neighbour.c."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.handlers.common.inet import CENTISECOND
from nlemu.emulator.kernel.inet import neighbour, neighbour_proxy
from nlemu.emulator.kernel.inet.neighbour import AF_INET, AF_INET6, EXT_SHIFT, Neighbour
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.emulator.netlink.request import family_of
from nlemu.protocol.families.route.neigh import GETNEIGH, HEADER, TOLD, Nda
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTN
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.neighbour_proxy import Proxy

FILTERED = int(NLM_F.DUMP_FILTERED)
PROXY = int(NTF.PROXY)
OLD = 0xFF
"""NTF_OLD_MASK"""
UNICAST = int(RTN.UNICAST)
NO_MASTER = 0xFFFFFFFF
IN_TIMER = int(NUD.REACHABLE | NUD.DELAY | NUD.PROBE)
INCOMPLETE = int(NUD.INCOMPLETE)
"""NUD_IN_TIMER: states that end by themselves; the last of them only if it came by itself."""
VALID = int(NUD.PERMANENT | NUD.NOARP | NUD.REACHABLE | NUD.PROBE | NUD.STALE | NUD.DELAY)
"""NUD_VALID: states in which the link-layer address is known."""
SIZES = {AF_INET: 4, AF_INET6: 16}


class Filter(NamedTuple):
    """struct neigh_dump_filter: 0 is no condition."""

    ifindex: int = 0
    master: int = 0

    def shows(self, dev: Device | None) -> bool:
        """neigh_ifindex_filtered(), neigh_master_filtered(): a master of -1 stands for none."""
        master = None if dev is None else dev.master
        if self.master == NO_MASTER:
            if master is not None:
                return False
        elif self.master and (master is None or master.ifindex != self.master):
            return False
        return not self.ifindex or (dev is not None and dev.ifindex == self.ifindex)


def body(entry: Neighbour, held: int = 0) -> bytes:
    """neigh_fill_info(). held: how many references there are beside that of the table: whoever works on it has one, and
    so has a timer."""
    now = entry.dev.kernel.clock.now
    head = HEADER.codec.pack(
        family=entry.family, ifindex=entry.dev.ifindex, state=entry.state, flags=entry.flags & OLD, type=entry.type
    )
    times = {
        name: (now - time) // CENTISECOND & 0xFFFFFFFF
        for name, time in (("confirmed", entry.confirmed), ("used", entry.used), ("updated", entry.updated))
    }
    timed = bool(entry.state & IN_TIMER) or (entry.state == INCOMPLETE and entry.asked)
    return head + TOLD.encode(
        {
            Nda.dst: entry.address.to_bytes(SIZES[entry.family], "big"),
            Nda.lladdr: entry.lladdr if entry.state & VALID else None,
            Nda.probes: entry.probes,
            Nda.cacheinfo: times | {"refcnt": held + timed},
            Nda.protocol: entry.protocol or None,
            Nda.flags_ext: entry.flags >> EXT_SHIFT or None,
        }
    )


def proxy_body(proxy: Proxy) -> bytes:
    """pneigh_fill_info()."""
    head = HEADER.codec.pack(
        family=proxy.family, ifindex=0 if proxy.dev is None else proxy.dev.ifindex, state=0,
        flags=proxy.flags & OLD | PROXY, type=UNICAST,
    )
    return head + TOLD.encode(
        {
            Nda.dst: proxy.address.to_bytes(SIZES[proxy.family], "big"),
            Nda.protocol: proxy.protocol or None,
            Nda.flags_ext: proxy.flags >> EXT_SHIFT or None,
        }
    )


def walk(call: Call) -> Messages:
    """neigh_dump_info(): the tables one after the other, IPv4 before IPv6."""
    chosen = Filter(call.attrs.get(Nda.ifindex, 0), call.attrs.get(Nda.master, 0))
    if any(chosen):
        call.dump.message_flags |= FILTERED
    family, proxies = family_of(call), call.fixed.flags == PROXY
    for one in SIZES:
        if family not in (AF_UNSPEC, one):
            continue
        if proxies:
            for proxy in neighbour_proxy.listed(call.net, one):
                if chosen.shows(proxy.dev):
                    yield partial(proxy_body, proxy)
            continue
        for entry in neighbour.of(call.net):
            if entry.family == one and chosen.shows(entry.dev):
                yield partial(body, entry)


@dumpit_of(GETNEIGH, AF_UNSPEC)
def dump(call: Call) -> Messages:
    """neigh_dump_info()."""
    return walk(call)
