"""What seldom calls answer on a netlink socket under `nlemu run`, line by line as on Linux.

`7.2.13.txt` is what programs/calls.py printed on Linux 7.2.13, configured as distributions do, as root in a machine of
its own, with all sections one after the other.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("7.2.13.txt").read_text().splitlines()
SECTIONS = (
    "ioctls", "files", "vectors", "many", "events", "lost", "broadcast", "refusals", "own", "beside", "numbers",
)
PROGRAM = (nobody.PROGRAMS / "calls.py").read_text()


def of(section: str) -> list[str]:
    return [line for line in RECORDED if line.startswith(f"{section} ")]


def test_every_section_is_recorded() -> None:
    assert {line.split()[0] for line in RECORDED} == set(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_as_linux(section: str) -> None:
    assert nobody.run(nobody.python(), "-c", PROGRAM, section).splitlines() == of(section)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as root")
def test_as_linux_for_real_root() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nlemu", "run", "--", nobody.python(), "-c", PROGRAM, *SECTIONS],
        capture_output=True, text=True, timeout=120, check=False, cwd=nobody.ROOT,
    )
    assert done.stdout.splitlines() == RECORDED
