"""Neighbours that somebody wants to be resolved: neigh_event_send() and neigh_timer_handler() of net/core/neighbour.c.

A program asks for it (NTF_USE), or wants the kernel to see to it for ever (NTF_MANAGED). The links carry no packets and
nobody answers, so what is asked for thrice has failed; one that was known before is asked for itself first. One that
needs no resolution, because of the device or the address, is left as it is. The questions are not counted as packets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.inet import neighbour
from nlemu.protocol.uapi.neighbour import NUD
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.inet.neighbour import Neighbour

RESTING = int(NUD.PERMANENT | NUD.NOARP | NUD.REACHABLE | NUD.DELAY | NUD.PROBE)
"""States in which nothing is done: it is known, or is being asked for."""
INCOMPLETE, STALE, DELAY, PROBE, FAILED = (
    int(NUD.INCOMPLETE), int(NUD.STALE), int(NUD.DELAY), int(NUD.PROBE), int(NUD.FAILED)
)
UCAST_PROBES, MCAST_PROBES = 3, 3
MOST = {INCOMPLETE: UCAST_PROBES + MCAST_PROBES, PROBE: UCAST_PROBES}
"""neigh_max_probes()"""
RETRANS_TIME = NSEC_PER_SEC
DELAY_PROBE_TIME = 5 * NSEC_PER_SEC
INTERVAL_PROBE_TIME = 5 * NSEC_PER_SEC
"""How often those that are managed are looked at."""


def wanted(entry: Neighbour) -> None:
    """neigh_event_send(): somebody wants to send to it."""
    if entry.state & RESTING or entry.state == INCOMPLETE:
        return
    entry.updated = entry.dev.kernel.clock.now
    if entry.state == STALE:
        entry.state = DELAY
        _later(entry, DELAY_PROBE_TIME, _delayed)
        return
    entry.state, entry.probes, entry.asked = INCOMPLETE, UCAST_PROBES, True
    _ask(entry)


def managed(entry: Neighbour) -> None:
    """It is wanted, again and again, as long as it is managed (neigh_managed_work())."""
    kernel = entry.dev.kernel
    now = kernel.clock.now

    def look() -> None:
        if _known(entry) and entry.flags & neighbour.MANAGED:
            wanted(entry)
            managed(entry)

    kernel.work.at((now // INTERVAL_PROBE_TIME + 1) * INTERVAL_PROBE_TIME, look)


def _known(entry: Neighbour) -> bool:
    return neighbour.of(entry.dev.net).find(entry.dev, entry.family, entry.address) is entry


def _later(entry: Neighbour, delay: int, step: Callable[[Neighbour], None]) -> None:
    """Does the next step then, if nothing else has happened to it."""
    kernel, state, since = entry.dev.kernel, entry.state, entry.updated

    def check() -> None:
        if _known(entry) and entry.state == state and entry.updated == since:
            step(entry)

    kernel.work.at(kernel.clock.now + delay, check)


def _ask(entry: Neighbour) -> None:
    """neigh_probe()"""
    entry.probes += 1
    _later(entry, RETRANS_TIME, _unanswered)


def _unanswered(entry: Neighbour) -> None:
    if entry.probes < MOST[entry.state]:
        _ask(entry)
        return
    entry.state, entry.updated = FAILED, entry.dev.kernel.clock.now
    _tell(entry)


def _delayed(entry: Neighbour) -> None:
    """Nobody has confirmed it in the meantime: it is asked itself."""
    entry.state, entry.probes, entry.updated = PROBE, 0, entry.dev.kernel.clock.now
    _ask(entry)
    _tell(entry)


def _tell(entry: Neighbour) -> None:
    entry.dev.kernel.announcer.neighbour(RTM.NEWNEIGH, entry)
