"""The order of what was heard.

A request is read when it is about to be sent, and counts once the call has succeeded; but another thread may have read
its answer before that is known. So a send reserves its place, and what comes after waits until it is decided.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple


class Heard(NamedTuple):
    """A datagram that went over a socket of the real kernel.

    network: the name of the socket's namespace; port: its port id, of what it sent; time: nanoseconds since 1970;
    length: how long it was, more than there is of `data` where the program had no room for it.
    """

    data: bytes
    protocol: int
    to_kernel: bool
    network: str
    port: int | None
    time: int
    length: int


class Place:
    """The place of something that is not decided yet."""

    __slots__ = ("_journal", "entries")

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.entries: list[Heard] | None = None

    def fill(self, entries: Iterable[Heard]) -> None:
        """It was that, or nothing."""
        self.entries = list(entries)
        self._journal.tell()


class Journal:
    """Tells `hear` of what was heard, in its order."""

    def __init__(self, hear: Callable[[Heard], object]) -> None:
        self.hear = hear
        self._places: deque[Place] = deque()

    def reserve(self) -> Place:
        """A place for what is not decided yet."""
        place = Place(self)
        self._places.append(place)
        return place

    def add(self, entry: Heard) -> None:
        """Something that has been heard."""
        self.reserve().fill((entry,))

    def tell(self) -> None:
        """Tells what has nothing undecided before it."""
        while self._places and (entries := self._places[0].entries) is not None:
            self._places.popleft()
            for entry in entries:
                self.hear(entry)
