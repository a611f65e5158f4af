"""A message at a glance: attributes at its top as bytes, where what the others say is not worth finding out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nlemu.protocol.schema.attributes import NLATTR
from nlemu.protocol.uapi.netlink import NLA_TYPE_MASK


def top(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The attributes that begin there, by number, with their bytes; up to what makes none."""
    while len(data) - at >= NLATTR.size:
        length, number = NLATTR.unpack_from(data, at)
        if not NLATTR.size <= length <= len(data) - at:
            return
        yield number & NLA_TYPE_MASK, data[at + NLATTR.size : at + length]
        at += length + 3 & ~3


def firsts(data: bytes, at: int, numbers: Iterable[int]) -> dict[int, bytes]:
    """Of the attributes that begin there the first of each of these numbers; the rest of them is not looked at."""
    wanted, found = set(numbers), dict[int, bytes]()
    if not wanted:
        return found
    for number, payload in top(data, at):
        if number in wanted:
            found[number] = payload
            wanted.remove(number)
            if not wanted:
                break
    return found
