"""The doors to this machine's network, tried by a program that is root: nothing outside changes.

All of it in a network and a mount namespace of its own, with a device `v0`: what is "outside" is not the machine
itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

OUTSIDE = r"""
mount -t sysfs sysfs /sys 2>/dev/null || exit 77
ip link add v0 type veth peer name v1 || exit 77
state() {
    ip -o link; ip -o address; ip route show table all; ip neigh; grep -r . /sys/class/net/*/mtu
    cat /proc/sys/net/core/somaxconn /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/v0/disable_ipv6
}
before=$(state)
"$@"
after=$(state)
[ "$before" = "$after" ] || { echo "changed: $before"; echo "to: $after"; exit 1; }
"""


def outside(*command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in namespaces of its own, as root there; fails where something has changed in them."""
    user = [] if os.getuid() == 0 else ["--map-root-user"]
    return subprocess.run(
        ["unshare", *user, "--net", "--mount", "bash", "-c", OUTSIDE, "bash", *command], capture_output=True, text=True,
        cwd=nobody.ROOT, env=os.environ | {"PYTHONPATH": str(nobody.ROOT)}, timeout=120, check=False,
    )


def through(door: str, place: Path) -> str:
    program = nobody.PROGRAMS / "doors.py"
    done = outside(sys.executable, "-m", "nlemu", "run", "--", sys.executable, str(program), door, str(place))
    if done.returncode == 77:
        pytest.fail(f"no namespaces to try it in: {done.stderr}") if "CI" in os.environ else pytest.skip(done.stderr)
    assert done.returncode == 0, f"{door}: {done.stdout}\n{done.stderr}"
    return done.stdout.rstrip("\n")


@pytest.mark.parametrize(
    ("door", "told"),
    [
        ("files", "ENOENT ENOENT ENOENT ENOENT ENOENT ENOENT ENOENT ENOENT ENOENT"),
        ("knobs", "done EROFS"),
        ("mounted", "ENOENT"),
        ("settings", "done done done done done 81"),
        ("ioctls", "EINVAL ENODEV done ENODEV ENODEV ENODEV ENODEV ENODEV ENOTSUP"),
        ("tables", "ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT ENOPROTOOPT"),
        ("ring", "ENOSYS"),
        ("queues", "ENODEV ENODEV"),
        ("programs", "EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL EINVAL"),
        ("rights", "EACCES EPERM"),
    ],
)
def test_a_door(door: str, told: str, tmp_path: Path) -> None:
    assert through(door, tmp_path) == told


def test_devices_that_make_interfaces(tmp_path: Path) -> None:
    """A tap is the emulator's, there or not on this machine; of the other device there is none, as where the kernel
    lacks the driver."""
    assert through("tap", tmp_path) == f"done {'ENODEV' if Path('/dev/ppp').exists() else 'ENOENT'}"


def test_the_look_at_what_is_outside_sees_something() -> None:
    """The same without the emulator: it would tell."""
    done = outside("sh", "-c", "echo 1400 > /sys/class/net/v0/mtu")
    assert done.returncode == 1
    assert "mtu 1400" in done.stdout
