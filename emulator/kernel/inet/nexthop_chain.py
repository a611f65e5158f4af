"""Who has next hop objects in hardware: the chain of listeners that hear of each before it changes, and may refuse
(register_nexthop_notifier() of net/ipv4/nexthop.c).

The first that refuses ends it; those before it are not told otherwise. What has been changed by then and comes to
nothing is told as a change back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.nexthop import Nexthop


class Listener(Protocol):
    """One of them."""

    def replaced(self, one: Nexthop) -> None:
        """NEXTHOP_EVENT_REPLACE: an object is there, or the one of its number is to be like it. Refusal."""

    def removed(self, one: Nexthop) -> None:
        """NEXTHOP_EVENT_DEL"""

    def table_replaced(self, one: Nexthop) -> None:
        """NEXTHOP_EVENT_RES_TABLE_PRE_REPLACE: a resilient group is to have the members of that one. Refusal."""

    def bucket_replaced(self, one: Nexthop, index: int) -> None:
        """NEXTHOP_EVENT_BUCKET_REPLACE: a bucket of a group leads another way. Refusal."""


class Watched:
    """A resilient group, as its buckets know it: the listeners of its namespace hear, and those of netlink."""

    __slots__ = ("_net", "_one")

    def __init__(self, net: Net, one: Nexthop) -> None:
        self._net = net
        self._one = one

    def bucket_replaced(self, index: int) -> None:
        """call_nexthop_res_bucket_notifiers(). Refusal."""
        for listener in self._net.nexthop_listeners:
            listener.bucket_replaced(self._one, index)

    def bucket_moved(self, index: int) -> None:
        """nexthop_bucket_notify()."""
        self._net.kernel.announcer.nexthop_bucket(self._net, RTM.NEWNEXTHOPBUCKET, self._one, index)


def replaced(net: Net, one: Nexthop) -> None:
    """call_nexthop_notifiers() of NEXTHOP_EVENT_REPLACE. Refusal."""
    for listener in net.nexthop_listeners:
        listener.replaced(one)


def removed(net: Net, one: Nexthop) -> None:
    """The same of NEXTHOP_EVENT_DEL, which nobody refuses."""
    for listener in net.nexthop_listeners:
        listener.removed(one)


def table_replaced(net: Net, one: Nexthop) -> None:
    """call_nexthop_res_table_notifiers(). Refusal."""
    for listener in net.nexthop_listeners:
        listener.table_replaced(one)
