"""Addresses for which this machine answers in place of others: struct pneigh_entry of net/core/neighbour.c.

A proxy is of one device, or of all. Nobody is told when one comes or goes. One of IPv6 makes its device listen to the
group to which solicitations for the address go, so it must have a device that IPv6 is on.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import ENOENT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet import neighbour
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(slots=True, eq=False)
class Proxy:
    """struct pneigh_entry. dev: None for all; permanent: it outlives the carrier."""

    dev: Device | None
    family: int
    address: int
    flags: int = 0
    protocol: int = 0
    permanent: bool = False


def find(net: Net, dev: Device | None, family: int, address: int) -> Proxy | None:
    """pneigh_lookup(): that of the device, or of all devices."""
    return next(
        (
            proxy for proxy in neighbour.of(net).proxies
            if (proxy.family, proxy.address) == (family, address) and proxy.dev in (dev, None)
        ),
        None,
    )


def add(
    net: Net, dev: Device | None, family: int, address: int, *, flags: int, protocol: int, permanent: bool
) -> None:
    """pneigh_create(): one that is there is changed. ENOBUFS."""
    proxy = find(net, dev, family, address)
    if proxy is None:
        proxy = Proxy(dev, family, address)
        net.kernel.neighbour_tables[family].pconstructor(dev, address)
        neighbour.of(net).proxies.insert(0, proxy)
    proxy.flags, proxy.permanent = flags, permanent
    proxy.protocol = protocol or proxy.protocol


def delete(net: Net, dev: Device | None, family: int, address: int) -> None:
    """pneigh_delete(): only that of the very device. ENOENT."""
    for proxy in neighbour.of(net).proxies:
        if (proxy.dev, proxy.family, proxy.address) == (dev, family, address):
            _drop(net, proxy)
            return
    raise Refusal(ENOENT)


def _drop(net: Net, proxy: Proxy) -> None:
    neighbour.of(net).proxies.remove(proxy)
    net.kernel.neighbour_tables[proxy.family].pdestructor(proxy.dev, proxy.address)


def ifdown(dev: Device, family: int, *, permanent: bool = True) -> None:
    """pneigh_ifdown(): those of a device go with it; or only those that are not permanent."""
    for proxy in tuple(neighbour.of(dev.net).proxies):
        if proxy.dev is dev and proxy.family == family and (permanent or not proxy.permanent):
            _drop(dev.net, proxy)


def listed(net: Net, family: int) -> list[Proxy]:
    """Those of a family in the order of a dump: by a hash of the end of the address, the newest first."""
    found = [proxy for proxy in neighbour.of(net).proxies if proxy.family == family]
    return sorted(found, key=_bucket)


def _bucket(proxy: Proxy) -> int:
    """pneigh_hash()"""
    value = int.from_bytes((proxy.address & 0xFFFFFFFF).to_bytes(4, "big"), "little")
    for shift in (16, 8, 4):
        value ^= value >> shift
    return value & 0xF
