"""Dumps of neighbours: neigh_dump_info() of net/core/neighbour.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.handlers.common.inet import CENTISECOND
from nlemu.emulator.kernel.inet import neighbour, neighbour_proxy
from nlemu.emulator.kernel.inet.neighbour import AF_INET, AF_INET6, EXT_SHIFT, Neighbour
from nlemu.emulator.netlink.by_family import UNSPEC, dumpit_of, family_of, header_of, parse
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.protocol.families.route.neigh import GETNEIGH, HEADER, TAKEN, TOLD, Nda
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.policy import DEPRECATED_STRICT
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.neighbour_proxy import Proxy

FILTERED = int(NLM_F.DUMP_FILTERED)
PROXY = int(NTF.PROXY)
OLD = 0xFF
"""NTF_OLD_MASK"""
UNICAST = int(RTN.UNICAST)
NO_MASTER = 0xFFFFFFFF
REACHABLE = int(NUD.REACHABLE)
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
    return head + TOLD.encode(
        {
            Nda.dst: entry.address.to_bytes(SIZES[entry.family], "big"),
            Nda.lladdr: entry.lladdr if entry.state & VALID else None,
            Nda.probes: entry.probes,
            Nda.cacheinfo: times | {"refcnt": held + (entry.state == REACHABLE)},
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


def asked(call: Call) -> Filter:
    """neigh_valid_dump_req(). Where the request is not checked strictly, what is wrong with it is ignored."""
    if not call.endpoint.strict:
        try:
            attrs = parse(call, HEADER, TAKEN)
        except Refusal as refused:
            call.extack.text = refused.text
            return Filter()
        return Filter(attrs.get(Nda.ifindex, 0), attrs.get(Nda.master, 0))
    header = header_of(call, HEADER, "Invalid header for neighbor dump request")
    if header.pad1 or header.pad2 or header.ifindex or header.state or header.type:
        raise Refusal(errno.EINVAL, "Invalid values in header for neighbor dump request")
    if header.flags & ~PROXY:
        raise Refusal(errno.EINVAL, "Invalid flags in header for neighbor dump request")
    attrs = parse(call, HEADER, TAKEN, DEPRECATED_STRICT)
    if not attrs.spans.keys() <= {Nda.ifindex.number, Nda.master.number}:
        raise Refusal(errno.EINVAL, "Unsupported attribute in neighbor dump request")
    return Filter(attrs.get(Nda.ifindex, 0), attrs.get(Nda.master, 0))


def walk(call: Call) -> Messages:
    """neigh_dump_info(): the tables one after the other, IPv4 before IPv6."""
    chosen = asked(call)
    if any(chosen):
        call.dump.message_flags |= FILTERED
    family, proxies = family_of(call), _wants_proxies(call)
    for one in SIZES:
        if family not in (UNSPEC, one):
            continue
        if proxies:
            for proxy in neighbour_proxy.listed(call.net, one):
                if chosen.shows(proxy.dev):
                    yield partial(proxy_body, proxy)
            continue
        for entry in neighbour.of(call.net):
            if entry.family == one and chosen.shows(entry.dev):
                yield partial(body, entry)


def _wants_proxies(call: Call) -> bool:
    size = 16 + (HEADER.size or 0)
    return len(call.message) >= size and HEADER.decode(call.message, 16, size).flags == PROXY


@dumpit_of(GETNEIGH, UNSPEC)
def dump(call: Call) -> Dump:
    """neigh_dump_info()."""
    return Dump(call, walk(call))
