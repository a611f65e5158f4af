"""Namespace ids, addresses, and messages that nobody expects."""

from __future__ import annotations

import struct

from fixtures.recorder import encode as e
from nlemu.emulator.kernel.ipv6 import netns as ip6
from tests.conformance.settings import Settings
from tests.conformance.world import FD_NOBODY_HAS, NETS

LINKLOCAL = int(ip6.AddrType.LINKLOCAL)
LOWER_HALF = (1 << 64) - 1
KNOWN_MAKERS = (0, 0x00C0DE, 0x020000)
"""The upper half of a hardware address as it stands in an address of the link: nobody's, the walk's (World.mac()), and
that of a device without one."""


class Addresses(Settings):
    """Namespace ids and addresses."""

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
        if cmd == e.NEWNSID or (to is None and self.chance(0.8)):
            parts.append(e.s32(1, rng.choice((0, 1, 2, 3, 5, -1, -2, 100))))
        if cmd == e.GETNSID and self.chance(0.2):
            parts.append(e.s32(4, rng.choice((0, 1, 2, -1))))
        flags = self.flags(e.REQUEST | e.ACK, e.REQUEST | e.ACK, e.REQUEST)
        if cmd == e.GETNSID and to is None and self.chance(0.5):
            flags = e.REQUEST | e.DUMP
            parts = parts[1:]
        message = e.message(cmd, flags, self.next_seq(), struct.pack("<B3x", 0) + b"".join(parts))
        self.send(self.route_socket(), message, f"nsid {cmd}", to=to, spoilt=20)

    def know(self) -> None:
        """A namespace gives another an id."""
        parts = [e.u32(3, 0), e.s32(1, self.rng.choice((-1, 0, 1)))]
        message = e.message(
            e.NEWNSID, e.REQUEST | e.ACK, self.next_seq(), struct.pack("<B3x", 0) + b"".join(parts)
        )
        self.send("r", message, "know", to=self.rng.choice(NETS))

    def address(self) -> None:
        rng = self.rng
        if self.chance(0.15):
            self.groups()
            return
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
                      spoilt=24)
            return
        known = self.known(four) if self.chance(0.5) else None
        local = self.ip(four) if known is None else known[2]
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
            parts.append(
                e.u32(8, rng.choice((0x80, 0x02, 0x200, 0x400, 0x100, 0x04, 0x01, 0x08, 0x20, 0x282)))
            )
        if self.chance(0.1):
            parts.append(e.u32(9, rng.choice((0, 1, 100, 1024))))
        if self.chance(0.1):
            parts.append(e.u8(11, rng.randrange(4)))
        if self.chance(0.1):
            preferred, valid = rng.choice(
                ((0xFFFFFFFF, 0xFFFFFFFF), (0, 0xFFFFFFFF), (0, 0), (5, 3), (1 << 30, 1 << 31), (3000, 4000), (0, 3000))
            )
            parts.append(e.attr(6, struct.pack("<IIII", preferred, valid, 0, 0)))
        prefix = rng.choice((24, 24, 32, 30, 8, 0, 33) if four else (64, 64, 128, 10, 0, 129))
        scope = rng.choice((0, 0, 0, 253, 254, 200))
        index = self.ifindex()
        if known is not None and self.chance(0.9):
            index, prefix, _ = known
        body = struct.pack("<BBBBI", 2 if four else 10, prefix, rng.choice((0, 0, 0, 0x80, 2)), scope, index)
        flags = self.flags(
            e.REQUEST | e.ACK, e.REQUEST | e.ACK | e.CREATE | e.EXCL, e.REQUEST | e.ACK | e.CREATE | e.REPLACE
        )
        message = e.message(cmd, flags, self.next_seq(), body + b"".join(parts))
        self.send(self.route_socket(), message, "newaddr" if cmd == e.NEWADDR else "deladdr", spoilt=24)

    def known(self, four: bool) -> tuple[int, int, bytes] | None:
        """Of an address that is there: the device, the length of its subnet, and itself. None that was made of a
        hardware address that was made up: Linux has another one."""
        if four:
            found = [
                (dev.ifindex, ifa.length, ifa.local.to_bytes(4, "big"))
                for dev in self.devices() if dev.ip4 is not None for ifa in dev.ip4.addresses
            ]
        else:
            found = [
                (dev.ifindex, ifa.length, ifa.address.to_bytes(16, "big"))
                for dev in self.devices() if dev.ip6 is not None for ifa in dev.ip6.addresses
                if ifa.scope != LINKLOCAL or (ifa.address & LOWER_HALF) >> 40 in KNOWN_MAKERS
            ]
        return self.rng.choice(found) if found else None

    def ip(self, four: bool) -> bytes:
        rng = self.rng
        if self.chance(0.05):
            return rng.choice(
                (
                    b"",
                    b"\x0a",
                    bytes(4),
                    bytes(16),
                    b"\x7f\0\0\1",
                    b"\xe0\0\0\1",
                    b"\xff" * 4,
                    bytes(15) + b"\1",
                )
            )
        if four:
            return bytes([10, rng.randrange(2), 0, rng.randrange(1, 5)])
        return (
            bytes.fromhex(rng.choice(("20010db8", "20010db8", "fd000000", "fe800000", "ff020000")))
            + bytes(11)
            + bytes([rng.randrange(1, 5)])
        )

    def raw(self) -> None:
        """Messages that no family expects, or several in one datagram."""
        rng = self.rng
        match rng.randrange(6):
            case 0:
                data = rng.randbytes(rng.choice((1, 4, 15, 16, 17, 20, 32, 64)))
                if len(data) >= 6:
                    data = (
                        data[:4]
                        + rng.choice((b"\0\0", b"\1\0", b"\2\0", b"\3\0", b"\4\0", b"\x0f\0"))
                        + data[6:]
                    )
                sock = rng.choice("rg")
            case 1:  # a family that is not there
                number = rng.choice((0, 1, 2, 3, 15, 99, 1023, 65535))
                data, sock = e.genl(number, 1, e.REQUEST | e.ACK, self.next_seq(), self.requests.garbage()), "g"
            case 2:  # no header of the family
                number = rng.choice((16, 20, 21))
                data, sock = (
                    e.message(number, e.REQUEST | e.ACK, self.next_seq(), rng.randbytes(rng.randrange(4))),
                    "g",
                )
            case 3:
                number = rng.choice((16, 17, 18, 19, 88, 90))
                data, sock = (
                    e.message(number, e.REQUEST | e.ACK, self.next_seq(), rng.randbytes(rng.randrange(20))),
                    "r",
                )
            case 4:  # several messages
                asked = [
                    e.genl(20, e.DEV_GET, e.REQUEST | e.ACK, self.next_seq(), e.u32(1, self.ifindex()))
                    for _ in range(rng.randrange(2, 4))
                ]
                data, sock = b"".join(asked), "g"
            case _:
                asked = [
                    e.link(e.GETLINK, e.REQUEST | e.ACK, self.next_seq(), index=self.index())
                    for _ in range(rng.randrange(2, 4))
                ]
                data, sock = b"".join(asked), rng.choice("rs")
        self.send(sock, data, "raw", spoilt=20 if len(data) > 20 else 0)
