"""Makes io_urings and registers receive queues with them, in every wrong way and some right ones. Prints a line a
question: what comes back, in hexadecimal, or the errno.

Runs on Linux whose netdevsim has a DMA device (as root, where nothing else has devices) and on the emulator.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import threading
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
SETUP, ENTER, REGISTER = 425, 426, 427
PAGE = 4096
IOPOLL, SQPOLL, CQSIZE, CLAMP, R_DISABLED, COOP, TASKRUN, SQE128 = 1, 2, 1 << 3, 1 << 4, 1 << 6, 1 << 8, 1 << 9, 1 << 10
CQE32, SINGLE, DEFER, NO_SQARRAY, CQE_MIXED, SQE_MIXED = 1 << 11, 1 << 12, 1 << 13, 1 << 16, 1 << 18, 1 << 19
RECEIVES = SINGLE | DEFER | CQE32
PROBE, ENABLE, ZCRX_IFQ = 8, 12, 32
GETEVENTS, EXT_ARG, REGISTERED = 1, 8, 16
PARAMS = 120
NODEV = 2
kept: list[Any] = []


def say(*about: object) -> None:
    print(*about, flush=True)


def call(*arguments: Any) -> int | str:
    ctypes.set_errno(0)
    # The last may be on the stack, where an int has a half that is anybody's.
    answer: int = libc.syscall(*(ctypes.c_long(one) if isinstance(one, int) else one for one in arguments))
    return answer if answer >= 0 else errno.errorcode[ctypes.get_errno()]


def ring(flags: int, entries: int = 8, cq: int = 0, reserved: int = 0, wq: int = 0) -> tuple[int | str, bytes]:
    params = ctypes.create_string_buffer(struct.pack("=10I", 0, cq, flags, 0, 0, 0, wq, reserved, 0, 0), PARAMS)
    return call(SETUP, entries, params), params.raw


def address(memory: Any) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


def register(
    fd: int | str, index: int, queue: int, *, entries: int = 64, flags: int = 0, area: int | None = None,
    area_length: int = 16 * PAGE, area_off: int = 0, token: int = 0, area_flags: int = 0, dmabuf: int = 0,
    area_reserved: int = 0, region: int | None = None, region_length: int = 2 * PAGE, region_flags: int = 1,
    region_reserved: int = 0, number: int = 0, length: int = 0, notices: int = 0, reserved: int = 0, count: int = 1,
    wild: str = "",
) -> object:
    """What io_register_zcrx() says, and writes back."""
    memory, given = mmap.mmap(-1, 64 * PAGE), mmap.mmap(-1, 8 * PAGE)
    a = ctypes.create_string_buffer(struct.pack(
        "=3Q2I2Q", (address(memory) if area is None else area) + area_off, area_length, token, area_flags, dmabuf,
        area_reserved, 0,
    ), 48)
    r = ctypes.create_string_buffer(struct.pack(
        "=2Q2I2Q", address(given) if region is None else region, region_length, region_flags, 0, 0, region_reserved,
    ), 64)
    z = ctypes.create_string_buffer(struct.pack(
        "=4I2Q4I2Q2I3Q", index, queue, entries, flags, 8 if wild == "area" else ctypes.addressof(a),
        8 if wild == "region" else ctypes.addressof(r), 0, 0, 0, 0, 0, 0, number, length, notices, reserved, 0,
    ), 96)
    kept.append((memory, given, a, r, z))
    answer = call(REGISTER, fd, ZCRX_IFQ, 8 if wild == "all" else z, count)
    return answer or (z.raw[8:16].hex(), z.raw[32:96].hex(), a.raw[16:48].hex(), r.raw[8:64].hex())


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def generic(family: int, command: int, *parts: bytes) -> bytes:
    body = struct.pack("=BBH", command, 1, 0) + b"".join(parts)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as control:
        control.send(struct.pack("=IHHII", 16 + len(body), family, 1 if family == 16 else 5, 1, 0) + body)
        return control.recv(1 << 16)


def make_nic() -> int:
    """A netdevsim of four queues, which splits headers and data of all it receives. Returns its index."""
    with open("/sys/bus/netdevsim/new_device", "w") as file:
        file.write("1 1 4")
    answer, at = generic(16, 3, attribute(2, b"ethtool\0")), 20
    while struct.unpack_from("=H", answer, at + 2)[0] != 1:
        at += (struct.unpack_from("=H", answer, at)[0] + 3) & ~3
    family = struct.unpack_from("=H", answer, at + 4)[0]
    # ETHTOOL_MSG_RINGS_SET: by name; tcp-data-split, enabled; hds-thresh, nothing
    nic = attribute(0x8001, attribute(2, b"eth0\0"))
    told = generic(family, 16, nic, attribute(11, b"\2"), attribute(17, bytes(4)))
    say("rings-set", struct.unpack_from("=i", told, 16)[0])
    with open("/sys/class/net/eth0/ifindex") as file:
        return int(file.read())


def setups() -> None:
    asked: dict[str, dict[str, int]] = {
        "right": {}, "cooperative": {"flags": RECEIVES | COOP | TASKRUN}, "no entries": {"entries": 0},
        "too many": {"entries": 40000}, "clamped": {"flags": RECEIVES | CLAMP, "entries": 40000},
        "five": {"entries": 5}, "reserved": {"reserved": 1}, "no issuer": {"flags": DEFER | CQE32},
        "polled": {"flags": RECEIVES | SQPOLL}, "unknown": {"flags": RECEIVES | 1 << 30},
        "4 complete": {"flags": RECEIVES | CQSIZE, "cq": 4}, "100 complete": {"flags": RECEIVES | CQSIZE, "cq": 100},
        "none completes": {"flags": RECEIVES | CQSIZE}, "mixed": {"flags": SINGLE | DEFER | CQE_MIXED},
        "large and mixed": {"flags": RECEIVES | CQE_MIXED}, "large requests": {"flags": RECEIVES | SQE128},
        "disabled": {"flags": RECEIVES | R_DISABLED}, "no order": {"flags": RECEIVES | NO_SQARRAY},
        "workers": {"wq": 9}, "device polled": {"flags": RECEIVES | IOPOLL},
        "mixed requests": {"flags": RECEIVES | SQE_MIXED},
        "large requests and mixed": {"flags": RECEIVES | SQE128 | SQE_MIXED},
    }
    for about, how in asked.items():
        fd, params = ring(**{"flags": RECEIVES, **how})
        say("setup", about, fd if isinstance(fd, str) else params.hex())
        if not isinstance(fd, str):
            os.close(fd)


def registrations(fd: int | str, nic: int) -> None:
    asked: dict[str, dict[str, Any]] = {
        "right": {"queue": 1}, "another": {"queue": 2}, "taken": {"queue": 1}, "no device": {"index": 999, "queue": 1},
        "lo": {"index": 1, "queue": 0}, "no queue": {"queue": 9}, "queue -1": {"queue": 0xFFFFFFFF},
        "no entries": {"entries": 0}, "40,000 entries": {"entries": 40000},
        "region too small": {"region_length": PAGE, "entries": 1024}, "region of none": {"region_length": 0},
        "region of 5,000": {"region_length": 5000}, "region's flags": {"region_flags": 2},
        "region's reserved": {"region_reserved": 1}, "region at 0": {"region": 0}, "region nowhere": {"region": PAGE},
        "region huge": {"region_length": 1 << 50}, "region around": {"region": (1 << 64) - PAGE},
        "memory of none": {"area_length": 0}, "memory at 8": {"area_off": 8}, "memory of 5,000": {"area_length": 5000},
        "memory nowhere": {"area": PAGE}, "memory at 0": {"area": 0}, "token": {"token": 1},
        "memory of 2 G": {"area_length": 2 << 30}, "memory around": {"area": (1 << 64) - PAGE, "area_length": 2 * PAGE},
        "memory's flags": {"area_flags": 2}, "memory's reserved": {"area_reserved": 1},
        "dmabuf with address": {"area_flags": 1, "dmabuf": 999}, "dmabuf": {"area_flags": 1, "dmabuf": 999, "area": 0},
        "no dmabuf": {"area_flags": 1, "dmabuf": 0, "area": 0}, "dmabuf without flag": {"dmabuf": 5},
        "number": {"number": 1}, "reserved": {"reserved": 1}, "notices": {"notices": 1},
        "buffers of 4,096": {"length": 4096}, "of 8,192": {"length": 8192, "area_length": PAGE},
        "of 5,000": {"length": 5000},
        "of 2,048": {"length": 2048}, "import": {"flags": 1}, "no device wanted": {"flags": NODEV},
        "none wanted nor named": {"index": 0, "queue": 0, "flags": NODEV},
        "none wanted, of 8,192": {"index": 0, "queue": 0, "flags": NODEV, "length": 8192, "area_length": PAGE},
        "none wanted, of 5,000": {"index": 0, "queue": 0, "flags": NODEV, "length": 5000},
        "none wanted, memory of none": {"index": 0, "queue": 0, "flags": NODEV, "area_length": 0},
        "flags 4": {"flags": 4}, "flags 8": {"flags": 8}, "two": {"count": 2},
        "wild memory": {"wild": "area"}, "wild region": {"wild": "region"}, "wild": {"wild": "all"},
        # Which of two mistakes is told.
        "no device, memory of none": {"index": 999, "area_length": 0}, "lo, memory of none": {"index": 1, "queue": 0,
                                                                                               "area_length": 0},
        "taken, memory nowhere": {"queue": 1, "area": PAGE}, "no queue, memory of none": {"queue": 9, "area_length": 0},
        "taken, of 5,000": {"queue": 1, "length": 5000}, "no device, region of none": {"index": 999,
                                                                                       "region_length": 0},
        "of 5,000, memory nowhere": {"length": 5000, "area": PAGE},
        "flags 4, wild region": {"flags": 4, "wild": "region"},
        "queue -1, wild region": {"queue": 0xFFFFFFFF, "wild": "region"},
        "queue -1, wild memory": {"queue": 0xFFFFFFFF, "wild": "area"},
        "40,000 entries, wild memory": {"entries": 40000, "wild": "area"},
        "region of none, wild memory": {"region_length": 0, "wild": "area"},
        "memory's flags, nowhere": {"area_flags": 2, "area": PAGE}, "token, no device": {"token": 1, "index": 999},
        "reserved, wild region": {"reserved": 1, "wild": "region"},
        "the kernel's region": {"region_flags": 0, "region": 0}, "the kernel's, with address": {"region_flags": 0},
    }
    for about, how in asked.items():
        say("register", about, register(fd, **{"index": nic, "queue": 3, **how}))
    for about, flags in {"mixed": SINGLE | DEFER | CQE_MIXED, "disabled": RECEIVES | R_DISABLED}.items():
        other, _ = ring(flags)
        say("register", about, register(other, nic, 3), "enable", call(REGISTER, other, ENABLE, None, 0),
            "again", call(REGISTER, other, ENABLE, None, 0), "then", register(other, nic, 3))
        os.close(int(other))
    say("register none", call(REGISTER, 0, ZCRX_IFQ, None, 1), call(REGISTER, 999, ZCRX_IFQ, None, 1),
        call(REGISTER, fd, 60, None, 0), call(REGISTER, fd, ZCRX_IFQ, None, 0))
    probed = ctypes.create_string_buffer(PAGE)
    say("probe", call(REGISTER, fd, PROBE, probed, 257))
    probed[0] = b"\1"
    say("probe", call(REGISTER, fd, PROBE, probed, 4))


def submissions(fd: int, last: bytes) -> None:
    say("enter", call(ENTER, fd, 0, 0, 0, None, 0), "not a ring", call(ENTER, 0, 0, 0, 0, None, 0),
        "no file", call(ENTER, 999, 0, 0, 0, None, 0), "flags", call(ENTER, fd, 0, 0, 1 << 20, None, 0),
        "registered", call(ENTER, 3, 0, 0, REGISTERED, None, 0))
    entries = mmap.mmap(fd, PAGE, mmap.MAP_SHARED | mmap.MAP_POPULATE, offset=0x10000000)
    queue = mmap.mmap(fd, PAGE, mmap.MAP_SHARED, offset=0)
    say("ring", queue[:64].hex())
    (order,) = struct.unpack_from("=I", last, 40 + 24)
    for operation in (0, 0, 200):
        (tail,) = struct.unpack_from("=I", queue, 4)
        at = tail & 7
        entries[64 * at : 64 * at + 64] = struct.pack("=BBHi3Q", operation, 0, 0, -1, 0, 0, 0).ljust(32, b"\0") + bytes(
            [7 + tail]
        ).ljust(32, b"\0")
        struct.pack_into("=I", queue, order + 4 * at, at)
        struct.pack_into("=I", queue, 4, tail + 1)
        (done,) = struct.unpack_from("=I", queue, 12)
        say("submit", operation, call(ENTER, fd, 1, 1, GETEVENTS, None, 0), queue[:16].hex(),
            queue[64 + 32 * done : 64 + 32 * done + 16].hex())
    struct.pack_into("=I", queue, 8, 3)  # all that has completed has been looked at
    moment = ctypes.create_string_buffer(struct.pack("=2q", 0, 20_000_000))
    kept.append(moment)
    extended = ctypes.create_string_buffer(struct.pack("=Q2IQ", 0, 0, 0, ctypes.addressof(moment)))
    say("wait", call(ENTER, fd, 0, 1, GETEVENTS | EXT_ARG, extended, 24), "length",
        call(ENTER, fd, 0, 1, GETEVENTS | EXT_ARG, extended, 16), call(ENTER, fd, 0, 0, GETEVENTS, None, 0))
    disabled, _ = ring(RECEIVES | R_DISABLED)
    say("enter disabled", call(ENTER, disabled, 0, 0, 0, None, 0))


def main() -> None:
    setups()
    nic = make_nic()
    fd, last = ring(RECEIVES)
    registrations(fd, nic)
    submissions(int(fd), last)
    other = threading.Thread(
        target=lambda: say("another thread", register(fd, nic, 3), call(ENTER, fd, 0, 0, 0, None, 0),
                           call(REGISTER, fd, ENABLE, None, 0))
    )
    other.start()
    other.join()


main()
