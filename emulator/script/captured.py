"""Our own traces as captures: the events of their steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest

from nlemu.emulator.script.trace import Step, header_of, open_bytes, step_of
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
    sockets: dict[str, Step] = {}
    header = False

    def datagram(data: bytes, name: str, way: Way, place: str, time: int | None, about: str | None = None) -> Datagram:
        opened = sockets.get(name)
        net = None if opened is None else opened.get("netns")
        return Datagram(
            data, None if opened is None else opened["proto"], place, time, way, name, len(data), net,
            opened.get("port") if opened is not None and way is Way.TO_KERNEL else None, about,
        )

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
            sockets[step.subject] = step
        if step.verb == "send":
            data = bytes.fromhex(step["hex"])
            yield datagram(data, step.subject, Way.TO_KERNEL, place, step.get(TIME), step.about)
        else:
            yield Act(step.verb, str(step.subject), place, step.fields, step.get(TIME))
        for socket, patterns in step.got.items():
            times = step.get(TIMES, {}).get(socket, ())
            for pattern, time in zip_longest(patterns, times[: len(patterns)]):
                if not pattern.startswith("!"):
                    yield datagram(open_bytes(pattern)[0], socket, Way.TO_USER, place, time)


TIME, TIMES = "time", "times"
"""Keys of a step that was captured: when it was, and when each datagram of `got` was read, in nanoseconds."""
CAPTURED = "captured"
"""The key of a header that says that a trace is a capture, which begins in the middle: it has no world to itself."""
LOOK_FOR = 256
"""Bytes in which a trace's header says that it is one."""


def is_trace(head: bytes) -> bool:
    """Whether a file that begins so is a trace of this project."""
    return head.lstrip()[:1] == b"{" and b'"trace"' in head[:LOOK_FOR]


def is_captured(head: bytes) -> bool:
    """Whether a file that begins so is a capture that was written as a trace (emulator/script/transcript.py)."""
    return is_trace(head) and b'"captured": true' in head.partition(b"\n")[0]


OURS = (Format("trace", is_trace, events_of_trace),)
"""Formats beside those of others."""
