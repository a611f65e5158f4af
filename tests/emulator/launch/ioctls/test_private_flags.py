"""ETHTOOL_GPFLAGS and ETHTOOL_SPFLAGS, and what the program ethtool makes of private flags."""

from __future__ import annotations

import sys
from errno import EOPNOTSUPP

import pytest

from nlemu import Kernel
from nlemu.protocol.uapi.ethtool import EthtoolIoctl
from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

PROGRAM = """
import ctypes, fcntl, socket, struct, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
name, command, value = sys.argv[1].encode(), int(sys.argv[2]), int(sys.argv[3])
asked = ctypes.create_string_buffer(struct.pack("=II", command, value), 8)
try:
    fcntl.ioctl(sock, 0x8946, struct.pack("=16sQ16x", name, ctypes.addressof(asked)))
    print(struct.unpack("=II", asked.raw)[1])
except OSError as error:
    print(-error.errno)
"""


def ask(kernel: Kernel, name: str, command: EthtoolIoctl, value: int = 0) -> int:
    arguments = (name, str(int(command)), str(value))
    return int(kernel.run(sys.executable, "-c", PROGRAM, *arguments).stdout)


def test_by_ioctl() -> None:
    """Linux tells of who asks, and not of who sets."""
    with Kernel() as kernel:
        kernel.do(nic_new="0000:08:00.0", profile="mlx5_core", name="eth0")
        kernel.do(nic_new="0000:09:00.0", profile="ena", name="eth1")
        heard = kernel.listen("ethtool", "monitor")
        assert ask(kernel, "eth0", EthtoolIoctl.SPFLAGS, 0x28) == 0x28
        assert not list(heard.notifications(0))
        assert ask(kernel, "eth0", EthtoolIoctl.GPFLAGS) == 0x28
        assert [one.name for one in heard.notifications(0)] == ["privflags-ntf"]
        for command in (EthtoolIoctl.GPFLAGS, EthtoolIoctl.SPFLAGS):
            assert ask(kernel, "eth1", command) == -EOPNOTSUPP


def test_ethtool() -> None:
    nobody.need("ethtool")
    with Kernel() as kernel:
        kernel.do(nic_new="0000:08:00.0", profile="gve", name="eth0")
        kernel.run("ethtool", "--set-priv-flags", "eth0", "report-stats", "on")
        shown = kernel.run("ethtool", "--show-priv-flags", "eth0").stdout
        assert shown == "Private flags for eth0:\nreport-stats: on\n"
        assert "supports-priv-flags: yes\n" in kernel.run("ethtool", "-i", "eth0").stdout
