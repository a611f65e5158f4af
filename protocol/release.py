"""Releases of Linux, as what differs between them is dated: an attribute, an operation or a text is there ``since`` one
release and ``until`` another.

A release is compared, never taken apart: `release >= V7_3`. A number of a version stands here and nowhere else.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Release(NamedTuple):
    """A release: major, minor and patch number. Ordered as Linux's are."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse_release(text: str) -> Release:
    """The release of a text such as "7.2.13" or "6.12.117+deb13-amd64": what follows the numbers is not looked at, and
    numbers that are missing are 0."""
    numbers = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?", text)
    return Release(*(int(number or 0) for number in numbers.groups())) if numbers else Release(0, 0)


V6_12 = Release(6, 12)
V7_1 = Release(7, 1)
V7_2 = Release(7, 2)
V7_3 = Release(7, 3)

V6_12_117 = Release(6, 12, 117)
V7_2_13 = Release(7, 2, 13)
V7_3_4 = Release(7, 3, 4)
