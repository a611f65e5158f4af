"""Neighbours as user space wants them: neigh_add(), neigh_delete() and __neigh_update() of net/core/neighbour.c.

A neighbour is in a state; in some states its link-layer address is known. Whoever administers may put it into any. What
would happen by itself does not happen here: nobody is asked whether they are still there, so only one that was said to
be reachable becomes stale with time.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EEXIST, EINVAL, ENOENT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.inet import neighbour, neighbour_resolve
from nlemu.emulator.kernel.inet.neighbour import (
    CONFIRMED_AGO,
    MANAGED,
    PERMANENT,
    VALIDATED,
    Neighbour,
    group_lladdr,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.rtnetlink import RTM, RTN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

CONNECTED = int(NUD.PERMANENT | NUD.NOARP | NUD.REACHABLE)
VALID = CONNECTED | int(NUD.PROBE | NUD.STALE | NUD.DELAY)
"""NUD_VALID: the link-layer address is known."""
NOARP, REACHABLE, STALE, FAILED = int(NUD.NOARP), int(NUD.REACHABLE), int(NUD.STALE), int(NUD.FAILED)
ASKED = int(NUD.INCOMPLETE | NUD.PROBE)
PROBE = int(NUD.PROBE)
EXT_LEARNED, ROUTER, USE = int(NTF.EXT_LEARNED), int(NTF.ROUTER), int(NTF.USE)
KEPT = EXT_LEARNED | MANAGED | VALIDATED
"""Flags that whoever administers sets and clears."""
RESOLVED = USE | MANAGED
"""Flags of those that the kernel is to resolve: whatever else is said of them is not looked at."""
REACHABLE_TIME = 30 * NSEC_PER_SEC
"""The base of the reachable time; the kernel's is random, between half and one and a half of it."""


@dataclass(slots=True)
class Wanted:
    """What a request says of a neighbour. flags: NTF_*, and NTF_EXT_* behind them."""

    dev: Device
    family: int
    address: int
    state: int
    lladdr: bytes | None = None
    flags: int = 0
    protocol: int = 0


def add(wanted: Wanted, *, create: bool, exclusive: bool, replace: bool, portid: int) -> None:
    """neigh_add(): EINVAL, ENOENT, EEXIST."""
    dev = wanted.dev
    dev.kernel.neighbour_tables[wanted.family].allows(dev)
    known = neighbour.of(dev.net)
    entry = known.find(dev, wanted.family, wanted.address)
    override, made = True, None
    if entry is None:
        if not create:
            raise Refusal(ENOENT)
        if wanted.state & PERMANENT and wanted.flags & MANAGED:
            raise Refusal(EINVAL, "Invalid NTF_* flag for permanent entry")
        if wanted.flags & VALIDATED and (wanted.flags & RESOLVED or not wanted.state & VALID):
            raise Refusal(EINVAL, "Cannot create externally validated neighbor with an invalid state")
        entry = made = _constructed(wanted)
        same = known.find(dev, wanted.family, entry.address)
        if same is None:
            known.add(entry)
        else:
            entry = same
    elif exclusive:
        raise Refusal(EEXIST)
    else:
        if wanted.flags & VALIDATED:
            state = entry.state & ~PERMANENT if wanted.flags & RESOLVED else wanted.state
            if not state & VALID:
                raise Refusal(EINVAL, "Cannot mark neighbor as externally validated with an invalid state")
        override = replace
    entry.protocol = wanted.protocol or entry.protocol
    was_managed = entry.flags & MANAGED and entry is not made
    update(entry, wanted.lladdr, wanted.state, wanted.flags, override=override, portid=portid)
    if wanted.flags & RESOLVED:
        neighbour_resolve.wanted(entry)
    if entry.flags & MANAGED and not was_managed:
        neighbour_resolve.managed(entry)


def _constructed(wanted: Wanted) -> Neighbour:
    """arp_constructor(), ndisc_constructor(): what is known before any packet is sent. EINVAL."""
    dev, now = wanted.dev, wanted.dev.kernel.clock.now
    table = dev.kernel.neighbour_tables[wanted.family]
    address = table.key(dev, wanted.address)
    kind = table.address_type(dev.net, address)
    state, lladdr = 0, bytes(dev.addr_len)
    if kind == RTN.MULTICAST:
        state, lladdr = NOARP, group_lladdr(wanted.family, wanted.address)
    elif dev.flags & (IFF.NOARP | IFF.LOOPBACK):
        state, lladdr = NOARP, dev.address
        if dev.flags & IFF.LOOPBACK and table.loopback_type is not None:
            kind = table.loopback_type
    elif kind == RTN.BROADCAST:
        state, lladdr = NOARP, dev.broadcast
    return Neighbour(
        dev, wanted.family, address, kind, state, lladdr, wanted.flags & KEPT,
        confirmed=now - CONFIRMED_AGO, used=now, updated=now,
    )


def update(
    entry: Neighbour, lladdr: bytes | None, state: int, flags: int, *, override: bool, portid: int
) -> None:
    """__neigh_update() by whoever administers: EINVAL."""
    now = entry.dev.kernel.clock.now
    old = entry.state
    notify = bool((entry.flags ^ flags) & KEPT)
    entry.flags = entry.flags & ~KEPT | flags & KEPT
    if flags & RESOLVED:
        entry.state = old & ~PERMANENT
        _router(entry, flags, notify, override=False, portid=portid)
        return
    entry.asked = False
    if not state & VALID:
        entry.state = state
        notify = bool(old & VALID) or bool(old & ASKED and state & FAILED)
        _router(entry, flags, notify, override=False, portid=portid)
        return
    if not entry.dev.addr_len:
        lladdr = entry.lladdr
    elif lladdr is None:
        if not old & VALID:
            if notify:
                _tell(entry, portid)
            raise Refusal(EINVAL, "No link layer address given")
        lladdr = entry.lladdr
    else:
        lladdr = lladdr[: entry.dev.addr_len]
    if state & CONNECTED:
        entry.confirmed = now
    differs = lladdr != entry.lladdr or not old & VALID
    if old & VALID and differs and not override:
        _router(entry, flags, notify, override=False, portid=portid)
        return
    if state != old or differs:
        entry.updated = now
    if state != old:
        if state & PROBE:
            entry.probes = 0
        entry.state = state
        notify = True
        if state & REACHABLE:
            _becomes_stale(entry)
    if differs:
        entry.lladdr = lladdr
        if not state & CONNECTED:
            entry.confirmed = now - CONFIRMED_AGO
        notify = True
    _router(entry, flags, notify, override=override, portid=portid)


def _router(entry: Neighbour, flags: int, notify: bool, *, override: bool, portid: int) -> None:
    """neigh_update_is_router(), and the announcement if there is anything new."""
    if override and (entry.flags ^ flags) & ROUTER:
        entry.flags ^= ROUTER
        notify = True
    if notify:
        _tell(entry, portid)


def _tell(entry: Neighbour, portid: int) -> None:
    """neigh_update_notify()."""
    entry.dev.kernel.announcer.neighbour(RTM.NEWNEIGH, entry, portid=portid)


def _becomes_stale(entry: Neighbour) -> None:
    """neigh_timer_handler() of one that is reachable."""
    kernel, since = entry.dev.kernel, entry.updated

    def check() -> None:
        known = neighbour.of(entry.dev.net).find(entry.dev, entry.family, entry.address)
        if known is entry and entry.state == REACHABLE and entry.updated == since:
            entry.state, entry.updated = STALE, kernel.clock.now
            _tell(entry, 0)

    kernel.work.at(kernel.clock.now + REACHABLE_TIME, check)


def delete(net: Net, dev: Device, family: int, address: int, portid: int) -> None:
    """neigh_delete(): it fails, which is told if it was known, and is forgotten, which is told as well. ENOENT."""
    known = neighbour.of(net)
    entry = known.find(dev, family, address)
    if entry is None:
        raise Refusal(ENOENT)
    update(entry, None, FAILED, 0, override=True, portid=portid)
    known.remove(entry)
