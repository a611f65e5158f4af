"""/dev/net/tun as programs have it, line by line as on Linux.

`7.2.13.txt` is what programs/tun.py printed there, on Linux 7.2.13 configured as distributions do.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.emulator.launch import nobody

pytestmark = pytest.mark.usefixtures("supervision")

RECORDED = Path(__file__).with_name("7.2.13.txt").read_text().splitlines()
PROGRAM = (nobody.PROGRAMS / "tun.py").read_text()


def test_every_command_is_as_on_linux() -> None:
    nobody.need("ip")
    assert nobody.run(nobody.python(), "-c", PROGRAM).splitlines() == RECORDED


def test_a_namespace_lives_as_long_as_a_tun_that_was_opened_in_it() -> None:
    """The device goes with the program that had it, and the namespace after it."""
    nobody.need("ip")
    script = """
import ctypes, fcntl, os, struct, subprocess
libc = ctypes.CDLL(None)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
libc.unshare(0x40000000)
tun = os.open("/dev/net/tun", os.O_RDWR)
libc.setns(home, 0)
fcntl.ioctl(tun, 0x400454CA, struct.pack("=16sH22x", b"t9", 1))
print(os.path.exists("/sys/class/net/t9"))
other = fcntl.ioctl(tun, 0x54E3, 0)
libc.setns(other, 0)
print(subprocess.run(["ip", "-o", "link", "show", "t9"], capture_output=True, text=True).stdout.split()[1])
os.close(tun)
print(subprocess.run(["ip", "-o", "link", "show", "t9"], capture_output=True, text=True).returncode)
"""
    assert nobody.run(nobody.python(), "-c", script).split() == ["False", "t9:", "1"]


def test_ip_tuntap() -> None:
    """iproute2 makes, shows and deletes them."""
    nobody.need("ip")
    script = """
ip tuntap add dev t0 mode tun user 7
ip tuntap add dev t1 mode tap multi_queue
ip tuntap show
ip tuntap del dev t1 mode tap 2>&1
ip tuntap del dev t1 mode tap multi_queue
ip tuntap show
"""
    told = nobody.run("sh", "-c", script).splitlines()
    assert told[1:] == ["t1: tap multi_queue persist", "ioctl(TUNSETIFF): Invalid argument", told[0]]
    assert told[0].startswith("t0: tun persist user ")


def test_a_tun_that_was_handed_over() -> None:
    """Handed over to a process that opened nothing, under a low number."""
    script = """
import fcntl, os, socket, struct
ours, theirs = socket.socketpair()
if not os.fork():
    _, files, _, _ = socket.recv_fds(theirs, 1, 1)
    name = fcntl.ioctl(files[0], 0x800454D2, bytes(40))[:4]
    theirs.send(name)
    os._exit(0)
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("=16sH22x", b"tun7", 1))
socket.send_fds(ours, [b"x"], [tun])
print(ours.recv(4).decode())
"""
    assert nobody.run(nobody.python(), "-c", script).strip() == "tun7"
