"""Opens AF_XDP sockets, gives them memory and rings, and binds them to queues, in every wrong way and some right ones.
Prints a line a question: what comes back, in hexadecimal, or the errno.

Runs on Linux (as root, where nothing else has devices) and on the emulator.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
AF_XDP, SOL_XDP, PAGE = 44, 283, 4096
MMAP_OFFSETS, RX, TX, UMEM_REG, FILL, COMPLETION, STATISTICS, OPTIONS, BUDGET = range(1, 10)
SHARED, COPY, ZEROCOPY, WAKEUP, SG = 1, 2, 4, 8, 16
AT = {RX: 0, TX: 0x80000000, FILL: 0x100000000, COMPLETION: 0x180000000}
kept: list[Any] = []


def say(*about: object) -> None:
    print(*about, flush=True)


def attempt(function: Callable[..., Any], *arguments: Any) -> object:
    """What a function answers, or its errno."""
    try:
        answer = function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error.errno))
    return answer.hex() if isinstance(answer, bytes) else answer


def called(number: int) -> object:
    return number if number >= 0 else errno.errorcode[ctypes.get_errno()]


def xsk(kind: int = socket.SOCK_RAW, protocol: int = 0) -> int | str:
    return called(libc.socket(AF_XDP, kind, protocol))  # type: ignore[return-value]


def set_(fd: int, option: int, value: bytes, level: int = SOL_XDP) -> object:
    return called(libc.setsockopt(fd, level, option, value, len(value)))


def get(fd: int, option: int, length: int, level: int = SOL_XDP) -> object:
    room, size = ctypes.create_string_buffer(length + 8), ctypes.c_int(length)
    answer = libc.getsockopt(fd, level, option, room, ctypes.byref(size))
    return called(answer) if answer else f"{size.value}:{room.raw[: size.value].hex()}"


def memory(length: int) -> int:
    kept.append(mmap.mmap(-1, length))
    return ctypes.addressof(ctypes.c_char.from_buffer(kept[-1]))


def umem(
    fd: int, *, at: int | None = None, length: int = 16 * PAGE, chunk: int = PAGE, headroom: int = 0, flags: int = 0,
    metadata: int = 0, size: int = 32,
) -> object:
    place = memory(32 * PAGE) if at is None else at
    return set_(fd, UMEM_REG, struct.pack("=2Q4I", place, length, chunk, headroom, flags, metadata)[:size])


def ring(fd: int, which: int, entries: int = 64) -> object:
    return set_(fd, which, struct.pack("=I", entries))


def bind(
    fd: int, index: int, queue: int = 0, flags: int = 0, shared: int = 0, family: int = AF_XDP, length: int = 16
) -> object:
    return called(libc.bind(fd, struct.pack("=2H3I", family, flags, index, queue, shared), length))


def bind_free(index: int, queue: int = 0, flags: int = 0) -> tuple[int, object]:
    """A whole socket and what binding it says, of a queue that nobody has any more: Linux takes a moment to see it."""
    for _ in range(100):
        fd = whole()
        answer = bind(fd, index, queue, flags)
        if answer != "EBUSY":
            break
        os.close(fd)
        time.sleep(0.01)
    return fd, answer


def whole(*without: int) -> int:
    """A socket with memory and every ring but those."""
    fd = int(xsk())
    umem(fd)
    for which in (RX, TX, FILL, COMPLETION):
        if which not in without:
            ring(fd, which)
    return fd


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def request(kind: int, flags: int, *parts: bytes) -> bytes:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as control:
        body = b"".join(parts)
        control.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        return control.recv(1 << 16)


def make(name: str, kind: bytes, queues: int = 1) -> int:
    numbers = attribute(31, struct.pack("=I", queues)) + attribute(32, struct.pack("=I", queues))
    request(16, 0x605, bytes(16), attribute(3, name.encode() + b"\0"), numbers, attribute(0x8012, attribute(1, kind)))
    return socket.if_nametoindex(name)


def up(index: int, flags: int = 1) -> None:
    request(16, 5, struct.pack("=BxHiII", 0, 0, index, flags, 1))


def sockets() -> None:
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_RAW | socket.SOCK_CLOEXEC):
        say("socket", kind, isinstance(xsk(kind), int) or xsk(kind))
    say("protocol", xsk(protocol=1), xsk(socket.SOCK_DGRAM, 1))
    fd = int(xsk())
    for option, length in ((3, 4), (38, 4), (39, 4), (4, 4), (7, 4), (8, 4), (69, 4), (71, 8)):
        told = str(get(fd, option, length, socket.SOL_SOCKET))
        say("SOL_SOCKET", option, told if option != 71 else told[:2])
    for option in (1, 2, 7, 8, 9, 10, 99):
        say("option", option, get(fd, option, 4), get(fd, option, 24), get(fd, option, 200))
    say("level", get(fd, 1, 4, 270), set_(fd, 1, bytes(4), 270), set_(fd, 99, bytes(4)), set_(fd, RX, b"\1"))
    say("busy poll", set_(fd, 69, struct.pack("=i", 1), socket.SOL_SOCKET), get(fd, 69, 4, socket.SOL_SOCKET),
        set_(fd, 70, struct.pack("=i", 64), socket.SOL_SOCKET))
    asked: dict[str, Callable[[], int]] = {
        "name": lambda: libc.getsockname(fd, ctypes.create_string_buffer(16), ctypes.byref(ctypes.c_int(16))),
        "peer": lambda: libc.getpeername(fd, ctypes.create_string_buffer(16), ctypes.byref(ctypes.c_int(16))),
        "listen": lambda: libc.listen(fd, 1), "accept": lambda: libc.accept(fd, None, None),
        "shutdown": lambda: libc.shutdown(fd, 2), "connect": lambda: libc.connect(fd, bytes(16), 16),
        "send": lambda: libc.sendto(fd, None, 0, 0x40, None, 0),
        "receive": lambda: libc.recvfrom(fd, None, 0, 0x40, 0, 0),
        "read": lambda: libc.read(fd, ctypes.create_string_buffer(16), 16),
        "write": lambda: libc.write(fd, bytes(16), 16),
    }
    for name, function in asked.items():
        say(name, called(function()))


def memories() -> None:
    asked: dict[str, dict[str, Any]] = {
        "chunks of 1,024": {"chunk": 1024}, "of 8,192": {"chunk": 8192}, "of 3,000": {"chunk": 3000},
        "of 3,000, anyhow": {"chunk": 3000, "flags": 1}, "of 2,048": {"chunk": 2048}, "flags": {"flags": 64},
        "at 8": {"at": memory(PAGE) + 8}, "of none": {"length": 0}, "an odd length": {"length": PAGE + 5},
        "an odd length, anyhow": {"length": PAGE + 5, "flags": 1}, "headroom": {"headroom": 256},
        "much headroom": {"headroom": 3392}, "most headroom": {"headroom": 3520}, "all headroom": {"headroom": 4096},
        "at 0": {"at": 0}, "nowhere": {"at": PAGE}, "around": {"at": (1 << 64) - PAGE, "length": 2 * PAGE},
        "the first form": {"size": 24}, "cut short": {"size": 16}, "almost": {"size": 28},
        "metadata": {"flags": 4, "metadata": 16}, "odd metadata": {"flags": 4, "metadata": 20},
        "little metadata": {"flags": 4, "metadata": 8}, "much metadata": {"flags": 4, "metadata": 256},
    }
    for about, how in asked.items():
        fd = int(xsk())
        say("memory", about, umem(fd, **how))
        os.close(fd)
    fd = int(xsk())
    place = memory(2 * PAGE)
    libc.munmap(ctypes.c_void_p(place + PAGE), PAGE)
    say("memory", "that ends", umem(fd, at=place, length=2 * PAGE), "again", umem(fd), umem(fd),
        "bad", umem(fd, chunk=1))


def rings() -> None:
    fd = int(xsk())
    for entries in (0, 3, 64, 128):
        say("ring", entries, *(ring(fd, which, entries) for which in (RX, TX, FILL, COMPLETION)))
    say("budget", [set_(fd, BUDGET, struct.pack("=I", budget)) for budget in (0, 31, 32, 64, 65)],
        set_(fd, BUDGET, bytes(8)), set_(int(xsk()), BUDGET, struct.pack("=I", 32)))
    for which in (RX, TX, FILL, COMPLETION):
        mapped = mmap.mmap(fd, PAGE, mmap.MAP_SHARED | mmap.MAP_POPULATE, offset=AT[which])
        say("mapped", which, mapped[:4].hex(), mapped[192:200].hex())
        mapped.close()


def binds() -> None:
    veth, dummy = make("x0", b"veth", 2), make("x1", b"dummy")
    say("unfit", bind(int(xsk()), veth), bind(whole(RX, TX), veth), bind(whole(FILL), veth),
        bind(whole(COMPLETION), veth))
    fd = int(xsk())
    ring(fd, RX)
    say("without memory", bind(fd, veth), "flags", bind(fd, veth, 0, 32), "no device", bind(fd, 999),
        "family", bind(fd, veth, family=2), "length", bind(fd, veth, length=12), bind(fd, veth, length=20))
    asked: dict[str, tuple[int, ...]] = {
        "no queue": (veth, 9), "zero-copy": (veth, 0, ZEROCOPY), "both": (veth, 0, ZEROCOPY | COPY),
        "fragments": (veth, 0, SG), "zero-copy, fragments": (veth, 0, SG | ZEROCOPY),
        "copied": (veth, 0, COPY | WAKEUP),
        "dummy": (dummy, 0), "dummy's second": (dummy, 1), "lo": (1, 0), "shared": (veth, 0, SHARED),
        "shared, copied": (veth, 0, SHARED | COPY),
    }
    for about, how in asked.items():
        fd, answer = bind_free(*how)
        say("bind", about, answer, get(fd, OPTIONS, 4))
        os.close(fd)
    one, other = bind_free(veth)[0], whole()
    say("bound", "again", bind(one, veth, 1), "taken", bind(other, veth), "beside", bind(other, veth, 1))
    say("bound", umem(one), ring(one, RX), ring(one, FILL), get(one, STATISTICS, 48))
    third = int(xsk())
    ring(third, RX)
    say("shared", bind(third, veth, 0, SHARED, 0), bind(third, veth, 0, SHARED, 999),
        bind(third, veth, 0, SHARED, int(xsk())), bind(third, veth, 0, SHARED | COPY, one),
        "elsewhere", bind(third, dummy, 0, SHARED, one), bind(third, 999, 0, SHARED, one),
        "there", bind(third, veth, 0, SHARED, one), bind(third, veth, 0, SHARED, one))
    fourth = int(xsk())
    for which in (RX, FILL, COMPLETION):
        ring(fourth, which)
    say("shared, with rings", bind(fourth, veth, 0, SHARED, one), bind(fourth, dummy, 0, SHARED, one))
    os.close(one)
    say("somebody has it", bind(whole(), veth))
    os.close(third)
    fd, answer = bind_free(veth)
    say("nobody has it", answer)

    say("down", called(libc.sendto(fd, None, 0, 0x40, None, 0)), called(libc.recvfrom(fd, None, 0, 0x40, 0, 0)))
    up(veth)
    say("up", *(called(libc.sendto(fd, None, 0, flags, None, 0)) for flags in (0, 0x40)),
        *(called(libc.recvfrom(fd, None, 0, flags, 0, 0)) for flags in (0, 0x40)))
    request(17, 5, struct.pack("=BxHiII", 0, 0, veth, 0, 0))
    say("the device gone", called(libc.sendto(fd, None, 0, 0x40, None, 0)), bind(fd, dummy), umem(fd), ring(fd, RX),
        get(fd, OPTIONS, 4))


def packets() -> None:
    dummy = make("x2", b"dummy")
    up(dummy)
    fd = whole(RX)
    say("no receiver", bind(fd, dummy), called(libc.recvfrom(fd, None, 0, 0x40, 0, 0)))
    sent = mmap.mmap(fd, PAGE, mmap.MAP_SHARED, offset=AT[TX])
    done = mmap.mmap(fd, PAGE, mmap.MAP_SHARED, offset=AT[COMPLETION])
    for number in range(3):
        struct.pack_into("=QII", sent, 320 + 16 * number, PAGE * number, 60, 0)
    struct.pack_into("=I", sent, 0, 3)
    say("send", called(libc.sendto(fd, None, 0, 0x40, None, 0)), struct.unpack_from("=I", sent, 128),
        struct.unpack_from("=I", done, 0), done[320:352].hex())
    say("nothing more", called(libc.sendto(fd, None, 0, 0x40, None, 0)), struct.unpack_from("=I", sent, 128))
    only = whole(TX)
    say("no sender", bind(only, make("x3", b"dummy")), called(libc.sendto(only, None, 0, 0x40, None, 0)))


def main() -> None:
    sockets()
    memories()
    rings()
    binds()
    packets()


main()
