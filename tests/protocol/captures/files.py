"""The captures that tests read, and how."""

from __future__ import annotations

import io
from pathlib import Path

from nlemu.protocol.captures.events import CaptureError, Datagram, Event
from nlemu.protocol.captures.formats import events
from nlemu.protocol.captures.source import Source

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
FILES = sorted(path for path in CAPTURES.glob("**/*") if path.suffix in (".pcap", ".strace", ".gz"))


def read(data: bytes, name: str = "capture") -> list[Event]:
    """The events of a capture's bytes. Raises CaptureError."""
    return list(events(Source(io.BytesIO(data), name)))


def read_on(data: bytes, name: str = "capture") -> tuple[list[Event], str | None]:
    """The events up to where it cannot be read on, and why not."""
    found: list[Event] = []
    try:
        found.extend(events(Source(io.BytesIO(data), name)))
    except CaptureError as error:
        return found, str(error)
    return found, None


def datagrams(data: bytes) -> list[Datagram]:
    """The datagrams alone."""
    return [event for event in read(data) if isinstance(event, Datagram)]
