"""A client in a process of its own, which may be killed at any time: `python -m tests.soak.client DIR KIND SEED COUNT`.

walk     a walk of tests/conformance, whose every step is performed by the daemon too, in namespaces of its own: links
         of all kinds, addresses, routes, leases, neighbours, groups, namespaces that end and come again
play     requests of the recorded traces, in their order and changed (tests/fuzz), in namespaces that all share; NICs,
         programs on queues, faults
leave    dumps that are left in the middle, listeners that never read, requests whose answers nobody wants
"""

from __future__ import annotations

import os
import random
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nlemu.emulator.bench.requests import DUMP
from nlemu.emulator.bench.servers import connect
from nlemu.emulator.client.control import Control, ControlError, NoDaemon
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.trace import step_of
from nlemu.protocol.uapi.netlink import NetlinkProtocol
from tests.conformance.machines import Daemon, Emulator, StepImpossible
from tests.conformance.walk import ALL_AREAS, Walk
from tests.fuzz.case import NUMBERS
from tests.fuzz.kernel import STEPS
from tests.fuzz.requests import GENERIC, Asked, asked

SHARED = ("init", "init", "n0", "n1", "n2", "n3")
PATHS = {int(NetlinkProtocol.ROUTE): "route", GENERIC: "generic"}
WAIT_MS = 20
"""How long an answer is waited for, of which there may be none."""
DATAGRAMS = 200
"""Of one answer that are read."""
GONE = (OSError, NoDaemon)
"""What a daemon says that has cut a client off: it was put back to another time."""


class Walker(Daemon):
    """Performs the steps of a walk on the daemon, under names that are nobody else's."""

    def __init__(self, directory: Path, number: int) -> None:
        super().__init__(directory)
        self.number = number

    def follow(self, fields: dict[str, Any]) -> None:
        """Does one, and reads what is there; what is refused here may have been performed there."""
        step = self.renamed({name: value for name, value in fields.items() if name not in ("settle", "about")})
        with suppress(ControlError, KeyError):
            self._do(step_of(dict(step)), step)
        for sock in self._sockets.values():
            with suppress(BlockingIOError):
                while sock.recv(1 << 16):
                    pass

    def renamed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """With names of its own."""
        for name in ("open", "close", "opt", "send", "netns", "netns_del", "dmabuf", "xsk", "zcrx", "xdp", "end"):
            if name in fields:
                fields[name] = f"w{self.number}-{fields[name]}"
        for name in ("patch_fd", "patch_dmabuf"):
            if name in fields:
                fields[name] = [[at, f"w{self.number}-{what}"] for at, what in fields[name]]
        if "nsim_new" in fields:
            number, ports, queues = fields["nsim_new"]
            fields["nsim_new"] = [1000 * self.number + number, ports, queues]
        if "nsim_del" in fields:
            fields["nsim_del"] += 1000 * self.number
        return fields


def walk(directory: Path, seed: int, count: int) -> None:
    """Until so many steps are made."""
    number = seed % 1000
    walker = Walker(directory, number)
    walker._control.do(netns=f"w{number}-init")
    made = Walk(seed, Emulator(Machine()), ALL_AREAS)
    done = 0
    while done < count:
        for fields in made.steps[done:]:
            walker.follow(dict(fields))
            done += 1
        with suppress(StepImpossible):
            made.step()
    walker.close()


class Player:
    """Sends what traces ask. Takes the daemon's directory, and what is chance."""

    def __init__(self, directory: Path, rng: random.Random) -> None:
        self.directory, self.rng = directory, rng
        self.control = Control(directory)
        self.sockets: dict[tuple[str, int], socket.socket] = {}
        self.numbers: dict[str, int] = self.control.do(state=True)["families"]
        self.seq = 0

    def reach(self, netns: str, protocol: int) -> socket.socket:
        """By a path, or of a protocol that has none by the control socket."""
        if (netns, protocol) not in self.sockets:
            if protocol in PATHS:
                sock = connect(self.directory / netns / PATHS[protocol])
            else:
                sock, _ = self.control.open(netns=netns, proto=protocol, options=())
            sock.setblocking(False)
            self.sockets[netns, protocol] = sock
        return self.sockets[netns, protocol]

    def forget(self, netns: str, protocol: int) -> None:
        """Closes one, read or not."""
        if (found := self.sockets.pop((netns, protocol), None)) is not None:
            found.close()

    def ask(self, one: Asked, netns: str) -> None:
        """A request as it was recorded, or with a few bytes changed."""
        rng, body = self.rng, bytearray(one.body)
        if rng.random() < 0.2 and body:
            at = rng.randrange(len(body)) & ~3
            body[at : at + 4] = rng.choice(NUMBERS).to_bytes(4, "little")[: len(body) - at]
        self.seq += 1
        try:
            sock = self.reach(netns, one.protocol)
            sock.send(one.message(self.numbers, self.seq, body))
            if rng.random() < 0.9:
                self.read(sock)
            elif rng.random() < 0.3:
                self.forget(netns, one.protocol)
        except (*GONE, ControlError):
            self.forget(netns, one.protocol)

    def read(self, sock: socket.socket) -> None:
        """What is there soon. ConnectionResetError at the end."""
        for _ in range(DATAGRAMS):
            if not select.select([sock], [], [], WAIT_MS / 1000)[0]:
                return
            if not sock.recv(1 << 16):
                raise ConnectionResetError
            if not select.select([sock], [], [], 0)[0]:
                return

    def step(self) -> None:
        """Something that is not netlink."""
        with suppress(ControlError):
            self.control.do(**self.rng.choice(STEPS)(self.rng.randrange(256)))


def play(directory: Path, seed: int, count: int) -> None:
    """Stretches of what the traces ask."""
    rng = random.Random(seed)
    player, requests, done = Player(directory, rng), asked(), 0
    while done < count:
        netns, start = rng.choice(SHARED), rng.randrange(len(requests))
        for one in requests[start : start + rng.randrange(1, 40)]:
            player.ask(one, netns)
            done += 1
            if rng.random() < 0.05:
                player.step()
    player.control.do(heal=True)


def leave(directory: Path, seed: int, count: int) -> None:
    """What a client should not do, so many times."""
    rng = random.Random(seed)
    with Control(directory) as control:
        dumps = [one for one in asked() if one.flags & DUMP == DUMP and one.protocol in PATHS]
        numbers: dict[str, int] = control.do(state=True)["families"]
        held: list[socket.socket] = []
        for _ in range(count):
            with suppress(OSError, ControlError):
                netns, one = rng.choice(SHARED), rng.choice(dumps)
                request = one.message(numbers, 1)
                if rng.random() < 0.3:
                    sock, _ = control.open(netns=netns, proto=one.protocol, groups=0xFFFFFFFF)
                else:
                    sock = connect(directory / netns / PATHS[one.protocol])
                held.append(sock)
                sock.setblocking(False)
                for _ in range(rng.choice((1, 1, 1, 40))):
                    sock.send(request)
                if rng.random() < 0.5:
                    select.select([sock], [], [], WAIT_MS / 1000)
                    sock.recv(100)
            while len(held) > 60:
                held.pop(rng.randrange(len(held))).close()


KINDS: dict[str, Callable[[Path, int, int], None]] = {"walk": walk, "play": play, "leave": leave}

if __name__ == "__main__":
    place, kind, seed_of, count_of = sys.argv[1:]
    with suppress(*GONE, ControlError):  # refused before it began, where descriptors ran out
        KINDS[kind](Path(place), int(seed_of), int(count_of))
    os._exit(0)  # whatever is open is closed as a client's is that falls over
