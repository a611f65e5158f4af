"""The machine that cases are done to: put back to what it was before each, and looked at after each deed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nlemu.emulator.machine.endpoint import Credentials, Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.machine.snapshot import Snapshot
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import TraceError, step_of
from nlemu.protocol.frame import split
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol

from .case import Ask, Deed, Read, Step, Wait, deeds
from .invariants import broken
from .requests import Asked, asked

MODERN = ((NetlinkOpt.CAP_ACK, 1), (NetlinkOpt.EXT_ACK, 1))
SOCKETS: tuple[dict[str, Any], ...] = (
    {"options": MODERN}, {"options": (*MODERN, (NetlinkOpt.GET_STRICT_CHK, 1))}, {}, {"net": "pod", "options": MODERN},
    {"credentials": Credentials.of(1000), "options": MODERN}, {"groups": 0xFFFFFFFF},
    {"net": "pod", "groups": 0xFFFFFFFF}, {"rcvbuf": 4096, "groups": 1, "options": MODERN},
)
"""Of each kind there is one for each protocol, from when it is first wanted."""
LONGEST_DUMP = 2000
"""Datagrams after which a dump counts as one that does not end."""
PROFILES = ("mlx5_core", "bnxt_en", "gve", "fbnic", "ice", "virtio_net")

STEPS: tuple[Callable[[int], dict[str, Any]], ...] = (
    lambda n: {"nsim_new": [n & 3, 1 + (n >> 2 & 1), 1 + (n >> 3 & 3)]},
    lambda n: {"nsim_del": n & 3},
    lambda n: {"nsim_vfs": [n & 3, n >> 2 & 7]},
    lambda n: {"nic_new": f"0000:0{n & 3}:00.0", "profile": PROFILES[n % len(PROFILES)], "queues": 1 + (n >> 4)},
    lambda n: {"nic_del": f"0000:0{n & 3}:00.0"},
    lambda n: {"netns": f"n{n & 3}"},
    lambda n: {"netns_del": f"n{n & 3}"},
    lambda n: {"xsk": f"x{n & 3}", "ifindex": 2 + (n >> 2 & 3), "queue": n >> 4 & 3, "flags": (0, 2, 4)[n % 3]},
    lambda n: {"zcrx": f"z{n & 3}", "ifindex": 2 + (n >> 2 & 3), "queue": n >> 4 & 3},
    lambda n: {"xdp": f"p{n & 3}", "ifindex": 2 + (n >> 2 & 7)},
    lambda n: {"end": f"{'xzp'[n % 3]}{n >> 2 & 3}"},
    lambda n: {"traffic": 2 + (n & 3), "rx_packets": n, "tx_bytes": n * 100},
    lambda n: {"fault": "route.*", "errno": "ENOMEM", "skip": n & 15},
    lambda n: {"interrupt": "route.getlink", "after": n & 3},
    lambda n: {"notice": "route.newlink", "fate": ("lose", "duplicate", "swap")[n % 3]},
    lambda n: {"heal": True},
    lambda n: {"tun": f"t{n & 3}", "flags": 0x1001 + (n & 1), "ifname": f"t{n & 3}"},
)


class Found(Exception):
    """Something is not as it has to be."""


class Kernel:
    """A machine, and who speaks to it."""

    def __init__(self, build: Any = None) -> None:
        self.machine = Machine() if build is None else Machine(build=build)
        self.steps = Steps(self.machine)
        self.steps.do(step_of({"netns": "pod"}))
        self.requests = asked()
        self.numbers = {family.name: number for family, number in self.machine.families.numbers.items()}
        self.sockets: dict[tuple[int, int], Endpoint] = {}
        self.begin = Snapshot(self.machine)
        self.seq = 0

    def run(self, data: bytes) -> None:
        """Does a case, from the beginning. Raises Found, and whatever falls over."""
        for endpoint in self.sockets.values():
            endpoint.close()
        self.sockets.clear()
        self.begin.restore()
        self.steps = Steps(self.machine)
        for deed in deeds(data):
            self.do(deed)
            self.machine.settle()
            if self.machine.bugs:
                raise Found(f"a bug, at {deed}")
        wrong = broken(self.machine)
        if wrong:
            raise Found("; ".join(wrong))

    def do(self, deed: Deed) -> None:
        """Does one thing."""
        match deed:
            case Ask():
                self.ask(deed)
            case Wait():
                self.machine.advance(deed.seconds)
            case Step():
                with suppress(StepError, TraceError, OSError):
                    self.steps.do(step_of(STEPS[deed.which % len(STEPS)](deed.number)))
            case Read():
                for (which, _), endpoint in list(self.sockets.items()):
                    if which == deed.socket:
                        self.read(endpoint)
                        if deed.closes:
                            endpoint.close()
                self.sockets = {key: one for key, one in self.sockets.items() if not one.closed}

    def ask(self, deed: Ask) -> None:
        """Sends a request, and reads what comes, but on every third socket."""
        one: Asked = self.requests[deed.which % len(self.requests)]
        body = bytearray(one.body)
        for change in deed.changes:
            if change.at < len(body):
                body[change.at : change.at + len(change.value)] = change.value
        self.seq += 1
        with suppress(OSError):
            endpoint = self.socket(deed.socket, one.protocol)
            endpoint.send(one.message(self.numbers, self.seq & 0xFFFFFFFF, body))
            if deed.socket % 3:
                self.read(endpoint)

    def socket(self, which: int, protocol: int) -> Endpoint:
        """One of its kind and protocol. OSError where there is none."""
        found = self.sockets.get((which, protocol))
        if found is None:
            asks = dict(SOCKETS[which])
            net = self.machine.nets.get(asks.pop("net", "init"), self.machine.init_net)
            found = self.sockets[which, protocol] = Endpoint(self.machine, net, protocol, **asks)
        return found

    @staticmethod
    def read(endpoint: Endpoint) -> None:
        """Reads all there is: messages that are whole. Raises Found."""
        for _ in range(LONGEST_DUMP):
            try:
                datagram = endpoint.receive(32768)
            except OSError:
                continue
            if not datagram:
                return
            size = sum(header.length + 3 & ~3 for header, _ in split(datagram))
            if endpoint.protocol != NetlinkProtocol.KOBJECT_UEVENT and not 0 <= size - len(datagram) < 4:
                raise Found(f"a datagram of {len(datagram)} bytes, of which {size} are messages")
        raise Found("a dump that does not end")
