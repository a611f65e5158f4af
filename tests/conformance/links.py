"""Link messages of every sort, good and bad, and the netdevsim devices that come and go beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fixtures.recorder import encode as e
from nlemu.protocol.families.route.family import route
from tests.conformance.settings import Settings
from tests.conformance.world import FD_NOBODY_HAS, KINDS, NETS, OTHER_KINDS, SETTLE

Choices = Sequence[tuple[float, Callable[[], bytes]]]
"""Attributes that may be there, and how likely each is."""


class Links(Settings):
    """Links."""

    def link(self) -> None:
        devices = sum(len(self.devices(net)) for net in NETS)
        few = devices < 16
        self.rng.choices(
            (self.new_link, self.plain_link, self.set_link, self.get_link, self.del_link, self.move, self.altname,
             self.updown, self.random_link, self.nsim, self.change_kind, self.extras, self.bridge),
            (5 if few else 1, 2 if few else 0.2, 5, 5, 1 if few else 3, 4, 2, 5, 3, 1 if few else 0.5, 2, 1, 0.7),
        )[0]()

    def about_link(self, *, peer: bool = False, addressed: float = 0.85) -> list[bytes]:
        """Attributes that a device may be born with, or given later. addressed: how likely with a hardware address."""
        rng = self.rng
        may_hold: Choices = (
            (0.5, lambda: e.string(e.IFNAME, self.new_name())),
            (addressed, lambda: e.attr(e.ADDRESS, self.mac())),
            (
                0.15,
                lambda: e.u32(
                    e.MTU, rng.choice((0, 1, 67, 68, 1279, 1280, 1500, 2000, 9000, 65535, 65536, 1 << 31))
                ),
            ),
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
        )
        parts = [make() for probability, make in may_hold if self.chance(probability)]
        if self.chance(0.15 if not peer else 0.1):
            parts.append(e.u32(e.NUM_TX_QUEUES, rng.choice((0, 1, 2, 4, 4096, 4097))))
        if self.chance(0.3):
            parts.append(
                e.u32(
                    e.NUM_RX_QUEUES,
                    rng.choice((0, 1, 2, 3, 4, 8, 4096, 4097) if self.chance(0.1) else (2, 3, 4)),
                )
            )
        return parts

    def peer(self, number: int, addressed: float = 0.85) -> bytes:
        """The other end of a pair."""
        flags, change = self.rng.choice(((0, 0), (0, 0), (0, 0), (1, 1), (1, 0)))
        index = self.free_index()
        header = e.ifinfo(index, flags, change)
        if self.chance(0.03):
            header = header[: self.rng.randrange(16)]
        return e.attr(
            number | (e.NESTED if self.chance(0.8) else 0),
            header + b"".join(self.about_link(peer=True, addressed=addressed)),
        )

    def free_index(self) -> int:
        """A wanted index, mostly: so a walk can lose steps and still mean the same."""
        if self.chance(0.3):
            return 0
        return self.rng.randrange(10, 200) if self.chance(0.97) else self.rng.choice((1, 2, -1, 0x7FFFFFFF))

    def kind_data(self, kind: str, *, new: bool = True, layer2: bool = True) -> bytes:
        rng, parts = self.rng, []
        if kind == "netkit":
            single = self.chance(0.4)
            may_hold: Choices = (
                (0.5 if not single else 0.05, lambda: self.peer(1, 0.85 if layer2 else 0.03)),
                (0.02, lambda: e.u8(e.NK_PRIMARY, 1)),
                (0.2, lambda: e.u32(e.NK_POLICY, rng.choice((0, 2, 7, 1, 3)))),
                (0.15, lambda: e.u32(e.NK_PEER_POLICY, rng.choice((0, 2, 7, 1)))),
                (0.03, lambda: e.u32(e.NK_MODE, rng.randrange(3))),
                (0.15, lambda: e.u32(e.NK_SCRUB, rng.randrange(3))),
                (0.1, lambda: e.u32(e.NK_PEER_SCRUB, rng.randrange(3))),
                (0.1, lambda: e.u16(e.NK_HEADROOM, rng.choice((0, 1, 14, 64)))),
                (0.1, lambda: e.u16(e.NK_TAILROOM, rng.choice((0, 1, 14, 64)))),
            )
            often = 1.0 if new else 0.5
            parts = [make() for probability, make in may_hold if self.chance(probability * often)]
            if new and layer2:
                parts.append(e.u32(e.NK_MODE, 0))
            if single or self.chance(0.05):
                parts.append(e.u32(e.NK_PAIRING, rng.choice((1, 1, 1, 1, 0, 2))))
            if self.chance(0.1):
                rng.shuffle(parts)
        elif kind == "veth" and self.chance(0.7):
            parts.append(self.peer(1))
        if self.chance(0.02):
            parts.append(self.requests.garbage())
        return b"".join(parts)

    def new_link(self) -> None:
        rng = self.rng
        kind = rng.choice(KINDS) if self.chance(0.97) else rng.choice(OTHER_KINDS)
        layer2 = kind != "netkit" or self.chance(0.6)
        parts = self.about_link(addressed=0.85 if layer2 else 0.03)
        to = None
        if self.chance(0.15):
            parts.append(e.u32(e.NET_NS_FD, 0))
            to = rng.choice(NETS)
        elif self.chance(0.03):
            parts.append(e.u32(e.NET_NS_FD, FD_NOBODY_HAS))
        elif self.chance(0.04):
            parts.append(e.s32(e.TARGET_NETNSID, rng.choice((0, 1, 2, -1))))
        info = [e.string(e.INFO_KIND, kind)]
        data = self.kind_data(kind, layer2=layer2)
        if data or self.chance(0.1):
            info.append(e.attr(e.INFO_DATA | (e.NESTED if self.chance(0.9) else 0), data))
        parts.append(e.attr(e.LINKINFO | (e.NESTED if self.chance(0.9) else 0), b"".join(info)))
        if self.chance(0.1):
            rng.shuffle(parts)
        asked = e.REQUEST | e.ACK
        often = [asked | e.CREATE | e.EXCL] * 6
        seldom = asked, asked | e.CREATE, asked | e.ECHO | e.CREATE | e.EXCL, asked | e.CREATE | e.REPLACE
        flags = self.flags(*often, *seldom)
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
        self.send(
            self.route_socket(), e.link(cmd, flags, self.next_seq(), *parts, index=index), "change", spoilt=32
        )

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
            inner = [e.u8(8, rng.randrange(5))] if self.chance(0.7) else []
            if self.chance(0.5):
                inner.append(e.attr(7, bytes(8) + rng.choice((bytes(8), b"\0" * 7 + b"\1", rng.randbytes(8)))))
            parts.append(e.nest(10, *inner))
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
        flags = self.flags(
            e.REQUEST | e.ACK, e.REQUEST | e.ACK | e.CREATE | e.EXCL, e.REQUEST | e.ACK | e.APPEND
        )
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
            parts.append(self.requests.garbage())
        family = 0 if self.chance(0.95) else self.rng.choice((2, 7, 10, 200))
        message = e.link(e.GETLINK, flags, self.next_seq(), *parts, index=index, family=family)
        self.send(self.route_socket(), message, "getlink", 0, spoilt=32)

    def random_link(self) -> None:
        """Any attributes that a link message may hold."""
        op = self.rng.choice(
            [op for op in route.operations.values() if 16 <= op.cmd <= 19 or op.cmd in (108, 109)]
        )
        half = op.do
        assert half is not None and half.accepts is not None
        body = self.requests.attributes(half.accepts, (), keep=self.rng.choice((0.01, 0.02, 0.05)))
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

    def plain_link(self) -> None:
        """A device of some kind, without any frills, and often up."""
        kind = self.rng.choice(KINDS)
        info = [e.string(e.INFO_KIND, kind)]
        if kind == "netkit" and self.chance(0.6):
            info.append(e.nest(e.INFO_DATA, e.u32(e.NK_PAIRING, 1)))
        parts = [e.u32(e.NUM_RX_QUEUES, self.rng.randrange(1, 6)), e.nest(e.LINKINFO, *info)]
        flags = e.REQUEST | e.ACK | e.CREATE | e.EXCL
        index = self.free_index() if self.chance(0.7) else 0
        up = True if self.chance(0.5) else None
        self.send("r", e.link(e.NEWLINK, flags, self.next_seq(), *parts, index=index, up=up), f"plain {kind}")
