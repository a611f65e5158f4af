"""Rates at which ports may send, and nodes that ports share (net/devlink/rate.c).

A leaf belongs to a port, comes and goes with it; a node has a name and is made by user space. Both may have a parent,
which is a node. The list of an instance has its leaves in the order in which they came, behind its nodes, the youngest
of these first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from errno import EBUSY, EEXIST, EINVAL, ENODEV
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DEVLINK_RATE_TCS_MAX, DevlinkRateType

if TYPE_CHECKING:
    from collections.abc import Callable

CHILDREN = "Node has children. Cannot delete node."
EXIST = "Rate node(s) exists."
SELF = "Parent to self is not allowed"
CIRCLE = "Node is already a parent of parent node."
DIGITS = frozenset("0123456789")


@dataclass(eq=False, slots=True)
class Rate:
    """struct devlink_rate. port: the index of its port, of a leaf; name: of a node. share, max: in bytes a second;
    classes: the part of each traffic class."""

    port: int | None = None
    name: str | None = None
    share: int = 0
    max: int = 0
    priority: int = 0
    weight: int = 0
    parent: Rate | None = None
    classes: Sequence[int] = (0,) * DEVLINK_RATE_TCS_MAX

    @property
    def type(self) -> DevlinkRateType:
        """What it is of."""
        return DevlinkRateType.LEAF if self.name is None else DevlinkRateType.NODE


@dataclass(slots=True)
class Rates:
    """devlink->rate_list."""

    listed: list[Rate] = field(default_factory=list)

    def add(self, rate: Rate) -> None:
        """list_add() of nodes, list_add_tail() of leaves."""
        self.listed.insert(len(self.listed) if rate.name is None else 0, rate)

    def leaf(self, port: int) -> Rate:
        """The leaf of a port. ENODEV: it has none."""
        return self._found(lambda rate: rate.port == port)

    def node(self, name: str | None) -> Rate:
        """devlink_rate_node_get_from_attrs(). EINVAL: no name, or a number; ENODEV: there is none."""
        if not name or DIGITS.issuperset(name):
            raise Refusal(EINVAL)
        return self._found(lambda rate: rate.name == name)

    def _found(self, wanted: Callable[[Rate], bool]) -> Rate:
        found = next((rate for rate in self.listed if wanted(rate)), None)
        if found is None:
            raise Refusal(ENODEV)
        return found

    def vacant(self, name: str | None) -> None:
        """Whether there can be a node of that name. EINVAL: see `node()`; EEXIST: there is one."""
        try:
            self.node(name)
        except Refusal as refusal:
            if refusal.errno != ENODEV:
                raise
            return
        raise Refusal(EEXIST)

    def parent_of(self, rate: Rate, name: str) -> Rate | None:
        """devlink_nl_rate_parent_node_set(): the node of that name, None for no name. ENODEV, EINVAL: it is that one
        itself; EEXIST: it is above that one's parents."""
        if not name:
            return None
        parent = self._found(lambda one: one.name == name)
        if parent is rate:
            raise Refusal(EINVAL, SELF)
        above = parent.parent
        while rate.name is not None and above is not None:
            if above is rate:
                raise Refusal(EEXIST, CIRCLE)
            above = above.parent
        return parent

    def childless(self, node: Rate) -> None:
        """EBUSY: it is somebody's parent."""
        if any(rate.parent is node for rate in self.listed):
            raise Refusal(EBUSY, CHILDREN)

    def without_nodes(self) -> None:
        """devlink_rates_check() of nodes. EBUSY: there is one."""
        if any(rate.name is not None for rate in self.listed):
            raise Refusal(EBUSY, EXIST)

    def forget_nodes(self) -> None:
        """devl_rate_nodes_destroy(): nobody is told."""
        for rate in self.listed:
            rate.parent = None
        self.listed[:] = [rate for rate in self.listed if rate.name is None]
