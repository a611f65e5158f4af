"""Measures links: making pairs, dumping them, deleting them, here and on this machine's own kernel.

`python -m tests.bench.links`. The emulator makes netkit pairs behind the daemon's socket; the kernel, which may not
know netkit, makes veth pairs over AF_NETLINK in a network namespace that the bench makes for itself (that wants root;
without it there is no second column). The client is the same code with the same blocking calls. Deletion is measured on
fewer pairs, because a kernel takes milliseconds for each. Then, in process: what one request costs among 10 devices and
among 20,000.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from tests.bench.__main__ import connect, server

CLONE_NEWNET = 0x40000000
NEWLINK, DELLINK, GETLINK = 16, 17, 18
REQUEST, ACK, DUMP, CREATE, EXCL = 1, 4, 0x300, 0x400, 0x200
IFNAME, LINKINFO, INFO_KIND = 3, 18, 1
DONE, ERROR = 3, 2
LARGEST = 1 << 20
SIZES = (10, 20_000)


def attr(kind: int, payload: bytes) -> bytes:
    return struct.pack("<HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def request(kind: int, flags: int, *attrs: bytes, index: int = 0) -> bytes:
    body = struct.pack("<BxHiII", 0, 0, index, 0, 0) + b"".join(attrs)
    return struct.pack("<IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body


def make(kind: str, name: str) -> bytes:
    info = attr(LINKINFO, attr(INFO_KIND, kind.encode() + b"\0"))
    return request(NEWLINK, ACK | CREATE | EXCL, attr(IFNAME, name.encode() + b"\0"), info)


def delete(name: str) -> bytes:
    return request(DELLINK, ACK, attr(IFNAME, name.encode() + b"\0"))


def acked(sock: socket.socket, message: bytes) -> None:
    sock.send(message)
    answer = sock.recv(LARGEST)
    kind, code = struct.unpack_from("<4xH10xi", answer)
    if kind != ERROR or code:
        raise SystemExit(f"an unexpected answer: {answer.hex()}")


def dump(sock: socket.socket) -> int:
    """How many links there are."""
    sock.send(request(GETLINK, DUMP))
    count = 0
    while True:
        data, at = sock.recv(LARGEST), 0
        while at < len(data):
            length, kind = struct.unpack_from("<IH", data, at)
            if kind == DONE:
                return count
            count += 1
            at += length + 3 & ~3


def work(sock: socket.socket, kind: str, pairs: int, deleted: int, rounds: int) -> dict[str, float]:
    """Microseconds for making a pair, for dumping a link, for deleting a pair."""
    clock = time.perf_counter
    start = clock()
    for number in range(pairs):
        acked(sock, make(kind, f"p{number}"))
    made = (clock() - start) / pairs
    dumps = []
    for _ in range(rounds):
        start = clock()
        links = dump(sock)
        dumps.append((clock() - start) / links)
    if links < 2 * pairs:
        raise SystemExit(f"{links} links after {pairs} pairs were made")
    start = clock()
    for number in range(deleted):
        acked(sock, delete(f"p{number}"))
    gone = (clock() - start) / deleted
    return {"make a pair": 1e6 * made, "dump a link": 1e6 * statistics.median(dumps), "delete a pair": 1e6 * gone}


def on_kernel(pairs: int, deleted: int, rounds: int) -> dict[str, float]:
    """The work on this machine's kernel, in a namespace of this process's own: it is gone with the process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise SystemExit("a network namespace of one's own wants root")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.bind((0, 0))
        return work(sock, "veth", pairs, deleted, rounds)


def on_daemon(pairs: int, deleted: int, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "d"
        with server("daemon", directory), connect(directory / "init" / "route") as sock:
            return work(sock, "netkit", pairs, deleted, rounds)


def among(devices: int) -> dict[str, float]:
    """Microseconds for one request among so many devices, in process; medians of many."""
    machine = Machine()
    sock = Endpoint(machine, machine.init_net, 0)

    def ask(message: bytes) -> bytes | None:
        sock.send(message)
        answer = sock.receive()
        while sock.pending():
            sock.receive()
        machine.settle()
        return answer

    for number in range(devices):
        ask(make("dummy", f"d{number}"))
    messages = {
        "get by index": request(GETLINK, 0, index=devices // 2),
        "get by name": request(GETLINK, 0, attr(IFNAME, b"d3\0")),
        "make one": make("dummy", "extra"),
        "delete one": delete("extra"),
    }
    taken: dict[str, list[float]] = {name: [] for name in messages}
    for _ in range(200):
        for name, message in messages.items():
            start = time.perf_counter()
            ask(message)
            taken[name].append(1e6 * (time.perf_counter() - start))
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.links", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=2000, help="how many are made (default: %(default)s)")
    parser.add_argument("--deleted", type=int, default=100, help="how many are deleted (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often they are dumped (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--kernel", action="store_true", help="only the kernel's part, as JSON")
    options = parser.parse_args()
    sizes = options.pairs, options.deleted, options.rounds
    if options.kernel:
        print(json.dumps(on_kernel(*sizes)))
        return
    ours = on_daemon(*sizes)
    command = [sys.executable, "-m", "tests.bench.links", "--kernel", *(f"--{n}={v}" for n, v in zip(
        ("pairs", "deleted", "rounds"), sizes, strict=True))]
    kernel = subprocess.run(command, capture_output=True, text=True, check=False)
    theirs: dict[str, float] = json.loads(kernel.stdout) if kernel.returncode == 0 else {}
    flat = {str(size): among(size) for size in SIZES}
    if options.json:
        print(json.dumps({"emulator": ours, "kernel": theirs, "among": flat}))
        return
    print(f"{'microseconds':<14} {'emulator':>9} {'kernel':>9} {'ratio':>6}")
    for name, mine in ours.items():
        other: Any = theirs.get(name)
        print(f"{name:<14} {mine:>9.1f}" + (f" {other:>9.1f} {other / mine:>6.1f}" if other else "         -      -"))
    if not theirs:
        print(f"the kernel's part did not run: {kernel.stderr.strip()}")
    print(f"\n{'devices':<14} " + " ".join(f"{size:>9}" for size in flat))
    for name in flat[str(SIZES[0])]:
        print(f"{name:<14} " + " ".join(f"{row[name]:>9.1f}" for row in flat.values()))


if __name__ == "__main__":
    main()
