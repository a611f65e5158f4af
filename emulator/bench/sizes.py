"""What a request costs among few devices and among many, and how much memory a device takes; in this process."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Iterator, Sequence

from nlemu.emulator.bench.figures import Figure
from nlemu.emulator.bench.requests import LARGEST, delete, dumped, make, packed
from nlemu.emulator.bench.servers import resident
from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.protocol.uapi.netlink import NetlinkProtocol

SIZES = (10, 100, 1_000, 10_000, 50_000)
LARGE = 10_000
"""From so many devices on their memory is told; of fewer it lies in what the interpreter has already."""


def measure(sizes: Sequence[int], rounds: int) -> Iterator[Figure]:
    """Microseconds for one request among so many devices, the medians of so many rounds; bytes a device."""
    for size in sizes:
        yield from among(size, rounds)


def among(devices: int, rounds: int) -> Iterator[Figure]:
    """The figures of one size."""
    machine = Machine()
    sock = Endpoint(machine, machine.init_net, NetlinkProtocol.ROUTE)
    for message in (make("dummy", "first"), delete("first")):
        said(machine, sock, message)
    gc.collect()
    before = resident(os.getpid())
    for number in range(devices):
        said(machine, sock, make("dummy", f"d{number}"))
    grown = resident(os.getpid()) - before
    messages = {
        "get by index": packed("rt-link", "getlink", {"ifi-index": devices // 2 + 1}),
        "get by name": packed("rt-link", "getlink", {"ifname": "d3"}),
        "make": make("dummy", "extra"),
        "delete": delete("extra"),
    }
    taken: dict[str, list[float]] = {name: [] for name in messages}
    for _ in range(rounds):
        for name, message in messages.items():
            start = time.perf_counter()
            said(machine, sock, message)
            taken[name].append(1e6 * (time.perf_counter() - start))
    for name, times in taken.items():
        yield Figure("sizes", f"{name}, among {devices:,}", statistics.median(times), "us")
    _, dump = dumped(sock.send, lambda: sock.receive(LARGEST) or b"")
    yield Figure("sizes", f"dump a link, among {devices:,}", dump, "us")
    if devices >= LARGE:
        yield Figure("sizes", f"memory of a device, of {devices:,}", grown / devices / 1024, "KiB")


def said(machine: Machine, sock: Endpoint, message: bytes) -> None:
    """A request, and all that comes of it."""
    sock.send(message)
    while sock.pending():
        sock.receive()
    machine.settle()
