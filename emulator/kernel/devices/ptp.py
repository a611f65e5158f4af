"""Clocks of the precision time protocol, of whatever device: each has a number, and a file in /dev (drivers/ptp)."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.uevents import Action

if TYPE_CHECKING:
    from nlemu.emulator.kernel.kernel import Kernel

PTP_MAJOR = 251
"""alloc_chrdev_region() of the clocks' character devices, on the recorded machine."""


class PtpClocks:
    """The clocks of a machine."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._count = 0
        """How many numbers were ever in use."""
        self._free: list[int] = []
        """Those below that are free again, as a heap."""

    def take(self, place: str) -> int:
        """ptp_clock_register(): the lowest number that is free. place: of the clock's device, below /sys/devices."""
        if self._free:
            clock = heapq.heappop(self._free)
        else:
            clock = self._count
            self._count += 1
        self._announce(place, Action.ADD, clock)
        return clock

    def drop(self, place: str, clock: int) -> None:
        """ptp_clock_unregister()."""
        heapq.heappush(self._free, clock)
        self._announce(place, Action.REMOVE, clock)

    def _announce(self, place: str, action: Action, clock: int) -> None:
        self._kernel.uevents.send(
            None, action, f"/devices/{place}/ptp/ptp{clock}", "ptp",
            ("MAJOR", PTP_MAJOR), ("MINOR", clock), ("DEVNAME", f"ptp{clock}"),
        )
