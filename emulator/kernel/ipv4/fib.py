"""The routing tables of IPv4: struct fib_table, its trie, and what is in it (net/ipv4/fib_trie.c).

A route is a prefix, a type of service, and a way to go (fib_info.py), which routes share. All tables are one space
ordered by the first address of the prefix; of prefixes that begin alike the longer one comes first; then, of one
prefix, the higher type of service, the lower priority, and what came first. That is the order of a dump.

A route that is added or deleted is announced by whoever does it (routes.py): here nothing is told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.kernel.ipv4.fib_info import ERRORS, Infos, error_of
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RT_TABLE, RTN, RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.ipv4.fib_info import Info4, Nexthop4

DEAD = int(RTNH_F.DEAD)
MAIN, LOCAL = int(RT_TABLE.MAIN), int(RT_TABLE.LOCAL)
HASH_SIZE = 256
"""FIB_TABLE_HASHSZ: tables are dumped in the order of their numbers' remainders."""
Key = tuple[int, int]
"""First address, and how many bits are not of the prefix (fa_slen)."""


@dataclass(slots=True, eq=False)
class Route4:
    """struct fib_alias: one route, of ``length`` bits, in ``table``."""

    table: int
    dst: int
    length: int
    tos: int
    type: int
    info: Info4
    trap: bool = False
    """A netdevsim device says that it takes packets of this route (RTM_F_TRAP)."""
    offload_failed: bool = False
    """Or that it cannot (RTM_F_OFFLOAD_FAILED)."""
    told: tuple[object, bytes] | None = None
    """What whoever tells of it has worked out, and for what; the model never looks inside."""

    @property
    def rank(self) -> tuple[int, int]:
        """By what routes to one destination are in order (fib_find_alias())."""
        return -self.tos, self.info.priority

    @property
    def key(self) -> Key:
        """Where a table has it: the destination, and how many bits of it do not matter."""
        return self.dst, 32 - self.length


class Found(NamedTuple):
    """struct fib_result."""

    route: Route4
    nexthop: Nexthop4


class Table4:
    """One table."""

    __slots__ = ("_keys", "_routes", "id")

    def __init__(self, number: int) -> None:
        self.id = number
        self._routes: dict[Key, list[Route4]] = {}
        self._keys: list[Key] = []

    def __iter__(self) -> Iterator[Route4]:
        """Its routes, in order; what is added or deleted meanwhile is no harm."""
        at = 0
        while at < len(self._keys):
            key = self._keys[at]
            yield from tuple(self._routes[key])
            at = bisect_right(self._keys, key)

    def of(self, dst: int, length: int) -> list[Route4]:
        """The routes of that prefix."""
        return self._routes.get((dst, 32 - length), [])

    def insert(self, route: Route4, before: Route4 | None) -> None:
        """Puts the route before another of its prefix, or where it belongs."""
        routes = self._routes.get(route.key)
        if routes is None:
            routes = self._routes[route.key] = []
            insort(self._keys, route.key)
        if before is not None:
            routes.insert(routes.index(before), route)
            return
        at, rank = 0, route.rank
        while at < len(routes) and routes[at].rank <= rank:
            at += 1
        routes.insert(at, route)

    def replace(self, old: Route4, new: Route4) -> None:
        """The new route stands where the old one stood."""
        routes = self._routes[old.key]
        routes[routes.index(old)] = new

    def remove(self, route: Route4) -> None:
        """The route is gone."""
        routes = self._routes[route.key]
        routes.remove(route)
        if not routes:
            del self._routes[route.key]
            del self._keys[bisect_left(self._keys, route.key)]

    def at(self, dst: int, host_bits: int) -> list[Route4]:
        """The routes of the prefix of an address that leaves so many bits."""
        return self._routes.get((dst >> host_bits << host_bits, host_bits), [])

    def lookup(self, dst: int, *, tos: int = 0, scope: int = 0, oif: int = 0) -> Found | None:
        """fib_table_lookup(), in this table alone."""
        return look_up((self,), dst, tos=tos, scope=scope, oif=oif)


def look_up(
    tables: Iterable[Table4], dst: int, *, tos: int = 0, scope: int = 0, oif: int = 0
) -> Found | None:
    """fib_table_lookup(): the route to an address: the longest prefix that fits, of several tables the first one's.
    Raises what the type of that route stands for (a Refusal); None when there is none."""
    for host_bits in range(33):
        for table in tables:
            for route in table.at(dst, host_bits):
                info = route.info
                if (route.tos and route.tos != tos) or info.scope < scope:
                    continue
                refused = error_of(route.type)
                if refused is not None:
                    raise refused
                if info.flags & DEAD:
                    continue
                if info.nh is not None and info.nh.blackhole:
                    raise Refusal(ERRORS[RTN.BLACKHOLE])
                for nexthop in info.nexthops:
                    if not nexthop.flags & DEAD and (not oif or nexthop.oif == oif):
                        return Found(route, nexthop)
    return None


class Fib4:
    """All tables of a namespace, and the ways that their routes share. split: rules have been changed; until then the
    tables of local addresses and of other routes are one, in which the longest prefix wins (fib_unmerge())."""

    __slots__ = ("generation", "infos", "split", "tables")

    def __init__(self) -> None:
        self.tables: dict[int, Table4] = {}
        self.infos = Infos()
        self.generation = 0
        self.split = False

    def searched(self, number: int) -> list[Table4]:
        """The tables that are looked through for routes of that one."""
        numbers = (number,) if self.split or number not in (MAIN, LOCAL) else (LOCAL, MAIN)
        return [self.tables[one] for one in numbers if one in self.tables]

    def table(self, number: int) -> Table4 | None:
        """fib_get_table()."""
        return self.tables.get(number)

    def new_table(self, number: int) -> Table4:
        """fib_new_table(). Until rules are changed the table of local addresses is kept in the main one, and brings it
        along."""
        table = self.tables.get(number)
        if table is None:
            if number == LOCAL and not self.split:
                self.new_table(MAIN)
            table = self.tables[number] = Table4(number)
        return table

    def empty_table(self) -> int:
        """fib_empty_table(): a new table, of the lowest number that none has."""
        number = 1
        while number in self.tables:
            number += 1
        self.new_table(number)
        return number

    def in_order(self) -> list[Table4]:
        """The tables as they are dumped: those made last first, where several fall into one place."""
        return sorted(reversed(self.tables.values()), key=lambda table: table.id % HASH_SIZE)
