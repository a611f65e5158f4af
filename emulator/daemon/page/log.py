"""What goes over the sockets while somebody looks: a bounded log, decoded beside what the daemon has to do.

Hearing a message costs its bytes and no more; it is decoded when there is time. Of what comes faster than that, and of
what no reader has fetched yet, the oldest is let go. Every message has a number: each reader finds out what it missed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from nlemu.emulator.script.lines import Line, Lines
from nlemu.emulator.script.recording import Recording
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import Families, by_number

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine
    from nlemu.protocol.captures.events import Datagram

WAITING = 4096
"""Datagrams that wait to be decoded."""
KEPT = 2000
"""Messages that are kept decoded."""
FIRST = 500
"""Datagrams that are taken of what a daemon with --history remembers."""


class Log:
    """heard: called when there is something to decode."""

    def __init__(self, heard: Callable[[], object]) -> None:
        self.number = 0
        """Of the last message that was decoded, or let go before that."""
        self._heard = heard
        self._waiting: deque[Datagram] = deque()
        self._kept: deque[tuple[int, Line]] = deque(maxlen=KEPT)
        self._machine: Machine | None = None
        self._recording = Recording(self._hear, commented=False)
        self._lines = Lines({}, lambda netns, index: None)

    @property
    def families(self) -> Families:
        """Of the machine that is heard."""
        return self._lines.families

    def begin(self, machine: Machine) -> None:
        """Hears that machine from now on, and no other."""
        if self._machine is machine:  # which went on being heard while nobody looked; perhaps more than could wait
            if self._kept and self._kept[-1][0] != self.number:
                self._kept.clear()
            return
        if self._machine is None:
            self._kept.clear()
        self.leave()
        self._machine = machine
        numbers = {family.name: number for family, number in machine.families.numbers.items()}
        self._lines = Lines(by_number(numbers), self._name)
        if machine.remembered is not None and not self._kept:
            remembered = machine.remembered
            for datagram in islice(remembered, max(0, len(remembered) - FIRST), None):
                self._hear(datagram)
        self._recording.begin(machine)

    def leave(self) -> None:
        """Hears nothing any more."""
        if self._machine is not None:
            self._machine.leave(self._recording.hear)
            self._machine = None

    def decode(self, most: int) -> bool:
        """Decodes so many of the datagrams that wait; whether there were any."""
        waiting = self._waiting
        for _ in range(min(most, len(waiting))):
            for line in self._lines.of(waiting.popleft()):
                self.number += 1
                self._kept.append((self.number, line))
        return bool(waiting)

    def since(self, number: int, most: int) -> list[tuple[int, Line]]:
        """The messages behind that one, the first ones of them."""
        behind = sum(1 for _ in takewhile(lambda one: one[0] > number, reversed(self._kept)))
        start = len(self._kept) - behind
        return list(islice(self._kept, start, start + most))

    def find(self, number: int) -> Line | None:
        """A message by its number, if it is kept."""
        return next((line for one, line in reversed(self._kept) if one == number), None)

    def _hear(self, datagram: Datagram) -> None:
        waiting = self._waiting
        if len(waiting) >= WAITING:
            self.number += sum(1 for _ in split(waiting.popleft().data))
        waiting.append(datagram)
        self._heard()

    def _name(self, netns: str, index: int) -> str | None:
        net = None if self._machine is None else self._machine.nets.get(netns)
        dev = None if net is None else net.device(index)
        return None if dev is None else dev.name
