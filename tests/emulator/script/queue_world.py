"""A machine with a NIC and netkit devices, and one-line doings on them: what the rows of docs/queues.md are made of.

A doing knows how to say itself and how to do itself. Everything goes through the front doors: netlink messages built
and read by the client's side, and the steps of traces for what is not netlink.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import step_of
from nlemu.protocol.encode.conversation import Conversation, NlError, specification
from nlemu.protocol.uapi.netlink import NetlinkOpt, NetlinkProtocol

OPTIONS = ((NetlinkOpt.CAP_ACK, 1), (NetlinkOpt.EXT_ACK, 1))
QUEUES = 4
MODES = {0: "either mode", 2: "copy mode", 4: "zero-copy"}


class World:
    """`nic` is a netdevsim with DMA and four queues, unless a doing says otherwise; `lessee` is a single netkit device,
    `primary` and `peer` are a pair. All are up; nothing is leased."""

    def __init__(self) -> None:
        self.machine = Machine(netdevsim="dma")
        self.steps = Steps(self.machine)
        self.talks: dict[tuple[str, str], Conversation] = {}
        self.indexes = {"lo": 1}
        self.step(nsim_new=[10, 1, QUEUES])
        self.indexes["nic"] = 2
        self.link("nk", {"pairing": "single"})
        self.indexes["lessee"] = self.index("nk")
        self.link("host", {})
        self.indexes["primary"] = self.index("host")
        self.indexes["peer"] = self.machine.init_net.device(self.indexes["primary"]).iflink  # type: ignore[union-attr]
        for name in ("nic", "lessee", "primary", "peer"):
            self.set_up(name)

    def link(self, name: str, data: Mapping[str, Any]) -> None:
        info = {"kind": "netkit", "data": dict(data)}
        self.ask("rt-link", "newlink", {"ifname": name, "num-rx-queues": 4, "linkinfo": info}, create=True)

    def set_up(self, name: str, up: bool = True) -> None:
        flags = ["up"] if up else []
        self.ask("rt-link", "setlink", {"ifi-index": self.indexes[name], "ifi-flags": flags, "ifi-change": 1})

    def index(self, name: str) -> int:
        found: int = self.ask("rt-link", "getlink", {"ifname": name})[0]["ifi-index"]
        return found

    def step(self, **fields: Any) -> None:
        """Performs a step; raises OSError when it is refused."""
        answer = self.steps.perform(step_of(fields))
        if answer.error is not None:
            raise answer.error

    def ask(
        self, family: str, name: str, values: Mapping[str, Any], *, dump: bool = False, create: bool = False,
        who: str = "",
    ) -> list[dict[Any, Any]]:
        """Asks, as the socket `who` of that family; raises NlError when it is refused."""
        known = specification(family)
        socket = f"{family}{who}"
        if (family, who) not in self.talks:
            self.steps.open(socket, proto=known.protocol, opts=[(int(name), value) for name, value in OPTIONS])
            number = 0
            if known.protocol == NetlinkProtocol.GENERIC:
                number = next(n for one, n in self.machine.families.numbers.items() if one.name == known.family.name)
            self.talks[family, who] = Conversation(known, number)
        talk, endpoint = self.talks[family, who], self.steps.sockets[socket]
        request = talk.ask(name, values, dump=dump, flags=0x600 if create else 0)
        endpoint.send(request.data)
        while (datagram := endpoint.receive(1 << 16)) is not None:
            talk.hear(datagram)
        self.machine.settle()
        if request.error is not None:
            raise request.error
        assert request.done
        return request.replies

    def shows(self) -> str:
        """Which receive queues queue-get says something of, beside their NAPI instance, on the devices that are up."""
        told = []
        for name, index in self.indexes.items():
            dev = self.machine.init_net.device(index)
            if dev is None or not dev.running:
                continue
            for queue in self.ask("netdev", "queue-get", {"ifindex": index}, dump=True):
                uses = [use for use in ("dmabuf", "io-uring", "xsk", "lease") if use in queue and queue["type"] == "rx"]
                if uses:
                    told.append(f"{name} {queue['id']}: {', '.join(uses)}")
        return "; ".join(told)

    def page_pools(self) -> list[dict[Any, Any]]:
        return self.ask("netdev", "page-pool-get", {}, dump=True)


class Doing:
    """Something that is done to a world."""

    def do(self, world: World) -> None:
        raise NotImplementedError

    def __str__(self) -> str:
        raise NotImplementedError


def outcome(world: World, doing: Doing) -> tuple[int, str | None]:
    """The errno and the text with which it is refused; 0 and None when it is not."""
    try:
        doing.do(world)
    except NlError as error:
        return error.errno, error.extack.get("msg")
    except OSError as error:
        text = error.strerror
        return error.errno or 0, None if text == os.strerror(error.errno or 0) else text
    return 0, None


@dataclass(frozen=True)
class Plug(Doing):
    """A real NIC takes the place of netdevsim: it becomes `nic`."""

    profile: str
    fields: tuple[tuple[str, Any], ...] = ()

    def do(self, world: World) -> None:
        world.step(nic_new="0000:08:00.0", profile=self.profile, name="real", queues=QUEUES, **dict(self.fields))
        world.indexes["nic"] = world.index("real")
        world.set_up("nic")

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.fields)
        return f"the NIC is {self.profile}" + (f" ({settings})" if settings else "")


@dataclass(frozen=True)
class Lease(Doing):
    queue: int
    by: str = "lessee"
    of: str = "nic"
    kind: str = "rx"

    def do(self, world: World) -> None:
        lease = {"ifindex": world.indexes[self.of], "queue": {"id": self.queue, "type": self.kind}}
        world.ask("netdev", "queue-create", {"ifindex": world.indexes[self.by], "type": "rx", "lease": lease})

    def __str__(self) -> str:
        return f"{self.by} leases {self.of} queue {self.queue}"


@dataclass(frozen=True)
class Xsk(Doing):
    on: str
    queue: int
    flags: int = 4
    name: str = "x"
    fields: tuple[tuple[str, Any], ...] = ()
    words: str = ""

    def do(self, world: World) -> None:
        index = world.indexes.get(self.on, 99)
        world.step(xsk=self.name, ifindex=index, queue=self.queue, flags=self.flags, **dict(self.fields))

    def __str__(self) -> str:
        mode = self.words or MODES[self.flags]
        return f"AF_XDP, {mode}, {self.on} queue {self.queue}"


@dataclass(frozen=True)
class Zcrx(Doing):
    on: str
    queue: int
    name: str = "z"
    fields: tuple[tuple[str, Any], ...] = ()

    def do(self, world: World) -> None:
        index = world.indexes.get(self.on, 99)
        world.step(zcrx=self.name, ifindex=index, queue=self.queue, **dict(self.fields))

    def __str__(self) -> str:
        settings = "".join(f", {name} {value}" for name, value in self.fields)
        return f"io_uring, {self.on} queue {self.queue}{settings}"


@dataclass(frozen=True)
class Bind(Doing):
    """bind-rx of a fresh dmabuf; `who` is the socket that owns it."""

    on: str
    queues: tuple[int, ...]
    who: str = ""
    fields: tuple[tuple[str, Any], ...] = ()

    def do(self, world: World) -> None:
        values = {
            "ifindex": world.indexes.get(self.on, 99), "fd": descriptor(world),
            "queues": [{"id": queue, "type": "rx"} for queue in self.queues],
        }
        world.ask("netdev", "bind-rx", values | dict(self.fields), who=self.who)

    def __str__(self) -> str:
        which = " and ".join(map(str, self.queues))
        settings = "".join(f", {name} {value}" for name, value in self.fields)
        return f"bind-rx, {self.on} queue{'s' if len(self.queues) > 1 else ''} {which}{settings}"


@dataclass(frozen=True)
class BindTx(Doing):
    on: str
    who: str = ""

    def do(self, world: World) -> None:
        world.ask("netdev", "bind-tx", {"ifindex": world.indexes[self.on], "fd": descriptor(world)}, who=self.who)

    def __str__(self) -> str:
        return f"bind-tx, {self.on}"


def descriptor(world: World) -> int:
    name = f"d{len(world.steps.programs.running)}"
    world.step(dmabuf=name, pages=16)
    return world.steps.number(world.steps.programs.dmabuf("bind", name))


@dataclass(frozen=True)
class Xdp(Doing):
    on: str
    fields: tuple[tuple[str, Any], ...] = ()

    def do(self, world: World) -> None:
        world.step(xdp="p", ifindex=world.indexes[self.on], **dict(self.fields))

    def __str__(self) -> str:
        kind = "with fragments" if dict(self.fields).get("frags") else "of one buffer"
        return f"an XDP program {kind}, {self.on}"


@dataclass(frozen=True)
class Rings(Doing):
    """ethtool -G: tcp-data-split, hds-thresh."""

    split: str = "enabled"
    thresh: int = 0

    def do(self, world: World) -> None:
        header = {"dev-index": world.indexes["nic"]}
        # Only what the driver can set may be named, and some have no threshold.
        values: dict[str, Any] = {"header": header, "tcp-data-split": self.split}
        dev = world.machine.init_net.device(world.indexes["nic"])
        if dev is not None and "hds_thresh" in dev.ops.settable_rings:
            values["hds-thresh"] = self.thresh
        if dev is not None and dev.ops.driver == "mlx5_core":  # which splits only what the hardware puts together
            bit = {"name": "rx-gro-hw", "value": True}
            world.ask("ethtool", "features-set", {"header": header, "wanted": {"bits": {"bit": [bit]}}})
        world.ask("ethtool", "rings-set", values)

    def __str__(self) -> str:
        return f"ethtool: nic tcp-data-split {self.split}, hds-thresh {self.thresh}"


@dataclass(frozen=True)
class Channels(Doing):
    count: int

    def do(self, world: World) -> None:
        header = {"dev-index": world.indexes["nic"]}
        world.ask("ethtool", "channels-set", {"header": header, "combined-count": self.count})

    def __str__(self) -> str:
        return f"ethtool: nic with {self.count} channel{'s' if self.count > 1 else ''}"


@dataclass(frozen=True)
class Link(Doing):
    """ip link set up, down or mtu."""

    name: str
    up: bool | None = None
    mtu: int = 0

    def do(self, world: World) -> None:
        if self.up is not None:
            world.set_up(self.name, self.up)
        if self.mtu:
            world.ask("rt-link", "setlink", {"ifi-index": world.indexes[self.name], "mtu": self.mtu})

    def __str__(self) -> str:
        return f"{self.name} mtu {self.mtu}" if self.mtu else f"{self.name} {'up' if self.up else 'down'}"


@dataclass(frozen=True)
class End(Doing):
    name: str
    words: str = ""

    def do(self, world: World) -> None:
        world.step(end=self.name)

    def __str__(self) -> str:
        return self.words or "the program ends"


@dataclass(frozen=True)
class Close(Doing):
    """A netlink socket is closed."""

    who: str = ""

    def do(self, world: World) -> None:
        world.step(close=f"netdev{self.who}")
        del world.talks["netdev", self.who]

    def __str__(self) -> str:
        return "the socket that bound it is closed"


@dataclass(frozen=True)
class Delete(Doing):
    name: str

    def do(self, world: World) -> None:
        world.ask("rt-link", "dellink", {"ifi-index": world.indexes[self.name]})

    def __str__(self) -> str:
        return f"{self.name} is deleted"


@dataclass(frozen=True)
class Unplug(Doing):
    def do(self, world: World) -> None:
        if "0000:08:00.0" in world.machine.nics.devices:
            world.step(nic_del="0000:08:00.0")
        else:
            world.step(nsim_del=10)

    def __str__(self) -> str:
        return "the NIC is unplugged"


@dataclass(frozen=True)
class Move(Doing):
    """To another namespace and straight back, up again."""

    name: str

    def do(self, world: World) -> None:
        world.step(netns="away")
        index, away = world.indexes[self.name], world.steps.net("move", "away")
        world.ask("rt-link", "setlink", {"ifi-index": index, "net-ns-fd": world.steps.number(away)})
        from nlemu.emulator.kernel.devices.move import change_net_namespace

        dev = away.device(index)
        assert dev is not None
        change_net_namespace(dev, world.machine.init_net)
        world.set_up(self.name)

    def __str__(self) -> str:
        return f"{self.name} moves to another namespace and back"


@dataclass(frozen=True)
class Row:
    """A line of the table: given that, this is done; with that errno (a name) and text; queue-get shows so afterwards.

    trace: the recorded trace that has it, or None where the source alone says it."""

    given: Sequence[Doing]
    done: Doing
    errno: str | None
    text: str | None
    source: str
    trace: str | None
    shows: str | None = field(default=None)
    """None: what it showed before."""

