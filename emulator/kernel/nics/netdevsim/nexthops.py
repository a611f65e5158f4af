"""netdevsim takes next hop objects over: drivers/net/netdevsim/fib.c.

A simulated device hears of every object of the namespace that its devlink instance is in, and says of it, and of the
buckets of a resilient group, that packets are trapped (RTNH_F_TRAP). It has room for as many as its resource says: one
alone takes one place, a group as many as its weights come to, or as it has buckets; what takes the place of another
has to find room beside it. As the device goes it forgets them, and they still say that they are trapped.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL, ENOSPC
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet import nexthop
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.nexthop import Nexthop

NO_ROOM = "netdevsim: Exceeded number of supported nexthops"
NO_TABLE = "netdevsim: Failed to replace a resilient nexthop group"
NO_BUCKET = "netdevsim: Failed to replace nexthop bucket"


@dataclass(frozen=True, slots=True)
class Taken:
    """struct nsim_nexthop: how many places it takes."""

    places: int
    resilient: bool


def taken(one: Nexthop) -> Taken:
    """nsim_nexthop_create()."""
    if one.way is not None:
        return Taken(1, resilient=False)
    if one.buckets is not None:
        return Taken(len(one.buckets.buckets), resilient=True)
    return Taken(sum(weight for _, weight in one.members), resilient=False)


class NexthopTakeover:
    """What of struct nsim_fib_data is about them: a listener of one namespace, which has room for so many. The rest is
    what tests have it refuse."""

    def __init__(self, net: Net, most: int) -> None:
        self.net = net
        self.most = most
        self.known: dict[int, Taken] = {}
        self.places = 0
        """How many are taken (nsim_fib_nexthops_res_occ_get())."""
        self.fail_res_nexthop_group_replace = False
        self.fail_nexthop_bucket_replace = False

    def attach(self) -> None:
        """register_nexthop_notifier(): those that are there are taken over; all or none. Refusal ENOSPC."""
        try:
            for one in nexthop.of(self.net):
                self.replaced(one)
        except Refusal:
            for number in self.known:
                self._set_trap(number, trap=False)
            self._forget_all()
            raise
        self.net.nexthop_listeners.append(self)

    def detach(self) -> None:
        """unregister_nexthop_notifier(): none of them is told so."""
        if self in self.net.nexthop_listeners:
            self.net.nexthop_listeners.remove(self)
        self._forget_all()

    def _forget_all(self) -> None:
        self.known.clear()
        self.places = 0

    def replaced(self, one: Nexthop) -> None:
        """nsim_nexthop_insert()."""
        new = taken(one)
        if self.places + new.places > self.most:
            raise Refusal(ENOSPC, NO_ROOM)
        self.removed(one)
        self.known[one.id] = new
        self.places += new.places
        self._set_trap(one.id, trap=True)

    def removed(self, one: Nexthop) -> None:
        """nsim_nexthop_remove()."""
        known = self.known.pop(one.id, None)
        if known is not None:
            self.places -= known.places

    def table_replaced(self, one: Nexthop) -> None:
        """nsim_nexthop_res_table_pre_replace()."""
        if self.fail_res_nexthop_group_replace:
            raise Refusal(EINVAL, NO_TABLE)

    def bucket_replaced(self, one: Nexthop, index: int) -> None:
        """nsim_nexthop_bucket_replace()."""
        if self.fail_nexthop_bucket_replace:
            raise Refusal(EINVAL, NO_BUCKET)
        assert one.buckets is not None
        one.buckets.buckets[index].trap = True

    def use_bucket(self, number: int, index: int) -> None:
        """nsim_nexthop_bucket_activity_write(): packets have gone through it. EINVAL: it has no such bucket."""
        group, known = nexthop.of(self.net).find(number), self.known.get(number)
        if known is None or not known.resilient or index >= known.places or group is None or group.buckets is None:
            raise Refusal(EINVAL)
        group.buckets.use(index)

    def _set_trap(self, number: int, *, trap: bool) -> None:
        """nsim_nexthop_hw_flags_set()."""
        one = nexthop.of(self.net).find(number)
        if one is None:
            return
        one.trap = trap
        if one.buckets is not None:
            for bucket in one.buckets.buckets:
                bucket.trap = trap
