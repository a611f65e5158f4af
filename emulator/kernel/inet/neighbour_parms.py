"""Parameters of neighbour tables: struct neigh_parms, what /proc/sys/net/ipv4/neigh and ipv6/neigh show.

A namespace has default ones for each table, and a device has its own, which are the default ones but where they were
written (neigh_copy_dflt_parms()). Some are shown twice, in different units; they are kept in the finer one. How long a
neighbour is believed follows from the kernel's defaults here and not from what is written
(neighbour_tables.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

AF_INET, AF_INET6 = 2, 10


class Parm(NamedTuple):
    """One parameter: its value at first for IPv4 and for IPv6 (arp_tbl, nd_tbl)."""

    ipv4: int
    ipv6: int

    def of(self, family: int) -> int:
        """The first value of that family's table."""
        return self.ipv4 if family == AF_INET else self.ipv6


PARMS = {
    "anycast_delay": Parm(100, 100), "app_solicit": Parm(0, 0), "base_reachable_time_ms": Parm(30000, 30000),
    "delay_first_probe_time": Parm(5, 5), "gc_stale_time": Parm(60, 60), "interval_probe_time_ms": Parm(5000, 5000),
    "locktime": Parm(100, 0), "mcast_resolicit": Parm(0, 0), "mcast_solicit": Parm(3, 3), "proxy_delay": Parm(80, 80),
    "proxy_qlen": Parm(64, 64), "retrans_time_ms": Parm(1000, 1000), "ucast_solicit": Parm(3, 3),
    "unres_qlen": Parm(101, 101), "unres_qlen_bytes": Parm(212992, 212992),
}
"""Of a device and of the default; as the names say in milliseconds, else in seconds, hundredths of seconds
(anycast_delay, locktime, proxy_delay), packets or bytes."""
TABLE = {
    "gc_interval": Parm(30, 30), "gc_thresh1": Parm(128, 128), "gc_thresh2": Parm(512, 512),
    "gc_thresh3": Parm(1024, 1024),
}
"""Of a table, and so of the first namespace's default alone."""
COARSER = {"base_reachable_time": ("base_reachable_time_ms", 1000, 1000), "retrans_time": ("retrans_time_ms", 10, 1)}
"""By another name: how many of the finer unit one is, for IPv4 and for IPv6."""


Written = dict[str, int]


def get(net: Net, family: int, name: str, dev: Device | None = None) -> int:
    """The value of one on a device, or of the default."""
    name, scale = _finer(family, name)
    value = None if dev is None else _of_device(dev, family).get(name)
    if value is None:
        value = net.neighbour_parms.get((family, name))
    return ((PARMS.get(name) or TABLE[name]).of(family) if value is None else value) // scale


def put(net: Net, family: int, name: str, value: int, dev: Device | None = None) -> None:
    """Gives it another."""
    name, scale = _finer(family, name)
    if dev is None:
        net.neighbour_parms[family, name] = value * scale
    else:
        _of_device(dev, family)[name] = value * scale


def freeze(dev: Device) -> None:
    """The device has got an IPv4 address: from now on the default reaches it no longer
    (neigh_parms_data_state_setall())."""
    for (family, name), value in dev.net.neighbour_parms.items():
        if family == AF_INET and name in PARMS:
            dev.inet.neighbour_parms.setdefault(name, value)
    dev.inet.neighbour_parms = {name: parm.ipv4 for name, parm in PARMS.items()} | dev.inet.neighbour_parms


def _of_device(dev: Device, family: int) -> Written:
    written: Written = (dev.inet if family == AF_INET else dev.inet6).neighbour_parms
    return written


def names(net: Net, dev: Device | None) -> list[str]:
    """Which there are on a device, or of the default (None)."""
    of_table = TABLE if dev is None and net is net.kernel.init_net else {}
    return [*PARMS, *COARSER, *of_table]


def _finer(family: int, name: str) -> tuple[str, int]:
    if name not in COARSER:
        return name, 1
    finer, ipv4, ipv6 = COARSER[name]
    return finer, ipv4 if family == AF_INET else ipv6
