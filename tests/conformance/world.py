"""The world of a walk: its namespaces and sockets, what there is in them, and how something is said.

A walk looks at the emulator to know what there is, so that most of what it says is about something; the steps that
come out are concrete, and any machine can perform them without knowing the walk.

Three namespaces, and in each sockets of every temper: with and without capped and extended acks, strict, without
capabilities, and listeners. After whatever may change something, `SETTLE` seconds pass: what a kernel does later has
then been done on every machine.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from fixtures.recorder import encode as e
from nlemu.emulator.kernel.devices.device import Device
from nlemu.protocol.families.registered import REGISTERED
from nlemu.protocol.schema.attributes import Attr
from nlemu.protocol.uapi.rtnetlink import RTNLGRP
from tests.conformance.machines import Emulator, Outcome
from tests.conformance.random_requests import RandomRequests

SETTLE = 2.5
SETTLE_OF_KINDS = 2.4
"""Where bridges and bonds are: what they do 2, 15 or 30 seconds later is not to fall onto the end of a step, since the
timers of Linux are late by up to a thirtieth."""
NETS = ("init", "b", "c")
NAMES = (
    "d0",
    "d1",
    "d2",
    "d3",
    "n0",
    "n1",
    "n2",
    "v0",
    "v1",
    "longer-name-0",
    "alt0",
    "alt1",
    "eth0",
    "x.y",
    "ü",
)
BAD_NAMES = ("", ".", "..", "a/b", "a b", "a:b", "x%d", "y%d%d", "z%s", "%d", "all", "default", "exactly-fifteen",
             "exactly-sixteen-", "a" * 30, "a" * 127, "a" * 128, "lo")
KINDS = ("dummy", "veth", "netkit", "netkit", "netkit")
OTHER_KINDS = ("netdevsim", "nosuchkind", "", "lo", "netki", "netkit2")  # no kind that only Linux has
AREAS = ("nlctrl", "netdev", "ethtool", "link", "nsid", "address", "route", "socket", "raw")
ALL_AREAS = (*AREAS, "kinds")
"""The second half came later: a seed means what it meant when it did not visit it."""
UNPRIVILEGED = 1000
FD_NOBODY_HAS = 0x7FFFFFFF

NLCTRL, NETDEV, ETHTOOL = (
    next(f for f in REGISTERED if f.name == name) for name in ("nlctrl", "netdev", "ethtool")
)


class World:
    """What a walk knows and keeps. Takes a seed, the emulator, and the areas that it is to visit.

    steps, outcomes: what has been done so far, and what came of it.
    """

    def __init__(self, seed: int | str, emulator: Emulator, areas: Sequence[str] = AREAS) -> None:
        self.rng = random.Random(seed)
        self.emulator = emulator
        self.machine = emulator.machine
        self.areas = areas
        self.requests = RandomRequests(self.rng, self.choose)
        self.steps: list[dict[str, Any]] = []
        self.outcomes: list[Outcome] = []
        self.seq = 0
        self.net = "init"  # where the message in the making is sent
        self.simulated = 0
        self.families = {"nlctrl": 16, "netdev": 20, "ethtool": 21}
        self._begin()

    def throw(self, dice: random.Random) -> None:
        """From now on chance is what these dice say."""
        self.rng = self.requests.rng = dice

    # -- performing ---------------------------------------------------------------------------

    def perform(self, **fields: Any) -> None:
        """Adds a step, and does it on the emulator."""
        if fields.get("settle") == SETTLE and "kinds" in self.areas:
            fields["settle"] = SETTLE_OF_KINDS
        self.steps.append(fields)
        self.outcomes.append(self.emulator.step(fields))

    def _begin(self) -> None:
        for name in NETS[1:]:
            self.perform(netns=name, settle=1)
        for number in range(len(NETS)):
            for step in self.sockets(number):
                self.perform(**step)
        groups = [[e.LISTEN_ALL_NSID, 1], [e.ADD_MEMBERSHIP, 1], [e.ADD_MEMBERSHIP, 28]]
        self.perform(open="all", netns="init", proto=0, port=1900, opts=[*e.MODERN, *groups])

    def sockets(self, number: int) -> list[dict[str, Any]]:
        """The steps that open the sockets of a namespace."""
        net, port = NETS[number], 1000 + 7 * number
        opened: list[dict[str, Any]] = []
        for name, proto, opts, uid in (
            ("r", 0, e.MODERN, 0),
            ("s", 0, [*e.MODERN, [e.GET_STRICT_CHK, 1]], 0),
            ("o", 0, [], 0),
            ("u", 0, e.MODERN, UNPRIVILEGED),
            ("g", 16, e.MODERN, 0),
            ("e", 16, [[e.EXT_ACK, 1]], 0),
            ("p", 16, e.MODERN, UNPRIVILEGED),
        ):
            port += 1
            opened.append(
                {
                    "open": f"{name}{number}",
                    "netns": net,
                    "proto": proto,
                    "port": port,
                    "opts": opts,
                    "uid": uid,
                }
            )
        told = [RTNLGRP.LINK, RTNLGRP.NSID]
        if "address" in self.areas:
            told += [RTNLGRP.IPV4_IFADDR, RTNLGRP.IPV6_IFADDR, RTNLGRP.IPV6_IFINFO]
            told += [RTNLGRP.IPV4_MCADDR, RTNLGRP.IPV6_MCADDR]
        if "route" in self.areas:
            told += [RTNLGRP.IPV4_ROUTE, RTNLGRP.IPV6_ROUTE, RTNLGRP.NEIGH, RTNLGRP.IPV4_RULE]
        if "kinds" in self.areas:
            told += [RTNLGRP.NEIGH, RTNLGRP.MDB, RTNLGRP.BRVLAN, RTNLGRP.TUNNEL]
            told = list(dict.fromkeys(told))
        generic = [
            self.machine.families.group_ids[family, group] for family in (NETDEV, ETHTOOL) for group in family.groups
        ]
        for name, proto, listened in (("l", 0, told), ("m", 16, generic)):
            opts = [*e.MODERN, *([e.ADD_MEMBERSHIP, int(group)] for group in listened)]
            opened.append(
                {
                    "open": f"{name}{number}",
                    "netns": net,
                    "proto": proto,
                    "port": port + 50 + proto,
                    "opts": opts,
                }
            )
        return opened

    # -- the world ----------------------------------------------------------------------------

    def devices(self, net: str | None = None) -> list[Device]:
        """Those of a namespace (by default the one that is spoken to), in the order of their indexes."""
        found, after = [], 0
        where = self.emulator.steps.nets[net or self.net]
        while (dev := where.after(after)) is not None:
            found.append(dev)
            after = dev.ifindex
        return found

    def device(self) -> Device | None:
        """Any but the loopback, mostly."""
        devices = self.devices()
        others = devices[1:] if self.chance(0.9) else devices
        return self.rng.choice(others) if others else None

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def ifindex(self) -> int:
        """One that is there, mostly."""
        dev = self.device()
        if dev is None or self.chance(0.07):
            return self.rng.choice((0, 1, 2, 3, 4, 99, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000))
        return dev.ifindex

    def index(self) -> int:
        """The same for the header of a link message, where it is a signed number."""
        index = self.ifindex()
        return index if index < 1 << 31 else index - (1 << 32)

    def name(self) -> str:
        """Of a device that is there, or any."""
        dev = self.device()
        if dev is None or self.chance(0.2):
            return self.rng.choice(NAMES if self.chance(0.8) else BAD_NAMES)
        if dev.altnames and self.chance(0.3):
            return self.rng.choice(list(dev.altnames))
        return dev.name

    def new_name(self) -> str:
        return self.rng.choice(NAMES if self.chance(0.9) else BAD_NAMES)

    def mac(self) -> bytes:
        """A hardware address by which a walk is known (compare.GIVEN); now and then one that no device can have."""
        if self.chance(0.06):
            return self.rng.choice((bytes(6), b"\xff" * 6, b"\x01\x00\x5e\0\0\1", b"\2\0\0\0", bytes(8), b""))
        return b"\x02\xc0\xde" + self.rng.randbytes(3)

    def choose(self, attribute: Attr[Any]) -> int | str | None:
        """What a random request is told of the world (random_requests.Chooser)."""
        name = attribute.name
        match attribute.owner, name:
            case _, "ifindex" | "dev-index":
                return self.ifindex()
            case _, "dev-name" | "ifname":
                return self.name() if self.chance(0.8) else self.new_name()
            case _, "alt-ifname":
                return self.name() if self.chance(0.4) else self.new_name()
            case _, "fd" | "net-ns-fd" | "expected-fd":
                return FD_NOBODY_HAS
            case _, "net-ns-pid":
                return self.rng.choice((0, 999999, 0x7FFFFFFF))
            case "Napi" | "Queue", "id" | "napi-id" if attribute.owner == "Napi" or name == "napi-id":
                ids = [napi.napi_id for dev in self.devices() for napi in dev.napi_list]
                return self.rng.choice(ids) if ids and self.chance(0.85) else self.rng.randrange(80)
            case "PagePool", "id":
                ids = [pool.id for pool in self.machine.page_pools]
                return self.rng.choice(ids) if ids and self.chance(0.85) else self.rng.randrange(20)
            case _, "target-netnsid" | "netns-id" | "link-netnsid" | "new-netnsid" | "nsid":
                return self.rng.choice((0, 0, 1, 1, 2, 3, -1, 100)) & 0xFFFFFFFF
            case _, "family-id":
                return self.rng.choice((16, 16, 20, 20, 21, 40, 99))
            case _, "family-name":
                return self.rng.choice(("netdev", "ethtool", "nlctrl", "nosuch", "", "a" * 15, "a" * 16))
            case "Link", "operstate" | "linkmode" | "carrier" | "proto-down":
                return self.rng.randrange(8)
            case "Link", "group":
                return self.rng.choice((0, 0, 5, 7))
        return None

    # -- saying -------------------------------------------------------------------------------

    def send(
        self,
        sock: str,
        data: bytes,
        about: str,
        settle: float = SETTLE,
        to: str | None = None,
        spoilt: int = 0,
    ) -> None:
        """Sends a datagram from the namespace that is spoken to. to: the namespace whose descriptor goes into it;
        spoilt: where the attributes begin, if it may be spoilt."""
        fields: dict[str, Any] = {}
        if to is not None:
            fields["patch_fd"] = [[_descriptor(data), to]]
        elif spoilt and self.chance(0.08):
            data = self.requests.spoil(data, spoilt)
            about += ", spoilt"
            settle = SETTLE
        if not data:
            return
        self.perform(
            send=f"{sock}{NETS.index(self.net)}",
            hex=data.hex(),
            about=f"{about} in {self.net}",
            settle=settle,
            **fields,
        )

    def flags(self, *likely: int) -> int:
        return self.rng.choice(likely) if self.chance(0.95) else self.rng.randrange(1 << 12)

    def generic_socket(self) -> str:
        return self.rng.choice("gggggep")

    def route_socket(self) -> str:
        return self.rng.choice("rrrrrsssou")

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq


def _descriptor(data: bytes) -> int:
    """Where the descriptor stands: the value of a zeroed IFLA_NET_NS_FD, or NETNSA_FD."""
    for number in (e.NET_NS_FD, 3):
        mark = bytes([8, 0, number, 0, 0, 0, 0, 0])
        if mark in data[16:]:
            return data.index(mark, 16) + 4
    raise ValueError("there is no descriptor in the message")
