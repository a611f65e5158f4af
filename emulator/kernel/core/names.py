"""What devices may be called: dev_valid_name() and __dev_alloc_name() of net/core/dev.c.

A name with "%d" asks for the lowest number that is free in the namespace. The kernel looks at every name to find it;
a namespace of ours remembers which numbers are taken for the patterns that were asked for lately, so that the
ten-thousandth "nk%d" costs what the first did.
"""

from __future__ import annotations

from nlemu.protocol.uapi.if_ import IFNAMSIZ

MAX_NUMBERS = 8 * 4096
"""Eight times the page size: one bit a number in one page."""
REMEMBERED_PATTERNS = 16
"""How many patterns a namespace keeps count of; a choice of ours."""
FORBIDDEN = frozenset(b"/: \t\n\v\f\r\xa0")
"""Slash, colon, and what the kernel's isspace() takes for a space (its tables are Latin-1)."""


def valid_name(name: str) -> bool:
    """dev_valid_name()."""
    raw = name.encode("utf-8", "surrogateescape")
    return 0 < len(raw) < IFNAMSIZ and raw not in (b".", b"..") and FORBIDDEN.isdisjoint(raw)


class Numbers:
    """The numbers taken for one pattern, which is what stands before and after "%d"."""

    __slots__ = ("_low", "_prefix", "_suffix", "_taken")

    def __init__(self, prefix: str, suffix: str) -> None:
        self._prefix = prefix
        self._suffix = suffix
        self._taken: set[int] = set()
        self._low = 0

    def _number(self, name: str) -> int | None:
        if not (name.startswith(self._prefix) and name.endswith(self._suffix)):
            return None
        digits = name[len(self._prefix) : len(name) - len(self._suffix)]
        # Only what printf() would write counts: no sign, no leading zero.
        if not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and len(digits) > 1) or len(digits) > 5:
            return None
        number = int(digits)
        return number if number < MAX_NUMBERS else None

    def add(self, name: str) -> None:
        """A name came into the namespace."""
        number = self._number(name)
        if number is not None:
            self._taken.add(number)

    def drop(self, name: str) -> None:
        """A name left the namespace."""
        number = self._number(name)
        if number is not None:
            self._taken.discard(number)
            self._low = min(self._low, number)

    def lowest(self) -> int | None:
        """The lowest free number; None when there is none (ENFILE)."""
        while self._low in self._taken:
            self._low += 1
        return self._low if self._low < MAX_NUMBERS else None


def split_pattern(pattern: str) -> tuple[str, str] | None:
    """What stands before and after the one "%d"; None when there is none, or any other percent sign."""
    prefix, percent, rest = pattern.partition("%")
    if not percent or not rest.startswith("d") or "%" in rest:
        return None
    return prefix, rest[1:]
