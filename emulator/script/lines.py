"""What goes over sockets as lines of a log: what each message is, in one line, and what a reader may filter by.

A line is made of a datagram as a recording has it (recording.py); what answers what is found as in a capture. """

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nlemu.emulator.script.faults import INDICES, NAMES, flat
from nlemu.emulator.script.history import told_by
from nlemu.protocol.captures.events import Datagram, Way
from nlemu.protocol.captures.pairing import Paired, Pairing
from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.decode.printer import errno_name, extack, lines_of, one_line
from nlemu.protocol.decode.uevent import KOBJECT_UEVENT
from nlemu.protocol.decode.uevent import read as read_uevent
from nlemu.protocol.names.known import Families
from nlemu.protocol.uapi.netlink import NlmsgType

LONGEST = 600
"""Characters of a line; a dump's message may have thousands."""

NameOf = Callable[[str, int], str | None]
"""The name of a device, by its namespace and index."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message. values: what is shown of it; data, protocol, request: what `details` takes apart again."""

    values: dict[str, Any]
    data: bytes
    protocol: int
    request: bytes | None = None


class Lines:
    """Makes lines of datagrams, in the order in which they went over the sockets."""

    def __init__(self, families: Families, name_of: NameOf) -> None:
        self.families, self.name_of = families, name_of
        self.pairing = Pairing()

    def of(self, datagram: Datagram) -> Iterator[Line]:
        """The messages of the next one. What is no message is a line too."""
        protocol = datagram.protocol or 0
        if protocol == KOBJECT_UEVENT and (uevent := read_uevent(datagram.data)) is not None:
            text = ", ".join(f"{name}: {value}" for name, value in uevent.variables.items())
            yield Line(self._line(datagram, "told", uevent.family, uevent.title, text), datagram.data, protocol)
            return
        for paired in self.pairing.messages(datagram):
            if isinstance(paired, bytes):
                text = f"{len(paired)} bytes: {paired[:64].hex()}"
                yield Line(self._line(datagram, "odd", "", "no message", text), paired, protocol)
            else:
                yield self._message(datagram, paired, protocol)

    def _message(self, datagram: Datagram, paired: Paired, protocol: int) -> Line:
        request = None if paired.request is None else paired.request.data
        message = read(paired.data, protocol, self.families, request)
        if paired.request is not None or paired.notification:
            message.answers = not paired.notification
        head, _, text = one_line(message).partition("  ")
        about = message if message.request is None else message.request
        line = self._line(datagram, kind(datagram, message), family(about), head, text)
        values = told_by(about)
        devices = self._devices(datagram.network or "", values)
        if devices:
            line["devices"] = devices
        if message.errno:
            line["errno"] = str(errno_name(message.errno))
            if message.header.type == NlmsgType.ERROR and "msg" in (said := extack(message)):
                line["says"] = said["msg"]
        return Line(line, paired.data, protocol, request)

    @staticmethod
    def _line(datagram: Datagram, kind: str, family: str, head: str, text: str) -> dict[str, Any]:
        return {
            "time": (datagram.time or 0) // 1_000_000, "netns": datagram.network or "", "port": datagram.port or 0,
            "kind": kind, "family": family, "title": head,
            "text": text if len(text) <= LONGEST else text[: LONGEST - 1] + "…",
        }

    def _devices(self, netns: str, values: dict[Any, Any]) -> list[str]:
        """The names of devices that a message speaks of, each once."""
        found: dict[str, None] = {}
        for key, value in flat(values):
            if key in NAMES and isinstance(value, str):
                found[value] = None
            elif key in INDICES and isinstance(value, int) and (name := self.name_of(netns, value)):
                found[name] = None
        return list(found)


def kind(datagram: Datagram, message: Message) -> str:
    """What a message is to a reader: "ask", "answer", "ack", "error", or "told", which nobody asked for."""
    if datagram.way is Way.TO_KERNEL:
        return "ask"
    if message.errno is not None:
        return "error" if message.errno else "ack"
    return "answer" if message.answers else "told"


def family(message: Message) -> str:
    """The name of a message's family; of one that is not known, its number."""
    return message.family.name if message.family is not None else str(message.header.type)


def details(line: Line, families: Families) -> list[str]:
    """All that a message holds, an attribute a line."""
    if line.protocol == KOBJECT_UEVENT and (uevent := read_uevent(line.data)) is not None:
        return uevent.lines()
    if line.values["kind"] == "odd":
        return [line.data.hex()]
    message = read(line.data, line.protocol, families, line.request)
    message.answers = {"answer": True, "told": False}.get(line.values["kind"])
    return lines_of(message)


