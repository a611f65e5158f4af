"""Addresses and times of IPv4 and IPv6 as messages hold them."""

from __future__ import annotations

CENTISECOND = 10_000_000
"""In nanoseconds: the unit of time stamps (cstamp_delta())."""


def pack4(address: int) -> bytes | None:
    """An address of IPv4 as it is written; one that is all zeros is not."""
    return address.to_bytes(4, "big") if address else None


def pack6(address: int) -> bytes | None:
    """The same of IPv6."""
    return address.to_bytes(16, "big") if address else None


def stamp(time: int) -> int:
    """A time as a 32-bit number of hundredths of a second since boot."""
    return time // CENTISECOND & 0xFFFFFFFF
