"""A file as a stream of bytes that knows where it is: what every reader reads from.

Compressed files are decompressed on the way; places are then those of what is inside. gzip is Python's own; for
Zstandard the package `zstandard` has to be there.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

from nlemu.protocol.captures.events import CaptureError

LONGEST = 16 << 20
"""Bytes that one packet, block or line may have. libpcap takes no packet of netlink above 256 KiB, the kernel sends
none above the receive buffer of a socket; and no file may take memory by telling a length."""

SQUEEZED = 512
"""Bytes of Zstandard that are decompressed at once: four of them may become 128 KiB."""

GZIP, ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LOOK = 4096
"""Bytes by which a format is recognized."""


class Stream(Protocol):
    """What can be read: some bytes, no more than so many, and none at its end. It has a name, for errors."""

    @property
    def name(self) -> str:
        """What it is called."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""


class Source:
    """A stream that is read from the beginning to the end. ``at`` is the offset of the next byte."""

    def __init__(self, stream: BinaryIO | Stream, name: str) -> None:
        self.name = name
        self.at = 0
        self.kept = b""
        """Bytes that were looked at by ahead() and are to be read."""
        self.damage: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
        self.stream = self._decompressed(io.BufferedReader(_Raw(stream), 1 << 16))

    def peek(self, size: int = LOOK) -> bytes:
        """The next bytes, up to that size and no more than are at hand; they are read again. Raises CaptureError."""
        try:
            return (self.kept + self.stream.peek(size))[:size]
        except self.damage as error:
            raise self.error(f"the compressed data are damaged: {error}") from None

    def ahead(self, size: int) -> bytes:
        """The next bytes, exactly that many unless the file ends before; they are read again. Raises CaptureError."""
        try:
            self.kept += self.stream.read(max(size - len(self.kept), 0))
        except self.damage as error:
            raise self.error(f"the compressed data are damaged: {error}") from None
        return self.kept[:size]

    def read(self, size: int, what: str) -> bytes:
        """Exactly that many bytes. Raises CaptureError when the file ends before, or the length cannot be."""
        if size > LONGEST:
            raise self.error(f"{what} of {size} bytes; no more than {LONGEST} are taken")
        try:
            if self.kept:
                data, self.kept = self.kept[:size], self.kept[size:]
                data += self.stream.read(size - len(data))
            else:
                data = self.stream.read(size)
        except self.damage as error:
            raise self.error(f"the compressed data are damaged: {error}") from None
        if len(data) < size:
            raise self.error(f"the file ends in {what}, after {len(data)} of {size} bytes")
        self.at += size
        return data

    def ended(self) -> bool:
        """Whether there is nothing more."""
        return not self.ahead(1)  # peek() would copy all that is at hand

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines that are left, counted from 1, without their ends. Raises CaptureError."""
        number = 0
        while True:
            number += 1
            try:
                line = self.stream.readline(LONGEST)
            except self.damage as error:
                raise self.error(f"the compressed data are damaged: {error}") from None
            if not line:
                return
            if len(line) == LONGEST:
                raise CaptureError(f"{self.name}: line {number} is longer than {LONGEST} bytes")
            self.at += len(line)
            try:
                yield number, line.decode().rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise CaptureError(f"{self.name}: line {number}: not text (byte {error.start})") from None

    def error(self, text: str) -> CaptureError:
        """An error with this place."""
        return CaptureError(f"{self.name}: byte {self.at}: {text}")

    def _decompressed(self, stream: io.BufferedReader) -> io.BufferedReader:
        magic = stream.peek(4)[:4]
        if magic.startswith(GZIP):
            return io.BufferedReader(gzip.GzipFile(fileobj=stream), 1 << 16)
        if magic == ZSTANDARD:
            try:
                import zstandard
            except ImportError:
                raise CaptureError(
                    f"{self.name}: compressed with Zstandard, which needs the package zstandard"
                ) from None
            self.damage = (*self.damage, zstandard.ZstdError)
            return io.BufferedReader(_Raw(_Frames(stream, zstandard.ZstdDecompressor())), 1 << 16)
        return stream


class _Frames:
    """What is in the Zstandard frames of a stream. The package's own reader says nothing of a frame that is cut off."""

    def __init__(self, stream: io.BufferedReader, decompressor: Any) -> None:
        self.stream, self.decompressor = stream, decompressor
        self.frame = decompressor.decompressobj()
        self.rest = b""
        self.left = memoryview(b"")
        self.started = False

    def read(self, size: int) -> bytes:
        """Some bytes; none at the end. Raises EOFError where a frame is not complete, ZstdError where it is none."""
        while not self.left:
            data = self.rest or self.stream.read1(SQUEEZED)
            if not data:
                if not self.frame.eof and self.started:
                    raise EOFError("the last frame is not complete")
                return b""
            if self.frame.eof:
                self.frame = self.decompressor.decompressobj()
            self.started = True
            self.left = memoryview(self.frame.decompress(data))
            self.rest = self.frame.unused_data if self.frame.eof else b""
        part, self.left = self.left[:size], self.left[size:]
        return bytes(part)


class _Raw(io.RawIOBase):
    """Any binary stream as one that a BufferedReader takes: standard input cannot be sought in."""

    def __init__(self, stream: Any) -> None:
        self.inner = stream
        self.some = getattr(stream, "read1", stream.read)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.some(len(buffer))
        buffer[: len(data)] = data
        return len(data)
