"""Hexadecimal digits, as people paste them: dumps of programs, arrays in source files, strings with escapes.

A datagram is what stands together: a paragraph, an array between brackets, or a dump whose offsets begin at zero again.
Its digits may be written in any of these ways:

    2000 0000 1200 0500                          xxd -p, or plain
    20:00:00:00:12:00:05:00                      pyroute2, tcpdump
    0x20, 0x00, 0x00, 0x00, // length            arrays of C, Rust, Go and Python; comments are passed over
    b"\\x20\\x00\\x00\\x00eth0"                      strings with escapes
    0000  20 00 00 00 12 00 05 00   ........     hexdump -C, xxd, tcpdump -x, with the characters behind

A line of words is the name of what follows. A line in which both stand is an error, since something is missing then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlemu.protocol.captures.events import CaptureError, Datagram
from nlemu.protocol.captures.source import LONGEST, Source

COMMENT = re.compile(r"//.*|/\*|(?:^|\s)#.*|(?:^|\s)--.*")
"""Where a comment begins."""
OFFSET = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{4,8})(?::\s+|\s{2,}|\t)(?=[0-9a-fA-F])")
DUMPED = re.compile(r"((?:[0-9a-fA-F]{2,8}(?: {1,2}|$))+)(?:\s*\|.*|\s+.*)?$")
GROUP = r"(?:0x[0-9a-fA-F]{1,2}|[0-9a-fA-F]{2,})"
DIGITS = re.compile(rf"{GROUP}(?:[\s,:;]+{GROUP})*[\s,:;]*")
NUMBER = re.compile(r"0x([0-9a-fA-F]{1,2})|([0-9a-fA-F]+)")
STRING = re.compile(r"b?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')[\s,;+\\)]*")
QUOTE = re.compile(r"b?[\"']")
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))|(.)", re.DOTALL)
CHARACTERS = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, "0": 0, "e": 27}
PAIRS = r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[\s,:;]*){2,}"
BROKEN = r"(?:0x?|\\x?|[0-9a-fA-F])?[\s,:;]*[0-9a-fA-F]?"
LOOK = re.compile(rf"(?:.*\bb?[\"'])?(?:0x[0-9a-fA-F]{{2}},?|{PAIRS}{BROKEN})$")
"""A line of nothing but digits, which may break off in the middle of one."""
OPENING = re.compile(r"[\[{]\s*(?=$|0x[0-9a-fA-F]{1,2}\b|[0-9a-fA-F]{2}\b)")


def looks_so(head: bytes) -> bool:
    """Whether a file that begins so is one of digits."""
    return any(tells_bytes(line) for line in head.decode(errors="replace").splitlines())


def tells_bytes(line: str) -> bool:
    """Whether digits stand in a line; it may be cut off."""
    bare = uncommented(line).strip()
    if opening := OPENING.search(bare):
        bare = bare[opening.end() :]
    bare = re.split(r"[\]}]", bare)[0]
    return bool(any(strings_in(bare)) or OFFSET.match(bare) or LOOK.match(bare))


def uncommented(line: str) -> str:
    """A line without its comments. One that is not closed is none. Every character is looked at once, as elsewhere
    here: lines may be long, and they are somebody else's."""
    parts, at = [], 0
    while found := COMMENT.search(line, at):
        if found[0] != "/*":
            parts.append(line[at : found.start()])
            return "".join(parts)
        end = line.find("*/", found.end())
        if end < 0:
            break
        parts.append(line[at : found.start()])
        at = end + 2
    return "".join(parts) + line[at:]


def strings_in(text: str) -> Iterator[str]:
    """What stands in each string of a line, with its escapes; nothing behind a quote that is not closed."""
    at = 0
    while (quote := QUOTE.search(text, at)) and (found := STRING.match(text, quote.start())):
        yield found[1][1:-1]
        at = found.end()


def read(source: Source, protocol: int | None = None) -> Iterator[Datagram]:
    """The datagrams of a text. Raises CaptureError, which names the line."""
    reader = Reader(source.name)
    for number, line in source.lines():
        try:
            yield from reader.line(number, line, protocol)
        except ValueError as error:
            raise CaptureError(f"{source.name}: line {number}: {error}") from None
    yield from reader.end(protocol)


class Reader:
    """A text that is being read: the bytes of the datagram so far, where it began, and what it is called."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data = bytearray()
        self.began = 0
        self.called: str | None = None
        self.inside = False
        """Between the brackets of an array, where an empty line means nothing."""

    def line(self, number: int, line: str, protocol: int | None) -> Iterator[Datagram]:
        """Reads a line; the datagram that it ends. Raises ValueError."""
        bare = uncommented(line).strip()
        if not bare:
            if not line.strip() and not self.inside:
                yield from self.end(protocol)
            return
        if not self.inside and (opening := OPENING.search(bare)) and not any(strings_in(bare)):
            yield from self.end(protocol)
            self.called = self.called or name_in(bare[: opening.start()])
            self.inside, bare = True, bare[opening.end() :]
        closing = re.search(r"[\]}]", bare) if self.inside else None
        if closing:
            bare = bare[: closing.start()]
        offset = OFFSET.match(bare)
        if offset and int(offset[1], 16) == 0 and self.data:
            yield from self.end(protocol)
        data = self.digits(bare)
        if data is None:
            if self.inside and bare:
                raise ValueError(f"no hexadecimal digits: {bare[:60]}")
            if bare:
                yield from self.end(protocol)
                self.called = bare.rstrip(":")
        else:
            if data:
                self.began = self.began or number
            self.data += data
            if len(self.data) > LONGEST:
                raise ValueError(f"a datagram of more than {LONGEST} bytes")
        if closing:
            self.inside = False
            yield from self.end(protocol)

    def end(self, protocol: int | None) -> Iterator[Datagram]:
        """The datagram that has been read, if there is one."""
        if self.data:
            data = bytes(self.data)
            yield Datagram(data, protocol, f"line {self.began}", length=len(data), comment=self.called)
            self.data.clear()
            self.called = None
        self.began = 0

    def digits(self, bare: str) -> bytes | None:
        """The bytes that a line tells; None if it tells none. Raises ValueError where it tells some and something
        else."""
        if not bare:
            return b""
        if strings := list(strings_in(bare)):
            return b"".join(map(unescaped, strings))
        offset = OFFSET.match(bare)
        if offset and (dumped := DUMPED.match(bare, offset.end())):
            return bytes.fromhex(dumped[1].replace(" ", ""))
        if "\\x" in bare:
            return unescaped(bare)
        if DIGITS.fullmatch(bare):
            return b"".join(number_of(one) for one in NUMBER.finditer(bare))
        if offset or re.match(r"0x[0-9a-fA-F]{2}\b|[0-9a-fA-F]{2}(?:[\s:,]+[0-9a-fA-F]{2})+[\s:,]", bare):
            raise ValueError(f"hexadecimal digits and something else: {bare[:60]}")
        return None


def number_of(found: re.Match[str]) -> bytes:
    """The bytes of one group of digits."""
    if found[1]:
        return bytes([int(found[1], 16)])
    if len(found[2]) % 2:
        raise ValueError(f"an odd number of digits: {found[2][:40]}")
    return bytes.fromhex(found[2])


def unescaped(text: str) -> bytes:
    """The bytes that a string with escapes stands for."""
    data = bytearray()
    for escape in ESCAPE.finditer(text):
        if escape[1]:
            data.append(int(escape[1], 16))
        elif escape[2]:
            data.append(int(escape[2], 8) & 0xFF)
        elif escape[3]:
            data.append(CHARACTERS.get(escape[3], ord(escape[3]) & 0xFF))
        else:
            data += escape[4].encode()
    return bytes(data)


def name_in(text: str) -> str | None:
    """What an array is called in a source file: the last word before the equals sign, or before the colon."""
    words = re.findall(r"[A-Za-z_]\w*", re.split(r"[=:]", text)[0])
    return words[-1] if words else None
