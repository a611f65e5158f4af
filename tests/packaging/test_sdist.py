"""The sdist: everything of the checkout is in it, and the tests can be run from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GENERATED = {"PKG-INFO", "setup.cfg"}
"""What setuptools puts into an sdist, beside its egg-info."""
FOLDERS = ("nlemu", "tests", "docs", "fixtures", "deploy", "docker", "go", ".ci", ".github")


def files(place: Path) -> set[str]:
    """Names of all files below a directory, those behind nlemu's links too (which rglob() does not follow)."""
    links = [link for link in (place / "nlemu").iterdir() if link.is_symlink()]
    found = [path for folder in (place, *links) for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(place).as_posix() for path in found}


def test_it_holds_the_checkout(tree: Path, sdist: Path) -> None:
    wanted = {name for name in files(tree) if "/" not in name or name.split("/")[0] in FOLDERS}
    held = {name for name in files(sdist) if not name.startswith("nlemu.egg-info/")}
    assert held - GENERATED == wanted - GENERATED


def test_the_tests_can_be_run_from_it(sdist: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist"]
    for arguments in (["--collect-only", "-q", "tests"], ["-q", "tests/test_walls.py", "tests/test_fixtures.py"]):
        run = subprocess.run([*command, *arguments], cwd=sdist, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stdout + run.stderr
