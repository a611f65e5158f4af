"""What clients should not do and do, from this process, while others work: each act takes the daemon and chance.

An act leaves nothing open; what it made in the machine goes with the round. It raises Found where the daemon does not
do what it has to.
"""

from __future__ import annotations

import random
import select
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from nlemu.emulator.bench.requests import LINKS, packed
from nlemu.emulator.client.control import Control, ControlError, NoDaemon
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol
from nlemu.protocol.uapi.rtnetlink import RTNLGRP
from tests.soak.daemon import ANSWER, PATIENCE, Daemon, Found

FEW = 40
"""Descriptors that are left to a daemon that is to run out of them."""
LINES = (
    b'{"state": true}\n', b'{"export": true}\n', b'{"netns": "n1"}\n{"netns_del": "n1"}\n', b'{"netns"', b"\xff\n" * 50,
    b"[" * 5000 + b"\n", b'{"watch": true}\n', b'{"open": "hung", "proto": 0}\n', b"x" * (1 << 17), b"",
)
"""What is written to the control socket by who hangs up then."""
BETWEEN = "between"
"""The snapshot of a machine that others work on."""
DEEP = 64
"""Requests that are sent and whose answers are not read."""
UP = packed("rt-link", "setlink", {"ifi-index": 1, "ifi-flags": ["up"], "ifi-change": 1})


def hang_up(daemon: Daemon, rng: random.Random) -> None:
    """Control clients that hang up: before the answer, in the middle of a line, with a socket on the way."""
    for _ in range(30):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.connect(str(daemon.directory / "control"))
            sock.setblocking(False)
            with suppress(BlockingIOError):
                sock.send(rng.choice(LINES))
            if rng.random() < 0.3:
                select.select([sock], [], [], 0.01)


def never_read(daemon: Daemon, rng: random.Random) -> None:
    """Listeners that never read, and clients that ask without reading until nothing more can be sent."""
    with ExitStack() as stack:
        joined = [(int(NetlinkOpt.ADD_MEMBERSHIP), int(group)) for group in (RTNLGRP.LINK, RTNLGRP.IPV4_ROUTE)]
        for _ in range(rng.randrange(5, 30)):
            sock, _ = daemon.control.open(proto=NetlinkProtocol.ROUTE, options=joined)
            stack.enter_context(sock)
        for _ in range(rng.randrange(1, 20)):
            sock = stack.enter_context(daemon.connect())
            sock.setblocking(False)
            with suppress(BlockingIOError):
                for _ in range(DEEP):
                    sock.send(rng.choice((LINKS, UP)))
        daemon.answers()


def namespaces(daemon: Daemon, rng: random.Random, count: int = 0) -> None:
    """Hundreds of namespaces, or so many: made, one in ten with a pair of links in it, spoken to, and ended."""
    count = count or rng.randrange(50, 400)
    names = [f"many{number}" for number in range(count)]
    for name in names:
        daemon.control.do(netns=name)
    with daemon.connect() as sock:
        sock.send(LINKS)
        for name in names[:: max(1, count // 100)]:
            with daemon.connect(name) as inside, suppress(TimeoutError):  # by a fault of somebody else
                inside.settimeout(ANSWER)
                inside.send(packed("rt-link", "newlink", {"ifname": "v", "linkinfo": {"kind": "veth"}}, 0x605))
                inside.recv(1 << 16)
    rng.shuffle(names)
    for name in names:
        daemon.control.do(netns_del=name)


def exhaust(daemon: Daemon, rng: random.Random) -> None:
    """Descriptors run out: whoever is connected is answered still, and when there are some again everybody is."""
    with ExitStack() as stack:
        before = stack.enter_context(daemon.connect())
        before.settimeout(ANSWER)

        def ask() -> None:
            before.send(LINKS)
            if not before.recv(1 << 16):
                raise Found("a client that was there is cut off when descriptors run out")

        daemon.patiently("a client", ask)  # it is accepted by now
        daemon.limit(daemon.open_files() + FEW)
        try:
            for _ in range(FEW * 3):
                sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
                sock.setblocking(False)
                with suppress(BlockingIOError):
                    sock.connect(str(daemon.directory / "init" / rng.choice(("route", "generic"))))
            for number in range(FEW):
                with suppress(ControlError):
                    daemon.control.do(netns=f"short{number}")
                with suppress(ControlError):
                    daemon.control.open()[0].close()
            daemon.patiently("a client that was there when descriptors ran out", ask)
            for number in range(FEW):
                with suppress(ControlError):
                    daemon.control.do(netns_del=f"short{number}")
        finally:
            daemon.limit(daemon.files)
    daemon.answers()


def turn_back(daemon: Daemon, rng: random.Random) -> None:
    """A snapshot while others work, and some time later back to it."""
    daemon.control.do(snapshot=BETWEEN)
    for _ in range(rng.randrange(1, 10)):
        daemon.look()
    daemon.control.do(restore=BETWEEN)


def export(daemon: Daemon, rng: random.Random) -> None:
    """The whole state, and the world as text, while others work; watched by somebody who reads nothing."""
    with Control(daemon.directory) as control:
        watched = control.watch()
        for step in ({"state": True}, {"export": True}, {"faults": True}, {"operations": True}):
            with suppress(ControlError):
                daemon.control.do(**step)
        watched.close()


def come_and_go(daemon: Daemon, rng: random.Random) -> None:
    """Clients by the hundreds that connect and leave, with a request or without."""
    for _ in range(300):
        with suppress(OSError, NoDaemon), daemon.connect() as sock:
            if rng.random() < 0.5:
                sock.send(LINKS)


Act = Callable[[Daemon, random.Random], Any]
ACTS: tuple[Act, ...] = (hang_up, never_read, namespaces, exhaust, turn_back, export, come_and_go)


def settled(daemon: Daemon, wanted: dict[str, int], patience: float = PATIENCE) -> dict[str, Any]:
    """What there is when those counters are as they have to be. Found, where they are not in so many seconds."""
    end = time.monotonic() + patience
    while True:
        there = daemon.look()
        wrong = {name: there[name] for name, value in wanted.items() if there[name] != value}
        if not wrong:
            return there
        if time.monotonic() > end:
            raise Found(f"after everything was closed there are {wrong}, and not {wanted}")
