"""What SIOCETHTOOL answers under `nlemu run`, and what the program ethtool makes of it, line by line as on Linux.

`ethtool-7.2.13.txt` is what programs/ethtool.py printed on Linux 7.2.13, configured as distributions do (the kernel of
fixtures/traces/7.2.13): the sections of each group one after the other, each group in a machine of its own
(`Guest(image).shell("python3 .../ethtool.py gets faults ...")`; fixtures/README.md tells of images).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("ethtool-7.2.13.txt").read_text().splitlines()
GROUPS = (("gets", "faults", "sets", "states", "users", "rights"), ("tool",))


@cache
def printed(group: tuple[str, ...]) -> list[str]:
    """What the program prints here."""
    program = (nobody.PROGRAMS / "ethtool.py").read_text()
    return nobody.run(nobody.python(), "-c", program, *group).splitlines()


def of(section: str, lines: list[str]) -> list[str]:
    """The lines of a section."""
    return [line for line in lines if line.startswith(f"{section} ")]


@pytest.mark.parametrize(("group", "section"), [(group, section) for group in GROUPS for section in group])
def test_as_linux(group: tuple[str, ...], section: str) -> None:
    nobody.need("ip")
    expected = of(section, RECORDED)
    assert expected
    if section == "tool":
        nobody.need("ethtool")
        if expected[:2] != of(section, printed(group))[:2]:
            nobody.lacking(f"another ethtool than was recorded: {expected[1]}")
    assert of(section, printed(group)) == expected
