"""Netlink protocols other than rtnetlink and generic netlink, as programs meet them under `nlemu run`.

The kernel is the one configured as a distribution's.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.emulator.launch import nobody
from tests.emulator.launch.test_clients import go

__all__ = ["go"]

pytestmark = pytest.mark.usefixtures("supervision")

DISTRIBUTION = """
from functools import partial
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2
machine.Machine = partial(machine.Machine, build=DISTRIBUTION_7_2)
"""

MONITOR = """
import os, socket
kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 15)
kernel.bind((0, 1))
udev = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 15)
udev.bind((0, 2))
os.system("ip link add d0 type dummy; ip link set d0 name d1; ip link del d1")
for _ in range(7):
    data, sender = kernel.recvfrom(8192)
    print(sender, *data.decode().split("\\0")[:-2])
# What udev tells its own listeners goes through the group that the kernel does not use.
kernel.sendto(b"libudev\\0and more", (0, 2))
data, sender = udev.recvfrom(8192)
print(data, sender[0] == kernel.getsockname()[0], sender[1])
"""

COME = (
    "add@{0}/queues/{1} ACTION=add DEVPATH={0}/queues/{1} SUBSYSTEM=queues",
    "add@{0} ACTION=add DEVPATH={0} SUBSYSTEM=net INTERFACE={2} IFINDEX=2",
)


def run(*program: str, errors: bool = False) -> str:
    """What a program prints there; with ``errors`` what it prints on standard error too."""
    command = nobody.command("run", "--", *program)
    command[3] = command[3].replace("sys.exit(", DISTRIBUTION + "sys.exit(")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=nobody.environment(), check=False)
    assert errors or (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout + (done.stderr if errors else "")


def test_a_monitor_of_uevents() -> None:
    nobody.need("ip")
    lines = run(nobody.python(), "-c", MONITOR).splitlines()
    old, new = "/devices/virtual/net/d0", "/devices/virtual/net/d1"
    move = f"move@{new} ACTION=move DEVPATH={new} SUBSYSTEM=net DEVPATH_OLD={old} INTERFACE=d1 IFINDEX=2"
    assert lines == [
        *(f"(0, 1) {COME[0].format(old, queue)}" for queue in ("rx-0", "tx-0")),
        f"(0, 1) {COME[1].format(old, None, 'd0')}",
        f"(0, 1) {move}",
        *(f"(0, 1) {COME[0].format(new, queue).replace('add', 'remove')}" for queue in ("rx-0", "tx-0")),
        f"(0, 1) {COME[1].format(new, None, 'd1').replace('add', 'remove')}",
        "b'libudev\\x00and more' True 2",
    ]


def test_ip_xfrm() -> None:
    nobody.need("ip")
    script = "ip xfrm state; ip xfrm policy; ip xfrm state count; ip xfrm policy count; ip xfrm state flush"
    assert [line.strip() for line in run("sh", "-ec", script).splitlines()] == [
        "SAD count 0", "SPD IN  0 OUT 0 FWD 0"
    ]
    new = "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 enc 'ecb(cipher_null)' ''"
    assert "Error: nlemu: xfrm newsa is not emulated." in run("sh", "-c", new, errors=True)


def test_ss() -> None:
    """Netlink's sockets are listed, its own among them, and no other."""
    nobody.need("ss")
    listed = [line.split()[2] for line in run("ss", "-H", "-f", "netlink").splitlines()]
    assert {"rtnl:kernel", "xfrm:kernel", "nft:kernel", "uevent:kernel", "genl:kernel"} <= set(listed)
    assert [name for name in listed if name.startswith("tcpdiag:ss")]
    assert run("ss", "-H", "-t", "-u", "-w", "-x", "-0", "-a") == ""


def test_go_with_all_protocols(go: Path) -> None:
    assert run(str(go / "handles"), errors=True).splitlines() == [
        "1 0 0 0", "operation not supported", "nlemu: WARNING: not emulated: xfrm newsa",
    ]
