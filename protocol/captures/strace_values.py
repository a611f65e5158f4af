"""The notation in which strace writes arguments, read into values. What they mean is not decided here.

    {sa_family=AF_NETLINK, nl_pid=0}       a dict             "\\x6e\\x6b\\x00"...        a Text, which was cut off
    [1, 2]                                 a list             if_nametoindex("nk")     a Called
    IFF_UP|IFF_RUNNING, 0x43, 1<<2         a Symbols          02:00:00:00:00:01        a Bytes
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nlemu.protocol.captures.hexadecimal import unescaped

DEPTH = 64
"""How deep values may be nested; netlink's attributes are not that deep."""

SPACE = re.compile(r"(?:\s+|/\*.*?\*/)*")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')
MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2})+(?![0-9a-zA-Z_])")
WORD = re.compile(r"-?[A-Za-z_?][A-Za-z0-9_?.\-]*")
NUMBER = re.compile(r"-?(?:0x[0-9a-fA-F]+|\d+)")
SHIFT = re.compile(r"\(?(0x[0-9a-fA-F]+|\d+|[A-Z_][A-Z0-9_]*(?:-\d+)?)\)?")
"""By how much: a number, a name, or one less than a name, which stands in parentheses."""
KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)")
ELLIPSIS = re.compile(r"\.\.\.")


@dataclass(frozen=True)
class Text:
    """A string; ``cut`` where strace did not write all of it."""

    data: bytes
    cut: bool = False


@dataclass(frozen=True)
class Bytes:
    """Bytes written as a hardware address."""

    data: bytes


@dataclass(frozen=True)
class Called:
    """Something written as a call: name and arguments."""

    name: str
    arguments: Sequence[Any]


@dataclass(frozen=True)
class Symbols:
    """Names and numbers, or-ed together: text of each."""

    parts: Sequence[str]

    @property
    def text(self) -> str:
        """As it was written."""
        return "|".join(self.parts)


class Cut:
    """Where strace wrote "...": something is left out."""

    def __repr__(self) -> str:
        return "..."


CUT = Cut()


def read(text: str, at: int = 0) -> tuple[list[Any], int]:
    """The arguments of a call whose opening parenthesis stands before ``at``; and where the closing one stands. Raises
    ValueError."""
    reader = Reader(text, at)
    values = reader.listed(")", 0)
    return values, reader.at - 1


def filled(value: Any) -> str | None:
    """The field that a call fills, whose address is its last argument: `inet_pton(AF_INET6, "::1", &idiag_src)`."""
    last = value.arguments[-1] if isinstance(value, Called) and value.arguments else None
    return last.text if isinstance(last, Symbols) else None


class Reader:
    """A text, and how far it has been read."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at

    def skip(self) -> None:
        """Over spaces and comments."""
        match = SPACE.match(self.text, self.at)
        assert match
        self.at = match.end()

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What stands there, if it is that."""
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def error(self, wanted: str) -> ValueError:
        """That something else stands there."""
        found = self.text[self.at : self.at + 30] or "the end of the line"
        return ValueError(f"{wanted} expected, and not {found}")

    def listed(self, end: str, depth: int) -> list[Any]:
        """Values up to that character, which is read too."""
        values: list[Any] = []
        while True:
            self.skip()
            if self.text[self.at : self.at + 1] == end:
                self.at += 1
                return values
            if values:
                if self.text[self.at : self.at + 1] != ",":
                    raise self.error(f"a comma or {end}")
                self.at += 1
                self.skip()
            values.append(self.value(depth + 1))

    def fields(self, depth: int) -> dict[str, Any]:
        """The members of a structure, up to its closing brace, which is read too."""
        values: dict[str, Any] = {}
        while True:
            self.skip()
            if self.text[self.at : self.at + 1] == "}":
                self.at += 1
                return values
            if values:
                if self.text[self.at : self.at + 1] != ",":
                    raise self.error("a comma or }")
                self.at += 1
                self.skip()
            key = self.take(KEY)
            if key:
                self.skip()
                values[key[1]] = self.value(depth + 1)
            else:  # something without a name: a call that fills a field, or what is left out
                value = self.value(depth + 1)
                values[filled(value) or f"[{len(values)}]"] = value

    def value(self, depth: int) -> Any:
        """One value."""
        if depth > DEPTH:
            raise ValueError(f"values nested deeper than {DEPTH}")
        self.skip()
        character = self.text[self.at : self.at + 1]
        if character == "{":
            self.at += 1
            return self.fields(depth)
        if character == "[":
            return self.list_or_element(depth)
        if string := self.take(STRING):
            return Text(unescaped(string[1]), bool(string[2]))
        if self.take(ELLIPSIS):
            return CUT
        if mac := self.take(MAC):
            return Bytes(bytes.fromhex(mac[0].replace(":", "")))
        if character == "&":  # &sin6_addr, of inet_pton()
            self.at += 1
        return self.symbols(depth)

    def list_or_element(self, depth: int) -> Any:
        """A list; or, of an array whose elements are numbered (`[IPV4_DEVCONF_FORWARDING-1] = 0`), an element."""
        self.at += 1
        values = self.listed("]", depth)
        begin = self.at
        self.skip()
        if len(values) == 1 and self.text[self.at : self.at + 1] == "=":
            self.at += 1
            return self.value(depth)
        self.at = begin
        if self.text[self.at : self.at + 2] == "=>":
            raise self.error("the end of a list")
        return values

    def symbols(self, depth: int) -> Any:
        """Names and numbers, or-ed; a call."""
        parts: list[str] = []
        while True:
            self.skip()
            number = self.take(NUMBER)
            word = None if number else self.take(WORD)
            found = number or word
            if found is None:
                raise self.error("a value")
            text = found[0]
            if word and self.text[self.at : self.at + 1] == "(":
                self.at += 1
                called: Any = Called(text, self.listed(")", depth))
                self.skip()
                if not parts and self.text[self.at : self.at + 1] != "|":
                    return called
                raise self.error("a value that is no call")
            if self.text[self.at : self.at + 2] == "<<":
                self.at += 2
                shift = self.take(SHIFT)
                if shift is None:
                    raise self.error("a number")
                text = f"{text}<<{shift[1]}"
            elif self.text[self.at : self.at + 1] == "<":  # a descriptor with what it is open on (strace -y)
                close = self.text.find(">", self.at)
                if close < 0:
                    raise self.error("an end of <")
                text += self.text[self.at : close + 1]
                self.at = close + 1
            parts.append(text)
            self.skip()
            if self.text[self.at : self.at + 1] == "|":
                self.at += 1
                continue
            if self.text[self.at : self.at + 2] == "=>":  # a value that the kernel changed: what it was, what it is
                self.at += 2
                return self.value(depth)
            return Symbols(tuple(parts))
