"""Measures masters and what lies on other devices: ports of a bridge, VLANs, VXLANs, and a long forwarding table.

`python -m tests.bench.stacks`. The same client makes them behind the daemon's socket and, in a user and network
namespace of its own (`unshare -rn`), on this machine's kernel; a kind that this kernel lacks has no second column. A
port is a veth that is made with its master; the VLANs lie on one veth; each VXLAN has an id of its own, and all have
the same port. Then, in process: what one more of each costs among 10 devices and among 20,000.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from nlemu.emulator import cli
from nlemu.emulator.bench.servers import connect, daemon
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine

CLONE_NEWNET = 0x40000000
NEWLINK, DELLINK, GETLINK = 16, 17, 18
REQUEST, ACK, DUMP, CREATE, EXCL = 1, 4, 0x300, 0x400, 0x200
IFNAME, LINKINFO, INFO_KIND = 3, 18, 1
DONE, ERROR = 3, 2
LARGEST = 1 << 20
SIZES = (10, 20_000)
CLONE_NEWUSER = 0x10000000
LINK, MASTER, INFO_DATA = 5, 10, 2
VLAN_ID, VXLAN_ID, VXLAN_PORT = 1, 1, 15
NEWNEIGH, GETNEIGH, NDA_LLADDR = 28, 30, 2
AF_BRIDGE, NUD_PERMANENT, NTF_MASTER = 7, 0x80, 4
NDA_MASTER = 9

Made = dict[str, float]


def attr(kind: int, payload: bytes) -> bytes:
    return struct.pack("<HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def request(kind: int, flags: int, *attrs: bytes, index: int = 0) -> bytes:
    body = struct.pack("<BxHiII", 0, 0, index, 0, 0) + b"".join(attrs)
    return struct.pack("<IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body


def delete(name: str) -> bytes:
    return request(DELLINK, ACK, attr(IFNAME, name.encode() + b"\0"))


def make(kind: str, name: str, *attrs: bytes, data: bytes = b"") -> bytes:
    info = attr(INFO_KIND, kind.encode() + b"\0") + (attr(INFO_DATA, data) if data else b"")
    return request(NEWLINK, ACK | CREATE | EXCL, attr(IFNAME, name.encode() + b"\0"), attr(LINKINFO, info), *attrs)


def port(number: int, bridge: int) -> bytes:
    return make("veth", f"p{number}", attr(MASTER, struct.pack("=I", bridge)))


def vlan(number: int, lower: int) -> bytes:
    return make("vlan", f"v{number}", attr(LINK, struct.pack("=I", lower)),
                data=attr(VLAN_ID, struct.pack("=H", number + 1)))


def vxlan(number: int, _: int) -> bytes:
    data = attr(VXLAN_ID, struct.pack("=I", number + 1)) + attr(VXLAN_PORT, struct.pack(">H", 4789))
    return make("vxlan", f"x{number}", data=data)


def entry(number: int, port: int) -> bytes:
    """RTM_NEWNEIGH of a bridge: an address behind the port."""
    fixed = struct.pack("=BxxxiHBB", AF_BRIDGE, port, NUD_PERMANENT, NTF_MASTER, 0)
    body = fixed + attr(NDA_LLADDR, struct.pack(">HI", 0x0200, number))
    return struct.pack("=IHHII", 16 + len(body), NEWNEIGH, REQUEST | ACK | CREATE | EXCL, 1, 0) + body


def entries(bridge: int) -> bytes:
    """A dump of its forwarding table."""
    body = struct.pack("=BxxxiHBB", AF_BRIDGE, 0, 0, 0, 0) + attr(NDA_MASTER, struct.pack("=I", bridge))
    return struct.pack("=IHHII", 16 + len(body), GETNEIGH, REQUEST | DUMP, 1, 0) + body


KINDS: dict[str, tuple[Callable[[int, int], bytes], str, str]] = {
    "make a port of a bridge": (port, "bridge", "p"),
    "make a VLAN": (vlan, "veth", "v"),
    "make a VXLAN": (vxlan, "", "x"),
}
"""What is made, of which kind is the device that it is made at, and with what its name begins."""


def code(sock: socket.socket, message: bytes) -> int:
    """Sends a request; the errno that answers it."""
    sock.send(message)
    kind, error = struct.unpack_from("<4xH10xi", sock.recv(LARGEST))
    assert kind == ERROR
    return -int(error)


def count(sock: socket.socket, message: bytes) -> int:
    """Dumps; how many there were."""
    sock.send(message)
    found = 0
    while True:
        data, at = sock.recv(LARGEST), 0
        while at < len(data):
            length, kind = struct.unpack_from("<IH", data, at)
            if kind in (DONE, ERROR):
                return found
            found += 1
            at += length + 3 & ~3


def ask_for(name: str) -> bytes:
    return request(GETLINK, 0, attr(IFNAME, name.encode() + b"\0"))


def index_in(link: bytes) -> int:
    """Of the device that a NEWLINK tells."""
    return int(struct.unpack_from("=20xi", link)[0])


def index_by(sock: socket.socket, name: str) -> int:
    sock.send(ask_for(name))
    return index_in(sock.recv(LARGEST))


def work(sock: socket.socket, devices: int, addresses: int, rounds: int) -> Made:
    """Microseconds for one of each; what the kernel lacks is left out."""
    clock, taken = time.perf_counter, Made()
    for name, (one, lower, _) in KINDS.items():
        if lower and code(sock, make(lower, "at")):
            continue
        at = index_by(sock, "at") if lower else 0
        if code(sock, one(devices, at)):
            continue
        start = clock()
        for number in range(devices):
            if error := code(sock, one(number, at)):
                raise SystemExit(f"{name} {number}: {os.strerror(error)}")
        taken[name] = 1e6 * (clock() - start) / devices
        if lower == "bridge":
            taken |= table(sock, at, addresses, rounds)
        if lower:
            code(sock, delete("at"))
    return taken


def table(sock: socket.socket, bridge: int, addresses: int, rounds: int) -> Made:
    """Microseconds for an entry that is made, and for one that is dumped."""
    clock, behind = time.perf_counter, index_by(sock, "p0")
    start = clock()
    for number in range(addresses):
        if error := code(sock, entry(number, behind)):
            raise SystemExit(f"entry {number}: {os.strerror(error)}")
    made = (clock() - start) / addresses
    dumps = []
    for _ in range(rounds):
        start = clock()
        found = count(sock, entries(bridge))
        dumps.append((clock() - start) / found)
    if found < addresses:
        raise SystemExit(f"{found} entries after {addresses} were made")
    return {"make an FDB entry": 1e6 * made, "dump an FDB entry": 1e6 * statistics.median(dumps)}


def on_kernel(devices: int, addresses: int, rounds: int) -> Made:
    """The work on this machine's kernel, in namespaces of this process's own: they are gone with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET):
        raise SystemExit(f"no namespaces: {os.strerror(ctypes.get_errno())}")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.bind((0, 0))
        return work(sock, devices, addresses, rounds)


def on_daemon(devices: int, addresses: int, rounds: int) -> Made:
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "d"
        with daemon(directory), connect(directory / "init" / "route") as sock:
            return work(sock, devices, addresses, rounds)


def among(devices: int) -> Made:
    """Microseconds for one more of each among so many dummies, in process; medians of many."""
    gc.set_threshold(cli.ALLOCATIONS)
    machine = Machine()
    sock = Endpoint(machine, machine.init_net, 0)

    def ask(message: bytes) -> bytes:
        sock.send(message)
        answer = sock.receive()
        assert answer is not None
        while sock.pending():
            sock.receive()
        machine.settle()
        return answer

    for number in range(devices):
        ask(make("dummy", f"d{number}"))
    taken = Made()
    for name, (one, lower, letter) in KINDS.items():
        at = 0
        if lower:
            ask(make(lower, "at"))
            at = index_in(ask(ask_for("at")))
        times = []
        for _ in range(100):
            start = time.perf_counter()
            ask(one(1, at))
            times.append(1e6 * (time.perf_counter() - start))
            ask(delete(f"{letter}1"))
        taken[name] = statistics.median(times)
        if lower:
            ask(delete("at"))
    return taken


def main() -> None:
    about = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stacks", description=about)
    parser.add_argument("--devices", type=int, default=1000, help="how many of each are made (default: %(default)s)")
    parser.add_argument("--addresses", type=int, default=10_000, help="entries of the table (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="how often it is dumped (default: %(default)s)")
    parser.add_argument("--kernel", action="store_true", help="only the kernel's part, as JSON")
    options = parser.parse_args()
    sizes = options.devices, options.addresses, options.rounds
    if options.kernel:
        print(json.dumps(on_kernel(*sizes)))
        return
    ours = on_daemon(*sizes)
    command = [sys.executable, "-m", "tests.bench.stacks", "--kernel", *(f"--{n}={v}" for n, v in zip(
        ("devices", "addresses", "rounds"), sizes, strict=True))]
    kernel = subprocess.run(command, capture_output=True, text=True, check=False)
    theirs: Made = json.loads(kernel.stdout) if kernel.returncode == 0 else {}
    print(f"{'microseconds':<24} {'emulator':>9} {'kernel':>9} {'ratio':>6}")
    for name, mine in ours.items():
        other = theirs.get(name)
        print(f"{name:<24} {mine:>9.1f}" + (f" {other:>9.1f} {other / mine:>6.1f}" if other else "         -      -"))
    if not theirs:
        print(f"the kernel's part did not run: {kernel.stderr.strip()}")
    flat = {str(size): among(size) for size in SIZES}
    print(f"\n{'devices':<24} " + " ".join(f"{size:>9}" for size in flat))
    for name in flat[str(SIZES[0])]:
        print(f"{name:<24} " + " ".join(f"{row[name]:>9.1f}" for row in flat.values()))


if __name__ == "__main__":
    main()
