"""A capture that is read once, event by event, as far as it can be read: for whoever shows it or writes it anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from nlemu.emulator.script.captured import OURS
from nlemu.protocol.captures.events import Act, CaptureError, Datagram, Event
from nlemu.protocol.captures.formats import format_of, opened
from nlemu.protocol.captures.source import Stream
from nlemu.protocol.frame import message as framed
from nlemu.protocol.names.known import Families, by_number
from nlemu.protocol.names.words import dashed
from nlemu.protocol.uapi.netlink import NlmsgType
from nlemu.protocol.uapi.rtnetlink import RTM


class Reading:
    """A context: the file is open inside.

    path: a file, or "-"; or a stream, which has a name. protocol: of datagrams of which the capture does not say it.
    kind: the type of message that bare bodies are of, by name or number. numbers: of generic netlink families, to which
    those come that the capture tells. cut_off: why it ends early, None where it does not. Raises CaptureError and
    OSError when it is entered, ValueError for a kind that there is not.
    """

    def __init__(
        self, path: str | Stream, protocol: int, kind: str | None = None, numbers: Mapping[str, int] | None = None
    ) -> None:
        self.path, self.protocol = path, protocol
        self.kind = None if kind is None else type_number(kind)
        self.numbers = dict(numbers or {})
        self.families: Families = by_number(self.numbers)
        self.live = not isinstance(path, str)
        """It comes as it happens, and is to be shown so."""
        self.cut_off: str | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.source = self._stack.enter_context(opened(self.path))
        self.format = format_of(self.source, OURS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def events(self) -> Iterator[Event]:
        """The events as far as they can be read; every datagram is whole, and has its protocol."""
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
                event = self._whole(event)
            elif isinstance(event, Act) and event.verb == "families":
                self.learn(event.fields)
            yield event

    def _whole(self, event: Datagram) -> Datagram:
        """A datagram with a header in front of a bare body, and its protocol."""
        if self.kind is not None:
            event = replace(event, data=framed(self.kind, 0, 0, 0, event.data), length=-1)
        return event if event.protocol is not None else replace(event, protocol=self.protocol)

    def learn(self, found: Mapping[str, int]) -> None:
        """Numbers of families."""
        if not found.items() <= self.numbers.items():
            self.numbers.update(found)
            self.families = by_number(self.numbers)


def type_number(text: str) -> int:
    """A type of message by name or number: newlink, RTM_NEWLINK, 16. Raises ValueError."""
    if text.isdigit() and int(text) < 1 << 16:
        return int(text)
    name = text.upper().replace("-", "_").removeprefix("RTM_")
    for kinds in (RTM, NlmsgType):
        if name in kinds.__members__:
            return int(kinds[name])
    raise ValueError(f"no type of message is called {text!r}; {dashed(RTM.NEWLINK.name)} is one, and 16 its number")
