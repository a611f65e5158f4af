"""What is to be done later: the kernel's work queues and timers, in one queue.

A job is due at a time; jobs due at the same time run in the order in which they came. What the kernel hands to a work
queue is due at once, and still runs only when the request at hand has been answered. A job may queue others, and one
that is due at once runs in the same go.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC, Clock


class Job:
    """Something to be done; `cancel()` makes it nothing."""

    __slots__ = ("due", "run")

    def __init__(self, due: int, run: Callable[[], None]) -> None:
        self.due = due
        self.run: Callable[[], None] | None = run

    def cancel(self) -> None:
        """It will not run."""
        self.run = None


class Work:
    """All jobs of one kernel."""

    __slots__ = ("_clock", "_heap", "_sequence")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Job]] = []
        self._sequence = 0

    def at(self, due: int, run: Callable[[], None], *, first: bool = False) -> Job:
        """Run it at that time, in nanoseconds; at once when the time is past; first: ahead of all else that is due
        then, as the kernel's timers run."""
        job = Job(max(due, self._clock.now), run)
        self._sequence += 1
        heapq.heappush(self._heap, (job.due, -self._sequence if first else self._sequence, job))
        return job

    def defer(self, run: Callable[[], None], *, first: bool = False) -> Job:
        """Run it after the request at hand; first: ahead of all else that is due then."""
        return self.at(self._clock.now, run, first=first)

    def next_due(self) -> int | None:
        """When the next job is due, in nanoseconds since boot; None when there is none."""
        while self._heap and self._heap[0][2].run is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def settle(self) -> None:
        """Runs what is due now."""
        self._run_until(self._clock.now)

    def advance(self, seconds: float) -> None:
        """Lets time pass, and each job run at its time."""
        clock, heap = self._clock, self._heap
        end = clock.now + round(seconds * NSEC_PER_SEC)
        if heap and heap[0][0] <= end:
            self._run_until(end)
        clock.now = end

    def _run_until(self, end: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= end:
            due, _, job = heapq.heappop(heap)
            if job.run is not None:
                self._clock.now = max(self._clock.now, due)
                run, job.run = job.run, None
                run()
