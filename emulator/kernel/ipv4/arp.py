"""Neighbours of IPv4: arp_tbl of net/ipv4/arp.c."""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.neighbour import AF_INET, ONE_NEIGHBOUR
from nlemu.emulator.kernel.inet.neighbour_tables import NeighbourTable
from nlemu.emulator.kernel.ipv4.routes import address_type
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def _allows(dev: Device) -> None:
    """Every device may have neighbours of IPv4; whether it has IPv4 is seen by the constructor."""


def _key(dev: Device, address: int) -> int:
    """arp_constructor(): all neighbours on a loopback or point-to-point device are one, without an address. EINVAL."""
    if dev.ip4 is None:
        raise Refusal(EINVAL)
    return 0 if dev.flags & ONE_NEIGHBOUR else address


def _no_proxy(dev: Device | None, address: int) -> None:
    """arp_tbl has no pconstructor and no pdestructor."""


TABLE = NeighbourTable(AF_INET, _allows, _key, address_type, None, _no_proxy, _no_proxy)
