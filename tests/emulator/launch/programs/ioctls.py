"""Asks devices by ioctl, sets them, and listens to what is announced. Prints a line a question: what is returned, in
hexadecimal, or the errno; behind a bar, the commands of ethtool's notifications and the types of rtnetlink's messages.

Runs on Linux (as root, where nothing else has devices) and on the emulator.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

SETUP = """
echo "7 1" > /sys/bus/netdevsim/new_device
until dev=$(ls /sys/bus/netdevsim/devices/netdevsim7/net); do :; done
ip link set $dev down; ip link set $dev name n0
ip link set n0 address 02:00:00:00:00:07
ip link add d0 index 10 address 02:00:00:00:00:0d type dummy
ip link add v0 index 11 address 02:00:00:00:00:0a numrxqueues 2 numtxqueues 2 type veth \
    peer name v1 index 12 address 02:00:00:00:00:0b
ip addr add 192.0.2.1/24 broadcast 192.0.2.255 dev d0
ip addr add 192.0.2.2/24 label d0:x dev d0
ip addr add 198.51.100.1 peer 198.51.100.2/32 dev d0
for dev in lo n0 d0 v0 v1; do
    echo 1 > /proc/sys/net/ipv6/conf/$dev/disable_ipv6
    ip link set $dev up
done
until [ "$(cat /sys/class/net/v0/operstate)$(cat /sys/class/net/v1/operstate)" = upup ]; do :; done
"""
DEVICES = ("lo", "n0", "d0", "v0", "none")
GENL, ROUTE = 16, 0
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def ask(command: int, request: bytes, sock: socket.socket = udp) -> bytes:
    """The ioctl with a struct ifreq."""
    return fcntl.ioctl(sock, command, request.ljust(40, b"\0"))


def told(function: Callable[..., Any], *arguments: Any) -> str:
    try:
        answer = function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return answer.rstrip(b"\0").hex() if isinstance(answer, bytes) else str(answer)


def name(dev: str) -> bytes:
    return dev.encode().ljust(16, b"\0")


def inet(address: str, family: int = 2) -> bytes:
    return struct.pack("=HH4s8x", family, 0, socket.inet_aton(address))


class Heard:
    """Who listens to ethtool's group and rtnetlink's of links, addresses and routes of IPv4."""

    def __init__(self) -> None:
        self.route = socket.socket(16, socket.SOCK_RAW, ROUTE)
        self.route.bind((0, 1 | 0x10 | 0x40))
        self.genl = socket.socket(16, socket.SOCK_RAW, GENL)
        text = b"ethtool\0"
        attribute = struct.pack("=HH", 4 + len(text), 2) + text
        self.genl.send(struct.pack("=IHHIIBBH", 20 + len(attribute), 16, 1, 1, 0, 3, 1, 0) + attribute)
        reply = self.genl.recv(65536)
        at = reply.index(b"monitor\0") - 4
        group = struct.unpack_from("=I", reply, at - 4)[0]
        self.genl.setsockopt(270, 1, group)
        for sock in (self.route, self.genl):
            sock.setblocking(False)

    def all(self) -> str:
        heard = []
        for letter, sock in (("e", self.genl), ("r", self.route)):
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = sock.recv(65536)
                    number = data[16] if letter == "e" else struct.unpack_from("=H", data, 4)[0]
                    heard.append(f"{letter}{number}")
        return " ".join(heard)


def reads() -> Iterator[tuple[str, str]]:
    """The interface ioctls that only read."""
    for dev in (*DEVICES, "d0:x", "d0:y"):
        for command in (
            0x8913,
            0x8915,
            0x8917,
            0x8919,
            0x891B,
            0x891D,
            0x891F,
            0x8921,
            0x8927,
            0x8929,
            0x8933,
            0x8938,
            0x8942,
            0x8970,
            0x8971,
            0x8947,
            0x8948,
            0x89B1,
            0x8925,
            0x894A,
            0x8993,
            0x89F1,
        ):
            yield f"{dev} {command:x}", told(ask, command, name(dev))
    for family in (16, socket.AF_UNIX, socket.AF_INET6):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            for command in (0x8915, 0x8913, 0x8914):
                yield f"family {family} {command:x}", told(ask, command, name("d0"), sock)
    for index in (1, 10, 99):
        yield f"name of {index}", told(ask, 0x8910, bytes(16) + struct.pack("=i", index))
    for address in ("192.0.2.2", "198.51.100.1", "10.0.0.1"):
        for dev in ("d0", "d0:x"):
            for command in (0x8915, 0x8917, 0x8919, 0x891B):
                yield f"{dev} {command:x} {address}", told(ask, command, name(dev) + inet(address))


def lists() -> Iterator[tuple[str, str]]:
    """SIOCGIFCONF with rooms of several sizes, and none."""
    for family in (2, 16, socket.AF_UNIX):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            for room in (None, -1, 0, 39, 40, 80, 119, 4096):
                buffer = ctypes.create_string_buffer(4096)
                place = 0 if room is None else ctypes.addressof(buffer)
                answer = told(fcntl.ioctl, sock, 0x8912, struct.pack("=i4xQ", room or 0, place))
                yield f"list {family} {room}", f"{answer[:8]} {buffer.raw.rstrip(bytes(1)).hex()}"
            yield f"list {family} nowhere", told(fcntl.ioctl, sock, 0x8912, struct.pack("=i4xQ", 80, 8))


def number(value: int) -> bytes:
    return struct.pack("=i", value)


def changes() -> Iterator[tuple[str, str]]:
    """The interface ioctls that change something, and what is announced."""
    heard = Heard()
    for dev, command, value in (
        ("d0", 0x8914, struct.pack("=H", 0x1041)),
        ("d0", 0x8914, struct.pack("=H", 0x1041 | 0x100)),
        ("d0", 0x8914, struct.pack("=H", 0x1041 | 0x200)),
        ("d0", 0x8914, struct.pack("=H", 0x1041)),
        ("d0", 0x8914, struct.pack("=H", 0x1040)),
        ("d0", 0x8914, struct.pack("=H", 0x1041)),
        ("d0:x", 0x8914, struct.pack("=H", 1)),
        ("d0:x", 0x8914, struct.pack("=H", 0)),
        ("d0:x", 0x8914, struct.pack("=H", 0)),
        ("none", 0x8914, struct.pack("=H", 0)),
        ("d0", 0x8922, number(1400)),
        ("d0", 0x8922, number(1400)),
        ("d0", 0x8922, number(-1)),
        ("v0", 0x8922, number(10)),
        ("v0", 0x8922, number(70000)),
        ("none", 0x8922, number(1400)),
        ("d0", 0x8943, number(7)),
        ("d0", 0x8943, number(-1)),
        ("d0", 0x8943, number(40000)),
        ("d0", 0x891E, number(1)),
        ("d0", 0x8930, number(1)),
        ("d0", 0x8920, number(1)),
        ("d0", 0x8911, number(1)),
        ("d0", 0x8971, bytes(24)),
        ("d0", 0x8924, struct.pack("=H6s", 1, b"\2\0\0\0\0\x0f")),
        ("d0", 0x8924, struct.pack("=H6s", 1, b"\1\0\0\0\0\x0f")),
        ("d0", 0x8924, struct.pack("=H6s", 0, b"\2\0\0\0\0\x0d")),
        ("lo", 0x8924, struct.pack("=H6s", 772, bytes(6))),
        ("d0", 0x8937, struct.pack("=H6s", 1, b"\xff" * 5 + b"\xfe")),
        ("d0", 0x8937, struct.pack("=H6s", 2, b"\xff" * 6)),
        ("d0", 0x8937, struct.pack("=H6s", 1, b"\xff" * 6)),
        ("d0", 0x8931, struct.pack("=H6s", 0, b"\1\0\x5e\0\0\5")),
        ("d0", 0x8932, struct.pack("=H6s", 0, b"\1\0\x5e\0\0\5")),
        ("d0", 0x8932, struct.pack("=H6s", 0, b"\1\0\x5e\0\0\5")),
        ("d0", 0x8931, struct.pack("=H6s", 1, b"\1\0\x5e\0\0\5")),
        ("lo", 0x8931, struct.pack("=H6s", 0, b"\1\0\x5e\0\0\5")),
        ("v0", 0x8916, inet("10.1.2.3")),
        ("v0", 0x8916, inet("10.1.2.3")),
        ("v0", 0x8916, inet("192.168.5.1")),
        ("v0", 0x891C, inet("255.255.0.0")),
        ("v0", 0x891C, inet("255.255.0.0")),
        ("v0", 0x891C, inet("255.0.255.0")),
        ("v0", 0x891A, inet("192.168.9.255")),
        ("v0", 0x8918, inet("192.168.5.7")),
        ("v0", 0x8916, inet("224.0.0.1")),
        ("v0", 0x8916, inet("10.1.2.3", 10)),
        ("v0:a", 0x8916, inet("172.16.0.1")),
        ("v0:b", 0x8916, inet("172.16.0.2")),
        ("v0:a", 0x891C, inet("255.255.255.254")),
        ("v0:a", 0x8914, struct.pack("=H", 0)),
        ("v0:c", 0x891C, inet("255.0.0.0")),
        ("v0", 0x8916, inet("0.0.0.0")),
        ("none", 0x8916, inet("10.1.2.3")),
        ("n0", 0x8916, inet("240.0.0.1")),
        ("n0", 0x8936, inet("240.0.0.1")),
        ("lo", 0x8916, inet("127.0.0.2")),
        ("d0", 0x8923, name("d1")),
        ("d0", 0x8923, name("d2")),
        ("d1", 0x8923, name("v0")),
        ("d1", 0x8923, name("a/b")),
        ("d1", 0x8923, name("d0")),
        ("d1", 0x8923, name("d%d")),
        ("none", 0x8923, name("d9")),
    ):
        what = value.rstrip(b"\0").hex()
        yield f"{dev} {command:x} {what}", f"{told(ask, command, name(dev) + value)} | {heard.all()}"
    done = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    for line in done.splitlines():
        if " inet " in line:
            yield "address", " ".join(line.split())


def rights() -> Iterator[tuple[str, str]]:
    """The same as somebody who may not change anything: what is refused is told first, or not."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    for dev in ("d0", "none"):
        for command in (
            0x8914,
            0x8916,
            0x8918,
            0x891A,
            0x891C,
            0x891E,
            0x8920,
            0x8922,
            0x8923,
            0x8924,
            0x8930,
            0x8931,
            0x8932,
            0x8937,
            0x8943,
            0x8971,
            0x8913,
            0x8915,
            0x8947,
            0x89B0,
            0x89B1,
            0x8990,
            0x8993,
            0x89F0,
        ):
            yield f"{dev} {command:x}", told(ask, command, name(dev))


if __name__ == "__main__":
    subprocess.run(["sh", "-c", SETUP], check=True)
    for section in sys.argv[1:]:
        for what, answer in globals()[section]():
            print(f"{section} {what}: {answer}")
