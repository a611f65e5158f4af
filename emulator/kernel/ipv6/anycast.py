"""Anycast addresses of a device that forwards: net/ipv6/anycast.c.

A router answers, beside its own addresses, to the first address of each prefix that it has one of (RFC 4291, 2.6.1):
the subnet-router anycast address. It comes when an address has passed duplicate address detection on a device that
forwards, or when one that has addresses begins to; several addresses of one prefix share it. It has a route of its own,
and the group that solicitations for it go to is joined. Prefixes of 127 and 128 bits have none (RFC 6164).

Sockets that join one (IPV6_JOIN_ANYCAST) are the machine's, and not seen here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv6 import dad, routes
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.device import Inet6Device
    from nlemu.emulator.kernel.ipv6.fib import Route6

LONGEST = 126
"""The longest prefix whose first address is everybody's."""


@dataclass(slots=True, eq=False)
class Anycast:
    """struct ifacaddr6. users: how many addresses it came with; cstamp: when the first did, in nanoseconds since
    boot; route: to it."""

    users: int
    cstamp: int
    route: Route6


def join(ifa: Address6) -> None:
    """addrconf_join_anycast() and __ipv6_dev_ac_inc()."""
    dev, idev, address = ifa.dev, ifa.idev, _of(ifa)
    if address is None or idev.dead:
        return
    found = idev.anycasts.get(address)
    if found is not None:
        found.users += 1
        return
    route = routes.anycast_route(dev, address)
    found = idev.anycasts[address] = Anycast(1, dev.kernel.clock.now, route)
    with suppress(Refusal):  # somebody may have put such a route there
        routes.insert(dev.net, route)
    dad.join_solicited(dev, address)
    dev.kernel.announcer.anycast6(RTM.NEWANYCAST, dev, address, found)


def leave(ifa: Address6) -> None:
    """addrconf_leave_anycast() and __ipv6_dev_ac_dec()."""
    dev, idev, address = ifa.dev, ifa.idev, _of(ifa)
    found = None if address is None else idev.anycasts.get(address)
    if address is None or found is None:
        return
    found.users -= 1
    if not found.users:
        _drop(dev, idev, address)
        dev.kernel.announcer.anycast6(RTM.DELANYCAST, dev, address, found)


def destroy(dev: Device, idev: Inet6Device) -> None:
    """ipv6_ac_destroy_dev(): all go, the newest first, and nobody is told."""
    for address in reversed(tuple(idev.anycasts)):
        _drop(dev, idev, address)


def _drop(dev: Device, idev: Inet6Device, address: int) -> None:
    found = idev.anycasts.pop(address)
    dad.leave_solicited(dev, idev, address)
    with suppress(Refusal):  # it went with its device
        routes.remove(dev.net, found.route)


def _of(ifa: Address6) -> int | None:
    """The anycast address of its prefix."""
    if ifa.length > LONGEST:
        return None
    return ip6.prefix_of(ifa.address, ifa.length) or None
