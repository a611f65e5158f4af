"""Rows of 32-bit numbers, as tables of receive-side scaling and lists of rules are: without a length of their own."""

from __future__ import annotations

import struct
from collections.abc import Sequence

SIZE = 4


def pack(numbers: Sequence[int]) -> bytes:
    """The bytes of a row, little endian."""
    return struct.pack(f"<{len(numbers)}I", *numbers)


def unpack(data: bytes) -> tuple[int, ...]:
    """The numbers of a row; of a last one that is cut off, what is there of it."""
    count = -(-len(data) // SIZE)
    return struct.unpack(f"<{count}I", data.ljust(count * SIZE, b"\0"))
