"""What is different in two answers to one request: by bytes, or by what their messages say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from nlemu.emulator.script.relaxed import Relaxed
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import describe, title
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import Families

Answer = Sequence[bytes]
"""Datagrams."""


@dataclass(frozen=True)
class Comparison:
    """How answers are read: their protocol, and the families under the numbers that either side has. Lines with "-"
    tell what was expected, with "+" what there is; the line before them in which message."""

    protocol: int
    expected: Families
    found: Families

    def strictly(self, wanted: Answer, got: Answer) -> list[str]:
        """How datagrams differ, byte for byte."""
        lines: list[str] = []
        for one, other in zip_longest(wanted, got):
            if one != other:
                lines += [f"- {line}" for line in self._described(one, self.expected)]
                lines += [f"+ {line}" for line in self._described(other, self.found)]
        return lines

    def freely(
        self, wanted: Answer, got: Answer, relaxed: Relaxed, passed_over: Callable[[bytes], bool] = lambda _: False
    ) -> list[str]:
        """How messages differ, however they are divided into datagrams. passed_over: which are not compared."""
        lines: list[str] = []
        one_side, other_side = (
            [message for datagram in datagrams for _, message in split(datagram) if not passed_over(message)]
            for datagrams in (wanted, got)
        )
        for one, other in zip_longest(one_side, other_side):
            if one is None or other is None:
                lines += [f"- {line}" for line in self._described(one, self.expected)[:1]]
                lines += [f"+ {line}" for line in self._described(other, self.found)[:1]]
                continue
            found = relaxed.differences(one, other, self.protocol, self.expected, self.found)
            if found:
                lines += [f"  {title(read(one, self.protocol, self.expected))}", *found]
        return lines

    def _described(self, datagram: bytes | None, families: Families) -> list[str]:
        return ["nothing"] if datagram is None else describe(datagram, self.protocol, families)
