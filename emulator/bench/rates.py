"""Requests a second: one after the other, and 32 under way, of a queue, a link and a family, beside echoes and this
machine's kernel.

All clients are this process, with blocking sockets and nothing else to do, so what differs is who answers; they take
turns. On two processors or fewer a rate is of client and server together.
"""

from __future__ import annotations

import socket
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from nlemu.emulator.bench.figures import Figure
from nlemu.emulator.bench.requests import LARGEST, Refused, ask, bring_up, packed
from nlemu.emulator.bench.servers import ECHOES, connect, daemon, echo
from nlemu.emulator.client.control import Control
from nlemu.protocol.uapi.genetlink import GENL_ID_CTRL
from nlemu.protocol.uapi.netlink import NetlinkProtocol

DEPTH = 32
NIC = 2
"""The index of the first device that is made."""
Client = tuple[socket.socket, bytes]
"""A connection, and what is asked over it."""


def round_trips(client: Client, seconds: float) -> float:
    """A second, one after the other."""
    sock, request = client
    send, recv, clock = sock.send, sock.recv, time.perf_counter
    done, start = 0, clock()
    while (now := clock()) - start < seconds:
        for _ in range(DEPTH):
            send(request)
            recv(LARGEST >> 4)
        done += DEPTH
    return done / (now - start)


def pipeline(client: Client, seconds: float) -> float:
    """A second, DEPTH of them under way."""
    sock, request = client
    send, recv, clock = sock.send, sock.recv, time.perf_counter
    done, start = 0, clock()
    while (now := clock()) - start < seconds:
        for _ in range(DEPTH):
            send(request)
        for _ in range(DEPTH):
            recv(LARGEST >> 4)
        done += DEPTH
    return done / (now - start)


MEASURES: Mapping[str, Callable[[Client, float], float]] = {"round trips": round_trips, "pipeline of 32": pipeline}


def measure(rounds: int, seconds: float) -> Iterator[Figure]:
    """The medians of so many rounds, each of so many seconds for each client."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(daemon(place / "d"))
        with Control(place / "d") as control:
            control.do(nsim_new=[1, 1, 4])
        route = stack.enter_context(connect(place / "d" / "init" / "route"))
        generic = stack.enter_context(connect(place / "d" / "init" / "generic"))
        ask(route, bring_up(NIC))
        queue = packed("netdev", "queue-get", {"id": 0, "ifindex": NIC, "type": "rx"}, number=number_of(generic))
        one, family = packed("rt-link", "getlink", {"ifi-index": 1}), asked_family("nlctrl")
        kernel = {
            "getlink": stack.enter_context(netlink(NetlinkProtocol.ROUTE)),
            "getfamily": stack.enter_context(netlink(NetlinkProtocol.GENERIC)),
        }
        echoes = {name: stack.enter_context(echo(name, place / name.split()[0])) for name in ECHOES}
        for name, sock, request in (("queue-get", generic, queue), ("getlink", route, one),
                                    ("getfamily", generic, family)):
            clients = {"nlemu": (sock, request)} | {which: (other, request) for which, other in echoes.items()}
            if name in kernel:
                clients["kernel"] = (kernel[name], request)
            yield from alternating(name, clients, rounds, seconds)


def alternating(name: str, clients: Mapping[str, Client], rounds: int, seconds: float) -> Iterator[Figure]:
    """The figures of one request."""
    for sock, request in clients.values():
        ask(sock, request)
    for measured, run in MEASURES.items():
        rates: dict[str, list[float]] = {who: [] for who in clients}
        for _ in range(rounds):
            for who, client in clients.items():
                rates[who].append(run(client, seconds))
        medians = {who: statistics.median(found) for who, found in rates.items()}
        yield Figure("requests", f"{name}, {measured}", medians.pop("nlemu"), "/s", more=True, yardsticks=medians)


def asked_family(name: str) -> bytes:
    """What there is to tell of a family."""
    return packed("nlctrl", "getfamily", {"family-name": name}, number=GENL_ID_CTRL)


def number_of(sock: socket.socket, name: str = "netdev") -> int:
    """The number of a family. Raises Refused."""
    data, at = ask(sock, asked_family(name)), 20
    while at < len(data):
        length, kind = struct.unpack_from("<HH", data, at)
        if kind == 1:  # CTRL_ATTR_FAMILY_ID
            return int.from_bytes(data[at + 4 : at + 6], "little")
        at += length + 3 & ~3
    raise Refused(f"{name} has no number")


def netlink(protocol: int) -> socket.socket:
    """A socket of this machine's own kernel."""
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    sock.bind((0, 0))
    return sock
