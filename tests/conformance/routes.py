"""Routes, rules, neighbours and groups: asked for in every way, made and removed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from fixtures.recorder import encode as e
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv6 import netns as ip6
from tests.conformance.addresses import Addresses
from tests.conformance.links import Choices
from tests.conformance.world import SETTLE

NEWROUTE, DELROUTE, GETROUTE, NEWNEIGH, DELNEIGH, GETNEIGH = 24, 25, 26, 28, 29, 30
NEWRULE, DELRULE, GETRULE = 32, 33, 34
GETMULTICAST, GETANYCAST = 58, 62
AF_BRIDGE = 7
FAMILIES = (2, 2, 2, 10, 10, 10, 0, AF_BRIDGE, 28)
LENGTHS4, LENGTHS6 = (32, 24, 24, 16, 8, 0, 33), (128, 64, 64, 48, 0, 129)
TABLES = (254, 254, 254, 254, 254, 255, 253, 0, 100, 252)
TYPES = (1, 1, 1, 1, 1, 1, 6, 7, 8, 9, 2, 3, 4, 0, 5)
PRIORITIES = (0, 1, 1, 100, 1024, 256)
RTA_DST, RTA_SRC, RTA_IIF, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
)
RTA_MULTIPATH, RTA_FLOW, RTA_TABLE, RTA_MARK, RTA_VIA, RTA_PREF = 9, 11, 15, 16, 18, 20
RTA_ENCAP_TYPE, RTA_ENCAP, RTA_EXPIRES, RTA_UID = 21, 22, 23, 25
RTA_IP_PROTO, RTA_SPORT, RTA_DPORT, RTA_NH_ID = 27, 28, 29, 30
ONLINK, OFFLOAD, PERVASIVE = 4, 8, 2
NDA_DST, NDA_LLADDR, NDA_IFINDEX, NDA_MASTER, NDA_PROTOCOL, NDA_FLAGS_EXT = 1, 2, 8, 9, 12, 15
PROXY, ROUTER, EXT_LEARNED = 8, 0x80, 0x10
DECIDED = (0x80, 0x80, 0x80, 0x40, 0x00, 0x20)
"""States of neighbours in which nothing happens by itself: permanent, no ARP, none, failed."""


class Routes(Addresses):
    """Routes, rules and neighbours."""

    def route(self) -> None:
        self.rng.choices(
            (self.list_routes, self.look_up, self.change_route, self.list_neighbours, self.change_neighbour,
             self.list_rules, self.change_rule, self.list_groups),
            (4, 3, 7, 2, 4, 1, 1.5, 1),
        )[0]()

    def ask_route(self, cmd: int, flags: int, body: bytes, about: str, settle: float, header: int) -> None:
        data = e.message(cmd, flags, self.next_seq(), body)
        self.send(self.route_socket(), data, about, settle, spoilt=16 + header)

    # -- what is said of a route -----------------------------------------------------------------

    def near(self, four: bool) -> bytes:
        """An address that some device of the namespace has, or one beside it; or any."""
        known: list[int] = []
        for dev in self.devices():
            if four and dev.ip4 is not None:
                known += [ifa.local for ifa in dev.ip4.addresses]
            elif not four and dev.ip6 is not None:
                known += [ifa.address for ifa in dev.ip6.addresses if ifa.address >> 112 != 0xFE80]
        if not known or self.chance(0.3):
            return self.ip(four)
        address = self.rng.choice(known) ^ self.rng.choice((0, 1, 2, 3, 3, 7))
        return address.to_bytes(4 if four else 16, "big")

    def prefix(self, four: bool, length: int) -> bytes:
        """What a route is to; its last bits are 0, mostly."""
        dst = self.ip(four) if self.chance(0.7) else self.near(four)
        if len(dst) in (4, 16) and length <= 8 * len(dst) and self.chance(0.9):
            kept = int.from_bytes(dst, "big") >> 8 * len(dst) - length << 8 * len(dst) - length
            dst = kept.to_bytes(len(dst), "big")
        return dst

    def metrics(self) -> bytes:
        rng, parts = self.rng, []
        for _ in range(rng.choice((1, 1, 2, 3))):
            number = rng.choice((1, 2, 2, 3, 4, 5, 7, 8, 8, 10, 11, 12, 13, 15, 16, 17, 18))
            if number == 16 and self.chance(0.8):
                parts.append(e.string(16, rng.choice(("cubic", "reno", "nosuch"))))
            else:
                parts.append(e.u32(number, rng.choice((0, 1, 4, 255, 256, 1400, 65500, 1 << 31))))
        if self.chance(0.05):
            parts.append(e.attr(rng.choice((2, 8)), b"\1\2"))
        return e.nest(RTA_METRICS, *parts)

    def hops(self, four: bool) -> bytes:
        """Several next hops."""
        rng, hops = self.rng, []
        for _ in range(rng.choice((1, 2, 2, 2, 3))):
            inside = []
            if self.chance(0.8):
                inside.append(e.attr(RTA_GATEWAY, self.near(four)))
            if self.chance(0.03):
                inside.append(e.u32(RTA_FLOW, 5))
            if self.chance(0.03):
                inside.append(e.attr(RTA_VIA, struct.pack("<H", 2) + self.near(True)))
            said = b"".join(inside)
            flags = rng.choice((0, 0, 0, ONLINK, ONLINK, OFFLOAD, 1, 16)) if self.chance(0.5) else 0
            hops.append(
                struct.pack("<HBBi", 8 + len(said), flags, rng.choice((0, 0, 1, 9, 255)), self.index()) + said
            )
        payload = b"".join(hops)
        if self.chance(0.04):
            payload += rng.randbytes(rng.choice((1, 4, 8)))
        if self.chance(0.03):
            payload = payload[: rng.randrange(len(payload))]
        return e.attr(RTA_MULTIPATH, payload)

    def odd(self, four: bool) -> bytes:
        """What is seldom said of a route."""
        rng = self.rng
        likely: Sequence[Callable[[], bytes]] = (
            lambda: e.u32(RTA_FLOW, rng.choice((0, 1))),
            lambda: e.u32(RTA_NH_ID, rng.choice((0, 1))),
            lambda: e.attr(
                RTA_VIA, struct.pack("<H", rng.choice((2, 2, 10, 7))) + self.near(self.chance(0.6))
            ),
            lambda: e.attr(RTA_ENCAP_TYPE, struct.pack("<H", rng.choice((0, 1, 2, 3, 5, 99)))),
            lambda: e.nest(RTA_ENCAP, e.u32(1, 7)),
            lambda: e.attr(RTA_SRC, self.ip(four)),
            lambda: e.u32(RTA_MARK, 1),
            lambda: e.u32(RTA_IIF, self.ifindex()),
            lambda: e.u8(26, 1),
            lambda: e.u32(31, 1),
        )
        return rng.choice(likely)()

    def change_route(self) -> None:
        rng, four = self.rng, self.chance(0.5)
        cmd = NEWROUTE if self.chance(0.68) else DELROUTE
        length = rng.choice(LENGTHS4 if four else LENGTHS6)
        kind = rng.choice(TYPES) if self.chance(0.6) else 1
        scope = rng.choice((0, 0, 253, 253, 254, 255, 200))
        table, protocol = rng.choice(TABLES), rng.choice((3, 4, 2, 0, 99))
        flags = rng.choice((0, 0, 0, 0, ONLINK, ONLINK, OFFLOAD, PERVASIVE, 1, 16, 64, 0x200, 0x4000))
        src_length = 0 if self.chance(0.97) else rng.choice((32, 128, 255))
        tos = 0 if self.chance(0.9) else rng.choice((4, 8, 16, 1, 0xFC))
        header = struct.pack(
            "<BBBBBBBBI", 2 if four else 10, length, src_length, tos, table, protocol, scope, kind, flags
        )
        parts = [e.attr(RTA_DST, self.prefix(four, length))] if length or self.chance(0.1) else []
        several = self.chance(0.2)
        if self.chance(0.15 if several else 0.85):
            parts.append(e.u32(RTA_OIF, self.ifindex()))
        if self.chance(0.1 if several else 0.35):
            parts.append(e.attr(RTA_GATEWAY, self.near(four)))
        if several:
            parts.append(self.hops(four))
        if self.chance(0.4):
            parts.append(e.u32(RTA_PRIORITY, rng.choice(PRIORITIES)))
        if self.chance(0.15):
            parts.append(e.attr(RTA_PREFSRC, self.near(four)))
        if self.chance(0.15):
            parts.append(self.metrics())
        if self.chance(0.1):
            parts.append(e.u32(RTA_TABLE, rng.choice((100, 254, 1000))))
        if self.chance(0.08):
            parts.append(e.u8(RTA_PREF, rng.choice((0, 1, 2, 3))))
        if self.chance(0.05):
            parts.append(e.u32(RTA_EXPIRES, rng.choice((0, 1000, 3000, 0xFFFFFFFF))))
        if self.chance(0.06):
            parts.append(self.odd(four))
        asked = e.REQUEST | e.ACK
        flags = self.flags(asked | e.CREATE | e.EXCL, asked | e.CREATE, asked | e.CREATE | e.REPLACE, asked | e.REPLACE,
                           asked | e.CREATE | e.APPEND) if cmd == NEWROUTE else self.flags(asked)
        about = "newroute" if cmd == NEWROUTE else "delroute"
        self.ask_route(cmd, flags, header + b"".join(parts), about, SETTLE, 12)

    def is_shared(self, dst: bytes) -> bool:
        """Whether several ways lead there: which of them a packet takes is a matter of a hash with a random key."""
        net, address = self.emulator.steps.nets[self.net], int.from_bytes(dst, "big")
        if len(dst) == 4:
            return any(
                len(route.info.nexthops) > 1 and address >> 32 - route.length == route.dst >> 32 - route.length
                for table in ip4.of(net).fib.tables.values()
                for route in table
            )
        tables = ip6.of(net).fib.in_order() if len(dst) == 16 else ()
        nodes = (node for table in tables for node in table.covering(address))
        return any(len(node.siblings(route)) > 1 for node in nodes for route in node)

    # -- routes asked for ------------------------------------------------------------------------

    def list_routes(self) -> None:
        rng, family = self.rng, self.rng.choice(FAMILIES)
        table = rng.choice((0, 0, 0, 254, 255, 100))
        protocol, kind = rng.choice((0, 0, 0, 0, 2, 4)), rng.choice((0, 0, 0, 0, 1, 2, 6))
        flags = rng.choice((0, 0, 0, 0, 0x200, 0x800, 0xA00, 0x1000))
        header = struct.pack("<BBBBBBBBI", family, 0, 0, 0, table, protocol, 0, kind, flags)
        parts = []
        if self.chance(0.2):
            parts.append(e.u32(RTA_OIF, self.ifindex()))
        if self.chance(0.2):
            parts.append(e.u32(RTA_TABLE, rng.choice(TABLES)))
        if self.chance(0.03):
            parts.append(self.odd(family == 2))
        self.ask_route(GETROUTE, self.flags(e.REQUEST | e.DUMP), header + b"".join(parts), "routes", 0, 12)

    def look_up(self) -> None:
        rng, four = self.rng, self.chance(0.5)
        length = rng.choice((32, 32, 32, 0, 24) if four else (128, 128, 128, 0, 64))
        # without RTM_F_NOTIFY: a route that one CPU keeps remembers it, and tells of it ever after
        flags = rng.choice((0, 0, 0, 0x1000, 0x1000, 0x2000, 0x2000, 0x3000, 0x200))
        sourced = self.chance(0.2)
        header = struct.pack(
            "<BBBBBBBBI", 2 if four else 10, length, (32 if four else 128) if sourced else 0,
            0 if self.chance(0.9) else rng.choice((4, 16, 1, 0xFC)), 0, 0, 0, 0, flags,
        )
        dst = self.near(four)
        if self.is_shared(dst):
            return
        parts = [e.attr(RTA_DST, dst)] if self.chance(0.97) else []
        if sourced:
            parts.append(e.attr(RTA_SRC, self.near(four)))
        if self.chance(0.3):
            parts.append(e.u32(RTA_OIF, self.ifindex()))
        if self.chance(0.1):
            parts.append(e.u32(RTA_MARK, rng.choice((0, 1, 5))))
        if self.chance(0.1):
            parts.append(e.u32(RTA_UID, rng.choice((0, 1000))))
        if self.chance(0.1):
            parts.append(e.u8(RTA_IP_PROTO, rng.choice((0, 1, 6, 17, 58, 132))))
        if self.chance(0.05):
            parts.append(e.attr(rng.choice((RTA_SPORT, RTA_DPORT)), b"\0\x50"))
        self.ask_route(
            GETROUTE, self.flags(e.REQUEST, e.REQUEST | e.ACK), header + b"".join(parts), "look up", 0, 12
        )

    # -- neighbours ------------------------------------------------------------------------------

    def list_neighbours(self) -> None:
        family = self.rng.choice(FAMILIES)
        if family == AF_BRIDGE:  # no forwarding tables
            family = 0
        header = struct.pack("<BBHiHBB", family, 0, 0, 0, 0, self.rng.choice((0, 0, PROXY)), 0)
        parts = [e.u32(NDA_IFINDEX, self.ifindex())] if self.chance(0.3) else []
        if self.chance(0.1):
            parts.append(e.u32(NDA_MASTER, self.rng.choice((0, 1, 0xFFFFFFFF))))
        self.ask_route(
            GETNEIGH, self.flags(e.REQUEST | e.DUMP), header + b"".join(parts), "neighbours", 0, 12
        )

    def change_neighbour(self) -> None:
        rng, four = self.rng, self.chance(0.5)
        cmd = rng.choice((NEWNEIGH, NEWNEIGH, NEWNEIGH, DELNEIGH, GETNEIGH))
        flags = rng.choice((0, 0, 0, ROUTER, EXT_LEARNED, PROXY, PROXY | ROUTER, 0x20))
        state = rng.choice(DECIDED) if cmd == NEWNEIGH or self.chance(0.1) else 0
        index = self.index()
        if flags & PROXY and four:  # one of no device outlives its namespace in Linux, and may turn up in another
            index = index or 1
        elif flags & PROXY and self.chance(0.2):
            index = 0
        header = struct.pack("<BBHiHBB", 2 if four else 10, 0, 0, index, state, flags, 0)
        parts = [e.attr(NDA_DST, self.near(four))] if self.chance(0.95) else []
        if cmd == NEWNEIGH and self.chance(0.85):
            parts.append(e.attr(NDA_LLADDR, self.mac()))
        if cmd == NEWNEIGH and self.chance(0.15):
            parts.append(e.u8(NDA_PROTOCOL, rng.choice((0, 2, 4, 200))))
        if cmd == NEWNEIGH and self.chance(0.05):
            parts.append(e.u32(NDA_FLAGS_EXT, rng.choice((0, 2, 4, 0x80))))
        asked = e.REQUEST | e.ACK
        chosen = self.flags(asked | e.CREATE | e.EXCL, asked | e.CREATE, asked | e.CREATE | e.REPLACE, asked)
        self.ask_route(
            cmd, chosen if cmd == NEWNEIGH else asked, header + b"".join(parts), "neighbour", SETTLE, 12
        )

    # -- rules and groups ------------------------------------------------------------------------

    def list_rules(self) -> None:
        header = struct.pack("<BBBBBBBBI", self.rng.choice(FAMILIES), 0, 0, 0, 0, 0, 0, 0, 0)
        self.ask_route(GETRULE, self.flags(e.REQUEST | e.DUMP), header, "rules", 0, 12)

    def change_rule(self) -> None:
        rng = self.rng
        cmd = NEWRULE if self.chance(0.6) else DELRULE
        src, dst = (rng.choice((0, 0, 0, 32, 24, 8, 33)) for _ in range(2))
        action = rng.choice((1, 1, 1, 1, 1, 0, 2, 3, 6, 7, 8))
        flags = 0 if self.chance(0.9) else rng.choice((1, 2, 2, 4, 0x10000))
        tos = 0 if self.chance(0.9) else rng.choice((4, 16, 1))
        family = 2 if self.chance(0.9) else rng.choice(FAMILIES)
        header = struct.pack("<BBBBBBBBI", family, dst, src, tos, rng.choice(TABLES), 0, 0, action, flags)
        parts = []
        if dst or self.chance(0.05):
            parts.append(e.attr(1, self.prefix(True, min(dst, 32))))
        if src or self.chance(0.05):
            parts.append(e.attr(2, self.prefix(True, min(src, 32))))
        likely: Choices = ((0.5, lambda: e.u32(6, rng.choice((0, 1, 10, 100, 32765, 32766, 32767)))),
                  (0.1, lambda: e.string(3, self.name())), (0.1, lambda: e.string(17, self.name())),
                  (0.05 + 0.8 * (action == 2), lambda: e.u32(4, rng.choice((0, 5, 100, 32766, 40000)))),
                  (0.15, lambda: e.u32(10, rng.choice((0, 1, 5)))), (0.05, lambda: e.u32(16, rng.choice((0, 1, 0xFF)))),
                  (0.05, lambda: e.u32(11, 1)), (0.05, lambda: e.attr(12, bytes(7) + b"\1")),
                  (0.08, lambda: e.u32(13, rng.choice((0, 5, 0xFFFFFFFF)))),
                  (0.08, lambda: e.u32(14, rng.choice((0, 16, 24, 0xFFFFFFFF)))),
                  (0.2, lambda: e.u32(15, rng.choice((254, 255, 100, 1000, 0)))), (0.02, lambda: e.u8(19, 1)),
                  (0.08, lambda: e.attr(20, struct.pack("<II", *rng.choice(((0, 0), (0, 1000), (5, 1)))))),
                  (0.1, lambda: e.u8(21, rng.choice((0, 2, 4)))), (0.08, lambda: e.u8(22, rng.choice((0, 6, 17, 255)))),
                  (0.08, lambda: e.attr(23, struct.pack("<HH", *rng.choice(((80, 80), (1, 9), (0, 0), (9, 1)))))),
                  (0.08, lambda: e.attr(24, struct.pack("<HH", *rng.choice(((80, 80), (1, 9), (0, 0), (9, 1)))))),
                  (0.02, lambda: e.attr(28, struct.pack("<H", rng.choice((0xFFFF, 0xFF, 0))))),
                  (0.02, lambda: e.u8(25, 4)), (0.02, lambda: e.u32(26, 1)))
        parts += [make() for probability, make in likely if self.chance(probability)]
        asked = e.REQUEST | e.ACK
        flags = self.flags(asked | e.CREATE | e.EXCL, asked | e.CREATE, asked)
        self.ask_route(
            cmd, flags, header + b"".join(parts), "newrule" if cmd == NEWRULE else "delrule", SETTLE, 12
        )

    def list_groups(self) -> None:
        header = struct.pack(
            "<BBBBI", self.rng.choice((2, 10, 10, 0)), 0, 0, 0, self.ifindex() if self.chance(0.2) else 0
        )
        cmd = self.rng.choice((GETMULTICAST, GETANYCAST))
        self.ask_route(cmd, self.flags(e.REQUEST | e.DUMP), header, "groups", 0, 8)
