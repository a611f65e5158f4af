"""What ioctls answer and announce under `nlemu run`, line by line as on Linux.

`7.2.13.txt` is what programs/ioctls.py printed on Linux 7.2.13, configured as distributions do (the kernel of
fixtures/traces/7.2.13), in a machine of its own, with all sections one after the other as here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("7.2.13.txt").read_text().splitlines()
SECTIONS = ("reads", "lists", "changes")


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """What the program prints here."""
    nobody.need("ip")
    program = (nobody.PROGRAMS / "ioctls.py").read_text()
    return nobody.run(nobody.python(), "-c", program, *SECTIONS).splitlines()


@pytest.mark.parametrize("section", SECTIONS)
def test_as_linux(printed: list[str], section: str) -> None:
    def of(lines: list[str]) -> list[str]:
        return [line for line in lines if line.startswith(f"{section} ")]

    assert of(RECORDED)
    assert of(printed) == of(RECORDED)
