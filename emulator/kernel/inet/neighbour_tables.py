"""A table of neighbours for each family: struct neigh_table of include/net/neighbour.h.

What is done with neighbours and proxies is the same for IPv4 and IPv6, and stands beside this file. What is not the
same are the callbacks of a table, which the family fills in (ipv4/arp.py, ipv6/ndisc.py); a kernel has both
(`kernel.neighbour_tables`, by family).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(frozen=True)
class NeighbourTable:
    """struct neigh_table: a family and its callbacks.

    allows: whether neighbours may be added on a device, may refuse; key: the address that a neighbour on a device is
    known by, may refuse; address_type: RTN_* of an address as the constructor takes it; loopback_type: RTN_* of a
    neighbour on a loopback device, if not that of its address; pconstructor, pdestructor: what a proxy on a device
    needs, may refuse.
    """

    family: int
    allows: Callable[[Device], None]
    key: Callable[[Device, int], int]
    address_type: Callable[[Net, int], int]
    loopback_type: int | None
    pconstructor: Callable[[Device | None, int], None]
    pdestructor: Callable[[Device | None, int], None]

