"""Leases the last queues of a NIC to a pod, and steers flows to them; or leaves everything as it was.

It goes the road that the first real user of leases goes, through the kernel's own client (pyynl) and SIOCETHTOOL:

1. count: how many queues the NIC has, asked one by one until one is refused;
2. spread: the last ones are taken out of the table of receive-side scaling;
3. split: packets are split into header and data, from the first byte on; a NIC that does so only while it does GRO
   itself is told to;
4. connect: a pair of netkit devices, whose peer is in the pod and has room for the queues;
5. lease: each queue is leased, from within the pod, and the NIC is asked whether it is;
6. steer: flows are sent to the first of them.

Each step that has changed something leaves behind how that is undone. On any error all of it is, the last first, and
nothing that is undone stops the rest: what a NIC took with it needs no undoing.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.road.doors import Flow, Rules, inside, name_namespace, set_table

NLM_F_CREATE, NLM_F_EXCL = 0x400, 0x200
IFLA_IFNAME, IFLA_NUM_RX_QUEUES, IFLA_NET_NS_FD = 3, 32, 28

Do = Callable[[str, dict[str, Any]], Any]


@dataclass
class Place:
    """A namespace, by its path, and pyynl's families in it. look: is told what will be asked, before it is."""

    path: str
    families: dict[str, Any]
    look: Callable[[str], None] = lambda what: None

    def do(self, operation: str, values: dict[str, Any], flags: tuple[int, ...] = ()) -> Any:
        """An operation, as family.operation. NlError."""
        self.look(operation)
        family, _, name = operation.partition(".")
        return self.families[family].do(name, values, flags=list(flags))


@dataclass
class Road:
    """host, pod: where the NIC is, and who gets its queues; leases: how many of them."""

    nic: str
    host: Place
    pod: Place
    flows: tuple[Flow, ...]
    leases: int = 2
    name: str = "nk-pod"
    undo: list[Callable[[], object]] = field(default_factory=list)
    leased: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def go(self) -> None:
        """All of it, or nothing. OSError and pyynl's NlError, as whoever refused said it."""
        try:
            self.index = self.host.do("rt-link.getlink", {"ifname": self.nic})["ifi-index"]
            self.count()
            self.spread()
            self.split()
            self.connect()
            self.lease()
            self.steer()
        except Exception:
            self.back()
            raise

    def back(self) -> None:
        """What was done is undone, the last first. What cannot be undone is told when all else is: ExceptionGroup."""
        failed = []
        while self.undo:
            try:
                self.undo.pop()()
            except Exception as error:
                if number(error) not in (errno.ENODEV, errno.ENOENT):
                    failed.append(error)
        if failed:
            raise ExceptionGroup("not undone", failed)

    # The steps

    def count(self) -> None:
        """queue-get says EINVAL to the first queue that is not."""
        self.queues = 0
        while True:
            try:
                self.host.do("netdev.queue-get", {"ifindex": self.index, "type": "rx", "id": self.queues})
            except Exception as error:
                if number(error) not in (errno.EINVAL, errno.ENOENT):
                    raise
                break
            self.queues += 1
        if self.queues <= self.leases:
            raise OSError(errno.ENOSPC, f"{self.nic} has {self.queues} queues, and needs one of its own")

    def spread(self) -> None:
        """The table is read, written without the last queues, and read again."""
        before = self.ethtool("rss-get")
        kept = self.queues - self.leases
        wanted = [entry % kept for entry in range(len(before["indir"]))]
        # A table that nobody chose is given back to the driver, which has it follow the channels.
        ordinary = before["indir"] == [entry % self.queues for entry in range(len(before["indir"]))]
        self.undo.append(lambda: self.unspread([] if ordinary else before["indir"], before))
        self.set_table(wanted, before)
        after = self.ethtool("rss-get")
        if after != before | {"indir": wanted}:
            raise OSError(errno.EIO, f"the table of {self.nic} is not what was set")

    def set_table(self, table: list[int], before: dict[str, Any]) -> None:
        """rss-set; and ETHTOOL_SRSSH where that did more than it was told. ice becomes symmetric when nothing is said
        of it, and netlink has no way to say that it is to stay as it is."""
        try:
            self.ethtool("rss-set", indir=table)
            if self.ethtool("rss-get").get("input-xfrm") == before.get("input-xfrm"):
                return
        except Exception as error:
            if number(error) != errno.EINVAL:
                raise
        self.host.look("ETHTOOL_SRSSH")
        with inside(self.host.path):
            set_table(self.nic, table, transform=0)

    def unspread(self, table: list[int], before: dict[str, Any]) -> None:
        """The table is what it was; but if somebody else has leased what was taken out of it meanwhile, it stays."""
        others = (
            self.host.do("netdev.queue-get", {"ifindex": self.index, "type": "rx", "id": queue})
            for queue in range(self.queues - self.leases, self.queues)
        )
        if not any("lease" in queue for queue in others):
            self.set_table(table, before)

    def split(self) -> None:
        """tcp-data-split, and hds-thresh where there is one; rx-gro-hw where that is what it takes."""
        before = self.ethtool("rings-get")
        wanted = {"tcp-data-split": "enabled"} | ({"hds-thresh": 0} if "hds-thresh" in before else {})
        if all(before.get(name) == value for name, value in wanted.items()):
            return
        try:
            self.ethtool("rings-set", **wanted)
        except Exception as error:
            if number(error) != errno.EINVAL:
                raise
            self.feature("rx-gro-hw")
            self.ethtool("rings-set", **wanted)
        self.undo.append(lambda: self.ethtool("rings-set", **{
            "tcp-data-split": before.get("tcp-data-split", "unknown"),
            **{name: before[name] for name in wanted if name == "hds-thresh"},
        }))
        after = self.ethtool("rings-get")
        if any(after.get(name) != value for name, value in wanted.items()):
            raise OSError(errno.EIO, f"{self.nic} does not split")

    def feature(self, name: str) -> None:
        """A feature is turned on, if it is not."""
        active = self.ethtool("features-get")["active"].get("bits", {}).get("bit", [])
        if all(bit["name"] != name for bit in active):
            self.turn(name, on=True)
            self.undo.append(lambda: self.turn(name, on=False))

    def turn(self, name: str, *, on: bool) -> None:
        """features-set of one."""
        bit = {"name": name} | ({"value": True} if on else {})
        self.ethtool("features-set", wanted={"bits": {"bit": [bit]}})

    def connect(self) -> None:
        """The pair, of which the pod gets one; the host gets an id there."""
        with open(self.pod.path) as namespace:
            peer = struct.pack("=BxHiII", 0, 0, 0, 0, 0)
            for kind, value in (
                (IFLA_IFNAME, b"eth0\0"), (IFLA_NUM_RX_QUEUES, struct.pack("=I", self.leases + 1)),
                (IFLA_NET_NS_FD, struct.pack("=I", namespace.fileno())),
            ):
                peer += struct.pack("=HH", 4 + len(value), kind) + value.ljust(-(-len(value) // 4) * 4, b"\0")
            data = {"mode": "l2", "peer-info": peer}
            self.host.do(
                "rt-link.newlink", {"ifname": self.name, "linkinfo": {"kind": "netkit", "data": data}},
                (NLM_F_CREATE, NLM_F_EXCL),
            )
        self.undo.append(lambda: self.host.do("rt-link.dellink", {"ifname": self.name}))
        self.peer = self.pod.do("rt-link.getlink", {"ifname": "eth0"})["ifi-index"]
        self.pod.look("rt-nsid.newnsid")
        self.id = name_namespace(self.pod.path, self.host.path)

    def lease(self) -> None:
        """From the last queue downwards: one that somebody else has, or uses, is passed over."""
        candidates = iter(reversed(range(self.queues)))
        while len(self.leased) < self.leases:
            queue = next(candidates, 0)
            if not queue:
                raise OSError(errno.EBUSY, f"no queue of {self.nic} is free")
            lease = {"ifindex": self.index, "queue": {"id": queue, "type": "rx"}, "netns-id": self.id}
            try:
                made = self.pod.do("netdev.queue-create", {"ifindex": self.peer, "type": "rx", "lease": lease})
            except Exception as error:
                if number(error) != errno.EBUSY:
                    raise
                continue
            told = self.host.do("netdev.queue-get", {"ifindex": self.index, "type": "rx", "id": queue})
            if (told["lease"]["ifindex"], told["lease"]["queue"]) != (self.peer, {"id": made["id"], "type": "rx"}):
                raise OSError(errno.EIO, f"{self.nic} says otherwise of the lease")
            self.leased.append(queue)

    def steer(self) -> None:
        """Rules, which some drivers take only while `ntuple` is on."""
        self.feature("rx-ntuple-filter")
        rules = Rules(self.nic)
        with inside(self.host.path):
            for flow in self.flows:
                self.host.look("ETHTOOL_SRXCLSRLINS")
                place = rules.insert(flow, self.leased[0])
                self.undo.append(partial(self.unsteer, rules, place))
                self.places.append(place)
                if rules.queue(place) != self.leased[0]:
                    raise OSError(errno.EIO, f"{self.nic} says otherwise of the rule")

    def unsteer(self, rules: Rules, place: int) -> None:
        """A rule goes."""
        with inside(self.host.path):
            rules.delete(place)

    def ethtool(self, name: str, **values: Any) -> Any:
        """An operation of ethtool about the NIC."""
        answer = self.host.do(f"ethtool.{name}", {"header": {"dev-index": self.index}, **values})
        if isinstance(answer, dict):
            answer.pop("header", None)
        return answer


def number(error: Exception) -> int:
    """The errno, positive, of an OSError or of pyynl's NlError; 0 for what is neither."""
    told = getattr(error, "error", None) or getattr(error, "errno", None)
    return abs(told) if isinstance(told, int) else 0
