"""The routes of IPv6: struct fib6_table, its tree, and what is in it (net/ipv6/ip6_fib.c).

A kernel that is built with several tables of IPv6 (CONFIG_IPV6_MULTIPLE_TABLES) begins with two, of local addresses and
the main one, and makes others when they are named. One that is not has the main one, and what belongs into any other
stands there too.

A table is a tree by the bits of the prefix, walked from the leaves to the root: a prefix comes after all that are in
it. Where a route is for some sources only (CONFIG_IPV6_SUBTREES), its prefix has a tree of sources, which comes before
all that is in the prefix. The routes of one prefix come by their metric, and among equals as they were made.

A device may be down and up again while thousands of others stay, so routes are found by device as well.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nlemu.protocol.uapi.rtnetlink import RT_TABLE, RTN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.kernel.inet.nexthop import Nexthop, Way
    from nlemu.emulator.kernel.ipv4.fib_info import Metrics

MAIN, LOCAL = int(RT_TABLE.MAIN), int(RT_TABLE.LOCAL)
HASH_SIZE = 256
"""FIB6_TABLE_HASHSZ: tables are walked in the order of their numbers' remainders."""
BLACKHOLE = int(RTN.BLACKHOLE)
PREF_MEDIUM = 0
"""ICMPV6_ROUTER_PREF_MEDIUM"""
Hop = tuple["Device | Nexthop | None", int, "Tunnel | None"]


@dataclass(slots=True, eq=False)
class Route6:
    """struct fib6_info with its next hop. nh: the next hop object that it leads by; dev, gateway and flags are those of
    its first way then. gateway: 0 for none; flags: RTNH_F_* of the next hop; local: it leads to one
    of our addresses, or to an anycast one (RTF_LOCAL, RTF_ANYCAST); reject: nothing gets through; expires: when it
    ends, in nanoseconds since boot, None for never; linked: it is in the tree."""

    dst: int
    length: int
    metric: int
    type: int
    protocol: int
    dev: Device | None
    gateway: int = 0
    flags: int = 0
    prefsrc: int = 0
    metrics: Metrics = ()
    pref: int = PREF_MEDIUM
    weight: int = 1
    local: bool = False
    reject: bool = False
    expires: int | None = None
    linked: bool = False
    trap: bool = False
    """A netdevsim device says that it takes packets of this route (RTM_F_TRAP)."""
    offload_failed: bool = False
    """Or that it cannot (RTM_F_OFFLOAD_FAILED)."""
    told: tuple[object, bytes] | None = None
    """What whoever tells of it has worked out, and for what; the model never looks inside."""
    table: int = MAIN
    src: int = 0
    src_length: int = 0
    """The sources that it is for; with a length of 0 for all."""
    nh: Nexthop | None = None
    tunnel: Tunnel | None = None
    """That packets go through; of a next hop object, that of its first way."""

    @property
    def key(self) -> str:
        """Where it stands in the tree: bit by bit, the end of the prefix after either bit, its sources before."""
        return _key(self.dst, self.length, self.src, self.src_length)

    @property
    def hop(self) -> Hop:
        """What makes two next hops the same (rt6_duplicate_nexthop())."""
        return (self.dev, self.gateway, self.tunnel) if self.nh is None else (self.nh, 0, None)

    @property
    def shares(self) -> bool:
        """Whether it shares the load with others of its prefix and metric (rt6_qualify_for_ecmp())."""
        return bool(self.gateway) and self.nh is None

    @property
    def devices(self) -> set[Device | None]:
        """The devices that it leads through."""
        return {self.dev} if self.nh is None else {way.dev for way, _ in self.nh.leaves}

    def follow(self) -> None:
        """The next hop object leads another way, or this is new: so does this."""
        assert self.nh is not None
        way, _ = self.nh.leaves[0]
        self.dev, self.gateway, self.flags, self.tunnel = way.dev, way.gateway, way.flags, way.tunnel

    def by(self, way: Way) -> Route6:
        """As it is found when a packet goes that way of the next hop object (nexthop_path_fib6_result())."""
        hop = replace(self, dev=way.dev, gateway=way.gateway, flags=way.flags, tunnel=way.tunnel)
        if way.blackhole:
            hop.reject, hop.type = True, BLACKHOLE
        return hop


class Node6:
    """struct fib6_node: the routes of one prefix. turn: whose turn it is where nothing else decides (rr_ptr)."""

    __slots__ = ("_hops", "by_metric", "trapped", "turn")

    def __init__(self) -> None:
        self.by_metric: dict[int, dict[Route6, None]] = {}
        self._hops: dict[tuple[int, Hop], dict[Route6, None]] = {}
        self.trapped: tuple[Route6, ...] = ()
        """Those that a netdevsim device has taken over."""
        self.turn: Route6 | None = None

    def __iter__(self) -> Iterator[Route6]:
        for metric in sorted(self.by_metric):
            yield from tuple(self.by_metric[metric])

    def first(self) -> Route6:
        """Of the lowest metric, the oldest."""
        return next(iter(self.by_metric[min(self.by_metric)]))

    def alike(self, metric: int) -> dict[Route6, None]:
        """Those of that metric, in order."""
        return self.by_metric.get(metric, {})

    def same(self, metric: int, hop: Hop) -> Route6 | None:
        """The first of that metric with that next hop."""
        return next(iter(self._hops.get((metric, hop), ())), None)

    def siblings(self, route: Route6) -> tuple[Route6, ...]:
        """Those that share the load with a route, itself first: a ring, in the order of the list."""
        if not route.shares:
            return (route,)
        ring = [other for other in self.alike(route.metric) if other.shares]
        if route not in ring:
            return (route,)
        at = ring.index(route)
        return (*ring[at:], *ring[:at])

    def through(self, dev: Device | None, gateway: int) -> Route6 | None:
        """The first with that next hop, and no tunnel."""
        found = (self.same(metric, (dev, gateway, None)) for metric in sorted(self.by_metric))
        return next((route for route in found if route is not None), None)

    def append(self, route: Route6) -> None:
        """Behind those of its metric."""
        if not self.by_metric or route.metric < min(self.by_metric):
            self.turn = None
        self.by_metric.setdefault(route.metric, {})[route] = None
        self._hops.setdefault((route.metric, route.hop), {})[route] = None

    def put(self, old: Route6, new: Route6) -> None:
        """The new route stands where the old one stood."""
        if self.turn is old or old is self.first():
            self.turn = None
        alike = self.by_metric[old.metric]
        self.by_metric[old.metric] = {new if route is old else route: None for route in alike}
        self._forget_hop(old)
        self._hops.setdefault((new.metric, new.hop), {})[new] = None

    def drop(self, route: Route6) -> None:
        """It is gone."""
        if self.turn is route:
            self.turn = None
        alike = self.by_metric[route.metric]
        del alike[route]
        if not alike:
            del self.by_metric[route.metric]
        self._forget_hop(route)

    def _forget_hop(self, route: Route6) -> None:
        place = route.metric, route.hop
        same = self._hops[place]
        del same[route]
        if not same:
            del self._hops[place]


class Table6:
    """struct fib6_table: the tree of one table, of that number. deep: prefixes that have a tree of sources, each with
    how many nodes that has."""

    __slots__ = ("_deep", "_keys", "_nodes", "id")

    def __init__(self, number: int) -> None:
        self.id = number
        self._nodes: dict[str, Node6] = {}
        self._keys: list[str] = []
        self._deep: dict[str, int] = {}

    def nodes(self) -> Iterator[Node6]:
        """All prefixes, in order; what is added or deleted meanwhile is no harm."""
        at = 0
        while at < len(self._keys):
            key = self._keys[at]
            yield self._nodes[key]
            at = bisect_right(self._keys, key)

    def node(self, dst: int, length: int, src: int = 0, src_length: int = 0) -> Node6 | None:
        """The routes of exactly that prefix, for exactly those sources."""
        return self._nodes.get(_key(dst, length, src, src_length))

    def locate(self, dst: int, length: int, src: int = 0, src_length: int = 0) -> Node6 | None:
        """fib6_locate(): the same; but where a prefix has no tree of sources, the sources do not count."""
        deep = src_length and _key(dst, length) in self._deep
        return self.node(dst, length, src, src_length) if deep else self.node(dst, length)

    def branches(self, dst: int, length: int, src: int = 0, src_length: int = 0) -> bool:
        """Whether the tree has a node there even without routes of that prefix: at its root, and where it parts."""
        stem = _bits(dst, length)
        here = not length or stem + END in self._deep or all(self._any_below(stem + bit) for bit in "01")
        if not src_length:
            return here
        stem = stem + SOURCES + _bits(src, src_length)
        return (here or self._any_below(_key(dst, length))) and all(self._any_below(stem + bit) for bit in "01")

    def _any_below(self, stem: str) -> bool:
        at = bisect_left(self._keys, stem)
        return at < len(self._keys) and self._keys[at].startswith(stem)

    def insert(self, route: Route6) -> None:
        """Behind those of its prefix and metric."""
        key = route.key
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node6()
            insort(self._keys, key)
            if route.src_length:
                prefix = _key(route.dst, route.length)
                self._deep[prefix] = self._deep.get(prefix, 0) + 1
        node.append(route)

    def remove(self, route: Route6) -> None:
        """The route is gone, and its prefix with it if there is no other."""
        key = route.key
        node = self._nodes[key]
        node.drop(route)
        if node.by_metric:
            return
        del self._nodes[key]
        del self._keys[bisect_left(self._keys, key)]
        if route.src_length:
            prefix = _key(route.dst, route.length)
            self._deep[prefix] -= 1
            if not self._deep[prefix]:
                del self._deep[prefix]

    def covering(self, address: int, source: int = 0) -> Iterator[Node6]:
        """fib6_node_lookup() and fib6_backtrack(): where routes to an address are looked for, one node after the other:
        the longest prefix that it is in first, and in that the longest one that the source is in."""
        if not self._deep:
            yield from self._longest("", address)
            return
        found = False
        for length in range(128, -1, -1):
            key = _key(address >> 128 - length << 128 - length, length)
            if key in self._deep:
                inside = tuple(self._longest(key[:-1] + SOURCES, source))
                if not (inside or found or not length):
                    continue  # a look-up that has found nothing yet does not come back to the prefix itself
                yield from inside
                found = found or bool(inside)
            node = self._nodes.get(key)
            if node is not None:
                found = True
                yield node

    def _longest(self, stem: str, address: int) -> Iterator[Node6]:
        """The prefixes below a stem that an address is in, the longest first."""
        least = 1 if stem else 0
        for length in range(128, least - 1, -1):
            node = self._nodes.get(stem + _bits(address, length) + END)
            if node is not None:
                yield node


class Fib6:
    """All tables of a namespace. several: there may be more than the main one. generation: grows with every change."""

    __slots__ = ("_by_dev", "_by_source", "_tables", "generation", "several")

    def __init__(self, several: bool = False) -> None:
        self.several = several
        self._tables = {MAIN: Table6(MAIN)}
        if several:
            self._tables[LOCAL] = Table6(LOCAL)
        self._by_dev: dict[Device, dict[Route6, None]] = {}
        self._by_source: dict[int, dict[Route6, None]] = {}
        self.generation = 0

    def table(self, number: int) -> Table6 | None:
        """fib6_get_table(): the main one for 0, and where there is no other for every number."""
        return self._tables.get(number or MAIN if self.several else MAIN)

    def new_table(self, number: int) -> Table6:
        """fib6_new_table(): the same; one that there was not is made."""
        table = self.table(number)
        if table is None:
            table = self._tables[number] = Table6(number)
        return table

    @property
    def main(self) -> Table6:
        """fib6_main_tbl"""
        return self._tables[MAIN]

    @property
    def local(self) -> Table6:
        """fib6_local_tbl, RT6_TABLE_LOCAL: of local addresses and groups."""
        return self._tables[LOCAL if self.several else MAIN]

    def in_order(self) -> list[Table6]:
        """The tables as they are walked: those made last first, where several fall into one place."""
        return sorted(reversed(self._tables.values()), key=lambda table: table.id % HASH_SIZE)

    def nodes(self) -> Iterator[Node6]:
        """All prefixes of all tables, in order."""
        for table in self.in_order():
            yield from table.nodes()

    def node_of(self, route: Route6) -> Node6 | None:
        """The routes of a route's table, prefix and sources."""
        return self._tables[route.table].node(route.dst, route.length, route.src, route.src_length)

    def on(self, dev: Device) -> list[Route6]:
        """The routes through a device, in order."""
        routes = list(self._by_dev.get(dev, ()))
        if len(routes) > 1:
            place = {table.id: at for at, table in enumerate(self.in_order())}
            routes.sort(key=lambda route: (place[route.table], route.key, route.metric))
        return routes

    def nodes_on(self, dev: Device) -> list[tuple[Node6, list[Route6]]]:
        """The prefixes of which a device has routes, in order, each with those."""
        found: dict[tuple[int, str], list[Route6]] = {}
        for route in self.on(dev):
            found.setdefault((route.table, route.key), []).append(route)
        return [self._sorted(routes) for routes in found.values()]

    def _sorted(self, routes: list[Route6]) -> tuple[Node6, list[Route6]]:
        """In the order of the list, which replacing may have made another than that in which they came."""
        node = self.node_of(routes[0])
        assert node is not None
        return node, routes if len(routes) == 1 else [
            route for route in node if route.dev is routes[0].dev and route.nh is None
        ]

    def lose_source(self, address: int) -> None:
        """No route prefers that source address any more."""
        for route in self._by_source.pop(address, {}):
            route.prefsrc = 0

    def insert(self, route: Route6) -> None:
        """Behind those of its prefix and metric."""
        self._tables[route.table].insert(route)
        self._link(route)

    def replace(self, old: Route6, new: Route6) -> None:
        """The new route stands where the old one stood; both are of one table, prefix and metric."""
        node = self.node_of(old)
        assert node is not None
        node.put(old, new)
        self._unlink(old)
        self._link(new)

    def remove(self, route: Route6) -> None:
        """The route is gone."""
        self._tables[route.table].remove(route)
        self._unlink(route)

    def _link(self, route: Route6) -> None:
        route.linked = True
        self.generation += 1
        if route.nh is not None:  # what happens to devices happens to the object
            route.nh.routes6[route] = None
        elif route.dev is not None:
            self._by_dev.setdefault(route.dev, {})[route] = None
        if route.prefsrc:
            self._by_source.setdefault(route.prefsrc, {})[route] = None

    def _unlink(self, route: Route6) -> None:
        route.linked = False
        self.generation += 1
        if route.nh is not None:
            route.nh.routes6.pop(route, None)
        elif route.dev is not None:
            routes = self._by_dev[route.dev]
            del routes[route]
            if not routes:
                del self._by_dev[route.dev]
        if route.prefsrc:
            self._by_source[route.prefsrc].pop(route, None)


END, SOURCES = "2", "/"
"""In a key: the prefix ends here; its tree of sources begins. They stand where a walk comes to them."""


def _bits(address: int, length: int) -> str:
    return format(address >> 128 - length, f"0{length}b") if length else ""


def _key(dst: int, length: int, src: int = 0, src_length: int = 0) -> str:
    sources = SOURCES + _bits(src, src_length) if src_length else ""
    return _bits(dst, length) + sources + END
