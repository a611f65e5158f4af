"""Generic netlink: requests of every declared operation, and such of netdev and ethtool as go deeper."""

from __future__ import annotations

from fixtures.recorder import encode as e
from nlemu.protocol.schema.family import Family, Operation
from nlemu.protocol.uapi.genetlink import GenlFlag
from tests.conformance.settings import Settings
from tests.conformance.world import ETHTOOL, NETDEV, NETS, NLCTRL, SETTLE


class Generic(Settings):
    """Generic netlink."""

    def ask(self, family: Family, op: Operation) -> None:
        """A random request of a declared operation."""
        halves = [half for half in (op.do, op.dump) if half is not None]
        half = self.rng.choice(halves)
        body = b""
        if half.accepts is not None:
            body = self.requests.attributes(half.accepts, half.requires, keep=self.rng.choice((0.05, 0.3, 0.7)))
        flags = (
            self.flags(e.REQUEST | e.DUMP) if half is op.dump else self.flags(e.REQUEST | e.ACK, e.REQUEST)
        )
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
            body = self.requests.garbage()
            data = e.genl(
                number, cmd, self.flags(e.REQUEST | e.ACK, e.REQUEST | e.DUMP), self.next_seq(), body
            )
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
        cmd = self.rng.choice(
            (e.DEV_GET, e.QUEUE_GET, e.QUEUE_GET, e.NAPI_GET, e.PP_GET, e.PP_STATS_GET, e.QSTATS_GET)
        )
        body = (
            b""
            if cmd == e.DEV_GET or self.chance(0.3)
            else e.u32(2 if cmd in (e.QUEUE_GET, e.PP_GET) else 1, self.ifindex())
        )
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
        lessors = [dev for net in NETS for dev in self.devices(net) if dev.devlink_port is not None]
        lessee = self.rng.choice(lessees).ifindex if lessees and self.chance(0.9) else self.ifindex()
        netns_id = None
        if lessors and self.chance(0.95):
            dev = self.rng.choice(lessors)
            lessor, queue = (
                dev.ifindex,
                self.rng.randrange(max(1, len(dev.rx)) + (1 if self.chance(0.1) else 0)),
            )
            here = self.emulator.steps.nets[self.net]
            if dev.net is not here:
                netns_id = here.id_of(dev.net) if self.chance(0.85) else self.rng.choice((0, 1, 2, None))
            elif self.chance(0.05):
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
        self.rng.choice((self.random_ethtool, self.setting, self.setting, self.question, self.sizes))()

    def random_ethtool(self) -> None:
        self.any_of(ETHTOOL)

    def sizes(self) -> None:
        """Channels or rings of a device, set to something that may do."""
        dev = self.device()
        header = e.nest(1, e.u32(1, 0 if dev is None else dev.ifindex))
        sizes = (0, 1, 1, 2, 2, 3, 4, 5, 64, 512, 4096, 5000)
        cmd, numbers = self.rng.choice(((18, range(6, 10)), (16, (6, 9, 10, 15, 17))))
        body = b"".join(e.u32(number, self.rng.choice(sizes)) for number in numbers if self.chance(0.35))
        if cmd == 16 and self.chance(0.5):
            body += e.u8(11, self.rng.randrange(4))
        data = e.genl(21, cmd, e.REQUEST | e.ACK, self.next_seq(), header, body)
        self.send(self.generic_socket(), data, "channels-set" if cmd == 18 else "rings-set", spoilt=20)
