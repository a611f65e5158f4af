"""Releases of Linux, as what differs between them is dated: an attribute, an operation or a text is there ``since`` one
release and ``until`` another.

A release is compared, never taken apart: `release >= V7_3`. A number of a version stands here and nowhere else.
"""

from __future__ import annotations

from typing import NamedTuple


class Release(NamedTuple):
    """A release: major, minor and patch number. Ordered as Linux's are."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


V6_12 = Release(6, 12)
V7_1 = Release(7, 1)
V7_2 = Release(7, 2)
V7_3 = Release(7, 3)

V6_12_117 = Release(6, 12, 117)
V7_2_13 = Release(7, 2, 13)
V7_3_4 = Release(7, 3, 4)
