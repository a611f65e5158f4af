"""The area `kinds`: links of every kind are made, changed, put above and below each other, moved and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fixtures.recorder import encode as e
from nlemu.emulator.kernel.devices.device import Device
from nlemu.protocol.schema.attributes import Attr
from nlemu.protocol.schema.policy import Policy
from tests.conformance.kinds.bridging import Bridging
from tests.conformance.kinds.masters import MASTERS
from tests.conformance.kinds.row import Row
from tests.conformance.kinds.tunnels import TUNNELS
from tests.conformance.kinds.uppers import BOTTOM, PLAIN, UPPERS
from tests.conformance.kinds.values import Make, below
from tests.conformance.links import Links
from tests.conformance.routes import Routes
from tests.conformance.world import NETS

ROWS = (*PLAIN, *MASTERS, *UPPERS, *TUNNELS)
BY_KIND = {row.kind: row for row in ROWS}
MASTER_KINDS = tuple(row.kind for row in MASTERS)
ENOUGH = 24
"""How many devices there may be until fewer are made and more deleted."""
FEW = {True: 0.9, False: 1.8}
"""How many attributes of its kind the message of a new device has, and of one that is there, on average, besides those
that it needs. Most values may do, but of many attributes some value or other does not."""


class Kinds(Links, Routes, Bridging):
    """Links of every kind."""

    def kinds(self) -> None:
        if self.chance(0.5) and not self.of_kinds(MASTER_KINDS):
            self.ground()
            return
        few = sum(len(self.devices(net)) for net in NETS) < ENOUGH
        self.rng.choices(
            (self.new_of_kind, self.change_of_kind, self.enslave, self.set_port, self.updown, self.move, self.del_link,
             self.set_link, self.get_link, self.bridging, self.address, self.altname),
            (7 if few else 1, 4, 3, 2, 4, 1.5, 1 if few else 4, 1.5, 3, 4, 1, 0.3),
        )[0]()

    def of_kinds(self, kinds: Sequence[str]) -> list[Device]:
        """The devices of those kinds that are in the namespace that is spoken to."""
        return [dev for dev in self.devices() if dev.kind is not None and dev.kind.name in kinds]

    def ground(self) -> None:
        """A master with a port or two, mostly up: something to build on."""
        rng = self.rng
        row = rng.choice((MASTERS[0], *MASTERS))
        data = e.nest(e.INFO_DATA, e.u32(1, 10)) if row.kind == "vrf" else b""
        before = {dev.ifindex for dev in self.devices()}
        self.make(row.kind, data, up=self.chance(0.8))
        made = [dev.ifindex for dev in self.devices() if dev.ifindex not in before]
        for _ in range(rng.randrange(1, 3)):
            master = [e.u32(e.MASTER, made[0])] if made else []
            self.make(rng.choice(("dummy", "dummy", "veth")), b"", *master, up=self.chance(0.8))

    def make(self, kind: str, data: bytes = b"", *parts: bytes, up: bool = False) -> None:
        """A device with an address and nothing else that is odd."""
        said = [e.attr(e.ADDRESS, b"\x02\xc0\xde" + self.rng.randbytes(3)), *parts]
        said.append(e.nest(e.LINKINFO, e.string(e.INFO_KIND, kind), data))
        index, flags = self.free_index(), e.REQUEST | e.ACK | e.CREATE | e.EXCL
        message = e.link(e.NEWLINK, flags, self.next_seq(), *said, index=index, up=up or None)
        self.send("r", message, f"plain {kind}")

    # -- what a message holds -----------------------------------------------------------------

    def said(
        self,
        given: Mapping[str, Make],
        attributes: Mapping[str, Attr[Any]],
        policy: Policy | None,
        needs: Sequence[str] = (),
        odd: bool = True,
        new: bool = False,
    ) -> bytes:
        """Attributes of a kind: those that it needs, a few others, now and then one with any value."""
        likely = FEW[new] / max(len(given), 1)
        chosen = [name for name in given if self.chance(0.97 if name in needs else likely)]
        if self.chance(0.2):
            self.rng.shuffle(chosen)
        parts = [e.attr(attributes[name].number, given[name](self)) for name in chosen]
        if odd and policy is not None and policy.rules and self.chance(0.06):
            parts.append(self.requests.attribute(self.rng.choice(list(policy.rules.values()))))
        return b"".join(parts)

    def data_of(self, row: Row, *, new: bool) -> bytes:
        """IFLA_INFO_DATA."""
        if row.kind in ("netkit", "veth"):
            return self.kind_data(row.kind, new=new)
        declared = row.declared
        if declared is None or declared.data is None:
            return b""
        spec = declared.data.spec
        policy, needs = declared.policy or spec.policy, row.needs if new else ()
        return self.said(row.given, spec.by_name, policy, needs, row.odd, new)

    def port_data(self, master: Row) -> bytes:
        """IFLA_INFO_SLAVE_DATA, IFLA_PROTINFO."""
        declared = master.declared
        if declared is None or declared.slave is None or not master.port:
            return b""
        return self.said(master.port, declared.slave.spec.by_name, declared.slave_policy)

    def info(self, row: Row, *, new: bool) -> bytes:
        parts = [e.string(e.INFO_KIND, row.kind)]
        data = self.data_of(row, new=new)
        if data or self.chance(0.1):
            parts.append(e.attr(e.INFO_DATA | (e.NESTED if self.chance(0.9) else 0), data))
        return e.nest(e.LINKINFO, *parts)

    # -- links --------------------------------------------------------------------------------

    def new_of_kind(self) -> None:
        """A link of some kind; on a device that is there, where it needs one; born elsewhere, now and then."""
        rng = self.rng
        row = rng.choices(ROWS, [row.likely for row in ROWS])[0]
        parts, to = [], None
        if self.chance(0.1):
            parts.append(e.u32(e.NET_NS_FD, 0))  # first, for that is where it is looked for
            to = rng.choice(NETS)
        if self.chance(0.3):
            parts.append(e.string(e.IFNAME, self.new_name()))
        if row.ethernet:
            parts.append(e.attr(e.ADDRESS, self.mac()))
        if row.stands and self.chance(0.97):
            parts.append(e.u32(e.LINK, below(self, BOTTOM)))
            if self.chance(0.04):
                parts.append(e.s32(e.LINK_NETNSID, rng.choice((0, 1, 2, -1))))
        if self.chance(0.08):
            parts.append(e.u32(e.MTU, rng.choice((68, 1280, 1400, 1500, 2000, 9000, 65535))))
        if self.chance(0.08):
            parts.append(e.u32(e.MASTER, self.master_index()))
        parts.append(self.info(row, new=True))
        asked = e.REQUEST | e.ACK
        flags = self.flags(*[asked | e.CREATE | e.EXCL] * 8, asked | e.CREATE, asked)
        up = True if self.chance(0.4) else None
        message = e.link(e.NEWLINK, flags, self.next_seq(), *parts, index=self.free_index(), up=up)
        self.send(self.route_socket(), message, f"new {row.kind}", to=to, spoilt=32)

    def rows_here(self) -> list[tuple[Device, Row]]:
        """The devices of a kind that there is a row of."""
        return [
            (dev, BY_KIND[dev.kind.name])
            for dev in self.devices() if dev.kind is not None and dev.kind.name in BY_KIND
        ]

    def change_of_kind(self) -> None:
        """RTM_NEWLINK of a device that is there: what its kind says of it."""
        here = self.rows_here()
        if not here:
            return
        dev, row = self.rng.choice(here)
        if self.chance(0.03):
            row = self.rng.choice(ROWS)
        parts = [self.info(row, new=False)]
        if row.stands and self.chance(0.05):
            parts.insert(0, e.u32(e.LINK, below(self, BOTTOM)))
        message = e.link(e.NEWLINK, e.REQUEST | e.ACK, self.next_seq(), *parts, index=dev.ifindex)
        self.send(self.route_socket(), message, f"change {row.kind}", spoilt=32)

    def master_index(self) -> int:
        """Of a device that may have ports, or 0."""
        masters = self.of_kinds(MASTER_KINDS)
        if not masters or self.chance(0.1):
            return below(self)
        return 0 if self.chance(0.2) else self.rng.choice(masters).ifindex

    def enslave(self) -> None:
        """IFLA_MASTER of a device that is there."""
        dev = self.device()
        if dev is None:
            return
        if dev.master is None and not self.chance(0.2):
            dev = self.rng.choice([one for one in self.devices() if one.kind is not None] or [dev])
        cmd = e.SETLINK if self.chance(0.8) else e.NEWLINK
        up = None if self.chance(0.85) else self.chance(0.5)
        peer: Device | None = getattr(dev.priv, "peer", None)
        ring = peer is not None and peer.master is not None  # in which frames would go round for ever
        parts = [e.u32(e.MASTER, 0 if ring else self.master_index())]
        message = e.link(cmd, e.REQUEST | e.ACK, self.next_seq(), *parts, index=dev.ifindex, up=up)
        self.send(self.route_socket(), message, "enslave", spoilt=32)

    def set_port(self) -> None:
        """What a master says of a slave."""
        slaves = [dev for dev in self.devices() if dev.master is not None]
        if not slaves:
            self.enslave()
            return
        dev = self.rng.choice(slaves)
        assert dev.master is not None
        kind = dev.master.kind.name if dev.master.kind is not None else ""
        row = BY_KIND.get(kind, MASTERS[0]) if self.chance(0.97) else self.rng.choice(MASTERS)
        data = self.port_data(row)
        if row.kind == "bridge" and self.chance(0.3):
            parts, family = [e.nest(12, data) if self.chance(0.9) else e.attr(12, data)], 7
            message = e.link(e.SETLINK, e.REQUEST | e.ACK, self.next_seq(), *parts, index=dev.ifindex, family=family)
        else:
            linkinfo = e.nest(e.LINKINFO, e.string(e.INFO_SLAVE_KIND, row.kind), e.nest(e.INFO_SLAVE_DATA, data))
            message = e.link(e.NEWLINK, e.REQUEST | e.ACK, self.next_seq(), linkinfo, index=dev.ifindex)
        self.send(self.route_socket(), message, f"port of {row.kind}", spoilt=32)
