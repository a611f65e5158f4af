"""What AF_BRIDGE is told and asked: forwarding tables, groups, VLANs of ports, VNIs of VXLANs."""

from __future__ import annotations

import struct

from fixtures.recorder import encode as e
from nlemu.emulator.kernel.devices.device import Device
from tests.conformance.kinds.values import GROUPS4, GROUPS6, below, v4, v6
from tests.conformance.settings import Settings

BRIDGE = 7
NEWNEIGH, DELNEIGH, GETNEIGH = 28, 29, 30
NEWMDB, DELMDB, GETMDB = 84, 85, 86
NEWVLAN, DELVLAN, GETVLAN = 112, 113, 114
NEWTUNNEL, DELTUNNEL, GETTUNNEL = 120, 121, 122
BULK = 0x200
NTF_SELF, NTF_MASTER = 2, 4
PERMANENT, NOARP, REACHABLE = 0x80, 0x40, 2
VIDS = (*[1, 2, 3, 10] * 4, 0, 4094, 4095)
AF_SPEC = 26
PVID, BEGIN, END, ONLY_OPTS = 2, 8, 16, 64
OF_MASTER, OF_SELF = 1, 2
NEW = e.REQUEST | e.ACK | e.CREATE | e.EXCL


class Bridging(Settings):
    """The bridge family."""

    def bridging(self) -> None:
        self.rng.choices(
            (self.fdb, self.get_fdb, self.mdb, self.get_mdb, self.port_vlans, self.vlans, self.get_vlans, self.vnis,
             self.bridge_links, self.trees),
            (4, 2, 2, 0, 3, 2.5, 1.5, 1, 2, 0.7),
        )[0]()

    def of_kind(self, *kinds: str) -> Device | None:
        """A device of those kinds, or a port of one."""
        found = [
            dev for dev in self.devices()
            if any(one is not None and one.kind is not None and one.kind.name in kinds for one in (dev, dev.master))
        ]
        return self.rng.choice(found) if found and self.chance(0.95) else self.device()

    def meant(self, dev: Device, itself: int, master: int) -> int:
        """Who is to do what a message says: the device itself, its master, or as it may be."""
        if self.chance(0.2):
            return self.rng.choice((0, itself, master, itself | master))
        kind = dev.kind.name if dev.kind is not None else ""
        return master if dev.master is not None and kind != "vxlan" else itself

    # -- forwarding tables --------------------------------------------------------------------

    def fdb(self) -> None:
        """An entry is added, replaced, deleted; or many are flushed."""
        rng = self.rng
        dev = self.of_kind("bridge", "bridge", "vxlan")
        if dev is None:
            return
        parts = []
        if self.chance(0.96):
            address = bytes(6) if self.chance(0.1) else b"\x02\xc0\xde\0\0" + bytes((rng.randrange(1, 5),))
            if self.chance(0.06):
                address = rng.choice((b"\x01\0\x5e\1\1\1", b"\xff" * 6, self.mac()))
            parts.append(e.attr(2, address))
        vxlan = dev.kind is not None and dev.kind.name == "vxlan"
        if vxlan and self.chance(0.85):
            parts.append(e.attr(1, v4(self) if self.chance(0.7) else v6(self)))
        if self.chance(0.15):
            parts.append(e.u16(5, rng.choice(VIDS)))
        for number, likely, value in ((6, 0.1, 4789), (7, 0.15, rng.randrange(4)), (11, 0.1, rng.randrange(4))):
            if vxlan and self.chance(likely):
                parts.append(e.attr(6, struct.pack(">H", value)) if number == 6 else e.u32(number, value))
        if self.chance(0.06):
            parts.append(e.u32(8, below(self)))
        if self.chance(0.04):
            parts.append(e.u32(15, rng.choice((0, 1, 2, 4))))
        if self.chance(0.04):
            parts.append(e.nest(14, e.u8(1, rng.randrange(5)), e.attr(2)))
        cmd = NEWNEIGH if self.chance(0.7) else DELNEIGH
        flags = self.flags(NEW, e.REQUEST | e.ACK | e.CREATE, e.REQUEST | e.ACK | e.CREATE | e.REPLACE,
                           e.REQUEST | e.ACK | e.CREATE | e.APPEND)
        if cmd == DELNEIGH:
            flags = e.REQUEST | e.ACK
            if self.chance(0.2):
                flags |= BULK
                parts = [part for part in parts if part[2] in (5, 8)]
                if self.chance(0.4):
                    parts.append(e.u16(16, rng.choice((PERMANENT, NOARP, REACHABLE, 0xC0))))
        state = rng.choice((PERMANENT, PERMANENT, NOARP, REACHABLE, 0, 1))
        ndm = self.meant(dev, NTF_SELF, NTF_MASTER)
        if self.chance(0.1):
            ndm |= rng.choice((0x10, 0x20, 0x40, 0x80, 1))
        head = struct.pack("<BBHiHBB", BRIDGE, 0, 0, dev.ifindex, state, ndm, 0)
        self.say_of(cmd, flags, head, parts, "fdb", spoilt=28)

    def get_fdb(self) -> None:
        rng = self.rng
        parts, index, flags = [], 0, e.REQUEST | e.DUMP
        if self.chance(0.5):
            dev = self.of_kind("bridge", "vxlan")
            if dev is not None:
                index = dev.ifindex if self.chance(0.6) else 0
                parts = [e.u32(rng.choice((8, 9)), dev.ifindex)] if self.chance(0.5) else []
        if self.chance(0.2):
            flags = e.REQUEST | e.ACK
            parts.append(e.attr(2, b"\x02\xc0\xde\0\0" + bytes((rng.randrange(1, 5),))))
        ndm = 0 if flags & e.DUMP else rng.choice((0, NTF_SELF, NTF_MASTER))
        head = struct.pack("<BBHiHBB", BRIDGE, 0, 0, index, 0, ndm, 0)
        self.say_of(GETNEIGH, flags, head, parts, "get fdb", settle=0.0, spoilt=28)

    # -- groups -------------------------------------------------------------------------------

    def mdb(self) -> None:
        """A group of a port or of the bridge itself."""
        rng = self.rng
        dev = self.of_kind("bridge", "bridge", "vxlan")
        if dev is None:
            return
        bridge, itself = dev, self.is_vxlan(dev) and self.chance(0.8)
        if dev.master is not None and not itself and self.chance(0.95):
            bridge = dev.master
        tunnel = self.is_vxlan(bridge)
        four = self.chance(0.6)
        group = rng.choice(GROUPS4 if four else GROUPS6)
        if self.chance(0.05):
            group = v4(self) if four else v6(self)
        proto = 0x800 if four else 0x86DD
        if tunnel and self.chance(0.15):
            group = bytes(len(group))
        if self.chance(0.08):
            group, proto = b"\x01\0\x5e\1\1" + bytes((rng.randrange(3),)), 0
        vid = rng.choice(VIDS) if self.chance(0.2) else 0
        permanent = 1 if self.chance(0.8) else rng.randrange(3)
        entry = struct.pack("<IBBH16s", dev.ifindex, permanent, 0, vid, group) + struct.pack(">HH", proto, 0)
        parts = [e.attr(1, entry)]
        if self.chance(0.9 if tunnel else 0.3):
            source = v4(self) if four else v6(self)
            listed = [e.nest(1, e.attr(1, v4(self) if four else v6(self))) for _ in range(rng.randrange(3))]
            may_hold: list[tuple[float, bytes]] = [
                (0.3, e.attr(1, source)),
                (0.3, e.u8(3, rng.randrange(3))),
                (0.4, e.nest(2, *listed)),
                (0.2, e.u8(4, rng.choice((4, 3, 100)))),
                *(self.remote() if tunnel else ()),
            ]
            parts.append(e.nest(2, *(part for likely, part in may_hold if self.chance(likely))))
        cmd = NEWMDB if self.chance(0.75) else DELMDB
        flags = self.flags(NEW, NEW, e.REQUEST | e.ACK | e.CREATE | e.REPLACE, e.REQUEST | e.ACK | e.CREATE)
        if cmd == DELMDB:
            flags = e.REQUEST | e.ACK | (BULK if self.chance(0.15) else 0)
        self.say_of(cmd, flags, struct.pack("<BxxxI", BRIDGE, bridge.ifindex), parts, "mdb", spoilt=24)

    def is_vxlan(self, dev: Device) -> bool:
        return dev.kind is not None and dev.kind.name == "vxlan"

    def remote(self) -> tuple[tuple[float, bytes], ...]:
        """Who wants a group of a VXLAN: how likely each is said, and what."""
        rng = self.rng
        return (
            (0.95, e.attr(5, v4(self) if self.chance(0.8) else v6(self))),
            (0.1, e.u16(6, rng.choice((4789, 5000, 0)))),
            (0.15, e.u32(7, rng.choice((1, 2, 0, 1 << 24)))),
            (0.1, e.u32(8, below(self))),
            (0.15, e.u32(9, rng.choice((1, 2, 0)))),
        )

    def get_mdb(self) -> None:
        self.say_of(GETMDB, e.REQUEST | e.DUMP, struct.pack("<BxxxI", BRIDGE, 0), [], "get mdb", settle=0.0, spoilt=24)

    # -- VLANs --------------------------------------------------------------------------------

    def vlan_info(self) -> list[bytes]:
        """One VLAN, or a range of them."""
        rng = self.rng
        flags = rng.choice((0, 0, 2, 4, 6, 6, 0x20))
        if self.chance(0.2):
            first = rng.choice((2, 3, 10))
            last = first + rng.choice((1, 2, 5, 0, -1))
            flags &= ~PVID
            return [
                e.attr(2, struct.pack("<HH", flags | BEGIN, first)), e.attr(2, struct.pack("<HH", flags | END, last))
            ]
        return [e.attr(2, struct.pack("<HH", flags, rng.choice(VIDS)))]

    def port_vlans(self) -> None:
        """RTM_SETLINK, RTM_DELLINK of AF_BRIDGE: VLANs of a port or of the bridge, and tunnels that they are."""
        rng = self.rng
        dev = self.of_kind("bridge")
        if dev is None:
            return
        parts: list[bytes] = []
        if (flags := self.meant(dev, OF_SELF, OF_MASTER)) != OF_MASTER or self.chance(0.5):
            parts.append(e.u16(0, flags))
        for _ in range(rng.choice((1, 1, 2, 3))):
            parts += self.vlan_info()
        if self.chance(0.1):
            inner = [e.u32(1, rng.choice((1, 2, 1 << 24))), e.u16(2, rng.choice(VIDS))]
            parts.append(e.nest(3, *inner, *([e.u16(3, rng.choice((0, 8, 16)))] if self.chance(0.2) else [])))
        cmd = e.SETLINK if self.chance(0.7) else e.DELLINK
        head = e.ifinfo(dev.ifindex, family=BRIDGE)
        self.say_of(cmd, e.REQUEST | e.ACK, head, [e.nest(AF_SPEC, *parts)], "vlans of a port", spoilt=32)

    def vlans(self) -> None:
        """RTM_NEWVLAN, RTM_DELVLAN."""
        rng = self.rng
        dev = self.of_kind("bridge")
        if dev is None:
            return
        entries = []
        for _ in range(rng.choice((1, 1, 2))):
            vid = rng.choice(VIDS)
            inner = [e.attr(1, struct.pack("<HH", rng.choice((0, 0, 2, 4, 6)), vid))]
            if self.chance(0.2):
                inner.append(e.u16(2, vid + rng.choice((1, 2, 0, -1)) & 0xFFFF))
            inner += [part for likely, part in self.options() if self.chance(likely)]
            if self.chance(0.25):
                inner[0] = e.attr(1, struct.pack("<HH", ONLY_OPTS, vid))
            entries.append(self.globally(vid) if self.chance(0.25) else e.nest(1, *inner))
        cmd = NEWVLAN if self.chance(0.7) else DELVLAN
        head = struct.pack("<BBHI", BRIDGE, 0, 0, dev.ifindex)
        self.say_of(cmd, e.REQUEST | e.ACK, head, entries, "vlandb", spoilt=24)

    def options(self) -> tuple[tuple[float, bytes], ...]:
        """What may be said of a VLAN: how likely each is, and what."""
        rng = self.rng
        tunnel = (e.u32(1, rng.choice((1, 2, 100))), e.u32(2, rng.choice((e.SETLINK, e.SETLINK, e.DELLINK, 3))))
        return (
            (0.15, e.u8(3, rng.choice((0, 1, 2, 3, 3, 4, 5)))),
            (0.08, e.nest(4, *(part for part in tunnel if self.chance(0.9)))),
            (0.1, e.u8(6, rng.choice((0, 1, 2, 3, 4)))),
            (0.06, e.u32(8, rng.choice((0, 1, 100)))),
            (0.1, e.u8(9, rng.choice((0, 1, 1, 2)))),
            (0.1, e.u8(10, rng.choice((0, 1, 1, 2)))),
            (0.02, e.u32(7, 1)),
        )

    def globally(self, vid: int) -> bytes:
        """How groups are looked at in a VLAN, and in which spanning tree it is."""
        rng = self.rng
        may_hold = (
            (0.15, e.u16(2, vid + rng.choice((1, 2, 0, -1)) & 0xFFFF)),
            (0.3, e.u8(3, rng.randrange(2))),
            (0.3, e.u16(18, rng.choice((0, 1, 1, 2, 4095, 4096)))),
            (0.2, e.u32(6, rng.choice((0, 2, 5)))),
            (0.2, e.u32(7, rng.choice((0, 2, 5)))),
            (0.1, e.u64(8, 100)),
            (0.1, e.u64(10, rng.choice((26000, 100000)))),
            (0.1, e.u64(11, rng.choice((25500, 26000)))),
            (0.1, e.u64(12, rng.choice((0, 12500)))),
            (0.1, e.u64(13, rng.choice((100, 1000)))),
            (0.1, e.u64(14, rng.choice((0, 3125)))),
        )
        return e.nest(2, e.u16(1, vid), *(part for likely, part in may_hold if self.chance(likely)))

    def trees(self) -> None:
        """RTM_SETLINK of AF_BRIDGE: states of a port in spanning trees."""
        rng = self.rng
        dev = self.of_kind("bridge")
        if dev is None:
            return
        entries = [
            e.nest(1, e.u16(1, rng.choice((1, 1, 2, 0, 4095))), e.u8(2, rng.choice((0, 1, 2, 3, 3, 4, 5))))
            for _ in range(rng.choice((1, 1, 2)))
        ]
        head = e.ifinfo(dev.ifindex, family=BRIDGE)
        self.say_of(e.SETLINK, e.REQUEST | e.ACK, head, [e.nest(AF_SPEC, e.nest(6, *entries))], "trees", spoilt=32)

    def get_vlans(self) -> None:
        dev = self.of_kind("bridge")
        index = dev.ifindex if dev is not None and self.chance(0.5) else 0
        parts = [e.u32(1, self.rng.choice((0, 1, 2, 2, 3, 4)))] if self.chance(0.3) else []
        head = struct.pack("<BBHI", BRIDGE, 0, 0, index)
        self.say_of(GETVLAN, e.REQUEST | e.DUMP, head, parts, "get vlandb", settle=0.0, spoilt=24)

    # -- VNIs ---------------------------------------------------------------------------------

    def vnis(self) -> None:
        """VNIs that a VXLAN filters."""
        rng = self.rng
        dev = self.of_kind("vxlan")
        if dev is None:
            return
        if self.chance(0.25):
            index = dev.ifindex if self.chance(0.5) else 0
            head = struct.pack("<BBHI", BRIDGE, rng.choice((0, 0, 1)), 0, index)
            self.say_of(GETTUNNEL, e.REQUEST | e.DUMP, head, [], "get vnis", settle=0.0, spoilt=24)
            return
        start = rng.choice((1, 2, 10, 0))
        inner = [e.u32(1, start)]
        if self.chance(0.3):
            inner.append(e.u32(2, start + rng.choice((0, 1, 3, -1)) & 0xFFFFFF))
        if self.chance(0.3):
            inner.append(e.attr(3, v4(self)) if self.chance(0.6) else e.attr(4, v6(self)))
        cmd = NEWTUNNEL if self.chance(0.7) else DELTUNNEL
        head = struct.pack("<BBHI", BRIDGE, 0, 0, dev.ifindex)
        self.say_of(cmd, e.REQUEST | e.ACK, head, [e.nest(1, *inner)], "vnis", spoilt=24)

    # -- links --------------------------------------------------------------------------------

    def bridge_links(self) -> None:
        """RTM_GETLINK of AF_BRIDGE: ports, and with a mask their VLANs; groups and links of a master too."""
        parts = [e.u32(e.EXT_MASK, self.rng.choice((2, 4, 6, 0, 8, 9, 128, 132)))] if self.chance(0.7) else []
        head = e.ifinfo(0, family=BRIDGE)
        self.say_of(e.GETLINK, e.REQUEST | e.DUMP, head, parts, "links of bridges", settle=0.0, spoilt=32)

    def say_of(
        self, cmd: int, flags: int, head: bytes, parts: list[bytes], about: str, settle: float = 2.5, spoilt: int = 0
    ) -> None:
        """Sends a message of that header."""
        message = e.message(cmd, flags, self.next_seq(), head + b"".join(parts))
        self.send(self.route_socket(), message, about, settle, spoilt=spoilt)
