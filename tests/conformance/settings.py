"""Settings that are said well: of ethtool's commands, and of the parts of a link that random attributes seldom hit.

A random request of a declared operation is mostly refused for its first odd attribute. Here the device is one that is
there, and one or a few attributes have values that may do, so that what stands behind the checks is reached.
"""

from __future__ import annotations

import struct
from typing import Any

from fixtures.recorder import encode as e
from nlemu.protocol.families.ethtool import strings as words
from nlemu.protocol.families.ethtool.common import BITSET
from nlemu.protocol.schema.attributes import Attr
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.link_modes import LINK_MODES
from tests.conformance.world import ETHTOOL, SETTLE, World

HEADER_FLAGS = (1, 2, 4, 3, 5, 7, 8)
"""Compact bit sets, no reply, statistics; and one that nobody has."""
NAMES: dict[str, tuple[str, ...]] = {
    "Features": words.FEATURES,
    "Debug": words.MSG_CLASSES,
    "Linkmodes": LINK_MODES,
    "Eee": LINK_MODES,
    "Fec": LINK_MODES,
    "Tsconfig": words.SOF_TIMESTAMPING,
    "StatsGet": words.STATS_STD,
}
"""The names of the bits, by the set that holds the attribute."""
SMALL = (0, 1, 1, 2, 3, 4, 8, 64, 100, 1000)
GETMULTICAST, GETANYCAST = 58, 62
VFINFO_LIST, VF_PORTS, PORT_SELF, XDP = 22, 24, 25, 43
VF_SIZES = {1: 36, 2: 12, 3: 8, 4: 8, 5: 8, 6: 12, 7: 8, 9: 8, 10: 16, 11: 16}
"""By number, the structures that tell of a virtual function."""
STRING_SETS = 24


class Settings(World):
    """Settings of devices."""

    def device_header(self, flags: bool = True) -> bytes:
        """Of ethtool: a device by its index, its name or both."""
        dev = self.device()
        parts = []
        if dev is not None and self.chance(0.95):
            parts = [e.u32(1, dev.ifindex)] if self.chance(0.7) else [e.string(2, dev.name)]
            if self.chance(0.05):
                parts.append(e.string(2, self.name()))
        if flags and self.chance(0.35):
            parts.append(e.u32(3, self.rng.choice(HEADER_FLAGS)))
        return e.nest(1, *parts)

    def setting(self) -> None:
        """A command of ethtool that changes something."""
        sets = [op for op in ETHTOOL.operations.values() if op.do is not None and op.do.flags & GenlFlag.UNS_ADMIN_PERM]
        weights = [4 if op.cmd in (11, 22, 26, 30) else 1 for op in sets]
        op = self.rng.choices(sets, weights)[0]
        self.say(op, SETTLE)

    def question(self) -> None:
        """A command of ethtool that asks for something."""
        gets = [
            op for op in ETHTOOL.operations.values() if op.do is not None and not op.do.flags & GenlFlag.UNS_ADMIN_PERM
        ]
        self.say(self.rng.choice(gets), 0)

    def say(self, op: Operation, settle: float) -> None:
        half = op.do
        assert half is not None and half.accepts is not None
        told = [attr for attr in half.accepts.rules.values() if attr.name != "header"]
        chosen = self.rng.sample(told, min(len(told), self.rng.choice((0, 1, 1, 1, 2, 2, 3, 6))))
        parts = [self.device_header(), *(self.valued(attr) for attr in chosen)]
        data = e.genl(self.families["ethtool"], op.cmd, e.REQUEST | e.ACK, self.next_seq(), *parts)
        self.send(self.generic_socket(), data, f"{op!r}, said well", settle, spoilt=20)

    def valued(self, attr: Attr[Any]) -> bytes:
        if attr.kind is BITSET:
            return e.attr(attr.number | e.NESTED, self.bitset(NAMES.get(attr.owner, ())))
        if attr.owner == "Strset" and attr.name == "stringsets":
            asked = [e.nest(1, e.u32(1, self.rng.randrange(STRING_SETS))) for _ in range(self.rng.choice((1, 1, 2, 4)))]
            return e.nest(attr.number, *asked)
        if attr.kind.name == "u32" and self.chance(0.7):
            return e.u32(attr.number, self.rng.choice(SMALL))
        if attr.kind.name == "u8" and self.chance(0.7):
            return e.u8(attr.number, self.rng.randrange(3))
        return self.requests.attribute(attr)

    def bitset(self, names: tuple[str, ...]) -> bytes:
        """Some bits: by numbers, by names, or as words; and now and then what nobody would say."""
        rng, size = self.rng, len(names) or 8
        whole = [e.attr(1, b"")] if self.chance(0.2) else []
        if self.chance(0.8):
            whole.append(e.u32(2, rng.choice((size, size, size, size - 1, size + 1, 1, 0, 32, 64, 4096))))
        if self.chance(0.6):
            bits = []
            for _ in range(rng.choice((0, 1, 1, 2, 3))):
                at = rng.randrange(size + (3 if self.chance(0.1) else 0))
                bit = [e.u32(1, at)] if self.chance(0.6) else []
                if names and (not bit or self.chance(0.1)):
                    name = names[at % len(names)] if self.chance(0.95) else rng.choice((*names, "nosuch"))
                    bit.append(e.string(2, name))
                if self.chance(0.6):
                    bit.append(e.attr(3, b""))
                bits.append(e.nest(1, *bit) if self.chance(0.97) else e.u32(rng.randrange(3), 1))
            whole.append(e.nest(3, *bits))
        if len(whole) < 2 or self.chance(0.05):
            length = (size + 31) // 32 * 4 if self.chance(0.9) else rng.choice((0, 4, 8, 12))
            few = sum(1 << rng.randrange(size) for _ in range(3)) & (1 << 8 * length) - 1
            whole.append(e.attr(4, few.to_bytes(length, "little")))
            if self.chance(0.7):
                whole.append(e.attr(5, few.to_bytes(length, "little") if self.chance(0.7) else rng.randbytes(length)))
        return b"".join(whole)

    def extra(self) -> bytes:
        """A part of a link message for what no device here has: virtual functions, their ports, programs."""
        rng = self.rng
        match rng.randrange(5):
            case 0 | 1:
                told = [
                    e.attr(number, struct.pack("<I", rng.choice((0, 1, 5, 0x7FFFFFFF, 0xFFFFFFFF))) + bytes(size - 4))
                    for number, size in rng.sample(list(VF_SIZES.items()), rng.choice((0, 1, 1, 2)))
                ]
                if self.chance(0.2):
                    told.append(e.nest(12, *(e.attr(1, bytes(rng.choice((14, 16)))) for _ in range(rng.randrange(3)))))
                number = 1 if self.chance(0.9) else 2
                return e.nest(VFINFO_LIST, *(e.nest(number, *told) for _ in range(rng.choice((0, 1, 1, 2)))))
            case 2:
                return e.nest(VF_PORTS, e.nest(1, e.u32(1, 0))) if self.chance(0.8) else e.nest(VF_PORTS)
            case 3:
                inner = [e.u32(1, 1), e.string(2, "profile"), e.u8(6, 1)]
                return e.nest(PORT_SELF, *rng.sample(inner, rng.randrange(4)))
            case _:
                may_hold = (
                    (0.9, e.s32(1, rng.choice((-1, -1, -2, 77, 0x7FFFFFF)))),
                    (0.6, e.u32(3, rng.choice((0, 2, 4, 8, 16, 6, 1, 3, 32)))),
                    (0.2, e.s32(8, rng.choice((-1, 77)))),
                    (0.04, e.u8(2, 1)),
                    (0.04, e.u32(4, 1)),
                )
                return e.nest(XDP, *(part for likely, part in may_hold if self.chance(likely)))

    def extras(self) -> None:
        dev = self.device()
        if dev is None:
            return
        parts = [self.extra()]
        if self.chance(0.3):
            parts.append(e.u32(e.TXQLEN, self.rng.choice((0, 500, 1000))))
        cmd = e.SETLINK if self.chance(0.8) else e.NEWLINK
        data = e.link(cmd, e.REQUEST | e.ACK, self.next_seq(), *parts, index=dev.ifindex)
        self.send(self.route_socket(), data, "extras", spoilt=32)

    def bridge(self) -> None:
        """The bridge family, which no device here is of."""
        cmd = self.rng.choice((e.GETLINK, e.GETLINK, e.SETLINK, e.DELLINK))
        words = [e.u16(number, 1) if self.chance(0.9) else e.u8(number, 1) for number in range(3) if self.chance(0.5)]
        parts = [e.nest(26, *words)] if self.chance(0.7) else []
        if self.chance(0.3):
            parts.append(e.u32(e.EXT_MASK, self.rng.choice((2, 4, 8))))
        flags = e.REQUEST | (e.DUMP if cmd == e.GETLINK and self.chance(0.8) else e.ACK)
        index = 0 if cmd == e.GETLINK and self.chance(0.7) else self.index()
        data = e.link(cmd, flags, self.next_seq(), *parts, index=index, family=7)
        self.send(self.route_socket(), data, "bridge", spoilt=32)

    def groups(self) -> None:
        """Groups that devices listen to, and anycast addresses."""
        cmd = self.rng.choice((GETMULTICAST, GETMULTICAST, GETANYCAST))
        family = self.rng.choice((2, 10, 10, 0, 7))
        index = 0 if self.chance(0.6) else self.ifindex()
        scope = 0 if self.chance(0.9) else 200
        parts = e.s32(10, self.rng.choice((0, 1, -1))) if self.chance(0.1) else b""
        body = struct.pack("<BBBBI", family, 0, 0, scope, index) + parts
        flags = e.REQUEST | e.DUMP if self.chance(0.9) else e.REQUEST | e.ACK
        self.send(self.route_socket(), e.message(cmd, flags, self.next_seq(), body), "groups", 0, spoilt=24)
