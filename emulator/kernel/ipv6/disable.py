"""IPv6 is switched off on a device, and on again: addrconf_disable_ipv6() of net/ipv6/addrconf.c.

To IPv6 that is as if the device went down and came up: it loses its addresses, those that were given to it as well, and
gets its own back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.ipv6.device import on_event6
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def disable(dev: Device, value: int) -> None:
    """Sets net.ipv6.conf.DEVICE.disable_ipv6, and does what follows when it changes between 0 and not."""
    conf = dev.ip6.conf
    was, conf[Ipv6Devconf.DISABLE_IPV6] = conf[Ipv6Devconf.DISABLE_IPV6], value
    dev.changed()
    if bool(was) != bool(value):
        on_event6(NetdevEvent.DOWN if value else NetdevEvent.UP, dev, Info())
