"""Captures from one format into another: as packets while they are read, or as a trace at the end.

What the other format cannot hold is lost, and counted: remarks() tells it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import BinaryIO

from nlemu.emulator.script.capture import Binder
from nlemu.emulator.script.captured import OURS
from nlemu.emulator.script.dissection import type_number
from nlemu.emulator.script.recording import comment
from nlemu.emulator.script.trace import render
from nlemu.emulator.script.transcript import trace_of
from nlemu.emulator.world.world import FIRST
from nlemu.protocol.captures import pcap, pcapng
from nlemu.protocol.captures.events import Act, CaptureError, Datagram, Event, Unread
from nlemu.protocol.captures.families import told
from nlemu.protocol.captures.formats import format_of, opened
from nlemu.protocol.frame import message as framed
from nlemu.protocol.names.known import GENERIC_NETLINK, Families, by_number


class Conversion:
    """A capture that is read once. A context: the file is open inside.

    path: a file, or "-". protocol: of datagrams of which the capture does not say it. kind: the type of message that
    bare bodies are of, by name or number. Raises CaptureError and OSError when it is entered, ValueError for a kind
    that there is not.
    """

    def __init__(self, path: str, protocol: int, kind: str | None = None) -> None:
        self.path, self.protocol = path, protocol
        self.kind = None if kind is None else type_number(kind)
        self.numbers: dict[str, int] = {}
        self.families: Families = by_number({})
        self.lost: Counter[str] = Counter()
        self.unread: list[str] = []
        self.cut_off: str | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Conversion:
        self.source = self._stack.enter_context(opened(self.path))
        self.format = format_of(self.source, OURS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def write(self, stream: BinaryIO, form: str) -> None:
        """Writes it in that format: "pcap", "pcapng" or "jsonl". Raises OSError."""
        if form == "jsonl":
            binder = Binder(self.protocol)
            binder.bind(self.events())
            stream.write(render(trace_of(binder.steps(), f"converted from {self.path}", self.numbers)).encode())
            return
        writer = pcap.Writer(stream) if form == "pcap" else pcapng.Writer(stream)
        for event in self.events():
            if not isinstance(event, Datagram):
                self.lose(event)
                continue
            if form == "pcap" and event.network not in (None, FIRST):
                self.lost["datagrams of other namespaces than the first, which a pcap does not tell apart"] += 1
            if form == "pcapng":
                event = replace(event, comment=event.comment or self.comment(event))
            writer.write(event)

    def comment(self, event: Datagram) -> str:
        """What a datagram holds, in a few words."""
        assert event.protocol is not None
        return comment(event.data, event.protocol, self.families)

    def lose(self, event: Event) -> None:
        """Something that is no datagram, where only datagrams can be."""
        if isinstance(event, Act) and event.verb not in ("families", "open", "close", "port"):
            self.lost[f"steps ({event.verb}), of which packets tell nothing"] += 1

    def events(self) -> Iterator[Event]:
        """The events as far as they can be read; every datagram has its protocol."""
        events = self.format.read(self.source)
        while True:
            try:
                event = next(events, None)
            except CaptureError as error:
                self.cut_off = str(error)
                return
            if event is None:
                return
            if isinstance(event, Datagram):
                event = self.whole(event)
                if event.protocol == GENERIC_NETLINK:
                    self.learn(told(event.data))
            elif isinstance(event, Unread):
                self.unread.append(f"{event.place}: {event.reason}")
            elif event.verb == "families":
                self.learn(event.fields)
            yield event

    def whole(self, event: Datagram) -> Datagram:
        """A datagram with a header in front of a bare body, and its protocol."""
        if self.kind is not None:
            event = replace(event, data=framed(self.kind, 0, 0, 0, event.data), length=-1)
        return event if event.protocol is not None else replace(event, protocol=self.protocol)

    def learn(self, found: Mapping[str, int]) -> None:
        """Numbers of families."""
        if not found.items() <= self.numbers.items():
            self.numbers.update(found)
            self.families = by_number(self.numbers)

    def remarks(self) -> Iterator[str]:
        """What is to be said at the end: what was not read, what is lost, where the capture breaks off."""
        for line in self.unread:
            yield f"not read: {line}"
        for what, count in self.lost.items():
            yield f"lost: {count} {what}"
        if self.cut_off is not None:
            yield self.cut_off
