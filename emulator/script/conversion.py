"""Captures from one format into another: as packets while they are read, or as a trace at the end.

What the other format cannot hold is lost, and counted: remarks() tells it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from nlemu.emulator.script.capture import Binder
from nlemu.emulator.script.reading import Reading
from nlemu.emulator.script.recording import comment
from nlemu.emulator.script.trace import render
from nlemu.emulator.script.transcript import trace_of
from nlemu.emulator.world.world import FIRST
from nlemu.protocol.captures import pcap, pcapng
from nlemu.protocol.captures.events import Act, Datagram, Event, Unread
from nlemu.protocol.captures.families import told
from nlemu.protocol.names.known import GENERIC_NETLINK


class Conversion(Reading):
    """A capture on its way into another format."""

    def __init__(self, path: str, protocol: int, kind: str | None = None) -> None:
        super().__init__(path, protocol, kind)
        self.lost: Counter[str] = Counter()
        self.unread: list[str] = []

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
        """The events; what they tell of families is learnt, and what could not be read is remembered."""
        for event in super().events():
            if isinstance(event, Unread):
                self.unread.append(f"{event.place}: {event.reason}")
            elif isinstance(event, Datagram) and event.protocol == GENERIC_NETLINK:
                self.learn(told(event.data))
            yield event

    def remarks(self) -> Iterator[str]:
        """What is to be said at the end: what was not read, what is lost, where the capture breaks off."""
        for line in self.unread:
            yield f"not read: {line}"
        for what, count in self.lost.items():
            yield f"lost: {count} {what}"
        if self.cut_off is not None:
            yield self.cut_off
