"""Asks devices by SIOCETHTOOL: every command, with room and without, as who may and who may not; sets what can be set,
and listens to what is announced. Prints a line a question: what is returned, in hexadecimal without the zeros at its
end, or the errno; behind a bar, the commands of ethtool's notifications, each with a checksum of the whole message, and
the types of rtnetlink's.

Runs on Linux (as root, where nothing else has devices) and on the emulator.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import platform
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

SETUP = r"""
echo "7 1 4" > /sys/bus/netdevsim/new_device
until dev=$(ls /sys/bus/netdevsim/devices/netdevsim7/net); do :; done
ip link set $dev down; ip link set $dev name n0
ip link set n0 address 02:00:00:00:00:07
ip link add d0 index 10 address 02:00:00:00:00:0d type dummy
ip link add v0 index 11 address 02:00:00:00:00:0a numrxqueues 2 numtxqueues 2 type veth \
    peer name v1 index 12 address 02:00:00:00:00:0b
ip link add k0 index 13 type netkit
ip link set nk0 name k1
ip link add i0 index 15 address 02:00:00:00:00:0f numtxqueues 2 type ifb
ip link add q0 link v0 index 16 type vlan id 5
ip link add q1 link d0 index 17 type vlan id 6
for dev in lo n0 d0 v0 v1 k0 k1 i0 q0 q1; do
    echo 1 > /proc/sys/net/ipv6/conf/$dev/disable_ipv6
    ip link set $dev up
done
until [ "$(cat /sys/class/net/v0/operstate)$(cat /sys/class/net/v1/operstate)" = upup ]; do :; done
"""
DOWN = """
ip link set v0 down
until [ "$(cat /sys/class/net/v0/operstate) $(cat /sys/class/net/v1/operstate)" = "down lowerlayerdown" ]; do :; done
"""
UP = """
ip link set v0 up
until [ "$(cat /sys/class/net/v0/operstate) $(cat /sys/class/net/v1/operstate)" = "up up" ]; do :; done
"""
DEVICES = ("lo", "n0", "d0", "v0", "k0", "k1", "i0", "q0", "q1", "none", "v0:1")
SIOCETHTOOL = 0x8946
GENL, ROUTE = 16, 0
COMMANDS = range(0x54)
SETTERS = (
    0x02, 0x06, 0x08, 0x09, 0x0C, 0x0F, 0x11, 0x13, 0x15, 0x17, 0x19, 0x1F, 0x22, 0x24, 0x26, 0x28, 0x2A, 0x2C, 0x31,
    0x32, 0x34, 0x39, 0x3B, 0x3D, 0x3E, 0x45, 0x47, 0x49, 0x4D, 0x4F, 0x51,
)
FLASHDEV = 0x33
PERQUEUE = 0x4B
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]


def told(function: Callable[..., Any], *arguments: Any) -> str:
    try:
        answer = function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return answer.rstrip(b"\0").hex() if isinstance(answer, bytes) else str(answer)


def name(dev: str) -> bytes:
    return dev.encode().ljust(16, b"\0")


def at(dev: str, place: int, sock: socket.socket = udp) -> int:
    """SIOCETHTOOL with a pointer there; what it returns."""
    request = ctypes.create_string_buffer(name(dev) + struct.pack("=Q16x", place))
    value = int(libc.ioctl(sock.fileno(), SIOCETHTOOL, request))
    if value < 0:
        raise OSError(ctypes.get_errno(), "")
    return value


def ethtool(dev: str, command: int, body: bytes = b"", room: int = 4096, sock: socket.socket = udp) -> bytes:
    """The buffer as it is afterwards."""
    buffer = ctypes.create_string_buffer(struct.pack("=I", command) + body, max(room, 4 + len(body)))
    at(dev, ctypes.addressof(buffer), sock)
    return buffer.raw


def words(*numbers: int) -> bytes:
    return struct.pack(f"={len(numbers)}I", *numbers)


class Heard:
    """Who listens to ethtool's group and rtnetlink's of links."""

    def __init__(self) -> None:
        self.route = socket.socket(16, socket.SOCK_RAW, ROUTE)
        self.route.bind((0, 1))
        self.genl = socket.socket(16, socket.SOCK_RAW, GENL)
        text = b"ethtool\0"
        attribute = struct.pack("=HH", 4 + len(text), 2) + text
        self.genl.send(struct.pack("=IHHIIBBH", 20 + len(attribute), 16, 1, 1, 0, 3, 1, 0) + attribute)
        reply = self.genl.recv(65536)
        group = struct.unpack_from("=I", reply, reply.index(b"monitor\0") - 8)[0]
        self.genl.setsockopt(270, 1, group)
        for sock in (self.route, self.genl):
            sock.setblocking(False)

    def all(self) -> str:
        heard = []
        for letter, sock in (("e", self.genl), ("r", self.route)):
            with contextlib.suppress(BlockingIOError):
                while True:
                    data = sock.recv(65536)
                    if letter == "e":
                        heard.append(f"e{data[16]}.{zlib.crc32(data):x}")
                    else:
                        heard.append(f"r{struct.unpack_from('=H', data, 4)[0]}")
        return " ".join(heard)


READS: tuple[tuple[str, ...], ...] = (
    (), ("-i",), ("-S",), ("-d",), ("-e",), ("-P",), ("-x",), ("-n",), ("-k",), ("-g",), ("-l",), ("-c",), ("-a",),
    ("-T",), ("-m",), ("--show-priv-flags",), ("--show-fec",), ("--show-eee",), ("--phy-statistics",), ("-w",),
    ("--get-phy-tunable", "downshift"), ("--get-tunable", "rx-copybreak"), ("-n", "rx-flow-hash", "tcp4"),
    ("-Q", "--show-coalesce"),
)
SETS: tuple[tuple[str, ...], ...] = (
    ("-K", "tso", "off"), ("-K", "tso", "on", "gro", "on"), ("-K", "rx", "off"), ("-K", "rx", "on", "tx", "off"),
    ("-K", "tx", "on", "sg", "off", "rxvlan", "off"), ("-K", "sg", "on", "gso", "off"), ("-K", "gso", "on"),
    ("-K", "lro", "on"), ("-K", "ntuple", "on"), ("-K", "hw-tc-offload", "on"), ("-K", "hw-tc-offload", "off"),
    ("-G", "rx", "128"), ("-G", "rx", "128"), ("-G", "rx", "100000"), ("-L", "combined", "1"), ("-L", "combined", "1"),
    ("-L", "combined", "4"), ("-L", "combined", "9"), ("-L", "rx", "1"), ("-C", "rx-usecs", "9"),
    ("-C", "rx-usecs", "9"), ("-A", "rx", "on"), ("-A", "autoneg", "on"), ("-A", "rx", "off"),
    ("--set-fec", "encoding", "rs"), ("--set-fec", "encoding", "auto"), ("-s", "speed", "1000", "autoneg", "off"),
    ("-s", "msglvl", "1"), ("-s", "wol", "g"), ("-r",), ("-t",), ("-p", "1"), ("-E", "value", "1"),
    ("-X", "equal", "1"), ("-N", "rx-flow-hash", "tcp4", "sd"), ("-U", "flow-type", "tcp4", "action", "0"),
    ("--set-priv-flags", "a", "on"), ("--set-eee", "eee", "on"), ("--reset", "all"), ("-f", "missing"),
)


def no_netlink() -> None:
    """From now on no netlink socket opens: EAFNOSUPPORT, by a filter of this process's own."""
    nr_socket = {"x86_64": 41, "aarch64": 198}[platform.machine()]
    program = b"".join(
        struct.pack("=HBBI", *line) for line in (
            (0x20, 0, 0, 0), (0x15, 0, 3, nr_socket), (0x20, 0, 0, 16), (0x15, 0, 1, 16), (0x06, 0, 0, 0x50000 | 97),
            (0x06, 0, 0, 0x7FFF0000),
        )
    )
    code = ctypes.create_string_buffer(program)
    fprog = ctypes.create_string_buffer(struct.pack("=H6xQ", len(program) // 8, ctypes.addressof(code)))
    for call in ((38, 1, 0, 0, 0), (22, 2, fprog)):
        if libc.prctl(*call):
            raise OSError(ctypes.get_errno(), "prctl")


def shell(script: str) -> None:
    subprocess.run(["sh", "-ec", script], check=True)


def gets() -> Iterator[tuple[str, str]]:
    """What is read: every command with an empty body, and those that need one."""
    for dev in DEVICES:
        for command in (*COMMANDS, 0x1000, 0xFFFFFFFF):
            if command not in (*SETTERS, FLASHDEV):
                yield f"{dev} {command:x}", told(ethtool, dev, command)
        for count in (4, -4, 3, 127, -128):
            yield f"{dev} link settings {count}", told(ethtool, dev, 0x4C, struct.pack("=I7xb", 0, count))
        for size in (0, 1, 2, 3, 0xFFFFFFFF):
            yield f"{dev} features {size}", told(ethtool, dev, 0x3A, words(size))
        for size in (5, 6, 32):
            yield f"{dev} permanent {size}", told(ethtool, dev, 0x20, words(size))
        for mask in (0x1, 0x2, 0x10, 0x6F4, 0xFFFFFFFFFFFFFFFF):
            yield f"{dev} sets {mask:x}", told(ethtool, dev, 0x37, struct.pack("=IQ", 0, mask))
        for kind in (*range(24), 99):
            if kind in (0, 1, 2, 7, 10, 99) or dev in ("v0", "none"):
                yield f"{dev} strings {kind}", told(ethtool, dev, 0x1B, words(kind, 0), 1 << 14)
        for count in (1, 64):
            yield f"{dev} strings {count}", told(ethtool, dev, 0x1B, words(4, count), 1 << 14)
        for count in (1, 8, 25, 30):
            yield f"{dev} statistics {count}", told(ethtool, dev, 0x1D, words(count), 1 << 14)
        for command in (0x0E, 0x0F, 0x10, 0):
            for mask in (0, 1):
                yield f"{dev} of queues {mask} {command:x}", told(ethtool, dev, PERQUEUE, words(command, mask))
        for tunable in (1, 3, 9):
            for command in (0x48, 0x4E):
                yield f"{dev} tunable {command:x} {tunable}", told(ethtool, dev, command, words(tunable, 3, 4))
        for flow in (1, 1 | 1 << 29):
            for command in (0x29, 0x2D, 0x2E, 0x2F, 0x30):
                yield f"{dev} flow {command:x} {flow:x}", told(ethtool, dev, command, words(flow))
    for family in (1, 10, 16):
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            yield f"family {family}", told(ethtool, "v0", 0x03, b"", 4096, sock)


def faults() -> Iterator[tuple[str, str]]:
    """With room for some bytes only: what comes first, EFAULT or another refusal."""
    page = mmap.PAGESIZE
    base = libc.mmap(None, 2 * page, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    libc.mprotect(ctypes.c_void_p(base + page), page, 0)
    for dev in ("n0", "v0", "none"):
        yield f"{dev} nowhere", told(at, dev, 8)
        for command in COMMANDS:
            for room in (2, 4, 8, 12, 16, 44, 76) if dev != "none" else (2, 8):
                place = base + page - room
                ctypes.memset(base, 0, page)
                ctypes.memmove(place, words(command), min(room, 4))
                yield f"{dev} {command:x} {room}", told(at, dev, place)


def sets() -> Iterator[tuple[str, str]]:
    """What is set, and what is announced."""
    heard = Heard()

    def asked(what: str, function: Callable[..., Any], *arguments: Any) -> tuple[str, str]:
        return what, f"{told(function, *arguments)} | {heard.all()}"

    def set_features(dev: str, blocks: tuple[int, ...]) -> int:
        buffer = ctypes.create_string_buffer(words(0x3B, *blocks), 64)
        return at(dev, ctypes.addressof(buffer))

    for dev in DEVICES:
        for command in SETTERS:
            yield asked(f"{dev} {command:x}", ethtool, dev, command)
    # A veth that is up loses its carrier for a moment, and when that is told is a matter of time.
    shell(DOWN)
    heard.all()
    for dev in ("n0", "v0", "d0"):
        for counts in (
            (0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 0, 9), (0, 0, 0, 0), (1, 1, 0, 3), (2, 2, 0, 0), (1, 1, 0, 0),
            (0, 1, 0, 0), (1, 1, 1, 0), (2, 1, 0, 0), (2, 2, 0, 0), (0, 0, 0, 4),
        ):
            yield asked(f"{dev} channels {counts}", ethtool, dev, 0x3D, words(0, 0, 0, 0, *counts))
        yield f"{dev} channels", told(ethtool, dev, 0x3C)
        for sizes in ((256, 0, 0, 256), (256, 0, 0, 256), (5000, 0, 0, 1), (0, 0, 0, 0), (512, 7, 9, 512)):
            yield asked(f"{dev} rings {sizes}", ethtool, dev, 0x11, words(0, 0, 0, 0, *sizes))
        yield f"{dev} rings", told(ethtool, dev, 0x10)
        for numbers in ((5, 6), (5, 6), (0, 0), tuple(range(1, 23))):
            yield asked(f"{dev} coalesce {numbers}", ethtool, dev, 0x0F, words(*numbers))
            yield f"{dev} coalesce", told(ethtool, dev, 0x0E)
        for pause in ((0, 1, 1), (0, 1, 1), (1, 0, 0), (0, 7, 0)):
            yield asked(f"{dev} pause {pause}", ethtool, dev, 0x13, words(*pause))
            yield f"{dev} pause", told(ethtool, dev, 0x12)
        for fec in ((0, 0), (0, 1), (0, 2), (0, 4), (8, 8), (0, 10), (0, 0x100), (0, 0x80000000)):
            yield asked(f"{dev} fec {fec}", ethtool, dev, 0x51, words(*fec, 7))
            yield f"{dev} fec", told(ethtool, dev, 0x50)
    shell(UP)
    heard.all()
    for dev in ("lo", "n0", "v0", "d0", "k0", "i0", "q0", "q1"):
        for command in (0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C):
            for value in (0, 0, 5):
                yield asked(f"{dev} feature {command:x} {value}", ethtool, dev, command, words(value))
                yield f"{dev} feature {command - 1:x}", told(ethtool, dev, command - 1)
        for flags in (0, 1 << 15, 1 << 7, 1 << 8, 1 << 7 | 1 << 8, 1 << 27, 1 << 28, 1 << 1):
            yield asked(f"{dev} flags {flags:x}", ethtool, dev, 0x26, words(flags))
            yield f"{dev} flags", told(ethtool, dev, 0x25)
        for blocks in (
            (1, 0, 1, 0), (3, 0, 0, 0), (2, 1, 0, 0, 0), (2, 1, 0, 0, 0), (2, 1, 1, 0, 0), (2, 0x400, 0, 0, 0),
            (2, 0x400, 0x400, 0, 0), (2, 0x8000, 0x8000, 0, 0), (2, 0, 0, 1 << 31, 0), (2, 0, 0, 1 << 9, 0),
            (2, 0x8801, 0x8800, 0, 0), (2, 0, 0, 1 << 30, 0), (2, 0, 0, 1 << 25, 0), (2, 1, 1, 0, 0),
        ):
            yield asked(f"{dev} features {blocks}", set_features, dev, blocks)
            yield f"{dev} features", told(ethtool, dev, 0x3A, words(2))
        base = struct.pack("=IBBBBBBBb", 1000, 1, 255, 0, 0, 0, 0, 0, 4)
        yield asked(f"{dev} link settings", ethtool, dev, 0x4D, base)
        for firmware in (b"", b"missing"):
            yield asked(f"{dev} flash {len(firmware)}", ethtool, dev, FLASHDEV, words(0) + firmware)


def states() -> Iterator[tuple[str, str]]:
    """Devices that are down, are elsewhere, or have lost the other end."""
    for dev in DEVICES[1:-2]:
        shell(f"ip link set {dev} down")
        for command in (0x01, 0x0A, 0x1D, 0x3C):
            yield f"{dev} down {command:x}", told(ethtool, dev, command)
    shell("ip link set lo down; ip netns add elsewhere; ip link set v1 netns elsewhere")
    for dev in ("lo", "v0", "v1"):
        for command in (0x03, 0x0A, 0x1D):
            yield f"{dev} elsewhere {command:x}", told(ethtool, dev, command)
    shell("ip link add q2 link n0 index 18 type vlan id 9; ip link set n0 up; ip link set q2 up")
    for command in (0x01, 0x03, 0x0A, 0x1D, 0x41, 0x4C):
        yield f"q2 {command:x}", told(ethtool, "q2", command)
    shell("ip netns del elsewhere")


def users() -> Iterator[tuple[str, str]]:
    """In a user namespace of its own, with a network namespace that belongs to it, one may; and there alone."""
    read, write = os.pipe()
    if not os.fork():
        libc.unshare(0x10000000 | 0x40000000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for command in COMMANDS:
                if command != FLASHDEV:
                    line = f"lo {command:x}: {told(ethtool, 'lo', command, b'', 4096, sock)}\n"
                    os.write(write, line.encode())
        os._exit(0)
    os.close(write)
    with open(read, encoding="utf-8") as lines:
        for line in lines:
            what, _, answer = line.rstrip("\n").partition(": ")
            yield what, answer
    os.wait()


def rights() -> Iterator[tuple[str, str]]:
    """As somebody who may not change anything: what is refused is told first, or not."""
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    for dev in ("n0", "none"):
        for command in (*COMMANDS, 0x1000):
            yield f"{dev} {command:x}", told(ethtool, dev, command)
        for command in (0x0E, 0x0F, 0x10):
            yield f"{dev} of queues {command:x}", told(ethtool, dev, PERQUEUE, words(command, 1))


def tool() -> Iterator[tuple[str, str]]:
    """What the program ethtool makes of the answers: as it is, and where there is no netlink."""
    heard = Heard()

    def run(*arguments: str, before: Callable[[], None] | None = None) -> Iterator[tuple[str, str]]:
        done = subprocess.run(
            ["ethtool", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
            preexec_fn=before,
        )
        what = " ".join((*arguments, *(["without netlink"] if before else [])))
        yield what, f"{done.returncode} | {heard.all()}"
        for line in done.stdout.splitlines():
            yield "", line

    yield from run("--version")
    shell(DOWN)
    heard.all()
    for before in (no_netlink, None):
        for dev in ("lo", "n0", "d0", "v0", "v1", "k0", "i0", "q0"):
            for option in READS:
                if option != ("-k",) or dev in ("n0", "v0"):
                    yield from run(*option[:1], dev, *option[1:], before=before)
        for dev in ("n0", "v0", "d0", "q0"):
            for option in SETS:
                yield from run(*option[:1], dev, *option[1:], before=before)
        for command in (0x0E, 0x10, 0x12, 0x3C, 0x50):
            yield f"n0 {command:x}", told(ethtool, "n0", command)


if __name__ == "__main__":
    shell(SETUP)
    for section in sys.argv[1:]:
        for what, answer in globals()[section]():
            print(f"{section} {what}: {answer}")
