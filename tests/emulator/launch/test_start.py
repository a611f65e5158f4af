"""What a start imports: what it takes, and nothing of what most programs never ask for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.emulator.launch import nobody

SEEN = "import sys; from nlemu.emulator.cli import main; main({arguments!r}); print(*sys.modules, file=sys.stderr)"
KINDS = "nlemu.emulator.kernel.links."


def imported(*arguments: str) -> set[str]:
    """The modules that there are at the end of that command line."""
    done = subprocess.run(
        [sys.executable, "-c", SEEN.format(arguments=list(arguments))], cwd=nobody.ROOT, capture_output=True, text=True,
        check=True,
    )
    return set(done.stderr.split())


@pytest.mark.usefixtures("supervision")
def test_of_a_program_that_asks_for_nothing() -> None:
    there = imported("run", "--", "true")
    assert "nlemu.emulator.launch.supervisor" in there
    assert there.isdisjoint({
        "trio", "construct", "nlemu.protocol.schema", "nlemu.emulator.machine.endpoint", "nlemu.emulator.kernel.nics",
        "nlemu.emulator.launch.ioctls", "nlemu.emulator.launch.files.sysfs", "nlemu.emulator.launch.files.procfs",
        "nlemu.emulator.launch.rings.calls", "nlemu.emulator.launch.bpf.calls", "nlemu.emulator.launch.xsk.calls",
    })
    assert {name for name in there if name.startswith(KINDS)} == {f"{KINDS}loopback"}


@pytest.mark.usefixtures("supervision")
def test_of_a_program_that_counts_processors() -> None:
    there = imported("run", "--", "cat", "/sys/devices/system/cpu/online")
    assert "nlemu.emulator.launch.files.cards" not in there


@pytest.mark.usefixtures("supervision")
def test_of_a_program_that_looks_at_a_device() -> None:
    there = imported("run", "--", "cat", "/sys/class/net/lo/mtu")
    assert "nlemu.emulator.launch.files.sysfs" in there and "nlemu.emulator.kernel.nics" in there
    assert "nlemu.emulator.launch.ioctls" not in there
