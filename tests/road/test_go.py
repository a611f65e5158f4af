"""The road from Go: road_test.go passes on every profile, as its program is built by the compiler that is here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nlemu.emulator.client.control import Control
from nlemu.emulator.daemon.background import daemon
from tests.emulator.launch.nobody import need
from tests.road.test_road import LENDING

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = Path("/usr/share/gocode")
"""Where Debian has Go's libraries."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """road_test.go, built."""
    need("ip")
    compiler = shutil.which("go")
    if compiler is None or not (PACKAGES / "src/github.com/vishvananda/netlink").exists():
        pytest.skip("golang-go and golang-github-vishvananda-netlink-dev are not installed")
    place = tmp_path_factory.mktemp("go")
    shutil.copy(Path(__file__).parent / "road_test.go", place)
    settings = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOPATH": str(PACKAGES), "GOFLAGS": "",
                "GOCACHE": str(tmp_path_factory.mktemp("cache"))}
    built = place / "road.test"
    subprocess.run(
        [compiler, "test", "-c", "-o", str(built), "."], cwd=place, env=os.environ | settings, check=True, timeout=300
    )
    return built


@pytest.mark.parametrize("profile", LENDING)
def test_it_passes(program: Path, profile: str) -> None:
    with daemon() as directory, Control(directory) as control:
        control.do(nic_new="0000:08:00.0", profile=profile, name="nic0", queues=8)
        run = subprocess.run(
            [sys.executable, "-m", "nlemu", "run", "--dir", directory, "--",
             "sh", "-c", f"ip netns add pod && exec {program} -test.v"],
            cwd=ROOT, capture_output=True, text=True, timeout=120, env=os.environ | {"NIC": "nic0"},
        )
        assert run.returncode == 0 and "--- PASS: TestTheRoad" in run.stdout, run.stdout + run.stderr
