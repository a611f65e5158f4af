"""A message at a glance: attributes at its top as bytes, where what the others say is not worth finding out."""

from __future__ import annotations

from nlemu.protocol.schema.attributes import NLATTR
from nlemu.protocol.uapi.netlink import NLA_TYPE_MASK


def first(data: bytes, at: int, wanted: int) -> bytes:
    """The bytes of the first attribute of that number among those that begin there; none where there is none, or
    something before it makes no attribute."""
    end = len(data)
    while end - at >= NLATTR.size:
        length, number = NLATTR.unpack_from(data, at)
        if not NLATTR.size <= length <= end - at:
            break
        if number & NLA_TYPE_MASK == wanted:
            return data[at + NLATTR.size : at + length]
        at += length + 3 & ~3
    return b""
