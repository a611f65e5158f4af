"""Which format a file has, by its first bytes, and the reader of each."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nlemu.protocol.captures import hexadecimal, pcap, pcapng, strace
from nlemu.protocol.captures.events import CaptureError, Event
from nlemu.protocol.captures.source import Source, Stream


@dataclass(frozen=True)
class Format:
    """A format: its name, how a file of it begins, and its reader."""

    name: str
    looks_so: Callable[[bytes], bool]
    read: Callable[[Source], Iterator[Event]]


FORMATS = (
    Format("pcap", lambda head: head[:4] in pcap.MAGICS, pcap.read),
    Format("pcapng", lambda head: head[:4] == pcapng.MAGIC, pcapng.read),
    Format("strace", strace.looks_so, strace.read),
    Format("hex", hexadecimal.looks_so, hexadecimal.read),
)
"""In the order in which they are tried. Our own traces are not among them: emulator/script/captured.py has them."""

KNOWN = "pcap and pcapng of an nlmon device, strace, hexadecimal digits, and traces of this project"


def format_of(source: Source, others: Sequence[Format] = ()) -> Format:
    """The format of a file. others: which there are beside these, and are tried first. Raises CaptureError if it has
    none of them."""
    head = source.peek()
    if not head:
        raise CaptureError(f"{source.name}: empty")
    for one in (*others, *FORMATS):
        if one.looks_so(head):
            return one
    raise CaptureError(f"{source.name}: no format that is known; there are {KNOWN}")


@contextmanager
def opened(path: str | Stream) -> Iterator[Source]:
    """The file of that name, or standard input for "-"; or a stream as it is, which whoever opened it closes. Raises
    CaptureError, OSError."""
    if not isinstance(path, str):
        yield Source(path, str(path.name))
        return
    if path == "-":
        yield Source(sys.stdin.buffer, "standard input")
        return
    stream: BinaryIO
    with open(path, "rb") as stream:
        yield Source(stream, path)


@contextmanager
def kept(path: str, others: Sequence[Format] = ()) -> Iterator[Callable[[], Iterator[Event]]]:
    """A function that reads the file from its beginning each time that it is called; standard input is put aside first.
    Raises CaptureError for a file of no known format, OSError."""
    with ExitStack() as stack:
        name = "standard input" if path == "-" else path
        if path == "-" or not Path(path).is_file():  # a pipe is read once
            copy = stack.enter_context(tempfile.NamedTemporaryFile())
            stream = sys.stdin.buffer if path == "-" else stack.enter_context(open(path, "rb"))
            shutil.copyfileobj(stream, copy)
            copy.flush()
            path = copy.name
        with open(path, "rb") as stream:
            format_of(Source(stream, name), others)

        def read() -> Iterator[Event]:
            with open(path, "rb") as stream:
                yield from events(Source(stream, name), others)

        yield read


def events(source: Source, others: Sequence[Format] = ()) -> Iterator[Event]:
    """All that a file tells. Raises CaptureError where it cannot be read on."""
    return format_of(source, others).read(source)
