"""Loads XDP programs, attaches them to devices by links and by netlink, and asks what of them is there. Prints a line
a question: what comes back, in hexadecimal, or the errno. Numbers of programs and links are counted from the first on.

Runs on Linux (as root, where nothing else has devices) and on the emulator.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
BPF = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_LOAD, GET_INFO, LINK_CREATE, LINK_UPDATE, LINK_DETACH = 5, 15, 28, 29, 34
XDP_PROGRAM, BPF_XDP, HAS_FRAGS = 6, 37, 1 << 5
PASS, DROP, EXIT, CALL = b"\xb7\0\0\0\2\0\0\0", b"\xb7\0\0\0\1\0\0\0", b"\x95\0\0\0\0\0\0\0", b"\x85\0\0\0\5\0\0\0"
SKB, DRV, HW, REPLACE = 2, 4, 8, 16
kept: list[Any] = []


def say(*about: object) -> None:
    print(*about, flush=True)


def bpf(command: int, attributes: bytes | None, size: int | None = None) -> int | str:
    ctypes.set_errno(0)
    data = None if attributes is None else ctypes.create_string_buffer(attributes, len(attributes))
    length = size if size is not None else len(attributes or b"")
    answer: int = libc.syscall(ctypes.c_long(BPF), ctypes.c_long(command), data, ctypes.c_long(length))
    return answer if answer >= 0 else errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno()))


def place(data: bytes) -> int:
    kept.append(ctypes.create_string_buffer(data, len(data)))
    return ctypes.addressof(kept[-1])


def load(
    code: bytes = PASS + EXIT, *, kind: int = XDP_PROGRAM, count: int | None = None, name: bytes = b"", flags: int = 0,
    expected: int = 0, at: int | None = None, licence: int | None = None, ifindex: int = 0, tail: bytes = b"",
    size: int | None = None,
) -> int | str:
    attributes = struct.pack(
        "=2I2Q2IQ2I16s2I", kind, len(code) // 8 if count is None else count, place(code) if at is None else at,
        place(b"GPL\0") if licence is None else licence, 0, 0, 0, 0, flags, name, ifindex, expected,
    ) + tail
    return bpf(PROG_LOAD, attributes, size)


def link(program: int | str, target: int, flags: int = 0, kind: int = BPF_XDP, tail: bytes = b"") -> int | str:
    return bpf(LINK_CREATE, struct.pack("=4I", int(program), target, kind, flags) + tail)


def update(fd: int, program: int, flags: int = 0, old: int = 0, tail: bytes = b"") -> int | str:
    return bpf(LINK_UPDATE, struct.pack("=4I", fd, program, flags, old) + tail)


def info(fd: int, length: int, filler: bytes = b"\0") -> bytes | str:
    """What is told of a program or link, with what stood there before."""
    room = ctypes.create_string_buffer(filler * length, length)
    answer = bpf(GET_INFO, struct.pack("=2IQ", fd, length, ctypes.addressof(room)))
    return answer if isinstance(answer, str) else room.raw


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def request(kind: int, flags: int, *parts: bytes) -> bytes:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as control:
        body = b"".join(parts)
        control.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        return control.recv(1 << 16)


def number(answer: bytes) -> object:
    code = -struct.unpack_from("=i", answer, 16)[0]
    return errno.errorcode.get(code, code)


def make(name: str, kind: bytes) -> int:
    request(16, 0x605, bytes(16), attribute(3, name.encode() + b"\0"), attribute(0x8012, attribute(1, kind)))
    return socket.if_nametoindex(name)


def by_netlink(index: int, program: int, flags: int) -> object:
    xdp = attribute(0x802B, attribute(1, struct.pack("=i", program)) + attribute(3, struct.pack("=I", flags)))
    return number(request(19, 5, struct.pack("=BxHiII", 0, 0, index, 0, 0), xdp))


class Told:
    """What netlink tells, with numbers from the first one on."""

    def __init__(self, first: int) -> None:
        self.first = first

    def of(self, index: int) -> str:
        answer, at = request(18, 1, struct.pack("=BxHiII", 0, 0, index, 0, 0)), 32
        while at < len(answer):
            length, kind = struct.unpack_from("=HH", answer, at)
            if kind & 0x3FFF == 43:
                return " ".join(self._one(*one) for one in self._inner(answer[at + 4 : at + length]))
            at += (length + 3) & ~3
        return "nothing"

    def _inner(self, data: bytes) -> list[tuple[int, bytes]]:
        found, at = [], 0
        while at < len(data):
            length, kind = struct.unpack_from("=HH", data, at)
            found.append((kind, data[at + 4 : at + length]))
            at += (length + 3) & ~3
        return found

    def _one(self, kind: int, data: bytes) -> str:
        if len(data) == 4:
            return f"{kind}:{struct.unpack('=I', data)[0] - self.first}"
        return f"{kind}:{data.hex()}"


def loads() -> None:
    big = PASS * 4 + EXIT
    asked: dict[str, dict[str, Any]] = {
        "right": {}, "named": {"name": b"accept_all.1"}, "badly named": {"name": b"a-b"},
        "long name": {"name": b"abcdefghijklmnop"}, "of none": {"count": 0}, "of two million": {"count": 2_000_000},
        "without end": {"code": PASS}, "code nowhere": {"at": 8}, "code at 0": {"at": 0},
        "licence nowhere": {"licence": 8}, "fragments": {"flags": HAS_FRAGS}, "flags": {"flags": 1 << 20},
        "expected": {"expected": BPF_XDP}, "expected 999": {"expected": 999},
        "for a device": {"ifindex": 1}, "longer": {"code": big}, "with a tail": {"tail": bytes(200)},
        "with a full tail": {"tail": bytes(400) + b"\1"}, "with one that is known": {"tail": bytes(72) + b"\1"},
        "short": {"size": 24}, "of 5,000": {"tail": bytes(8000), "size": 5000},
    }
    for about, how in asked.items():
        fd = load(**how)
        say("load", about, fd if isinstance(fd, str) else "fine")
        if not isinstance(fd, str):
            os.close(fd)
    say("load nowhere", bpf(PROG_LOAD, None, 72))


def infos(fd: int, first: int) -> None:
    for length in (4, 8, 16, 40, 80):
        told = info(fd, length)
        if isinstance(told, bytes) and length >= 8:
            told = told[:4] + struct.pack("=I", struct.unpack_from("=I", told, 4)[0] - first) + told[8:]
        shown = told if isinstance(told, str) else told[: 8 if length < 16 else 16].hex()
        say("info", length, shown)
    whole = info(fd, 232)
    assert isinstance(whole, bytes)
    say("sizes", struct.unpack_from("=2I", whole, 16)[1], "uid", struct.unpack_from("=I", whole, 48)[0],
        "maps", struct.unpack_from("=I", whole, 52)[0], "name", whole[64:80].rstrip(b"\0"), "index, licence",
        struct.unpack_from("=2I", whole, 80))
    say("info, too long", isinstance(info(fd, 300), bytes), info(fd, 300, b"\1"), info(0, 80), info(999, 80))


def number_of(fd: int | str) -> int:
    told = info(int(fd), 8)
    assert isinstance(told, bytes)
    found: int = struct.unpack_from("=I", told, 4)[0]
    return found


def link_told(fd: int | str, first: int, first_link: int) -> object:
    told = info(int(fd), 24)
    if isinstance(told, str):
        return told
    kind, own, program, _, index, _ = struct.unpack("=6I", told)
    return kind, own - first_link, program - first, index


def links(first_program: int) -> None:
    first = number_of(first_program)
    told = Told(first)
    veth, dummy = make("xdp0", b"veth"), make("xdp1", b"dummy")
    other, fragments = load(DROP + EXIT, name=b"drop"), load(flags=HAS_FRAGS)
    one = link(first_program, veth)
    say("link", isinstance(one, int), told.of(veth))
    first_link = number_of(one)
    say("told", link_told(one, first, first_link), info(int(one), 4), info(int(one), 8) != "")
    asked: dict[str, tuple[Any, ...]] = {
        "second": (other, veth), "generic beside": (other, veth, SKB), "no device": (other, 999),
        "device 0": (other, 0), "two modes": (other, dummy, SKB | DRV), "flags": (other, dummy, 1),
        "replacing": (other, dummy, REPLACE), "hardware": (other, dummy, HW), "driver's": (other, dummy, DRV),
        "no program": (0, dummy), "no file": (999, dummy), "kind 0": (other, dummy, 0, 0),
        "kind 999": (other, dummy, 0, 999), "no file, kind 999": (999, dummy, 0, 999),
        "a full tail": (other, dummy, 0, BPF_XDP, bytes(100) + b"\1"), "a tail": (other, dummy, 0, BPF_XDP, b"\1"),
    }
    for about, how in asked.items():
        fd = link(*how)
        say("link", about, fd if isinstance(fd, str) else "fine")
        if not isinstance(fd, str):
            os.close(fd)
    say("by netlink", by_netlink(veth, int(other), 0), by_netlink(veth, -1, 0), by_netlink(veth, int(other), SKB))
    say("update", update(int(one), int(other)), told.of(veth), link_told(one, first, first_link))
    say("update, the same", update(int(one), int(other)), "replacing",
        update(int(one), first_program, 4, first_program), update(int(one), first_program, 4, int(other)),
        told.of(veth))
    say("update", update(int(one), first_program, 1), update(int(one), first_program, 0, int(other)),
        update(int(one), 0), update(int(one), 999), update(0, first_program), update(999, first_program),
        update(int(one), first_program, 0, 0, b"\1"), update(int(one), int(fragments)), told.of(veth))
    say("detach", bpf(LINK_DETACH, struct.pack("=I", int(one))), told.of(veth), link_told(one, first, first_link),
        "again", bpf(LINK_DETACH, struct.pack("=I", int(one))), "update", update(int(one), first_program),
        "none", bpf(LINK_DETACH, struct.pack("=I", 0)), bpf(LINK_DETACH, struct.pack("=I", 999)))
    os.close(int(one))

    two = link(other, dummy, SKB)
    say("generic", told.of(dummy), link_told(two, first, first_link))
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)
    say("after a child", told.of(dummy))
    copy = os.dup(int(two))
    os.close(int(two))
    say("a copy", told.of(dummy))
    os.close(copy)
    say("closed", told.of(dummy))

    say("by netlink", by_netlink(veth, int(other), 0), told.of(veth), "link", link(first_program, veth))
    os.close(int(other))
    say("its program closed", told.of(veth), by_netlink(veth, -1, 0), told.of(veth))
    three = link(first_program, veth)
    request(17, 5, struct.pack("=BxHiII", 0, 0, veth, 0, 0))
    say("the device gone", link_told(three, first, first_link), update(int(three), int(fragments)),
        bpf(LINK_DETACH, struct.pack("=I", int(three))))
    say("a program's file", bpf(LINK_DETACH, struct.pack("=I", first_program)), update(first_program, first_program),
        link(three, dummy), by_netlink(dummy, int(three), 0))


def main() -> None:
    loads()
    fd = load(name=b"accept")
    infos(int(fd), number_of(fd))
    links(int(fd))


main()
