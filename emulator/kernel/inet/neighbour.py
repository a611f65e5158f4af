"""Neighbours: who is known on a link, and by which link-layer address (struct neighbour of net/core/neighbour.c).

Nobody is ever met here, since the links carry no packets. What the kernel notes by itself are the groups to which it
sends: they need no resolution, and their link-layer address follows from the group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.neighbour import NTF_EXT, NUD
from nlemu.protocol.uapi.rtnetlink import RTM, RTN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.neighbour_proxy import Proxy

AF_INET, AF_INET6 = 2, 10
NOARP, PERMANENT = int(NUD.NOARP), int(NUD.PERMANENT)
EXT_SHIFT = 16
"""NTF_EXT_SHIFT: the flags of NDA_FLAGS_EXT stand behind the others."""
MANAGED, VALIDATED = NTF_EXT.MANAGED << EXT_SHIFT, NTF_EXT.EXT_VALIDATED << EXT_SHIFT
MULTICAST, BROADCAST = int(RTN.MULTICAST), int(RTN.BROADCAST)
ONE_NEIGHBOUR = int(IFF.LOOPBACK | IFF.POINTOPOINT)
"""On such a device all neighbours of IPv4 are one, without an address."""
ETHER = int(ARPHRD.ETHER)
CONFIRMED_AGO = 2 * 30 * NSEC_PER_SEC
"""A new neighbour was last confirmed twice the base of the reachable time ago."""


@dataclass(slots=True, eq=False)
class Neighbour:
    """struct neighbour. address: of IPv4 or IPv6, by family; times in nanoseconds since boot."""

    dev: Device
    family: int
    address: int
    type: int
    state: int
    lladdr: bytes
    flags: int = 0
    protocol: int = 0
    confirmed: int = 0
    used: int = 0
    updated: int = 0
    probes: int = 0
    asked: bool = False
    """It is incomplete because it has been asked for, and not because somebody said so."""


class Neighbours:
    """The neighbours of one namespace, of both families, by device."""

    __slots__ = ("_by_dev", "generation", "proxies")

    def __init__(self) -> None:
        self._by_dev: dict[Device, dict[tuple[int, int], Neighbour]] = {}
        self.proxies: list[Proxy] = []
        """The newest first (neighbour_proxy.py)."""
        self.generation = 0

    def find(self, dev: Device, family: int, address: int) -> Neighbour | None:
        """neigh_lookup()."""
        return self._by_dev.get(dev, {}).get((family, address))

    def add(self, entry: Neighbour) -> None:
        """It is known from now on."""
        self._by_dev.setdefault(entry.dev, {})[entry.family, entry.address] = entry
        self.generation += 1

    def remove(self, entry: Neighbour) -> None:
        """It is forgotten, and that is announced (neigh_cleanup_and_release())."""
        entries = self._by_dev[entry.dev]
        del entries[entry.family, entry.address]
        if not entries:
            del self._by_dev[entry.dev]
        self.generation += 1
        entry.dev.kernel.announcer.neighbour(RTM.DELNEIGH, entry)

    def on(self, dev: Device, family: int) -> list[Neighbour]:
        """Those of a device."""
        return [entry for entry in self._by_dev.get(dev, {}).values() if entry.family == family]

    def __iter__(self) -> Iterator[Neighbour]:
        """All, device by device. The kernel's order is that of a hash with a random key."""
        for entries in tuple(self._by_dev.values()):
            yield from tuple(entries.values())


def of(net: Net) -> Neighbours:
    """The neighbours of that namespace."""
    known: Neighbours | None = net.neighbours
    if known is None:
        known = net.neighbours = Neighbours()
    return known


Records = tuple[tuple[int, bool], ...]


class Sending(NamedTuple):
    """A packet to a group: of which family, the group, its hardware address, the packet's length in bytes, and the
    hardware address of who sends it. records, of a report: groups, and whether they are joined or left."""

    family: int
    group: int
    lladdr: bytes
    size: int
    sender: bytes
    records: Records = ()


def group_lladdr(family: int, group: int) -> bytes:
    """ip_eth_mc_map(), ipv6_eth_mc_map(): the Ethernet address of a group."""
    if family == AF_INET:
        return b"\x01\x00\x5e" + (group & 0x7FFFFF).to_bytes(3, "big")
    return b"\x33\x33" + (group & 0xFFFFFFFF).to_bytes(4, "big")


def note_group(dev: Device, group: int) -> None:
    """What sending to a group of IPv6 leaves behind (ndisc_constructor(), ipv6_eth_mc_map())."""
    known = of(dev.net)
    if known.find(dev, AF_INET6, group) is not None:
        return
    now = dev.kernel.clock.now
    lladdr = group_lladdr(AF_INET6, group) if dev.type == ETHER else dev.broadcast[: dev.addr_len]
    known.add(
        Neighbour(
            dev, AF_INET6, group, MULTICAST, NOARP, lladdr, confirmed=now - CONFIRMED_AGO, used=now, updated=now
        )
    )


def note_group4(dev: Device, group: int) -> None:
    """The same of IPv4 (arp_constructor()); on a loopback or point-to-point device all neighbours are one, nobody."""
    known = of(dev.net)
    alone = bool(dev.flags & ONE_NEIGHBOUR)
    address = 0 if alone else group
    if known.find(dev, AF_INET, address) is not None:
        return
    now = dev.kernel.clock.now
    if dev.flags & IFF.LOOPBACK:
        lladdr = dev.address
    elif alone or dev.type != ETHER:
        lladdr = dev.broadcast[: dev.addr_len]
    else:
        lladdr = group_lladdr(AF_INET, group)
    kind = BROADCAST if alone else MULTICAST
    known.add(
        Neighbour(dev, AF_INET, address, kind, NOARP, lladdr, confirmed=now - CONFIRMED_AGO, used=now, updated=now)
    )


def sent_to(dev: Device) -> bytes:
    """The hardware address to which the packet that is being sent goes through that device: that which its group was
    known by when it was first sent to, whatever the device's is by now."""
    sending = dev.kernel.sending
    if sending is None:
        return dev.broadcast
    alone = sending.family == AF_INET and dev.flags & ONE_NEIGHBOUR
    known = of(dev.net).find(dev, sending.family, 0 if alone else sending.group)
    return dev.broadcast if known is None else known.lladdr


def flush(dev: Device, family: int, *, permanent: bool = True) -> None:
    """neigh_flush_dev(): nobody is known through that device any more; or only those that user space has made
    permanent, or vouches for."""
    known = of(dev.net)
    for entry in known.on(dev, family):
        if permanent or not (entry.state & PERMANENT or entry.flags & VALIDATED):
            known.remove(entry)
