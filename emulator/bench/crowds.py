"""Many at once: clients that ask by turns, and listeners that all have to be told."""

from __future__ import annotations

import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from nlemu.emulator.bench.figures import Figure
from nlemu.emulator.bench.rates import asked_family
from nlemu.emulator.bench.requests import LARGEST, ask, delete, make
from nlemu.emulator.bench.servers import ECHOES, connect, daemon, process
from nlemu.emulator.client.control import Control
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

TURNS = 4


def clients(count: int, rounds: int) -> Iterator[Figure]:
    """Requests a second of so many clients, each with one under way; all ask before any of them reads."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(daemon(place / "d"))
        stack.enter_context(process(*ECHOES["trio echo"], str(place / "echo")))
        rates = {}
        for who, path in (("nlemu", place / "d" / "init" / "generic"), ("trio echo", place / "echo")):
            sockets = [stack.enter_context(connect(path)) for _ in range(count)]
            rates[who] = asked_by_all(sockets, asked_family("nlctrl"), rounds)
    yield Figure("crowds", f"requests of {count:,} clients", rates.pop("nlemu"), "/s", more=True, yardsticks=rates)


def asked_by_all(sockets: list[socket.socket], request: bytes, rounds: int) -> float:
    """A second."""
    for sock in sockets:
        ask(sock, request)
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(TURNS):
            for sock in sockets:
                sock.send(request)
            for sock in sockets:
                sock.recv(LARGEST)
        found.append(TURNS * len(sockets) / (time.perf_counter() - start))
    return statistics.median(found)


def listeners(count: int, devices: int) -> Iterator[Figure]:
    """Notifications a second that so many listeners have, while so many devices come and go."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(daemon(place / "d"))
        control = stack.enter_context(Control(place / "d"))
        joined = ((NetlinkOpt.ADD_MEMBERSHIP, int(RTNLGRP.LINK)),)
        ears = [
            stack.enter_context(control.open(proto=NetlinkProtocol.ROUTE, options=joined)[0]) for _ in range(count)
        ]
        route = stack.enter_context(connect(place / "d" / "init" / "route"))
        names = [f"d{number}" for number in range(devices)]
        requests = [request for name in names for request in (make("dummy", name), delete(name))]
        for request in requests[:2]:
            ask(route, request)
        for ear in ears:
            drained(ear)
        start, heard = time.perf_counter(), 0
        for request in requests:
            ask(route, request)
            for ear in ears:
                heard += drained(ear)
        seconds = time.perf_counter() - start
    yield Figure("crowds", f"notifications to {count:,} listeners", heard / seconds, "/s", more=True)


def drained(sock: socket.socket) -> int:
    """How many datagrams wait."""
    found = 0
    while True:
        try:
            sock.recv(LARGEST, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return found
        found += 1
