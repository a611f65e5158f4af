"""A round: clients at work, acts between, then everything is torn down and has to be as it was."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from nlemu.emulator.bench.requests import Refused, ask, delete
from nlemu.emulator.client.client import Client
from tests.fuzz.kernel import STEPS
from tests.soak.acts import ACTS, BETWEEN, Act, namespaces, settled
from tests.soak.daemon import ROOT, Daemon, Found

BASE = "base"
"""The snapshot of a machine to which nothing was done."""


@dataclass(frozen=True)
class Effort:
    """How much a round is: steps of each client; acts; how many clients of each kind; seconds until those that are not
    ready are killed; namespaces of the great act, 0 for none."""

    steps: int
    acts: int
    clients: Sequence[str]
    seconds: float
    namespaces: int = 0


@dataclass
class Told:
    """What came of a round: how long it took, what it did, and what the daemon had afterwards."""

    number: int
    seconds: float = 0.0
    acts: list[str] = field(default_factory=list)
    killed: int = 0
    resident: float = 0.0
    there: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """For people."""
        objects = sum(self.there["objects"].values())
        acts = ", ".join(f"{name} {count}" for name, count in Counter(self.acts).items())
        return (f"{self.number:5} {self.seconds:6.1f} s {self.resident:7.1f} MiB {self.there['blocks']:9,} blocks "
                f"{objects:7,} objects  {self.killed} killed  {acts}")


class Round:
    """One. Takes the daemon, chance, which it is, and how much is to be done."""

    def __init__(self, daemon: Daemon, rng: random.Random, number: int, effort: Effort, acts: Sequence[Act] = ACTS):
        self.daemon, self.rng, self.number, self.effort, self.acts = daemon, rng, number, effort, acts
        self.told = Told(number)
        self.clients: list[subprocess.Popen[bytes]] = []

    def run(self, base: dict[str, int]) -> Told:
        """Does it, and looks. base: the counters to which it has to come back. Raises Found."""
        began = time.monotonic()
        try:
            self.work()
        finally:
            self.end_clients()
        self.whole("with all of it there")
        self.tear_down()
        self.whole("after it was torn down")
        if self.number % 5 == 0:
            self.daemon.control.do(reset=True)
            settled(self.daemon, base)
            self.whole("after a reset")  # with no snapshots, which may keep what is gone
            self.daemon.control.do(snapshot=BASE)
        else:
            self.daemon.control.do(restore=BASE)
            self.daemon.control.do(snapshot=BETWEEN)  # in the place of a greater one
        self.told.there = settled(self.daemon, base)
        self.whole("after it was put back", self.told.there)
        self.told.resident = self.daemon.resident()
        self.told.seconds = time.monotonic() - began
        return self.told

    def work(self) -> None:
        """Clients in processes of their own, and acts of this one."""
        for kind in self.effort.clients:
            self.begin(kind)
        end = time.monotonic() + self.effort.seconds
        acts = [self.rng.choice(self.acts) for _ in range(self.effort.acts)]
        for act in acts:
            self.told.acts.append(act.__name__)
            act(self.daemon, self.rng)
            if self.rng.random() < 0.4:
                self.kill_one()
        if self.effort.namespaces:
            self.told.acts.append(f"{self.effort.namespaces} namespaces")
            namespaces(self.daemon, self.rng, self.effort.namespaces)
        for client in self.clients:
            with suppress(subprocess.TimeoutExpired):
                client.wait(max(0.0, end - time.monotonic()))

    def begin(self, kind: str) -> None:
        """A client."""
        arguments = [str(self.daemon.directory), kind, str(self.rng.randrange(1 << 30)), str(self.effort.steps)]
        self.clients.append(subprocess.Popen([sys.executable, "-m", "tests.soak.client", *arguments], cwd=ROOT))

    def kill_one(self) -> None:
        """In the middle of whatever it does; another one comes."""
        victim = self.rng.choice(self.clients)
        if victim.poll() is None:
            victim.kill()
            victim.wait()
            self.told.killed += 1
            self.clients.remove(victim)
            self.begin(self.rng.choice(self.effort.clients))

    def end_clients(self) -> None:
        """Those that are not ready are killed. One that fell over by itself is found."""
        codes = []
        for client in self.clients:
            if client.poll() is None:
                client.kill()
                self.told.killed += 1
            codes.append(client.wait())
        if any(code > 0 for code in codes):
            raise Found(f"clients end with {codes}; see what they said")

    def tear_down(self) -> None:
        """All that was made goes, by requests."""
        daemon = self.daemon
        daemon.control.do(heal=True)
        for name in {step["end"] for number in range(256) for make in STEPS if "end" in (step := make(number))}:
            daemon.try_to(end=name)
        state = daemon.control.do(state=True)
        for name in state["namespaces"]:
            if name != "init":
                daemon.try_to(netns_del=name)
        devices = state["namespaces"]["init"]["devices"]
        for parent in {dev["parent"] for dev in devices if "parent" in dev}:
            daemon.try_to(nic_del=parent)
            if parent.startswith("netdevsim"):
                daemon.try_to(nsim_del=int(parent.removeprefix("netdevsim")))
        with daemon.connect() as sock, Client(sock, "rt-link") as links:
            names = [link["ifname"] for link in links.dump("getlink")]
            for name in reversed(names):
                with suppress(Refused):
                    ask(sock, delete(name))
        daemon.answers()

    def whole(self, when: str, there: dict[str, Any] | None = None) -> None:
        """The machine holds together, and nobody has complained. Found."""
        there = there or self.daemon.look()
        wrong = [*there["broken"], *([f"{there['bugs']} bugs"] if there["bugs"] else []), *self.daemon.complaints()]
        if there["lost"]:
            wrong.append(f"{len(there['lost'])} lost: {there['lost'][:5]}")
        if wrong:
            raise Found(f"round {self.number}, {when}:\n  " + "\n  ".join(wrong[:60]))


def base_of(daemon: Daemon) -> dict[str, int]:
    """The counters of a daemon to which nothing was done, of which there is a snapshot from now on."""
    daemon.answers()
    before = settled(daemon, {"connections": 0})
    while (there := daemon.look())["tasks"] != before["tasks"]:
        before = there
    daemon.control.do(snapshot=BASE)
    return {name: there[name] for name in ("connections", "endpoints", "namespaces", "watching", "hosts", "tasks")}
