"""pytest's option --nlemu-coverage, with pytest-xdist and without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nlemu.project import ROOT

TESTS = """
import pytest
from nlemu import NLM_F, NlError

@pytest.mark.parametrize("name", ["red", "blue"])
def test_links(nlemu, name):
    links = nlemu.family("rt-link")
    link = {"ifname": name, "linkinfo": {"kind": "dummy"}}
    links.do("newlink", link, NLM_F.CREATE)
    with pytest.raises(NlError):
        links.do("newlink", link, NLM_F.CREATE | NLM_F.EXCL)
"""


def run(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (place / "test_mine.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "nlemu.pytest_plugin"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command += ["--rootdir", str(place), "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=120)


def test_it_is_told_at_the_end(tmp_path: Path) -> None:
    done = run(tmp_path, "--nlemu-coverage")
    assert done.returncode == 0, done.stdout
    assert "netlink coverage" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("route.newlink")]
    assert line.split()[1:3] == ["4", "2"]


def test_workers_are_added_up(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    done = run(tmp_path, "-p", "xdist", "-n", "2", "--nlemu-coverage=out")
    assert done.returncode == 0, done.stdout
    told = json.loads((tmp_path / "out" / "coverage.json").read_text())["report"]["used"]["route.newlink"]
    assert (told["asked"], told["refused"]) == (4, 2)
    assert (tmp_path / "out" / "coverage.html").exists()


def test_a_test_is_not_taken_for_a_directory(tmp_path: Path) -> None:
    done = run(tmp_path, "--nlemu-coverage", "test_mine.py")
    assert done.returncode == 4
    assert "test_mine.py is no directory" in done.stderr


def test_nothing_is_told_unless_it_is_wanted(tmp_path: Path) -> None:
    assert "coverage" not in run(tmp_path).stdout
