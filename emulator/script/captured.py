"""Our own traces as captures: the events of their steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nlemu.emulator.script.trace import header_of, open_bytes, step_of
from nlemu.protocol.captures.events import Act, CaptureError, Datagram, Event, Way
from nlemu.protocol.captures.formats import Format, kept
from nlemu.protocol.captures.source import Source


@contextmanager
def kept_events(path: str) -> Iterator[Callable[[], Iterator[Event]]]:
    """A function that reads a capture or a trace from its beginning each time that it is called; "-" is standard input.
    Raises CaptureError for a file of no known format, OSError."""
    with kept(path, OURS) as read:
        yield read


def events_of_trace(source: Source) -> Iterator[Event]:
    """The events of a trace, read line by line. Bytes that may be any are zero. Raises CaptureError."""
    protocols: dict[str, int] = {}
    header = False
    for number, line in source.lines():
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            if not header:
                yield Act("families", "", f"line {number}", header_of(fields).families)
                header = True
                continue
            step = step_of(fields, number)
        except (ValueError, RecursionError) as error:  # no JSON, numbers without end, or no step (TraceError)
            raise CaptureError(f"{source.name}: line {number}: {error}") from None
        place = f"line {number}"
        if step.verb == "open":
            protocols[step.subject] = step["proto"]
        if step.verb == "send":
            data = bytes.fromhex(step["hex"])
            yield Datagram(
                data, protocols.get(step.subject), place, way=Way.TO_KERNEL, socket=step.subject, comment=step.about
            )
        else:
            yield Act(step.verb, str(step.subject), place, step.fields)
        for socket, patterns in step.got.items():
            for pattern in patterns:
                if not pattern.startswith("!"):
                    yield Datagram(
                        open_bytes(pattern)[0], protocols.get(socket), place, way=Way.TO_USER, socket=socket
                    )


LOOK_FOR = 256
"""Bytes in which a trace's header says that it is one."""


def is_trace(head: bytes) -> bool:
    """Whether a file that begins so is a trace of this project."""
    return head.lstrip()[:1] == b"{" and b'"trace"' in head[:LOOK_FOR]


OURS = (Format("trace", is_trace, events_of_trace),)
"""Formats beside those of others."""
