"""Where a supervisor lives: in the launcher, with a machine of its own, or in a daemon, beside its other clients.

The host owns the machine and its time, brings what was announced to whoever listens, and keeps the namespaces' public
names.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine

log = logging.getLogger(__name__)


class Host(Protocol):
    """What a supervisor asks of it."""

    machine: Machine
    ready: list[Any]
    """Whose endpoints have something to be written: each has `flush()`, and puts itself here."""

    def settle(self) -> None:
        """After something was done: brings what was announced, does what was deferred, lets time pass."""

    def name(self, name: str, net: Net) -> bool:
        """Gives a namespace a public name, which holds it. False: it cannot be had."""

    def unname(self, name: str) -> None:
        """Takes a public name away."""

    def timeout(self) -> float | None:
        """Seconds until `settle()` is due by itself; None when somebody else looks after that, or nothing is due."""


class LauncherHost(Host):
    """A machine of the command's own; its time is the wall clock's."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.ready: list[Any] = []
        self._clock = time.monotonic()

    def settle(self) -> None:
        self._deliver()
        now = time.monotonic()
        before, self._clock = self._clock, now
        try:
            self.machine.advance(now - before)
        except Exception:
            log.exception("a bug in the emulator, in deferred work")
        self._deliver()

    def _deliver(self) -> None:
        ready = self.ready
        while ready:
            ready.pop(0).flush()

    def name(self, name: str, net: Net) -> bool:
        try:
            self.machine.name_net(net, name)
        except ValueError:
            return False
        return True

    def unname(self, name: str) -> None:
        self.machine.delete_net(name)

    def timeout(self) -> float | None:
        due = self.machine.work.next_due()
        if due is None:
            return None
        return max(0.0, (due - self.machine.clock.now) / 1e9 - (time.monotonic() - self._clock)) + 0.001
