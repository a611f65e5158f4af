"""The road with ethtool: road.sh passes on every profile that lends queues, and says where it ends on ice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nlemu.emulator.client.control import Control
from nlemu.emulator.daemon.background import daemon
from tests.emulator.launch.nobody import need
from tests.road.test_road import LENDING

ROOT = Path(__file__).resolve().parents[2]


def road(profile: str) -> subprocess.CompletedProcess[str]:
    for program in ("ip", "ethtool"):
        need(program)
    nlemu = f"{sys.executable} -m nlemu"
    with daemon() as directory, Control(directory) as control:
        control.do(nic_new="0000:08:00.0", profile=profile, name="nic0", queues=8)
        return subprocess.run(
            [*nlemu.split(), "run", "--dir", directory, "--",
             "sh", "-c", f"ip link set nic0 up; . {ROOT}/tests/road/road.sh"],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
            env=os.environ | {"NIC": "nic0", "INDEX": "2", "QUEUES": "8", "NLEMU": nlemu, "NLEMU_DIR": str(directory),
                              "PYTHONPATH": str(ROOT)},
        )


@pytest.mark.parametrize("profile", LENDING)
def test_it_passes(profile: str) -> None:
    done = road(profile)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "{'id': 1}" in done.stdout and "Direct to queue 7" in done.stdout


def test_ice_does_not_lend() -> None:
    done = road("ice")
    assert done.returncode and "Lease device does not support queue management operations" in done.stdout
