"""docs/go.md shows a test that passes on the emulator, and is skipped without it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nlemu.emulator.daemon.background import daemon

ROOT = Path(__file__).resolve().parents[2]
(EXAMPLE,) = re.findall(r"```go\n(.*?)```", (ROOT / "docs/go.md").read_text(), re.DOTALL)
PACKAGES = Path("/usr/share/gocode")
"""Where Debian has Go's libraries."""


@pytest.fixture(scope="module")
def go_test(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the page's test, built already."""
    compiler = shutil.which("go")
    if compiler is None or not (PACKAGES / "src/github.com/vishvananda/netlink").exists():
        pytest.skip("golang-go and golang-github-vishvananda-netlink-dev are not installed")
    place = tmp_path_factory.mktemp("go")
    (place / "links_test.go").write_text(EXAMPLE)
    settings = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOPATH": str(PACKAGES), "GOFLAGS": "",
                "GOCACHE": str(tmp_path_factory.mktemp("cache"))}
    program = place / "mine.test"
    command = [compiler, "test", "-c", "-o", str(program), "."]
    subprocess.run(command, cwd=place, env=os.environ | settings, check=True, timeout=300)
    return [str(program), "-test.v"]


def test_it_passes(go_test: list[str]) -> None:
    nlemu = [sys.executable, "-m", "nlemu"]
    if subprocess.run([*nlemu, "check"], cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        pytest.skip("nlemu run does not work here")
    with daemon() as directory:
        run = subprocess.run(
            [*nlemu, "run", "--dir", directory, "--", *go_test], cwd=ROOT, capture_output=True, text=True, timeout=120,
            env=os.environ | {"NLEMU_DIR": str(directory)},
        )
    assert run.returncode == 0 and run.stdout.count("--- PASS") == 2, run.stdout + run.stderr


def test_it_is_skipped_without(go_test: list[str], tmp_path: Path) -> None:
    nowhere = os.environ | {"NLEMU_DIR": str(tmp_path / "nowhere")}
    run = subprocess.run(go_test, env=nowhere, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0 and run.stdout.count("--- SKIP") == 2, run.stdout + run.stderr
