"""What devices do to neighbours and proxies: ndisc_netdev_event(), which stands behind addrconf's, arp_netdev_event(),
and neigh_ifdown() of net/core/neighbour.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.inet import neighbour, neighbour_proxy
from nlemu.emulator.kernel.inet.neighbour import AF_INET, AF_INET6
from nlemu.protocol.uapi.if_ import IFF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

IFF_NOARP = int(IFF.NOARP)


def ifdown(dev: Device, family: int, *, permanent: bool = True) -> None:
    """neigh_ifdown(), neigh_carrier_down(): nobody is known through that device any more, and it answers for nobody; or
    only for, and of, those that are permanent."""
    neighbour.flush(dev, family, permanent=permanent)
    neighbour_proxy.ifdown(dev, family, permanent=permanent)


def on_event(event: NetdevEvent, dev: Device, info: Info) -> None:
    """The events of both families, for what they have in common."""
    for family in (AF_INET, AF_INET6):
        if event == NetdevEvent.CHANGEADDR:
            neighbour.flush(dev, family)
        elif event == NetdevEvent.CHANGE:
            if info.flags_changed & IFF_NOARP:
                neighbour.flush(dev, family)
            if not dev.carrier:
                ifdown(dev, family, permanent=False)
