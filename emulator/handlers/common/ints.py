"""What the kernel keeps in an int though the request says it in an unsigned one."""

from __future__ import annotations


def s32(number: int) -> int:
    """The signed number of those 32 bits."""
    return number - (1 << 32) if number >> 31 else number
