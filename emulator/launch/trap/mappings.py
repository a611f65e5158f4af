"""The memory of a task that a kernel would pin (pin_user_pages()), as /proc/PID/smaps tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress


def writable(tid: int, address: int, length: int) -> tuple[int, int]:
    """How many bytes from that address on, up to so many, are there and can be written; and the size of the smallest
    page among them, in bytes."""
    at, least = address, length
    for start, end, may_write, page in _mappings(tid):
        if end <= at:
            continue
        if start > at or not may_write or at >= address + length:
            break
        at, least = end, min(least, page)
    return min(at - address, length), least


def _mappings(tid: int) -> Iterator[tuple[int, int, bool, int]]:
    """What is mapped, in order: from where, to where, whether it can be written, the size of its pages in bytes."""
    start = end = 0
    may_write = False
    with suppress(OSError), open(f"/proc/{tid}/smaps", encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            name, *rest = line.split()
            if name == "KernelPageSize:":
                yield start, end, may_write, 1024 * int(rest[0])
            elif not name.endswith(":"):
                start, end = (int(place, 16) for place in name.split("-"))
                may_write = "w" in rest[0]
