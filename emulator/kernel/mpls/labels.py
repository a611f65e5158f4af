"""The table of labels of a namespace, and what becomes of its routes when devices come and go: net/mpls/af_mpls.c.

A label is a place in a table, which has as many as net.mpls.platform_labels says: none at first. A route leads one or
several ways, each through a device; a way is dead while its device is down, and without a device once that is gone.
The labels below 16 are reserved, and nobody is told of the two routes that the kernel puts there itself.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

from nlemu.emulator.kernel.devices.flags import get_flags
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTM, RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

FIRST_UNRESERVED = 16
"""MPLS_LABEL_FIRST_UNRESERVED"""
LIMIT = (1 << 20) - 1
"""label_limit: how many a table may have."""
KEY = "mpls"
"""In net.generic."""
DEAD, LINKDOWN = int(RTNH_F.DEAD), int(RTNH_F.LINKDOWN)
REPLACE = int(NLM_F.REPLACE)
CARRIES = int(IFF.RUNNING | IFF.LOWER_UP)


class Via(NamedTuple):
    """Who is next on a way: struct rtvia. family: AF_INET, AF_INET6, or AF_PACKET for an address of the device's."""

    family: int
    address: bytes


@dataclass(slots=True, eq=False)
class LabelWay:
    """struct mpls_nh. labels: those that are put on, the outermost first; dev: None once it is gone; flags: DEAD,
    LINKDOWN."""

    dev: Device | None
    labels: tuple[int, ...] = ()
    via: Via | None = None
    flags: int = 0

    @property
    def alive(self) -> bool:
        """Whether a packet can go there."""
        return not self.flags & (DEAD | LINKDOWN)


@dataclass(slots=True, eq=False)
class LabelRoute:
    """struct mpls_route. propagate: whether the time to live of the label becomes that of the packet, None where that
    is as the namespace has it."""

    protocol: int
    ways: list[LabelWay] = field(default_factory=list)
    propagate: bool | None = None

    def leads_through(self, dev: Device) -> bool:
        """mpls_rt_uses_dev()."""
        return any(way.dev is dev for way in self.ways)


class Labels:
    """The table of a namespace. size: how many labels it has."""

    __slots__ = ("_net", "_order", "_routes", "size")

    def __init__(self, net: Net) -> None:
        """mpls_net_init()."""
        self._net = net
        self._routes: dict[int, LabelRoute] = {}
        self._order: list[int] = []
        self.size = 0

    def after(self, label: int) -> int | None:
        """The next label that has a route."""
        at = bisect_right(self._order, label)
        return self._order[at] if at < len(self._order) else None

    def find(self, label: int) -> LabelRoute | None:
        """mpls_route_input()."""
        return self._routes.get(label)

    def put(self, label: int, route: LabelRoute | None, origin: Origin | None = None) -> None:
        """mpls_route_update(): gives a label another route, or none; told of, if there is one or was."""
        old = self._routes.pop(label, None)
        if route is not None:
            self._routes[label] = route
        if old is None and route is not None:
            insort(self._order, label)
        elif old is not None and route is None:
            self._order.remove(label)
        told = route or old
        if told is not None:
            flags = REPLACE if route is not None and old is not None else 0
            event = RTM.DELROUTE if route is None else RTM.NEWROUTE
            self._net.kernel.announcer.label_route(self._net, event, label, told, nlflags=flags, origin=origin)

    def resize(self, size: int) -> None:
        """resize_platform_label_table(): what does not fit any more goes."""
        for label in [label for label in self._order if label >= size]:
            self.put(label, None)
        self.size = size

    # What becomes of the routes of a device

    def down(self, dev: Device, flags: int) -> None:
        """mpls_ifdown(), of a device that is down or has no carrier. flags: what its ways are from now on."""
        for way in self._ways(dev):
            way.flags |= flags

    def up(self, dev: Device, flags: int) -> None:
        """mpls_ifup(). flags: what its ways are no more."""
        for way in self._ways(dev):
            way.flags &= ~flags

    def _ways(self, dev: Device) -> list[LabelWay]:
        """All that lead through a device."""
        return [way for route in self._routes.values() for way in route.ways if way.dev is dev]

    def gone(self, dev: Device) -> None:
        """mpls_ifdown(), of a device that goes: with the last of its ways a route goes too."""
        for label in list(self._order):
            route = self._routes[label]
            if all(way.dev is None or way.dev is dev for way in route.ways):
                self.put(label, None)
            elif route.leads_through(dev):
                for way in route.ways:
                    if way.dev is dev:
                        way.dev, way.flags = None, way.flags | DEAD | LINKDOWN
                self.put(label, route)


def known(net: Net) -> Labels | None:
    """The table of that namespace, if anybody has asked for it: until then no label has a route."""
    return cast("Labels | None", net.generic.get(KEY))


def of(net: Net) -> Labels:
    """The table of that namespace."""
    table = known(net)
    if table is None:
        table = net.generic[KEY] = Labels(net)
    return table


def flags_of(dev: Device) -> int:
    """mpls_nh_assign_dev(): what a way through a device is that has been so all along."""
    if not dev.flags & IFF.UP:
        return DEAD
    return 0 if get_flags(dev) & CARRIES else LINKDOWN
