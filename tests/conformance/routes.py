"""Routes, rules, neighbours and groups: asked for in every way, and the plain ones made and removed."""

from __future__ import annotations

import struct

from fixtures.recorder import encode as e
from tests.conformance.addresses import Addresses
from tests.conformance.world import SETTLE

NEWROUTE, DELROUTE, GETROUTE, NEWNEIGH, DELNEIGH, GETNEIGH, GETRULE = 24, 25, 26, 28, 29, 30, 34
GETMULTICAST, GETANYCAST = 58, 62
AF_BRIDGE = 7
FAMILIES = (2, 2, 2, 10, 10, 10, 0, AF_BRIDGE, 28)
LENGTHS4, LENGTHS6 = (32, 24, 24, 16, 0, 33), (128, 64, 64, 48, 0, 129)
TABLES = (254, 254, 254, 255, 253, 0, 100, 252)
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS, RTA_TABLE = 1, 4, 5, 6, 7, 8, 15
NDA_DST, NDA_LLADDR = 1, 2


class Routes(Addresses):
    """Routes and neighbours."""

    def route(self) -> None:
        self.rng.choices(
            (self.list_routes, self.look_up, self.change_route, self.list_neighbours, self.change_neighbour,
             self.list_rules, self.list_groups),
            (4, 3, 6, 2, 4, 1, 1),
        )[0]()  # fmt: skip

    def ask_route(self, cmd: int, flags: int, body: bytes, about: str, settle: float, header: int) -> None:
        data = e.message(cmd, flags, self.next_seq(), body)
        self.send(self.route_socket(), data, about, settle, spoilt=16 + header)

    def list_routes(self) -> None:
        family = self.rng.choice(FAMILIES)
        table = self.rng.choice((0, 0, 0, 254, 255, 100))
        header = struct.pack("<BBBBBBBBI", family, 0, 0, 0, table, 0, 0, 0, 0)
        parts = []
        if self.chance(0.2):
            parts.append(e.u32(RTA_OIF, self.ifindex()))
        if self.chance(0.2):
            parts.append(e.u32(RTA_TABLE, self.rng.choice(TABLES)))
        flags = self.flags(e.REQUEST | e.DUMP)
        self.ask_route(GETROUTE, flags, header + b"".join(parts), "routes", 0, 12)

    def look_up(self) -> None:
        four = self.chance(0.5)
        length = self.rng.choice((32, 32, 32, 0, 24) if four else (128, 128, 128, 0, 64))
        flags = self.rng.choice((0, 0, 0, 0x1000, 0x2000))
        header = struct.pack("<BBBBBBBBI", 2 if four else 10, length, 0, 0, 0, 0, 0, 0, flags)
        parts = [e.attr(RTA_DST, self.ip(four))]
        if self.chance(0.2):
            parts.append(e.u32(RTA_OIF, self.ifindex()))
        self.ask_route(
            GETROUTE, self.flags(e.REQUEST, e.REQUEST | e.ACK), header + b"".join(parts), "look up", 0, 12
        )

    def change_route(self) -> None:
        rng, four = self.rng, self.chance(0.5)
        cmd = NEWROUTE if self.chance(0.65) else DELROUTE
        length = rng.choice(LENGTHS4 if four else LENGTHS6)
        dst = self.ip(four)
        if len(dst) in (4, 16) and length <= 8 * len(dst) and self.chance(0.9):
            kept = int.from_bytes(dst, "big") >> 8 * len(dst) - length << 8 * len(dst) - length
            dst = kept.to_bytes(len(dst), "big")
        kind = rng.choice((1, 1, 1, 1, 1, 6, 7, 8, 2, 0, 5))
        scope = rng.choice((0, 253, 253, 254))
        table, protocol = rng.choice(TABLES), rng.choice((3, 4, 2, 0, 99))
        header = struct.pack(
            "<BBBBBBBBI",
            2 if four else 10,
            length,
            0,
            0,
            table,
            protocol,
            scope,
            kind,
            rng.choice((0, 0, 0, 0, 4, 8)),
        )
        parts = [e.attr(RTA_DST, dst)] if length or self.chance(0.1) else []
        if self.chance(0.85):
            parts.append(e.u32(RTA_OIF, self.ifindex()))
        if self.chance(0.25):
            parts.append(e.attr(RTA_GATEWAY, self.ip(four)))
        if self.chance(0.3):
            parts.append(e.u32(RTA_PRIORITY, rng.choice((0, 1, 100, 1024))))
        if self.chance(0.1):
            parts.append(e.attr(RTA_PREFSRC, self.ip(four)))
        if self.chance(0.1):
            parts.append(
                e.nest(
                    RTA_METRICS, e.u32(rng.choice((1, 2, 8, 10, 17, 18)), rng.choice((0, 1, 1400, 1 << 31)))
                )
            )
        if self.chance(0.1):
            parts.append(e.u32(RTA_TABLE, rng.choice((100, 254, 1000))))
        asked = e.REQUEST | e.ACK
        flags = self.flags(asked | e.CREATE | e.EXCL, asked | e.CREATE, asked | e.CREATE | e.REPLACE, asked | e.REPLACE,
                           asked | e.CREATE | e.APPEND) if cmd == NEWROUTE else self.flags(asked)  # fmt: skip
        about = "newroute" if cmd == NEWROUTE else "delroute"
        self.ask_route(cmd, flags, header + b"".join(parts), about, SETTLE, 12)

    def list_neighbours(self) -> None:
        family = self.rng.choice(FAMILIES)
        if family == AF_BRIDGE:  # no forwarding tables
            family = 0
        header = struct.pack("<BBHiHBB", family, 0, 0, 0, 0, self.rng.choice((0, 0, 0, 8)), 0)
        parts = [e.u32(8, self.ifindex())] if self.chance(0.3) else []
        self.ask_route(GETNEIGH, self.flags(e.REQUEST | e.DUMP), header + b"".join(parts), "neighbours", 0, 12)

    def change_neighbour(self) -> None:
        rng, four = self.rng, self.chance(0.5)
        cmd = rng.choice((NEWNEIGH, NEWNEIGH, NEWNEIGH, DELNEIGH, GETNEIGH))
        state = rng.choice(
            (0x80, 0x80, 0x80, 0x40, 0x00, 0x20)
        )  # what does not decay: permanent, no ARP, none, failed
        flags = rng.choice((0, 0, 0, 0x80))  # and no proxies
        header = struct.pack("<BBHiHBB", 2 if four else 10, 0, 0, self.index(), state, flags, 0)
        parts = [e.attr(NDA_DST, self.ip(four))] if self.chance(0.95) else []
        if cmd == NEWNEIGH and self.chance(0.85):
            parts.append(e.attr(NDA_LLADDR, self.mac()))
        asked = e.REQUEST | e.ACK
        chosen = self.flags(asked | e.CREATE | e.EXCL, asked | e.CREATE, asked | e.CREATE | e.REPLACE, asked)
        self.ask_route(
            cmd, chosen if cmd == NEWNEIGH else asked, header + b"".join(parts), "neighbour", SETTLE, 12
        )

    def list_rules(self) -> None:
        header = struct.pack("<BBBBBBBBI", self.rng.choice(FAMILIES), 0, 0, 0, 0, 0, 0, 0, 0)
        self.ask_route(GETRULE, self.flags(e.REQUEST | e.DUMP), header, "rules", 0, 12)

    def list_groups(self) -> None:
        header = struct.pack(
            "<BBBBI", self.rng.choice((2, 10, 10, 0)), 0, 0, 0, self.ifindex() if self.chance(0.2) else 0
        )
        cmd = self.rng.choice((GETMULTICAST, GETANYCAST))
        self.ask_route(cmd, self.flags(e.REQUEST | e.DUMP), header, "groups", 0, 8)
