"""Two captures compared: the requests of one found again in the other, and the answers to them held against each other.

A request is found again by what it asks: its bytes without the sequence number and the port id, and with the family's
name in the place of its number. Requests stand in some order in either capture, and are paired as lines are by diff(1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from nlemu.emulator.script.apart import Comparison
from nlemu.emulator.script.capture import Binder, Bound
from nlemu.emulator.script.recapture import Compared, Events, Replayed, whole
from nlemu.emulator.script.relaxed import Relaxed
from nlemu.emulator.script.trace import Step
from nlemu.emulator.world.world import World
from nlemu.protocol.captures.events import Act, Datagram, Event
from nlemu.protocol.captures.families import told
from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.decode.printer import one_line, title
from nlemu.protocol.frame import HEADER_SIZE, split
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE, Families, by_number

FROM_SEQ, TO_SEQ = 8, 16
"""Of a message's header, the bytes of the sequence number and the port id."""


@dataclass
class Side:
    """One of the captures: bound, with the families that it tells."""

    bound: Bound
    families: Families
    protocols: dict[str, int]

    @property
    def requests(self) -> list[tuple[Step, str]]:
        """The steps that ask, with their places."""
        return [
            (step, place)
            for step, place in zip(self.bound.steps, self.bound.places, strict=True)
            if step.verb == "send"
        ]

    def key(self, step: Step) -> tuple[object, ...]:
        """What a request asks."""
        protocol, data = self.protocols[step.subject], bytes.fromhex(step["hex"])
        parts: list[object] = [protocol]
        for header, message in split(data):
            family = self.families.get(header.type) if protocol == GENERIC_NETLINK else None
            name = header.type if family is None else family.name
            parts += [name, header.flags, message[HEADER_SIZE:]]
        return tuple(parts)

    def answers(self, step: Step) -> list[bytes]:
        """The datagrams that answered it."""
        return [bytes.fromhex(text) for text in step.got.get(step.subject, ()) if not text.startswith("!")]

    def command(self, step: Step) -> str:
        """What a request is, by name."""
        return next((title(one).removesuffix(" request") for one in self.messages(step)), "no message")

    def shown(self, step: Step) -> str:
        """A request in a line."""
        return next((one_line(one) for one in self.messages(step)), "no message")

    def messages(self, step: Step) -> Iterator[Message]:
        """The messages of a request."""
        protocol, data = self.protocols[step.subject], bytes.fromhex(step["hex"])
        return (read(message, protocol, self.families) for _, message in split(data))


def side_of(events: Events, protocol: int, cut_off: list[str]) -> Side:
    """A capture, bound."""
    numbers: dict[str, int] = {}

    def learning() -> Iterator[Event]:
        for event in whole(events, cut_off):
            if isinstance(event, Act) and event.verb == "families":
                numbers.update(event.fields)
            elif isinstance(event, Datagram) and event.protocol == GENERIC_NETLINK:
                numbers.update(told(event.data))
            yield event

    binder = Binder(protocol)
    binder.bind(learning())
    bound = binder.steps()
    protocols = {step.subject: int(step["proto"]) for step in bound.steps if step.verb == "open"}
    return Side(bound, by_number(numbers), protocols)


def diff(one: Events, other: Events, *, strict: bool = False, protocol: int = ROUTE) -> Replayed:
    """What is different in two captures, in the form of a replay of the first. A request that only one of them has is a
    difference, too."""
    cut_off: list[str] = []
    left, right = side_of(one, protocol, cut_off), side_of(other, protocol, cut_off)
    result = Replayed(World(), [], left.bound, cut_off=cut_off[0] if cut_off else None)
    relaxed = Relaxed()
    asked, again = left.requests, right.requests
    matcher = SequenceMatcher(
        None, [left.key(step) for step, _ in asked], [right.key(step) for step, _ in again], autojunk=False
    )
    for verb, start, end, other_start, other_end in matcher.get_opcodes():
        if verb != "equal":
            for step, place in asked[start:end]:
                result.compared.append(Compared(place, left.command(step), ["- " + left.shown(step)]))
            for step, place in again[other_start:other_end]:
                result.compared.append(Compared(place, right.command(step), ["+ " + right.shown(step)]))
            continue
        for (step, place), (twin, _) in zip(asked[start:end], again[other_start:other_end], strict=True):
            comparison = Comparison(left.protocols[step.subject], left.families, right.families)
            wanted, got = left.answers(step), right.answers(twin)
            if strict:
                lines = comparison.strictly([unnumbered(data) for data in wanted], [unnumbered(data) for data in got])
            else:
                lines = comparison.freely(wanted, got, relaxed)
            result.compared.append(Compared(place, left.command(step), lines))
    return result


def unnumbered(datagram: bytes) -> bytes:
    """A datagram whose messages have no sequence numbers and port ids."""
    data = bytearray(datagram)
    at = 0
    for header, _ in split(datagram):
        data[at + FROM_SEQ : at + TO_SEQ] = bytes(TO_SEQ - FROM_SEQ)
        at += header.length + 3 & ~3
    return bytes(data)
