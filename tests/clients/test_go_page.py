"""docs/go.md shows a test that passes: by itself, on a daemon that is there, and skipped without the emulator."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nlemu.emulator.daemon.background import daemon
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.recording import in_memory

ROOT = Path(__file__).resolve().parents[2]
(EXAMPLE,) = re.findall(r"```go\n(.*?)```", (ROOT / "docs/go.md").read_text(), re.DOTALL)
PACKAGES = Path("/usr/share/gocode")
"""Where Debian has Go's libraries."""
NLEMU = [sys.executable, "-m", "nlemu"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's test, built."""
    compiler = shutil.which("go")
    if compiler is None or not (PACKAGES / "src/github.com/vishvananda/netlink").exists():
        pytest.skip("golang-go and golang-github-vishvananda-netlink-dev are not installed")
    place = tmp_path_factory.mktemp("go")
    shutil.copytree(ROOT / "go" / "nlemutest", place / "src" / "nlemu" / "nlemutest")
    home = place / "src" / "mine"
    home.mkdir()
    (home / "links_test.go").write_text(EXAMPLE)
    settings = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOPATH": f"{place}:{PACKAGES}", "GOFLAGS": "",
                "GOCACHE": str(tmp_path_factory.mktemp("cache"))}
    built = place / "mine.test"
    subprocess.run([compiler, "vet", "nlemu/nlemutest"], cwd=home, env=os.environ | settings, check=True, timeout=300)
    subprocess.run(
        [compiler, "test", "-c", "-o", str(built), "."], cwd=home, env=os.environ | settings, check=True, timeout=300
    )
    return built


def works() -> None:
    if subprocess.run([*NLEMU, "check"], cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        pytest.skip("nlemu run does not work here")


def run(command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "NLEMU_DIR"}
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**inherited, "PYTHONPATH": str(ROOT), **settings},
    )


def test_it_needs_nothing_around_it(program: Path, tmp_path: Path) -> None:
    works()
    nlemu = tmp_path / "nlemu"
    nlemu.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nlemu "$@"\n')
    nlemu.chmod(0o755)
    done = run([str(program), "-test.v"], PATH=f"{tmp_path}:{os.environ['PATH']}", TMPDIR=str(tmp_path))
    assert done.returncode == 0 and done.stdout.count("--- PASS") == 2, done.stdout + done.stderr
    assert not list(tmp_path.glob("nlemutest*")), "the daemon's place is gone"
    done = run([str(program), "-test.run", "Nothing"], PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 0


def test_it_passes_on_a_daemon_that_is_there(program: Path) -> None:
    works()
    with daemon(lambda: in_memory()[0].begin(Machine())) as directory:
        done = run([*NLEMU, "run", "--dir", str(directory), "--", str(program), "-test.v"], NLEMU_DIR=str(directory))
    assert done.returncode == 0 and done.stdout.count("--- PASS") == 2, done.stdout + done.stderr


def test_it_is_skipped_without(program: Path, tmp_path: Path) -> None:
    for settings in ({"PATH": str(tmp_path)}, {"NLEMU_DIR": str(tmp_path / "nowhere")}):
        done = run([str(program), "-test.v"], **settings)
        assert done.returncode == 0 and done.stdout.count("--- SKIP") == 2, done.stdout + done.stderr
