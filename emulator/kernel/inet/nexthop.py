"""Next hop objects: ways that routes share by number, alone or in groups (struct nexthop of net/ipv4/nexthop.c).

One that stands alone leads through a device, perhaps to a gateway, or nowhere (a black hole). A group is made of such
ones, with weights, and leads through all of them. Both go with what they are made of: an object with its device, a
group with its last member, and the routes with either. A resilient group also has buckets (nexthop_buckets.py).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from contextlib import suppress
from dataclasses import dataclass, field
from errno import EEXIST, EINVAL, ENOENT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.kernel.inet import nexthop_chain
from nlemu.emulator.kernel.inet.nexthop_buckets import Bucket, Buckets
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.kernel.ipv4.fib_info import Info4
    from nlemu.emulator.kernel.ipv6.fib import Route6

U32_MAX = 0xFFFFFFFF
COMPAT_MODE = "ipv4/nexthop_compat_mode"
AF_INET = 2
IDLE_TIMER = 12000
"""NH_RES_DEFAULT_IDLE_TIMER, in hundredths of a second"""


@dataclass(slots=True, eq=False)
class Way:
    """struct nh_info: where one that stands alone leads. gateway: of its family, 0 for none; scope: RT_SCOPE_*;
    dst_port: of UDP, 0 for a forwarding table's own; tunnel: that packets go through."""

    family: int
    dev: Device | None = None
    gateway: int = 0
    scope: int = 0
    flags: int = 0
    blackhole: bool = False
    fdb: bool = False
    dst_port: int = 0
    tunnel: Tunnel | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request says of a resilient group: how many buckets, and timers in hundredths of a second; None for what
    it does not."""

    buckets: int | None = None
    idle_timer: int | None = None
    unbalanced_timer: int | None = None


@dataclass(slots=True, eq=False)
class Nexthop:
    """struct nexthop. way: of one that stands alone; members: of a group, with their weights, from 1; fdb: of a group
    of those for forwarding tables; wanted: of a resilient group, what was said of its buckets; buckets: what it has;
    trap: RTNH_F_TRAP, somebody has it in hardware; groups: that it is in, the newest first; infos: the ways of routes
    of IPv4 that are it; routes6: the routes of IPv6 that lead by it, the oldest first; followers: who else leads by it,
    and what is to be done when it goes."""

    id: int
    protocol: int = 0
    way: Way | None = None
    members: list[tuple[Nexthop, int]] = field(default_factory=list)
    fdb: bool = False
    wanted: Wanted | None = None
    buckets: Buckets | None = None
    trap: bool = False
    groups: list[Nexthop] = field(default_factory=list)
    infos: dict[Info4, None] = field(default_factory=dict)
    routes6: dict[Route6, None] = field(default_factory=dict)
    followers: dict[object, Callable[[], None]] = field(default_factory=dict)

    net: Net | None = None
    """The namespace whose it is, once it is there."""

    @property
    def leaves(self) -> list[tuple[Way, int]]:
        """All ways, with their weights."""
        if self.way is not None:
            return [(self.way, 1)]
        return [(member.way, weight) for member, weight in self.members if member.way is not None]

    @property
    def blackhole(self) -> bool:
        """nexthop_is_blackhole()"""
        return self.leaves[0][0].blackhole and len(self.leaves) == 1

    @property
    def told_ways(self) -> list[tuple[Way, int]]:
        """Those that a route tells that leads by it: all, or with net.ipv4.nexthop_compat_mode off none."""
        return self.leaves if self.net is None or spelled_out(self.net) else []

    @property
    def has_v4(self) -> bool:
        """Whether one of its ways is of IPv4, black holes among them."""
        return any(way.family == AF_INET for way, _ in self.leaves)

    @property
    def is_fdb(self) -> bool:
        """Whether it is for a forwarding table, and for no route."""
        return self.fdb if self.way is None else self.way.fdb


class Nexthops:
    """Those of one namespace (struct netns_nexthop). seq: grows with every change, and is never 0 but at first."""

    __slots__ = ("_by_id", "_ids", "_last", "_on_device", "seq")

    def __init__(self) -> None:
        self._by_id: dict[int, Nexthop] = {}
        self._ids: list[int] = []
        self._on_device: dict[Device, list[Nexthop]] = {}
        self._last = 0
        self.seq = 0

    def __iter__(self) -> Iterator[Nexthop]:
        """In the order of their numbers."""
        return iter([self._by_id[number] for number in self._ids])

    def find(self, number: int) -> Nexthop | None:
        """nexthop_find_by_id()."""
        return self._by_id.get(number)

    def after(self, number: int) -> Nexthop | None:
        """The one with the lowest number above that."""
        at = bisect_right(self._ids, number)
        return self._by_id[self._ids[at]] if at < len(self._ids) else None

    def unused(self) -> int:
        """nh_find_unused_id(): EINVAL."""
        first = self._last
        while True:
            self._last = self._last + 1 & U32_MAX
            if self._last == first:
                raise Refusal(EINVAL, "No unused id")
            if self._last not in self._by_id and self._last:
                return self._last

    def list(self, one: Nexthop) -> None:
        """It can be found from now on."""
        self._by_id[one.id] = one
        insort(self._ids, one.id)
        self.settle_device(one)

    def unlist(self, one: Nexthop) -> None:
        """It no longer can."""
        del self._by_id[one.id]
        del self._ids[bisect_left(self._ids, one.id)]
        self.forget_device(one)

    def settle_device(self, one: Nexthop) -> None:
        """nexthop_devhash_add(): the newest of a device is the first."""
        if one.way is not None and one.way.dev is not None and not one.way.fdb:
            self._on_device.setdefault(one.way.dev, []).insert(0, one)

    def forget_device(self, one: Nexthop) -> None:
        """It no longer leads through its device."""
        if one.way is not None and one.way.dev is not None and not one.way.fdb:
            known = self._on_device[one.way.dev]
            known.remove(one)
            if not known:
                del self._on_device[one.way.dev]

    def on(self, dev: Device) -> Iterator[Nexthop]:
        """Those that lead through a device."""
        return iter(tuple(self._on_device.get(dev, ())))

    def count(self) -> None:
        """nh_base_seq_inc()."""
        self.seq = self.seq + 1 & U32_MAX or 1


def of(net: Net) -> Nexthops:
    """The next hop objects of that namespace."""
    known: Nexthops | None = net.nexthops
    if known is None:
        known = net.nexthops = Nexthops()
    return known


def spelled_out(net: Net) -> bool:
    """net.ipv4.nexthop_compat_mode: a route that leads by an object is told with the ways of that, and told of again
    when they change, for programs that know no objects."""
    return settings(net.kernel.build)[COMPAT_MODE].read(net) != "0"


def check_members(net: Net, members: list[tuple[int, int]], *, fdb: bool) -> list[tuple[Nexthop, int]]:
    """nh_check_attr_group_rtnl(): the members of a group that is to be, by their numbers. EINVAL, with texts."""
    family, found = 0, []
    for number, weight in members:
        one = of(net).find(number)
        if one is None:
            raise Refusal(EINVAL, "Invalid nexthop id")
        if one.way is None:
            sort = "Hash-threshold" if one.buckets is None else "Resilient"
            raise Refusal(EINVAL, f"{sort} group can not be a nexthop within a group")
        if one.way.blackhole and len(members) > 1:
            raise Refusal(EINVAL, "Blackhole nexthop can not be used in a group with more than 1 path")
        if fdb and not one.way.fdb:
            raise Refusal(EINVAL, "FDB nexthop group can only have fdb nexthops")
        if fdb and family not in (0, one.way.family):
            raise Refusal(EINVAL, "FDB nexthop group cannot have mixed family nexthops")
        if not fdb and one.way.fdb:
            raise Refusal(EINVAL, "Non FDB nexthop group cannot have fdb nexthops")
        family = one.way.family
        found.append((one, weight))
    return found


def add(net: Net, new: Nexthop, *, replace: bool, create: bool, origin: Origin | None = None) -> list[Nexthop]:
    """insert_nexthop(): EEXIST, ENOENT, EINVAL, with texts. Returns those whose routes lead another way now."""
    known = of(net)
    old = known.find(new.id)
    changed: list[Nexthop] = []
    if old is not None:
        if not replace:
            raise Refusal(EEXIST)
        _replace(net, old, new)
        changed, new = [old, *old.groups], old
        known.count()
    elif replace and not create:
        raise Refusal(ENOENT, "Replace specified without create and no entry exists")
    else:
        if new.wanted is not None:
            new.buckets = _buckets(net, new, new.wanted)
        for member, _ in new.members:
            member.groups.insert(0, new)
        new.net = net
        known.list(new)
        try:
            nexthop_chain.replaced(net, new)
        except Refusal:
            known.unlist(new)
            _leave_members(new)
            raise
        known.count()
    for one in changed:
        _follow(one)
    net.kernel.announcer.nexthop(net, RTM.NEWNEXTHOP, new, origin=origin)
    return changed


def _leave_members(one: Nexthop) -> None:
    """remove_nexthop_group()"""
    for member, _ in one.members:
        member.groups.remove(one)
    if one.buckets is not None:
        one.buckets.cancel()


def _buckets(net: Net, one: Nexthop, wanted: Wanted) -> Buckets:
    """Those of a group that is new. EINVAL, with a text."""
    if wanted.buckets is None:
        raise Refusal(EINVAL, "Number of buckets not specified for nexthop group insertion")
    made = Buckets(
        net.kernel.clock, net.kernel.work, nexthop_chain.Watched(net, one),
        IDLE_TIMER if wanted.idle_timer is None else wanted.idle_timer, wanted.unbalanced_timer or 0,
        [Bucket() for _ in range(wanted.buckets)],
    )
    made.share_out(one.members, heard=False)
    return made


def _change_buckets(net: Net, old: Nexthop, new: Nexthop) -> None:
    """What replace_nexthop_grp() does of a group's sort: a resilient one keeps its buckets. EINVAL, with texts; what a
    listener refuses."""
    if (new.wanted is None) != (old.buckets is None):
        raise Refusal(EINVAL, "Can not replace a nexthop group with one of a different type.")
    buckets, wanted = old.buckets, new.wanted
    if buckets is None or wanted is None:
        nexthop_chain.replaced(net, new)
        return
    if wanted.buckets not in (None, len(buckets.buckets)):
        raise Refusal(EINVAL, "Can not change number of buckets of a resilient nexthop group.")
    nexthop_chain.table_replaced(net, new)
    if wanted.idle_timer is not None:
        buckets.idle_timer = wanted.idle_timer
    if wanted.unbalanced_timer is not None:
        buckets.unbalanced_timer = wanted.unbalanced_timer
    buckets.share_out(new.members)


def _follow(one: Nexthop) -> None:
    """It leads another way, and so do its routes."""
    for info in one.infos:
        info.follow()
    for route in one.routes6:
        route.follow()


def check6(one: Nexthop) -> None:
    """fib6_check_nexthop(): whether routes of IPv6 may lead by it. EINVAL, with texts."""
    if one.has_v4:
        raise Refusal(EINVAL, "IPv6 routes can not use an IPv4 nexthop")
    if one.is_fdb:
        raise Refusal(EINVAL, "Route cannot point to a fdb nexthop")


def _check_routes(one: Nexthop, new: Nexthop) -> None:
    """fib_check_nh_list(), fib6_check_nh_list(): whether the routes that lead by it may lead by what it is to be."""
    for info in one.infos:
        info.check_nexthop(new)
    if one.routes6:
        check6(new)


def _replace(net: Net, old: Nexthop, new: Nexthop) -> None:
    """replace_nexthop(): what it is changes, who it is does not. EINVAL, with texts; what a listener refuses."""
    _check_routes(old, new)
    for group in old.groups:
        if new.way is not None and new.way.blackhole and len(group.members) > 1:
            raise Refusal(EINVAL, "Blackhole nexthop can not be a member of a group with more than one path")
        _check_routes(group, new)
    if old.way is None:
        if new.way is not None:
            raise Refusal(EINVAL, "Can not replace a nexthop group with a nexthop.")
        _change_buckets(net, old, new)
        for member, _ in old.members:
            member.groups.remove(old)
        for member, _ in new.members:
            member.groups.insert(0, old)
        old.members, old.fdb = new.members, new.fdb
        return
    if new.way is None:
        raise Refusal(EINVAL, "Can not replace a nexthop with a nexthop group.")
    if old.groups and new.way.fdb != old.way.fdb:
        raise Refusal(EINVAL, "Cannot change nexthop FDB status while in a group")
    nexthop_chain.replaced(net, new)
    before = old.way, old.protocol
    _lead(net, old, new.way, new.protocol)
    told: list[Nexthop] = []
    try:
        for group in old.groups:
            _tell_group(net, group, old)
            told.append(group)
    except Refusal:
        _lead(net, old, *before)
        with suppress(Refusal):
            for group in reversed(told):
                _tell_group(net, group, old)
            nexthop_chain.replaced(net, old)
        raise


def _lead(net: Net, one: Nexthop, way: Way, protocol: int) -> None:
    """It leads there from now on."""
    known = of(net)
    known.forget_device(one)
    one.way, one.protocol = way, protocol
    known.settle_device(one)


def _tell_group(net: Net, group: Nexthop, member: Nexthop) -> None:
    """replace_nexthop_single_notify(): a member leads another way. Who refused one bucket is told of those before it
    again. Refusal."""
    if group.buckets is None:
        nexthop_chain.replaced(net, group)
        return
    theirs = [
        index for index, bucket in enumerate(group.buckets.buckets)
        if bucket.share is not None and bucket.share.member is member
    ]
    for at, index in enumerate(theirs):
        try:
            group.buckets.watcher.bucket_replaced(index)
        except Refusal:
            for other in reversed(theirs[:at]):
                with suppress(Refusal):
                    group.buckets.watcher.bucket_replaced(other)
            raise


def remove(
    net: Net, one: Nexthop, drop6: Callable[[Net, Route6], None], *, told: bool, origin: Origin | None = None
) -> list[Info4]:
    """remove_nexthop(): it is gone, and groups of which it was the last member. drop6: takes a route of IPv6 away;
    told: whether anybody hears of the object. Returns the ways of routes of IPv4 that are dead by that, for who flushes
    them."""
    known = of(net)
    nexthop_chain.removed(net, one)
    for leave in tuple(one.followers.values()):
        leave()
    known.unlist(one)
    if told:
        net.kernel.announcer.nexthop(net, RTM.DELNEXTHOP, one, origin=origin)
    dead = list(one.infos)
    for info in dead:
        info.die()
    for route in tuple(reversed(one.routes6)):
        drop6(net, route)
    _leave_members(one)
    for group in tuple(one.groups):
        if len(group.members) == 1:
            dead += remove(net, group, drop6, told=told, origin=origin)
            continue
        group.members = [(member, weight) for member, weight in group.members if member is not one]
        one.groups.remove(group)
        for member, _ in group.members:  # it is the newest of theirs now
            member.groups.remove(group)
            member.groups.insert(0, group)
        if group.buckets is not None:
            group.buckets.share_out(group.members)
        else:
            with suppress(Refusal):  # it is only logged
                nexthop_chain.replaced(net, group)
        _follow(group)
        if told:
            net.kernel.announcer.nexthop(net, RTM.NEWNEXTHOP, group, origin=origin)
    known.count()
    return dead
