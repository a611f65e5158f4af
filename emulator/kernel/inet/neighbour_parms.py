"""Parameters of neighbour tables: struct neigh_parms, shown by /proc/sys/net/ipv4/neigh and by RTM_GETNEIGHTBL.

A table has default ones, which belong to the first namespace, and a device has its own: a copy of the default ones as
they are when it comes. A default that is written as a file reaches the devices of the first namespace as well, but for
those where that parameter was written (neigh_copy_dflt_parms()); one that is set by a message reaches later devices
alone. Files show some parameters twice, in units of their own. How long a neighbour is believed follows from the
kernel's first values and not from what is written (neighbour_tables.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

AF_INET, AF_INET6 = 2, 10
TRUESIZE = 2090
"""SKB_TRUESIZE(ETH_FRAME_LEN): what a packet of unres_qlen takes of unres_qlen_bytes, on x86-64."""

COMMON = {
    "anycast_delay": 1000, "app_solicit": 0, "base_reachable_time": 30000, "delay_first_probe_time": 5000,
    "gc_stale_time": 60000, "interval_probe_time": 5000, "locktime": 0, "mcast_resolicit": 0, "mcast_solicit": 3,
    "proxy_delay": 800, "proxy_qlen": 64, "retrans_time": 1000, "ucast_solicit": 3, "unres_qlen_bytes": 212992,
}
PARMS: dict[int, Mapping[str, int]] = {AF_INET: COMMON | {"locktime": 1000}, AF_INET6: COMMON}
"""arp_tbl.parms, nd_tbl.parms: times in milliseconds, which are jiffies here."""
TABLE = {"gc_interval": 30000, "gc_thresh1": 128, "gc_thresh2": 512, "gc_thresh3": 1024}
"""What a table has and no device; gc_interval in milliseconds."""


class Shown(NamedTuple):
    """What a file shows: a parameter, and how many of its units the file's unit is, for IPv4 and for IPv6."""

    parm: str
    ipv4: int = 1
    ipv6: int = 1

    def unit(self, family: int) -> int:
        """Of that family's file."""
        return self.ipv4 if family == AF_INET else self.ipv6


FILES = {
    name: Shown(name)
    for name in ("app_solicit", "mcast_resolicit", "mcast_solicit", "proxy_qlen", "ucast_solicit", "unres_qlen_bytes")
} | {
    "anycast_delay": Shown("anycast_delay", 10, 10), "base_reachable_time": Shown("base_reachable_time", 1000, 1000),
    "base_reachable_time_ms": Shown("base_reachable_time"),
    "delay_first_probe_time": Shown("delay_first_probe_time", 1000, 1000),
    "gc_stale_time": Shown("gc_stale_time", 1000, 1000), "interval_probe_time_ms": Shown("interval_probe_time"),
    "locktime": Shown("locktime", 10, 10), "proxy_delay": Shown("proxy_delay", 10, 10),
    "retrans_time": Shown("retrans_time", 10), "retrans_time_ms": Shown("retrans_time"),
    "unres_qlen": Shown("unres_qlen_bytes", TRUESIZE, TRUESIZE),
}
"""Of a device and of the default (neigh_sysctl_template)."""
TABLE_FILES = {"gc_interval": Shown("gc_interval", 1000, 1000)} | {
    name: Shown(name) for name in ("gc_thresh1", "gc_thresh2", "gc_thresh3")
}
"""Of the default alone."""


class NeighbourParms:
    """struct neigh_parms of a device. values: never changed, but replaced, since many share them; written: those that
    no default reaches any more."""

    __slots__ = ("_reachable_time", "dev", "values", "written")

    def __init__(self, dev: Device | None, values: Mapping[str, int], reachable_time: int | None = None) -> None:
        self.dev = dev
        self.values = values
        self.written: frozenset[str] = frozenset()
        self._reachable_time = reachable_time

    @property
    def reachable_time(self) -> int:
        """How long a neighbour counts as reachable, in milliseconds: random, drawn when it is first asked for."""
        if self._reachable_time is None:
            seed = "table" if self.dev is None else f"{self.dev.net.cookie}/{self.dev.ifindex}"
            self._reachable_time = rand_reach_time(self.values["base_reachable_time"], Random(seed))
        return self._reachable_time

    def inherit(self, name: str, value: int) -> None:
        """The default is another, and this one's too unless it was written."""
        if name not in self.written:
            self.values = {**self.values, name: value}
            if self.dev is not None:
                self.dev.changed()

    def put(self, name: str, value: int, chance: Random) -> None:
        """NEIGH_VAR_SET(), and neigh_set_reach_time() of what that changes."""
        self.values = {**self.values, name: value}
        self.written |= {name}
        if name == "base_reachable_time":
            self._reachable_time = rand_reach_time(value, chance)
        if self.dev is not None:
            self.dev.changed()


class TableParms(NeighbourParms):
    """struct neigh_table's own. table: what no device has."""

    __slots__ = ("table",)

    def __init__(self, family: int) -> None:
        super().__init__(None, PARMS[family])
        self.table: Mapping[str, int] = TABLE

    def put(self, name: str, value: int, chance: Random) -> None:
        """Gives it another."""
        if name in self.table:
            self.table = {**self.table, name: value}
        else:
            super().put(name, value, chance)


def rand_reach_time(base: int, chance: Random) -> int:
    """neigh_rand_reach_time(): between half and one and a half of the base, in milliseconds."""
    return base // 2 + chance.randrange(base) if base else 0


def alloc(dev: Device, family: int, reachable_time: int | None = None) -> NeighbourParms:
    """neigh_parms_alloc(): those of a device that comes."""
    return NeighbourParms(dev, dev.kernel.neighbour_parms[family].values, reachable_time)


def of(dev: Device, family: int) -> NeighbourParms:
    """Those of a device on which that family is."""
    parms: NeighbourParms = (dev.inet if family == AF_INET else dev.inet6).neighbour_parms
    return parms


def lookup(net: Net, family: int, ifindex: int) -> NeighbourParms | None:
    """lookup_neigh_parms(): those of that device, or with 0 the default ones, which only the first namespace has."""
    if not ifindex:
        return net.kernel.neighbour_parms[family] if net is net.kernel.init_net else None
    dev = net.device(ifindex)
    if dev is None or (dev.ip4 if family == AF_INET else dev.ip6) is None:
        return None
    return of(dev, family)


def get(net: Net, family: int, name: str, dev: Device | None = None) -> int:
    """What the file of that name shows, of a device or of the default."""
    shown, default = _shown(name), net.kernel.neighbour_parms[family]
    values = {**default.values, **default.table} if dev is None else of(dev, family).values
    return values[shown.parm] // shown.unit(family)


def put(net: Net, family: int, name: str, value: int, dev: Device | None = None) -> None:
    """That file is written (neigh_proc_update()): a default reaches the devices that have none of their own."""
    kernel = net.kernel
    shown = _shown(name)
    value *= shown.unit(family)
    parms = kernel.neighbour_parms[family] if dev is None else of(dev, family)
    parms.put(shown.parm, value, kernel.random)
    if dev is not None or shown.parm in TABLE:
        return
    for one in net:
        if (one.ip4 if family == AF_INET else one.ip6) is not None:
            of(one, family).inherit(shown.parm, value)


def freeze(dev: Device, family: int) -> None:
    """The device has got an address: from now on no default reaches it (neigh_parms_data_state_setall())."""
    of(dev, family).written = ALL


def names(net: Net, dev: Device | None) -> list[str]:
    """Which files there are of a device, or of the default (None)."""
    return [*FILES, *(TABLE_FILES if dev is None and net is net.kernel.init_net else ())]


def _shown(name: str) -> Shown:
    return FILES.get(name) or TABLE_FILES[name]


ALL = frozenset(COMMON)
