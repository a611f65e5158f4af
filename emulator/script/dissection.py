"""A capture, message by message: each decoded, with the request it answers, and the time that took.

Numbers of generic netlink families are learnt on the way, from the answers of nlctrl that the capture holds; those of
other families stay numbers. A message is held no longer than its request may still be answered, so a capture of any
length takes the same memory.
"""

from __future__ import annotations

import errno as errnos
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nlemu.emulator.script.reading import Reading
from nlemu.protocol.captures.events import Datagram, Unread, Way
from nlemu.protocol.captures.families import told_by
from nlemu.protocol.captures.pairing import Paired, Pairing
from nlemu.protocol.captures.source import Stream
from nlemu.protocol.decode.devices import Devices, named
from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.decode.printer import errno_name, lines_of, one_line, text, values_of
from nlemu.protocol.decode.uevent import KOBJECT_UEVENT, Uevent
from nlemu.protocol.decode.uevent import read as read_uevent
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE

ARROWS = {Way.TO_KERNEL: ">", Way.TO_USER: "<", Way.UNKNOWN: " "}
BRIEF = 160
"""Columns of a message's one line."""


@dataclass(frozen=True)
class Wanted:
    """Which messages are wanted; None for all. device: a name, or an index in digits; errno: a name, or "any"; network:
    the name of a namespace, where the capture knows those."""

    family: str | None = None
    command: str | None = None
    device: str | None = None
    errno: str | None = None
    network: str | None = None

    def __post_init__(self) -> None:
        if self.errno not in (None, "any") and not hasattr(errnos, str(self.errno)):
            raise ValueError(f"{self.errno} is the name of no errno")


@dataclass(frozen=True)
class Dissected:
    """A message of a capture, decoded; or a uevent; or something that could not be read, with ``reason``."""

    place: str
    time: int | None
    way: Way
    since: int | None
    """Nanoseconds since the first message."""
    message: Message | None = None
    paired: Paired | None = None
    reason: str = ""
    socket: str | None = None
    network: str | None = None
    uevent: Uevent | None = None

    @property
    def kind(self) -> str:
        """request, reply, notification, failed, or unread."""
        if self.uevent is not None:
            return "notification"
        if self.message is None or self.paired is None:
            return "unread"
        if self.message.errno:
            return "failed"
        if self.paired.request is None and not self.paired.notification:
            return "request"
        return "notification" if self.paired.notification else "reply"

    @property
    def after(self) -> int | None:
        """Nanoseconds since the request that it answers."""
        request = None if self.paired is None else self.paired.request
        if request is None or self.time is None or request.datagram.time is None:
            return None
        return self.time - request.datagram.time

    def where(self) -> str:
        """Where and when it was captured, and what it answers."""
        parts: list[str | None] = [self.place, None if self.way is Way.UNKNOWN else self.way.value]
        if self.since is not None:
            parts.append(f"{self.since / 1e9:.6f} s")
        parts += [self.socket and f"socket {self.socket}", self.network and f"namespace {self.network}"]
        request = None if self.paired is None else self.paired.request
        if request is not None:
            after = "" if self.after is None else f" after {self.after / 1e6:.3f} ms"
            word = "caused by" if self.kind == "notification" else "answers"
            parts.append(f"{word} {request.datagram.place}{after}")
        return ", ".join(part for part in parts if part)

    def lines(self) -> list[str]:
        """The message as lines."""
        if self.uevent is not None:
            return self.uevent.lines()
        return [self.reason] if self.message is None else lines_of(self.message)

    def brief(self) -> str:
        """The message in one line."""
        since = "" if self.since is None else f"{self.since / 1e9:12.6f}"
        if self.uevent is not None:
            line = f"{self.place:>10} {since} {ARROWS[self.way]} {self.uevent.title}"
            line += f"  {text(self.uevent.variables)[1:-1]}"
            return line if len(line) <= BRIEF else line[: BRIEF - 3] + "..."
        if self.message is None:
            return f"{self.place:>10} {since} ! {self.reason}"
        header = self.message.header
        line = f"{self.place:>10} {since} {ARROWS[self.way]} {header.portid}/{header.seq} {one_line(self.message)}"
        return line if len(line) <= BRIEF else line[: BRIEF - 3] + "..."

    def values(self) -> dict[str, Any]:
        """For a program: the message as protocol/decode/printer.py has it, and where it stands."""
        about: dict[str, Any] = {"place": self.place, "time": self.time, "way": self.way.value, "kind": self.kind}
        if self.socket is not None:
            about["socket"] = self.socket
        if self.network is not None:
            about["namespace"] = self.network
        if self.uevent is not None:
            about["protocol"] = KOBJECT_UEVENT
            return about | {"uevent": {"of": self.uevent.of, "variables": dict(self.uevent.variables)}}
        if self.message is None:
            return about | {"reason": self.reason}
        assert self.paired is not None
        about["number"] = self.paired.number
        if self.paired.request is not None:
            about["answers"] = self.paired.request.number
            about["after"] = self.after
        return about | {"protocol": self.message.protocol, "message": values_of(self.message)}


class Dissection(Reading):
    """A capture, message by message. wanted: which; path, protocol, kind: of what is read. numbers: of generic netlink
    families."""

    def __init__(
        self, path: str | Stream, wanted: Wanted = Wanted(), *, protocol: int = ROUTE, kind: str | None = None,
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(path, protocol, kind, numbers)
        self.wanted = wanted
        self.pairing = Pairing()
        self.devices = Devices()
        self.start: int | None = None
        self.unknown: set[int] = set()

    def found(self) -> Iterator[Dissected]:
        """The messages that are wanted. What ends the capture early is told by remarks()."""
        for event in self.events():
            if isinstance(event, Unread):
                if self.wanted == Wanted():
                    yield Dissected(
                        event.place, event.time, Way.UNKNOWN, self.since(event.time), reason=event.reason,
                        socket=event.socket,
                    )
            elif isinstance(event, Datagram):
                if event.lost:
                    reason = f"{event.lost} datagrams before this one were lost"
                    yield Dissected(event.place, event.time, Way.UNKNOWN, self.since(event.time), reason=reason)
                yield from self.datagram(event)

    def datagram(self, event: Datagram) -> Iterator[Dissected]:
        """The messages of a datagram."""
        protocol = event.protocol
        assert protocol is not None
        if self.wanted.network not in (None, event.network):
            return
        since = self.since(event.time)
        if protocol == KOBJECT_UEVENT and (uevent := read_uevent(event.data)) is not None:
            if self.wanted in (Wanted(), Wanted(family=uevent.family)):
                way = Way.TO_USER if event.way is Way.UNKNOWN else event.way
                yield Dissected(event.place, event.time, way, since, network=event.network, uevent=uevent)
            return
        for paired in self.pairing.messages(event):
            place = event.place
            if isinstance(paired, bytes):
                if self.wanted == Wanted():
                    reason = f"{len(paired)} bytes that are no message: {paired[:64].hex()}"
                    reason += f"; the capture cut {event.length - len(event.data)} off" if event.cut else ""
                    yield Dissected(place, event.time, event.way, since, reason=reason)
                continue
            request = None if paired.request is None else paired.request.data
            message = read(paired.data, protocol, self.families, request)
            if paired.request is not None or paired.notification:
                message.answers = not paired.notification
            if protocol == GENERIC_NETLINK:
                self.meet(message)
            self.devices.learn(message)
            if self.matches(message):
                yield Dissected(
                    place, event.time, way_of(event, paired), since, message, paired, socket=event.socket,
                    network=event.network,
                )

    def meet(self, message: Message) -> None:
        """Numbers of families that a message tells, and that one is not known."""
        self.learn(told_by(message))
        if message.family is None and message.header.type >= 0x10:
            self.unknown.add(message.header.type)

    def since(self, time: int | None) -> int | None:
        """Nanoseconds since the first time that the capture told."""
        if time is None:
            return None
        self.start = time if self.start is None else self.start
        return time - self.start

    def matches(self, message: Message) -> bool:
        """Whether a message is wanted. What answers is wanted with what it answers."""
        wanted, asked = self.wanted, message.request
        if wanted.errno is not None and (
            not message.errno or wanted.errno not in ("any", str(errno_name(message.errno)))
        ):
            return False
        both = [message] if asked is None else [message, asked]
        if wanted.family is not None and wanted.family not in (family_name(one) for one in both):
            return False
        if wanted.command is not None and wanted.command not in (name for one in both for name in command_names(one)):
            return False
        return wanted.device is None or any(self.devices.match(named(one), wanted.device) for one in both)

    def remarks(self) -> list[str]:
        """What is to be said at the end: where the capture could not be read on, families that nobody named."""
        lines = [] if self.cut_off is None else [self.cut_off]
        if self.unknown:
            types = ", ".join(map(str, sorted(self.unknown)))
            lines.append(f"the capture names no family of generic netlink for {types}; --number NAME=NUMBER does")
        return lines


def way_of(event: Datagram, paired: Paired) -> Way:
    """The way a message went, as far as that can be told."""
    if event.way is not Way.UNKNOWN:
        return event.way
    return Way.TO_KERNEL if paired.request is None and not paired.notification else Way.TO_USER


def family_name(message: Message) -> str:
    """The family of a message, by the name that a filter has."""
    if message.family is not None:
        return message.family.name
    return str(message.header.type)


def command_names(message: Message) -> Iterator[str]:
    """The names of a message's operation."""
    name = message.name
    if name is not None:
        yield name
    if message.op is not None:
        yield message.op.name
