"""Tries one way to this machine's network, and prints how each attempt ended: the name of an errno, or "done".

Run under `nlemu run` by test_doors.py, which looks at what is outside. `v0` is a device there, and not in here.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
MTU = "class/net/v0/mtu"


def attempt(what: Callable[..., object], *arguments: object) -> str:
    try:
        what(*arguments)
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def write(path: str, text: str, dirfd: int | None = None) -> None:
    fd = os.open(path, os.O_WRONLY, dir_fd=dirfd)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def files(place: str) -> Iterator[str]:
    """A device's MTU by every spelling."""
    yield attempt(write, f"/sys/{MTU}", "1400")
    yield attempt(write, f"//sys/{MTU}", "1400")
    yield attempt(write, f"/proc/self/root/sys/{MTU}", "1400")
    yield attempt(write, f"/usr/../sys/./{MTU}", "1400")
    os.symlink(f"/sys/{MTU}", f"{place}/link")
    yield attempt(write, f"{place}/link", "1400")
    os.symlink("/sys", f"{place}/dir")
    yield attempt(write, f"{place}/dir/{MTU}", "1400")
    fd = os.open("/sys", os.O_RDONLY | os.O_DIRECTORY)
    yield attempt(write, MTU, "1400", fd)
    os.fchdir(fd)
    yield attempt(write, MTU, "1400")
    real = os.path.realpath("/proc/self/root/sys/devices/virtual")
    yield attempt(write, f"{real}/net/v0/mtu", "1400")


def knobs(place: str) -> Iterator[str]:
    """Knobs of the kernel's network that are no device's; the first is the emulator's own."""
    yield attempt(write, "/sys/class/net/bonding_masters", "+bond9")
    yield attempt(write, "/sys/module/ipv6/parameters/disable", "1")


def mounted(place: str) -> Iterator[str]:
    """A sysfs of the program's own."""
    os.mkdir(f"{place}/sysfs")
    libc.mount(b"sysfs", f"{place}/sysfs".encode(), b"sysfs", 0, None)
    yield attempt(write, f"{place}/sysfs/{MTU}", "1400")
    libc.umount2(f"{place}/sysfs".encode(), 2)


def settings(place: str) -> Iterator[str]:
    """sysctls by every spelling: they are the emulated namespace's."""
    fd = os.open("/proc/sys", os.O_RDONLY | os.O_DIRECTORY)
    yield attempt(write, "/proc/sys/net/core/somaxconn", "77")
    yield attempt(write, "//proc/sys/net/core/somaxconn", "78")
    yield attempt(write, "/proc/self/root/proc/sys/net/core/somaxconn", "79")
    yield attempt(write, "net/core/somaxconn", "80", fd)
    os.chdir("/proc/sys/net")
    yield attempt(write, "core/somaxconn", "81")
    yield Path("/proc/sys/net/core/somaxconn").read_text().strip()


def ioctls(place: str) -> Iterator[str]:
    """Routes, neighbours, bridges (the emulator's own), VLANs, bonds, addresses, flags, private ones."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    name = b"v0".ljust(16, b"\0")
    address = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton("10.9.8.7"))
    for command, request in (
        (0x890B, bytes(8) + address + address + address + struct.pack("=H", 1) + bytes(64)),
        (0x8955, address + struct.pack("=H14s", 1, bytes(14)) + struct.pack("=i", 4) + address + name),
        (0x89A0, b"br9".ljust(16, b"\0")),
        (0x8983, struct.pack("=i24s24s", 0, b"v0", struct.pack("=i", 7))),
        (0x8990, name + b"v1".ljust(24, b"\0")),
        (0x8916, name + address + bytes(8)),
        (0x8914, name + struct.pack("=H22x", 0)),
        (0x89F0, name + bytes(24)),
        (0x8B06, name + bytes(24)),
    ):
        yield attempt(fcntl.ioctl, sock, command, request)


def tables(place: str) -> Iterator[str]:
    """iptables, ip6tables, ebtables, multicast routers, IPVS."""
    for family, level, option in (
        (socket.AF_INET, 0, 64), (socket.AF_INET6, 41, 64), (socket.AF_INET, 0, 128), (socket.AF_INET, 0, 200),
        (socket.AF_INET, 0, 1153),
    ):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            yield attempt(sock.setsockopt, level, option, bytes(64))


def tap(place: str) -> Iterator[str]:
    """An interface by its device."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    yield attempt(fcntl.ioctl, tun, 0x400454CA, struct.pack("=16sH22x", b"tap9", 2))
    yield attempt(os.open, "/dev/ppp", os.O_RDWR)


def ring(place: str) -> Iterator[str]:
    """io_uring, through which sockets and files are opened past a filter."""
    libc.syscall(425, 8, ctypes.create_string_buffer(120))
    yield errno.errorcode[ctypes.get_errno()]


def programs(place: str) -> Iterator[str]:
    """BPF programs on devices: an XDP program by a link on what is outside the second device and the third, a
    classifier at the first's entry, a flow dissector for the namespace, frames that are let loose."""
    code = ctypes.create_string_buffer(b"\xb7\0\0\0\2\0\0\0\x95\0\0\0\0\0\0\0", 16)
    licence = ctypes.create_string_buffer(b"GPL")
    load = struct.pack("=2I2Q", 6, 2, ctypes.addressof(code), ctypes.addressof(licence))
    net = os.open("/proc/self/ns/net", os.O_RDONLY)
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]

    def bpf(command: int, attributes: bytes) -> int:
        data = ctypes.create_string_buffer(attributes.ljust(72, b"\0"), 72)
        return int(libc.syscall(number, command, data, 72))

    program = bpf(5, load)
    for command, attributes in (
        (28, (program, 2, 37, 2)), (28, (program, 3, 37, 2)), (28, (program, 1, 46, 0)), (8, (1, program, 46, 0)),
        (8, (net, program, 17, 0)), (28, (program, net, 36, 0)), (10, (program, *(0,) * 15, 2)),
    ):
        done = bpf(command, struct.pack(f"={len(attributes)}I", *attributes))
        yield "done" if done >= 0 else errno.errorcode[ctypes.get_errno()]


def queues(place: str) -> Iterator[str]:
    """AF_XDP, bound to a queue of what is outside the second device and the third."""
    for index in (2, 3):
        with socket.socket(44, socket.SOCK_RAW) as sock:
            for option in (2, 3, 5, 6):  # XDP_RX_RING, XDP_TX_RING, XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING
                sock.setsockopt(283, option, 64)
            memory = mmap.mmap(-1, 65536)
            at = ctypes.addressof(ctypes.c_char.from_buffer(memory))
            sock.setsockopt(283, 4, struct.pack("=2Q4I", at, 65536, 4096, 0, 0, 0))  # XDP_UMEM_REG
            done = libc.bind(sock.fileno(), struct.pack("=2H3I", 44, 2, index, 0, 0), 16)
            yield "done" if done >= 0 else errno.errorcode[ctypes.get_errno()]


def rights(place: str) -> Iterator[str]:
    """The right to change a network that is not there."""
    probe = (
        "import errno, socket\n"
        "sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for option in (1, 33):\n"  # SO_DEBUG, SO_RCVBUFFORCE: both want CAP_NET_ADMIN
        "    try:\n"
        "        print(sock.setsockopt(socket.SOL_SOCKET, option, 1))\n"
        "    except OSError as error:\n"
        "        print(errno.errorcode[error.errno])\n"
    )
    yield from subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout.split()


print(*globals()[sys.argv[1]](sys.argv[2]))
