"""Walks: random sequences of steps, made up while the emulator performs them.

A walk looks at the emulator to know what there is, so that most of what it says is about something; the steps that
come out are concrete, and any machine can perform them without knowing the walk.

Three namespaces, and in each sockets of every temper: with and without capped and extended acks, strict, without
capabilities, and listeners. After whatever may change something, `SETTLE` seconds pass: what a kernel does later has
then been done on every machine.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from typing import Any

from emulator.kernel.device import Device
from fixtures.recorder import encode as e
from protocol.attributes import Attr
from protocol.families.route import route
from protocol.family import Family, Operation
from protocol.families import REGISTERED
from protocol.uapi.genetlink import GenlFlag
from protocol.uapi.rtnetlink import RTNLGRP
from tests.conformance.machines import Emulator, Outcome
from tests.conformance.speech import Speech

SETTLE = 2.5
NETS = ("init", "b", "c")
NAMES = ("d0", "d1", "d2", "d3", "n0", "n1", "n2", "v0", "v1", "longer-name-0", "alt0", "alt1", "eth0", "x.y", "ü")
BAD_NAMES = ("", ".", "..", "a/b", "a b", "a:b", "x%d", "y%d%d", "z%s", "%d", "all", "default", "exactly-fifteen",
             "exactly-sixteen-", "a" * 30, "a" * 127, "a" * 128, "lo")  # fmt: skip
KINDS = ("dummy", "veth", "netkit", "netkit", "netkit")
OTHER_KINDS = ("netdevsim", "nosuchkind", "", "lo", "netki", "netkit2")  # no kind that only Linux has
AREAS = ("nlctrl", "netdev", "ethtool", "link", "nsid", "address", "raw")
UNPRIVILEGED = 1000
FD_NOBODY_HAS = 0x7FFFFFFF

NLCTRL, NETDEV, ETHTOOL = (next(f for f in REGISTERED if f.name == name) for name in ("nlctrl", "netdev", "ethtool"))


class Walk:
    """One walk. Takes a seed, the emulator, and the areas that it is to visit. `step()` makes the next step."""

    def __init__(self, seed: int | str, emulator: Emulator, areas: Sequence[str] = AREAS) -> None:
        self.rng = random.Random(seed)
        self.emulator = emulator
        self.machine = emulator.machine
        self.areas = areas
        self.speech = Speech(self.rng, self.choose)
        self.steps: list[dict[str, Any]] = []
        self.outcomes: list[Outcome] = []
        self.seq = 0
        self.net = "init"  # where the message in the making is sent
        self.simulated = 0
        self.families = {"nlctrl": 16, "netdev": 20, "ethtool": 21}
        self._begin()

    # -- performing ---------------------------------------------------------------------------

    def perform(self, **fields: Any) -> None:
        """Adds a step, and does it on the emulator."""
        self.steps.append(fields)
        self.outcomes.append(self.emulator.step(fields))

    def _begin(self) -> None:
        for name in NETS[1:]:
            self.perform(netns=name, settle=1)
        port = 1000
        for number, net in enumerate(NETS):
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
                self.perform(open=f"{name}{number}", netns=net, proto=proto, port=port, opts=opts, uid=uid)
            told = [RTNLGRP.LINK, RTNLGRP.NSID]
            if "address" in self.areas:
                told += [RTNLGRP.IPV4_IFADDR, RTNLGRP.IPV6_IFADDR]
            groups = [[e.ADD_MEMBERSHIP, int(group)] for group in told]
            self.perform(open=f"l{number}", netns=net, proto=0, port=port + 50, opts=[*e.MODERN, *groups])
            groups = [
                [e.ADD_MEMBERSHIP, self.machine.group_ids[family, group]]
                for family in (NETDEV, ETHTOOL)
                for group in family.groups
            ]
            self.perform(open=f"m{number}", netns=net, proto=16, port=port + 51, opts=[*e.MODERN, *groups])
        groups = [[e.LISTEN_ALL_NSID, 1], [e.ADD_MEMBERSHIP, 1], [e.ADD_MEMBERSHIP, 28]]
        self.perform(open="all", netns="init", proto=0, port=1900, opts=[*e.MODERN, *groups])

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
        """What a random request is told of the world (speech.Chooser)."""
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
        self, sock: str, data: bytes, about: str, settle: float = SETTLE, to: str | None = None, spoilt: int = 0
    ) -> None:
        """Sends a datagram from the namespace that is spoken to. to: the namespace whose descriptor goes into it;
        spoilt: where the attributes begin, if it may be spoilt."""
        fields: dict[str, Any] = {}
        if to is not None:
            fields["patch_fd"] = [[_descriptor(data), to]]
        elif spoilt and self.chance(0.08):
            data = self.speech.spoil(data, spoilt)
            about += ", spoilt"
            settle = SETTLE
        if not data:
            return
        self.perform(
            send=f"{sock}{NETS.index(self.net)}", hex=data.hex(), about=f"{about} in {self.net}", settle=settle, **fields
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

    # -- generic netlink ----------------------------------------------------------------------

    def ask(self, family: Family, op: Operation) -> None:
        """A random request of a declared operation."""
        halves = [half for half in (op.do, op.dump) if half is not None]
        half = self.rng.choice(halves)
        body = b""
        if half.accepts is not None:
            body = self.speech.attributes(half.accepts, half.requires, keep=self.rng.choice((0.05, 0.3, 0.7)))
        flags = self.flags(e.REQUEST | e.DUMP) if half is op.dump else self.flags(e.REQUEST | e.ACK, e.REQUEST)
        version = self.rng.choice((1, 1, 1, 1, 0, 2, 7))
        reserved = 0 if self.chance(0.97) else self.rng.randrange(1 << 16)
        number = self.families[family.name]
        data = e.genl(number, op.cmd, flags, self.next_seq(), body, version=version, reserved=reserved)
        changes = op.do is not None and op.do.flags & (GenlFlag.ADMIN_PERM | GenlFlag.UNS_ADMIN_PERM)
        about = f"{op!r}{' dump' if half is op.dump else ''}"
        self.send(self.generic_socket(), data, about, SETTLE if changes else 0, spoilt=20)

    def any_of(self, family: Family) -> None:
        if self.chance(0.03):
            number, cmd = self.families[family.name], self.rng.randrange(60)
            body = self.speech.garbage()
            data = e.genl(number, cmd, self.flags(e.REQUEST | e.ACK, e.REQUEST | e.DUMP), self.next_seq(), body)
            self.send(self.generic_socket(), data, f"{family.name} {cmd}", spoilt=20)
            return
        self.ask(family, self.rng.choice(list(family.operations.values())))

    def nlctrl(self) -> None:
        self.any_of(NLCTRL)

    def netdev(self) -> None:
        self.rng.choice((self.read_netdev, self.read_netdev, self.queue_create, self.random_netdev))()

    def random_netdev(self) -> None:
        self.any_of(NETDEV)

    def read_netdev(self) -> None:
        """A read of something that is there."""
        cmd = self.rng.choice((e.DEV_GET, e.QUEUE_GET, e.QUEUE_GET, e.NAPI_GET, e.PP_GET, e.PP_STATS_GET, e.QSTATS_GET))
        body = b"" if cmd == e.DEV_GET or self.chance(0.3) else e.u32(2 if cmd in (e.QUEUE_GET, e.PP_GET) else 1, self.ifindex())
        flags = e.REQUEST | e.DUMP
        if cmd == e.DEV_GET and self.chance(0.5):
            body, flags = e.u32(1, self.ifindex()), e.REQUEST | e.ACK
        if cmd == e.QUEUE_GET and self.chance(0.7):
            dev = self.device()
            if dev is None:
                return
            number = self.rng.randrange(max(1, len(dev.rx)) + 1)
            body = e.u32(2, dev.ifindex) + e.u32(3, self.rng.choice((0, 0, 0, 1))) + e.u32(1, number)
            flags = e.REQUEST
        if cmd == e.PP_STATS_GET:
            body = b""
        self.send("g", e.genl(20, cmd, flags, self.next_seq(), body), f"netdev read {cmd}", 0)

    def queue_create(self) -> None:
        """A lease: of a netdevsim's queue to a netkit device, mostly."""
        lessees = [dev for dev in self.devices() if dev.kind is not None and dev.kind.name == "netkit"]
        lessors = [dev for dev in self.devices("init") if dev.devlink_port is not None]
        lessee = self.rng.choice(lessees).ifindex if lessees and self.chance(0.9) else self.ifindex()
        netns_id = None
        if lessors and self.chance(0.9):
            dev = self.rng.choice(lessors)
            lessor, queue = dev.ifindex, self.rng.randrange(len(dev.rx) + 1)
            if self.net != "init":
                netns_id = self.rng.choice((0, 0, 0, 1, None))
            elif self.chance(0.1):
                netns_id = self.rng.choice((0, 1, 2, -1))
        else:
            lessor, queue = self.ifindex(), self.rng.randrange(4)
        kind = 0 if self.chance(0.95) else self.rng.randrange(3)
        parts = [e.u32(e.Q_IFINDEX, lessee), e.u32(e.Q_TYPE, kind)]
        flag = e.NESTED if self.chance(0.97) else 0
        parts.append(e.lease(lessor, queue, 0 if self.chance(0.95) else 1, netns_id, flag))
        if self.chance(0.1):
            self.rng.shuffle(parts)
        data = e.genl(20, e.QUEUE_CREATE, e.REQUEST | e.ACK, self.next_seq(), *parts)
        self.send(self.rng.choice("gggep"), data, "queue-create", spoilt=20)

    def ethtool(self) -> None:
        self.rng.choice((self.random_ethtool, self.random_ethtool, self.sizes))()

    def random_ethtool(self) -> None:
        self.any_of(ETHTOOL)

    def sizes(self) -> None:
        """Channels or rings of a device, set to something that may do."""
        dev = self.device()
        header = e.nest(1, e.u32(1, 0 if dev is None else dev.ifindex))
        pick = lambda: self.rng.choice((0, 1, 1, 2, 2, 3, 4, 5, 64, 512, 4096, 5000))
        if self.chance(0.5):
            cmd, numbers = 18, (6, 7, 8, 9)
        else:
            cmd, numbers = 16, (6, 9, 10, 15, 17)
        body = b"".join(e.u32(number, pick()) for number in numbers if self.chance(0.35))
        if cmd == 16 and self.chance(0.5):
            body += e.u8(11, self.rng.randrange(4))
        data = e.genl(21, cmd, e.REQUEST | e.ACK, self.next_seq(), header, body)
        self.send(self.generic_socket(), data, "channels-set" if cmd == 18 else "rings-set", spoilt=20)

    # -- links --------------------------------------------------------------------------------

    def link(self) -> None:
        devices = sum(len(self.devices(net)) for net in NETS)
        new = 6 if devices < 12 else 1
        self.rng.choices(
            (self.new_link, self.set_link, self.get_link, self.del_link, self.move, self.altname, self.updown,
             self.random_link, self.nsim, self.change_kind),
            (new, 5, 5, 1 if devices < 12 else 3, 2, 2, 5, 3, 1 if devices < 12 else 0.3, 1),
        )[0]()  # fmt: skip

    def about_link(self, *, peer: bool = False) -> list[bytes]:
        """Attributes that a device may be born with, or given later."""
        rng, parts = self.rng, []
        for probability, make in (
            (0.5, lambda: e.string(e.IFNAME, self.new_name())),
            (0.85, lambda: e.attr(e.ADDRESS, self.mac())),
            (0.15, lambda: e.u32(e.MTU, rng.choice((0, 1, 67, 68, 1279, 1280, 1500, 2000, 9000, 65535, 65536, 1 << 31)))),
            (0.1, lambda: e.u32(e.TXQLEN, rng.choice((0, 1, 500, 1000, 0x7FFF, 0x8000)))),
            (0.1, lambda: e.u32(e.GROUP, rng.choice((0, 5, 7)))),
            (0.05, lambda: e.string(e.IFALIAS, rng.choice(("an alias", "", "x" * 255, "x" * 256)))),
            (0.03, lambda: e.attr(e.BROADCAST_ADDR, self.mac())),
            (0.03, lambda: e.u8(e.OPERSTATE, rng.randrange(8))),
            (0.03, lambda: e.u8(e.LINKMODE, rng.randrange(4))),
            (0.03, lambda: e.u8(33, rng.randrange(2))),
            (0.03, lambda: e.u32(40, rng.choice((0, 1, 64, 65535, 65536)))),
            (0.03, lambda: e.u32(41, rng.choice((0, 320, 321, 1000, 65536, 524280, 524281, 1 << 30)))),
            (0.03, lambda: e.u32(58, rng.choice((0, 320, 1000, 65536, 524280, 524281)))),
            (0.03, lambda: e.u32(63, rng.choice((320, 321, 1000, 65536, 65537)))),
            (0.03, lambda: e.u32(64, rng.choice((0, 320, 1000, 65536, 65537)))),
            (0.02, lambda: e.u8(39, rng.randrange(2))),
            (0.02, lambda: e.s32(e.LINK_NETNSID, rng.choice((0, 1, 2, -1)))),
            (0.02, lambda: e.u32(e.MASTER, rng.choice((0, 0, 1, 2, 99)))),
        ):
            if self.chance(probability):
                parts.append(make())
        if self.chance(0.15 if not peer else 0.1):
            parts.append(e.u32(e.NUM_TX_QUEUES, rng.choice((0, 1, 2, 4, 4096, 4097))))
        if self.chance(0.3):
            parts.append(e.u32(e.NUM_RX_QUEUES, rng.choice((0, 1, 2, 3, 4, 8, 4096, 4097) if self.chance(0.1) else (2, 3, 4))))
        return parts

    def peer(self, number: int) -> bytes:
        """The other end of a pair."""
        flags, change = self.rng.choice(((0, 0), (0, 0), (0, 0), (1, 1), (1, 0)))
        index = self.free_index()
        header = e.ifinfo(index, flags, change)
        if self.chance(0.03):
            header = header[: self.rng.randrange(16)]
        return e.attr(number | (e.NESTED if self.chance(0.8) else 0), header + b"".join(self.about_link(peer=True)))

    def free_index(self) -> int:
        """A wanted index, mostly: so a walk can lose steps and still mean the same."""
        if self.chance(0.3):
            return 0
        return self.rng.randrange(10, 200) if self.chance(0.97) else self.rng.choice((1, 2, -1, 0x7FFFFFFF))

    def kind_data(self, kind: str, *, new: bool = True) -> bytes:
        rng, parts = self.rng, []
        if kind == "netkit":
            single = self.chance(0.4)
            for probability, make in (
                (0.5 if not single else 0.05, lambda: self.peer(1)),
                (0.02, lambda: e.u8(e.NK_PRIMARY, 1)),
                (0.2, lambda: e.u32(e.NK_POLICY, rng.choice((0, 2, 7, 1, 3)))),
                (0.15, lambda: e.u32(e.NK_PEER_POLICY, rng.choice((0, 2, 7, 1)))),
                (0.6, lambda: e.u32(e.NK_MODE, rng.choice((0, 0, 0, 1, 1, 2)))),
                (0.15, lambda: e.u32(e.NK_SCRUB, rng.randrange(3))),
                (0.1, lambda: e.u32(e.NK_PEER_SCRUB, rng.randrange(3))),
                (0.1, lambda: e.u16(e.NK_HEADROOM, rng.choice((0, 1, 64, 65535)))),
                (0.1, lambda: e.u16(e.NK_TAILROOM, rng.choice((0, 1, 64, 65535)))),
            ):
                if self.chance(probability if new else probability / 2):
                    parts.append(make())
            if single or self.chance(0.05):
                parts.append(e.u32(e.NK_PAIRING, rng.choice((1, 1, 1, 1, 0, 2))))
            if self.chance(0.1):
                rng.shuffle(parts)
        elif kind == "veth" and self.chance(0.7):
            parts.append(self.peer(1))
        if self.chance(0.02):
            parts.append(self.speech.garbage())
        return b"".join(parts)

    def new_link(self) -> None:
        rng = self.rng
        kind = rng.choice(KINDS) if self.chance(0.97) else rng.choice(OTHER_KINDS)
        parts = self.about_link()
        to = None
        if self.chance(0.15):
            parts.append(e.u32(e.NET_NS_FD, 0))
            to = rng.choice(NETS)
        elif self.chance(0.03):
            parts.append(e.u32(e.NET_NS_FD, FD_NOBODY_HAS))
        elif self.chance(0.04):
            parts.append(e.s32(e.TARGET_NETNSID, rng.choice((0, 1, 2, -1))))
        info = [e.string(e.INFO_KIND, kind)]
        data = self.kind_data(kind)
        if data or self.chance(0.1):
            info.append(e.attr(e.INFO_DATA | (e.NESTED if self.chance(0.9) else 0), data))
        parts.append(e.attr(e.LINKINFO | (e.NESTED if self.chance(0.9) else 0), b"".join(info)))
        if self.chance(0.1):
            rng.shuffle(parts)
        flags = self.flags(*[e.REQUEST | e.ACK | e.CREATE | e.EXCL] * 6, e.REQUEST | e.ACK | e.CREATE, e.REQUEST | e.ACK,
                           e.REQUEST | e.ACK | e.ECHO | e.CREATE | e.EXCL, e.REQUEST | e.ACK | e.CREATE | e.REPLACE)  # fmt: skip
        up = True if self.chance(0.25) else None
        message = e.link(e.NEWLINK, flags, self.next_seq(), *parts, index=self.free_index(), up=up)
        self.send(self.route_socket(), message, f"new {kind}", to=to, spoilt=32)

    def change_kind(self) -> None:
        """RTM_NEWLINK of a device that is there: its kind's own data."""
        dev = self.device()
        if dev is None:
            return
        kind = dev.kind.name if dev.kind is not None and self.chance(0.9) else self.rng.choice(KINDS)
        info = [e.string(e.INFO_KIND, kind)] if self.chance(0.95) else []
        data = self.kind_data(kind, new=False)
        if data or self.chance(0.2):
            info.append(e.attr(e.INFO_DATA | e.NESTED, data))
        parts = self.about_link() if self.chance(0.3) else []
        parts.append(e.nest(e.LINKINFO, *info))
        if self.chance(0.5):
            parts.insert(0, e.string(e.IFNAME, dev.name))
        flags = self.flags(e.REQUEST | e.ACK, e.REQUEST | e.ACK | e.CREATE, e.REQUEST | e.ACK | e.ECHO)
        index = dev.ifindex if self.chance(0.7) else 0
        cmd = e.NEWLINK if self.chance(0.8) else e.SETLINK
        self.send(self.route_socket(), e.link(cmd, flags, self.next_seq(), *parts, index=index), "change", spoilt=32)

    def set_link(self) -> None:
        dev = self.device()
        if dev is None:
            return
        parts = self.about_link()
        self.rng.shuffle(parts)
        parts = parts[: self.rng.randrange(4)]
        index = dev.ifindex
        if self.chance(0.15):
            index = 0
            parts.insert(0, e.string(e.IFNAME, self.name()))
        if self.chance(0.1):
            parts.append(self.af_spec())
        flags = self.flags(e.REQUEST | e.ACK, e.REQUEST | e.ACK, e.REQUEST | e.ACK | e.ECHO, e.REQUEST)
        cmd = e.SETLINK if self.chance(0.7) else e.NEWLINK
        ifi_flags, change = 0, 0
        if self.chance(0.2):
            ifi_flags = self.rng.choice((1, 0, 0x100, 0x200, 0x1000, 0x8000, 0x80, 2, 0x40, 0x1101))
            change = self.rng.choice((0, 0xFFFFFFFF, ifi_flags, 1, 0x100))
        message = e.link(cmd, flags, self.next_seq(), *parts, index=index, ifi_flags=ifi_flags, change=change)
        self.send(self.route_socket(), message, "set", spoilt=32)

    def af_spec(self) -> bytes:
        """What IPv4 and IPv6 are told of a device."""
        rng, parts = self.rng, []
        if self.chance(0.5):
            conf = [e.u32(rng.randrange(35), rng.randrange(3)) for _ in range(rng.randrange(1, 3))]
            parts.append(e.nest(2, e.nest(1, *conf)))
        if self.chance(0.6):
            parts.append(e.nest(10, e.u8(8, rng.randrange(5))))
        if self.chance(0.1):
            parts.append(e.nest(rng.choice((0, 1, 7, 28)), e.u32(1, 1)))
        return e.nest(26, *parts)

    def updown(self) -> None:
        dev = self.device()
        if dev is None:
            return
        up = not dev.up if self.chance(0.8) else dev.up
        message = e.link(e.SETLINK, e.REQUEST | e.ACK, self.next_seq(), index=dev.ifindex, up=up)
        self.send("r", message, "up" if up else "down")

    def move(self) -> None:
        dev = self.device()
        if dev is None:
            return
        parts, to = [], None
        match self.rng.randrange(6):
            case 0:
                parts.append(e.s32(e.TARGET_NETNSID, self.rng.choice((0, 1, 2, -1))))
            case 1:
                parts.append(e.u32(e.NET_NS_FD, FD_NOBODY_HAS))
            case _:
                parts.append(e.u32(e.NET_NS_FD, 0))
                to = self.rng.choice(NETS)
        if self.chance(0.2):
            parts.append(e.string(e.IFNAME, self.new_name()))
        if self.chance(0.1):
            parts.append(e.s32(49, self.rng.choice((0, 1, 2, 77, 78, -1))))
        if self.chance(0.1):
            parts += self.about_link()
        up = None if self.chance(0.8) else self.chance(0.5)
        cmd = e.SETLINK if self.chance(0.8) else e.NEWLINK
        message = e.link(cmd, e.REQUEST | e.ACK, self.next_seq(), *parts, index=dev.ifindex, up=up)
        self.send(self.rng.choice("rrrrsu"), message, f"move to {to}", to=to, spoilt=32)

    def altname(self) -> None:
        cmd = self.rng.choice((e.NEWLINKPROP, e.NEWLINKPROP, e.DELLINKPROP))
        names = [e.string(e.ALT_IFNAME, self.new_name()) for _ in range(self.rng.choice((1, 1, 2, 0)))]
        if self.chance(0.3):
            names.append(e.string(e.ALT_IFNAME, self.name()))
        parts = [e.nest(e.PROP_LIST, *names)] if self.chance(0.95) else names
        index = self.index()
        if self.chance(0.2):
            parts.insert(0, e.string(e.IFNAME if self.chance(0.7) else e.ALT_IFNAME, self.name()))
            index = 0
        flags = self.flags(e.REQUEST | e.ACK, e.REQUEST | e.ACK | e.CREATE | e.EXCL, e.REQUEST | e.ACK | e.APPEND)
        message = e.link(cmd, flags, self.next_seq(), *parts, index=index)
        self.send(self.route_socket(), message, "altname", spoilt=32)

    def del_link(self) -> None:
        parts, index = [], 0
        match self.rng.randrange(12):
            case 0:
                parts.append(e.u32(e.GROUP, self.rng.choice((5, 7, 7, 9))))
            case 1 | 2:
                parts.append(e.string(e.IFNAME, self.name()))
            case 3:
                parts.append(e.string(e.ALT_IFNAME, self.name()))
            case 4:
                parts.append(e.s32(e.TARGET_NETNSID, self.rng.choice((0, 1, 2))))
                index = self.index()
            case _:
                index = self.index()
        message = e.link(e.DELLINK, self.flags(e.REQUEST | e.ACK), self.next_seq(), *parts, index=index)
        self.send(self.route_socket(), message, "delete", spoilt=32)

    def get_link(self) -> None:
        parts, index = [], 0
        flags = self.flags(e.REQUEST, e.REQUEST | e.ACK)
        if self.chance(0.4):
            flags = self.flags(e.REQUEST | e.DUMP)
            if self.chance(0.2):
                parts.append(e.nest(e.LINKINFO, e.string(e.INFO_KIND, self.rng.choice((*KINDS, "nosuch")))))
            if self.chance(0.1):
                parts.append(e.u32(e.MASTER, self.rng.choice((0, 1, 2))))
        elif self.chance(0.75):
            index = self.index()
        else:
            parts.append(e.string(e.IFNAME if self.chance(0.6) else e.ALT_IFNAME, self.name()))
        if self.chance(0.5):
            parts.append(e.u32(e.EXT_MASK, self.rng.choice((1, 2, 4, 8, 9, 16, 0, 0xFF))))
        if self.chance(0.15):
            parts.append(e.s32(e.TARGET_NETNSID, self.rng.choice((0, 1, 2, -1))))
        if self.chance(0.03):
            parts.append(self.speech.garbage())
        family = 0 if self.chance(0.95) else self.rng.choice((2, 7, 10, 200))
        message = e.link(e.GETLINK, flags, self.next_seq(), *parts, index=index, family=family)
        self.send(self.route_socket(), message, "getlink", 0, spoilt=32)

    def random_link(self) -> None:
        """Any attributes that a link message may hold."""
        op = self.rng.choice([op for op in route.operations.values() if 16 <= op.cmd <= 19 or op.cmd in (108, 109)])
        half = op.do
        assert half is not None and half.accepts is not None
        body = self.speech.attributes(half.accepts, (), keep=self.rng.choice((0.01, 0.02, 0.05)))
        flags = self.flags(e.REQUEST | e.ACK, e.REQUEST | e.ACK | e.CREATE)
        if op.cmd == e.GETLINK and self.chance(0.4):
            flags = e.REQUEST | e.DUMP
        index = self.index()
        message = e.message(op.cmd, flags, self.next_seq(), e.ifinfo(index) + body)
        self.send(self.route_socket(), message, f"random {op!r}", spoilt=32)

    def nsim(self) -> None:
        """A netdevsim comes or goes, where there are some."""
        bus = self.machine.netdevsim_bus.devices
        if bus and (len(bus) > 2 or self.chance(0.4)):
            self.perform(nsim_del=self.rng.choice(list(bus)), settle=SETTLE)
        else:
            self.simulated += 1
            ports, queues = self.rng.choice((1, 1, 1, 2)), self.rng.choice((1, 2, 4, 4))
            self.perform(nsim_new=[10 + self.simulated, ports, queues], settle=SETTLE)

    # -- namespace ids ------------------------------------------------------------------------

    def nsid(self) -> None:
        rng = self.rng
        cmd = rng.choice((e.NEWNSID, e.GETNSID, e.GETNSID, e.GETNSID, e.DELNSID))
        parts, to = [], None
        if cmd == e.NEWNSID or self.chance(0.4):
            if self.chance(0.9):
                parts.append(e.u32(3, 0))
                to = rng.choice(NETS)
            else:
                parts.append(rng.choice((e.u32(3, FD_NOBODY_HAS), e.u32(2, 999999))))
        if cmd == e.NEWNSID or to is None and self.chance(0.8):
            parts.append(e.s32(1, rng.choice((0, 1, 2, 3, 5, -1, -2, 100))))
        if cmd == e.GETNSID and self.chance(0.2):
            parts.append(e.s32(4, rng.choice((0, 1, 2, -1))))
        flags = self.flags(e.REQUEST | e.ACK, e.REQUEST | e.ACK, e.REQUEST)
        if cmd == e.GETNSID and to is None and self.chance(0.5):
            flags = e.REQUEST | e.DUMP
            parts = parts[1:]
        message = e.message(cmd, flags, self.next_seq(), struct.pack("<B3x", 0) + b"".join(parts))
        self.send(self.route_socket(), message, f"nsid {cmd}", to=to, spoilt=20)

    # -- addresses ----------------------------------------------------------------------------

    def address(self) -> None:
        rng = self.rng
        four = self.chance(0.5)
        cmd = rng.choice((e.NEWADDR, e.NEWADDR, e.GETADDR, e.GETADDR, e.DELADDR))
        if cmd == e.GETADDR:
            family = rng.choice((0, 2, 2, 10, 10, 7))
            index = self.ifindex() if self.chance(0.3) else 0
            parts = [] if self.chance(0.9) else [e.s32(10, rng.choice((0, 1, 2, -1)))]
            flags = self.flags(e.REQUEST | e.DUMP) if self.chance(0.8) else e.REQUEST | e.ACK
            if not flags & e.DUMP and family == 10 and self.chance(0.8):
                parts.append(e.attr(1, self.ip(False)))
            body = struct.pack("<BBBBI", family, 0, 0, 0, index)
            self.send(self.route_socket(), e.message(cmd, flags, self.next_seq(), body + b"".join(parts)), "getaddr", 0,
                      spoilt=24)  # fmt: skip
            return
        local = self.ip(four)
        parts = []
        if self.chance(0.9):
            parts.append(e.attr(2, local))
        if self.chance(0.15 if parts else 0.9):
            parts.append(e.attr(1, self.ip(four) if self.chance(0.5) else local))
        if four:
            if self.chance(0.3):
                parts.append(e.attr(4, self.ip(True)))
            if self.chance(0.2):
                parts.append(e.string(3, rng.choice((self.name(), self.name() + ":1", "label", "l" * 16))))
        if self.chance(0.2):
            parts.append(e.u32(8, rng.choice((0x80, 0x02, 0x200, 0x400, 0x100, 0x04, 0x01, 0x08, 0x20, 0x282))))
        if self.chance(0.1):
            parts.append(e.u32(9, rng.choice((0, 1, 100, 1024))))
        if self.chance(0.1):
            parts.append(e.u8(11, rng.randrange(4)))
        if self.chance(0.1):
            preferred, valid = rng.choice(((0xFFFFFFFF, 0xFFFFFFFF), (0, 0xFFFFFFFF), (0, 0), (5, 3), (1 << 30, 1 << 31)))
            parts.append(e.attr(6, struct.pack("<IIII", preferred, valid, 0, 0)))
        prefix = rng.choice((24, 24, 32, 30, 8, 0, 33) if four else (64, 64, 128, 10, 0, 129))
        scope = rng.choice((0, 0, 0, 253, 254, 200))
        body = struct.pack("<BBBBI", 2 if four else 10, prefix, rng.choice((0, 0, 0, 0x80, 2)), scope, self.ifindex())
        flags = self.flags(e.REQUEST | e.ACK, e.REQUEST | e.ACK | e.CREATE | e.EXCL, e.REQUEST | e.ACK | e.CREATE | e.REPLACE)
        message = e.message(cmd, flags, self.next_seq(), body + b"".join(parts))
        self.send(self.route_socket(), message, "newaddr" if cmd == e.NEWADDR else "deladdr", spoilt=24)

    def ip(self, four: bool) -> bytes:
        rng = self.rng
        if self.chance(0.05):
            return rng.choice((b"", b"\x0a", bytes(4), bytes(16), b"\x7f\0\0\1", b"\xe0\0\0\1", b"\xff" * 4, bytes(15) + b"\1"))
        if four:
            return bytes([10, rng.randrange(2), 0, rng.randrange(1, 5)])
        return bytes.fromhex(rng.choice(("20010db8", "20010db8", "fd000000", "fe800000", "ff020000"))) + bytes(11) + bytes(
            [rng.randrange(1, 5)]
        )

    # -- anything -----------------------------------------------------------------------------

    def raw(self) -> None:
        """Messages that no family expects, or several in one datagram."""
        rng = self.rng
        match rng.randrange(6):
            case 0:
                data = rng.randbytes(rng.choice((1, 4, 15, 16, 17, 20, 32, 64)))
                if len(data) >= 6:
                    data = data[:4] + rng.choice((b"\0\0", b"\1\0", b"\2\0", b"\3\0", b"\4\0", b"\x0f\0")) + data[6:]
                sock = rng.choice("rg")
            case 1:  # a family that is not there
                number = rng.choice((0, 1, 2, 3, 15, 99, 1023, 65535))
                data, sock = e.genl(number, 1, e.REQUEST | e.ACK, self.next_seq(), self.speech.garbage()), "g"
            case 2:  # no header of the family
                number = rng.choice((16, 20, 21))
                data, sock = e.message(number, e.REQUEST | e.ACK, self.next_seq(), rng.randbytes(rng.randrange(4))), "g"
            case 3:
                number = rng.choice((16, 17, 18, 19, 88, 90))
                data, sock = e.message(number, e.REQUEST | e.ACK, self.next_seq(), rng.randbytes(rng.randrange(20))), "r"
            case 4:  # several messages
                one = lambda: e.genl(20, e.DEV_GET, e.REQUEST | e.ACK, self.next_seq(), e.u32(1, self.ifindex()))
                data, sock = b"".join(one() for _ in range(rng.randrange(2, 4))), "g"
            case _:
                one = lambda: e.link(e.GETLINK, e.REQUEST | e.ACK, self.next_seq(), index=self.index())
                data, sock = b"".join(one() for _ in range(rng.randrange(2, 4))), rng.choice("rs")
        self.send(sock, data, "raw", spoilt=20 if len(data) > 20 else 0)

    # -- the walk -----------------------------------------------------------------------------

    WEIGHTS = {"nlctrl": 0.4, "netdev": 2.0, "ethtool": 1.5, "link": 3.0, "nsid": 0.5, "address": 1.0, "raw": 0.3}

    def step(self) -> None:
        """Makes the next step, or a few that belong together."""
        self.net = self.rng.choice(("init", "init", "b", "c"))
        area = self.rng.choices(self.areas, [self.WEIGHTS[area] for area in self.areas])[0]
        act: Callable[[], None] = getattr(self, area)
        act()
        if "link" not in self.areas and self.chance(0.1):  # there should be something to look at
            self.rng.choice((self.nsim, self.plain_link, self.updown))()

    def plain_link(self) -> None:
        """A device of some kind, without any frills."""
        kind = self.rng.choice(KINDS)
        info = [e.string(e.INFO_KIND, kind)]
        if kind == "netkit" and self.chance(0.5):
            info.append(e.nest(e.INFO_DATA, e.u32(e.NK_PAIRING, 1)))
        parts = [e.u32(e.NUM_RX_QUEUES, self.rng.randrange(1, 5)), e.nest(e.LINKINFO, *info)]
        flags = e.REQUEST | e.ACK | e.CREATE | e.EXCL
        self.send("r", e.link(e.NEWLINK, flags, self.next_seq(), *parts), f"plain {kind}")


def _descriptor(data: bytes) -> int:
    """Where the descriptor stands: the value of a zeroed IFLA_NET_NS_FD, or NETNSA_FD."""
    for number in (e.NET_NS_FD, 3):
        mark = bytes([8, 0, number, 0, 0, 0, 0, 0])
        if mark in data[16:]:
            return data.index(mark, 16) + 4
    raise ValueError("there is no descriptor in the message")
