"""Sizes of rings, as drivers round them."""

from __future__ import annotations


def power_of_two(size: int) -> int:
    """roundup_pow_of_two(), order_base_2(): the next that is not smaller; 0 of 0."""
    return 1 << (size - 1).bit_length() if size else 0


def multiple(size: int, of: int) -> int:
    """ALIGN(): the next multiple that is not smaller."""
    return -(-size // of) * of
