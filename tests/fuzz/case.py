"""A case: bytes, read as a list of things to do. Every string of bytes is a case; where they end, it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 4096
"""Bytes of a case that are read."""
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 127, 128, 255, 256, 1500, 4095, 4096, 65535, 1 << 31, (1 << 32) - 1)
"""That are put where a case wants one."""


@dataclass(frozen=True)
class Change:
    """Of a request: at which place, and what stands there then."""

    at: int
    value: bytes


@dataclass(frozen=True)
class Ask:
    """A request of the traces, changed. socket: of which; which: of all of them."""

    socket: int
    which: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Wait:
    """So much of the machine's time passes, in seconds."""

    seconds: float


@dataclass(frozen=True)
class Step:
    """What is not netlink: one of kernel.py's steps, with a number to choose by."""

    which: int
    number: int


@dataclass(frozen=True)
class Read:
    """A socket reads all that it has; or closes and is opened again."""

    socket: int
    closes: bool


Deed = Ask | Wait | Step | Read


class Bytes:
    """Bytes that are used up. Behind their end there are zeros, and `left` is false."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data[:LONGEST], 0

    @property
    def left(self) -> bool:
        """Whether there are any."""
        return self.at < len(self.data)

    def take(self, size: int) -> int:
        """A number of so many bytes."""
        value = int.from_bytes(self.data[self.at : self.at + size], "little")
        self.at += size
        return value


def deeds(data: bytes) -> Iterator[Deed]:
    """What a case does."""
    source = Bytes(data)
    while source.left:
        kind = source.take(1)
        if kind < 200:
            yield Ask(kind & 7, source.take(2), tuple(changes(source)))
        elif kind < 225:
            yield Step(source.take(1), source.take(1))
        elif kind < 240:
            yield Wait((0.0, 0.01, 1.0, 40.0)[kind & 3])
        else:
            yield Read(kind & 7, closes=kind >= 252)


def changes(source: Bytes) -> Iterator[Change]:
    """None, mostly; up to three."""
    for _ in range((0, 0, 0, 1, 1, 2, 3, 0)[source.take(1) & 7]):
        at, how = source.take(1), source.take(1)
        if how < 128:
            yield Change(at, bytes((how * 2 & 0xFF,)))
        elif how < 224:
            yield Change(at & ~3, NUMBERS[how % len(NUMBERS)].to_bytes(4, "little"))
        else:
            yield Change(at & ~1, (how - 224).to_bytes(2, "little"))
