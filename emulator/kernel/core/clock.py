"""Time: nanoseconds since boot, by a clock that only moves when it is told to.

Two runs of one scenario see the same times. Whoever embeds the kernel decides what a second is: a replay lets as much
time pass as the recording did, a server that wants to feel real lets the wall clock push.
"""

from __future__ import annotations

NSEC_PER_SEC = 1_000_000_000


class Clock:
    """`now` is in nanoseconds."""

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = 0
