"""The routes of IPv6: struct fib6_table, its tree, and what is in it (net/ipv6/ip6_fib.c).

The recorded machine is built without several tables of IPv6: there is the main one, and routes to local addresses
are in it too. It is a tree by the bits of the prefix, told from the leaves to the root: a prefix comes after all that
are in it. The routes of one prefix come by their metric, and among equals as they were made.

A device may be down and up again while thousands of others stay, so routes are found by device as well.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.fib_info import Metrics

PREF_MEDIUM = 0
"""ICMPV6_ROUTER_PREF_MEDIUM"""
Hop = tuple["Device | None", int]


@dataclass(slots=True, eq=False)
class Route6:
    """struct fib6_info with its next hop. gateway: 0 for none; flags: RTNH_F_* of the next hop; local: it leads to one
    of our addresses (RTF_LOCAL); reject: nothing gets through; expires: when it ends, in nanoseconds since boot, None
    for never; linked: it is in the tree."""

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
    told: tuple[object, bytes] | None = None
    """What whoever tells of it has worked out, and for what; the model never looks inside."""

    @property
    def key(self) -> str:
        """Where it stands in the tree: bit by bit, the end of the prefix after either bit."""
        return _key(self.dst, self.length)

    @property
    def hop(self) -> Hop:
        """What makes two next hops the same (rt6_duplicate_nexthop())."""
        return self.dev, self.gateway

    @property
    def shares(self) -> bool:
        """Whether it shares the load with others of its prefix and metric (rt6_qualify_for_ecmp())."""
        return bool(self.gateway)


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
        """The first with that next hop."""
        found = (self.same(metric, (dev, gateway)) for metric in sorted(self.by_metric))
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


class Fib6:
    """The table of a namespace. generation: grows with every change."""

    __slots__ = ("_by_dev", "_by_source", "_keys", "_nodes", "generation")

    def __init__(self) -> None:
        self._nodes: dict[str, Node6] = {}
        self._keys: list[str] = []
        self._by_dev: dict[Device, dict[Route6, None]] = {}
        self._by_source: dict[int, dict[Route6, None]] = {}
        self.generation = 0

    def nodes(self) -> Iterator[Node6]:
        """All prefixes, in order; what is added or deleted meanwhile is no harm."""
        at = 0
        while at < len(self._keys):
            key = self._keys[at]
            yield self._nodes[key]
            at = bisect_right(self._keys, key)

    def node(self, dst: int, length: int) -> Node6 | None:
        """fib6_locate(): the routes of exactly that prefix."""
        return self._nodes.get(_key(dst, length))

    def branches(self, dst: int, length: int) -> bool:
        """Whether the tree has a node there even without routes of that prefix: at its root, and where it parts."""
        if not length:
            return True
        stem = _key(dst, length)[:-1]
        return all(self._any_below(stem + bit) for bit in "01")

    def _any_below(self, stem: str) -> bool:
        at = bisect_left(self._keys, stem)
        return at < len(self._keys) and self._keys[at].startswith(stem)

    def on(self, dev: Device) -> list[Route6]:
        """The routes through a device, in order."""
        routes = list(self._by_dev.get(dev, ()))
        routes.sort(key=lambda route: (route.key, route.metric))
        return routes

    def nodes_on(self, dev: Device) -> list[tuple[Node6, list[Route6]]]:
        """The prefixes of which a device has routes, in order, each with those."""
        found: dict[str, list[Route6]] = {}
        for route in self.on(dev):
            found.setdefault(route.key, []).append(route)
        return [(self._nodes[key], self._sorted(key, routes)) for key, routes in found.items()]

    def _sorted(self, key: str, routes: list[Route6]) -> list[Route6]:
        """In the order of the list, which replacing may have made another than that in which they came."""
        return routes if len(routes) == 1 else [route for route in self._nodes[key] if route.dev is routes[0].dev]

    def lose_source(self, address: int) -> None:
        """No route prefers that source address any more."""
        for route in self._by_source.pop(address, {}):
            route.prefsrc = 0

    def insert(self, route: Route6) -> None:
        """Behind those of its prefix and metric."""
        key = route.key
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node6()
            insort(self._keys, key)
        node.append(route)
        self._link(route)

    def replace(self, old: Route6, new: Route6) -> None:
        """The new route stands where the old one stood; both are of one prefix and metric."""
        self._nodes[old.key].put(old, new)
        self._unlink(old)
        self._link(new)

    def remove(self, route: Route6) -> None:
        """The route is gone."""
        key = route.key
        node = self._nodes[key]
        node.drop(route)
        if not node.by_metric:
            del self._nodes[key]
            del self._keys[bisect_left(self._keys, key)]
        self._unlink(route)

    def _link(self, route: Route6) -> None:
        route.linked = True
        self.generation += 1
        if route.dev is not None:
            self._by_dev.setdefault(route.dev, {})[route] = None
        if route.prefsrc:
            self._by_source.setdefault(route.prefsrc, {})[route] = None

    def _unlink(self, route: Route6) -> None:
        route.linked = False
        self.generation += 1
        if route.dev is not None:
            routes = self._by_dev[route.dev]
            del routes[route]
            if not routes:
                del self._by_dev[route.dev]
        if route.prefsrc:
            self._by_source[route.prefsrc].pop(route, None)

    def covering(self, address: int) -> Iterator[Node6]:
        """The prefixes that an address is in, the longest first."""
        for length in range(128, -1, -1):
            node = self._nodes.get(_key(address >> 128 - length << 128 - length, length))
            if node is not None:
                yield node


def _key(dst: int, length: int) -> str:
    return format(dst >> 128 - length, f"0{length}b") + "2" if length else "2"
