"""Messages of one shape: which bytes of them may differ without the rest being looked at.

Most messages of a capture are like one before: the same attributes with the same lengths, and other times, counters,
indices and addresses. A shape is what one of them says, kept: where those stand, and that all other bytes are as they
are. Two messages of a shape are compared there alone, without being taken apart. What differs elsewhere, or cannot be
told from its bytes, is for whoever takes messages apart (relaxed.py).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from nlemu.protocol.decode.facts import Fact

KEPT = 32
"""Shapes of messages of one type and length, at most."""
MAC_SIZE, IPV6_SIZE = 6, 16
Sort = Callable[[Fact], str | None]
"""Of a fact, what may be called otherwise; None: it may not."""


def number_text(data: bytes) -> str:
    """A number as a fact tells it."""
    return str(int.from_bytes(data, "little"))


def mac_text(data: bytes) -> str:
    """A hardware address."""
    return data.hex(":")


def ipv6_text(data: bytes) -> str:
    """An address of IPv6."""
    return str(ipaddress.IPv6Address(data))


TEXTS: dict[int, Callable[[bytes], str]] = {4: number_text, MAC_SIZE: mac_text, IPV6_SIZE: ipv6_text}
"""By size, how bytes are told."""


@dataclass(frozen=True, slots=True)
class Place:
    """Bytes that may be others, and how they are told."""

    path: str
    start: int
    end: int
    text: Callable[[bytes], str]

    def fact(self, data: bytes) -> Fact:
        """What a message says there."""
        return Fact(self.path, self.text(data[self.start : self.end]), self.start, self.end)


@dataclass(slots=True)
class Shape:
    """What one message says. fixed: all bits that have to be as in ``number``, the message as a number; counters: masks
    of those of packets, by what they are of; places: what has to be compared."""

    number: int
    fixed: int
    counters: dict[str, int]
    places: list[Place]


@dataclass
class Shapes:
    """Those that were met. sort: what may be called otherwise; counter: of a path, what it counts, if it does."""

    sort: Sort
    counter: Callable[[str], str | None]
    known: dict[tuple[int, bytes, int], list[Shape]] = field(default_factory=dict)

    def find(self, data: bytes, protocol: int) -> tuple[Shape, int] | None:
        """The shape of a message, and the message as a number."""
        shapes = self.known.get((protocol, data[4:8], len(data)))
        if shapes is None:
            return None
        number = int.from_bytes(data, "little")
        for shape in shapes:
            if not (number ^ shape.number) & shape.fixed:
                return shape, number
        return None

    def learn(self, data: bytes, protocol: int, facts: Iterable[Fact]) -> None:
        """Keeps the shape of a message that was taken apart."""
        free, places = mask(8, 12), []
        counters: dict[str, int] = {}
        for fact in facts:
            counted = self.counter(fact.path)
            sort = None if counted else self.sort(fact)
            bits = mask(fact.start, fact.end)
            if counted is not None:
                counters[counted] = counters.get(counted, 0) | bits
            elif sort == "time":
                pass
            elif sort is not None and sort != "seq":
                text = TEXTS.get(fact.end - fact.start)
                if text is None or text(data[fact.start : fact.end]) != fact.text:
                    continue
                places.append(Place(fact.path, fact.start, fact.end, text))
            else:
                continue
            free |= bits
        shapes = self.known.setdefault((protocol, data[4:8], len(data)), [])
        shapes.insert(0, Shape(int.from_bytes(data, "little"), mask(0, len(data)) & ~free, counters, places))
        del shapes[KEPT:]


def mask(start: int, end: int) -> int:
    """All bits of these bytes."""
    return ((1 << 8 * (end - start)) - 1) << 8 * start
