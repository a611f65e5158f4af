"""IPv4 on a device: struct in_device, and when a device has one.

It comes when the device registers, and goes when it leaves its namespace or its MTU becomes too small; a greater MTU
brings it back. Imitates inetdev_event() of net/ipv4/devinet.c, as far as links show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.inet import neighbour_events, neighbour_parms
from nlemu.emulator.kernel.inet.membership import Groups
from nlemu.emulator.kernel.inet.names import RESERVED, check_name
from nlemu.emulator.kernel.ipv4 import address, arp, fib_sync, groups, igmp
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.conf import MIN_MTU, Ipv4Conf
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.address import Address4

LOOPBACK = int(IFF.LOOPBACK)


class InetDevice:
    """struct in_device. addresses: primaries before secondaries; groups: that it listens to, the oldest first;
    reporter: what is to be said of them; dead: it is leaving the device."""

    __slots__ = ("addresses", "conf", "dead", "groups", "neighbour_parms", "reporter")

    def __init__(self, dev: Device, *, registering: bool) -> None:
        self.conf = Ipv4Conf(dev, registering=registering, default=ip4.of(dev.net).conf_default)
        self.addresses: list[Address4] = []
        self.groups = Groups()
        self.reporter = igmp.Reporter()
        self.neighbour_parms = neighbour_parms.alloc(dev, AF_INET)
        self.dead = False


def on_event4(event: NetdevEvent, dev: Device, info: Info) -> None:
    """inetdev_event(), and fib_netdev_event(), which stands behind it."""
    _in_device(event, dev)
    fib_sync.on_event(event, dev, info)


def _in_device(event: NetdevEvent, dev: Device) -> None:
    if dev.ip4 is None:
        if event == NetdevEvent.REGISTER or (event == NetdevEvent.CHANGEMTU and dev.mtu >= MIN_MTU):
            check_name(dev)
            idev = dev.ip4 = InetDevice(dev, registering=event == NetdevEvent.REGISTER)
            dev.changed()
            _tell_settings(dev, idev, RTM.NEWNETCONF)
            if dev.up:
                groups.up(dev, idev)
    elif event == NetdevEvent.UNREGISTER or (event == NetdevEvent.CHANGEMTU and dev.mtu < MIN_MTU):
        dev.ip4.dead = True
        groups.destroy(dev, dev.ip4)
        address.remove_all(dev)
        _tell_settings(dev, dev.ip4, RTM.DELNETCONF)
        neighbour_events.ifdown(dev, arp.TABLE.family)
        dev.ip4 = None
        dev.changed()
    elif event == NetdevEvent.UP:
        if dev.mtu < MIN_MTU:
            return
        if dev.flags & LOOPBACK:
            address.add_loopback(dev)
        groups.up(dev, dev.ip4)
    elif event == NetdevEvent.DOWN:
        groups.down(dev, dev.ip4)
    elif event == NetdevEvent.PRE_TYPE_CHANGE:
        groups.unmap(dev, dev.ip4)
    elif event == NetdevEvent.POST_TYPE_CHANGE:
        groups.remap(dev, dev.ip4)
    elif event == NetdevEvent.RESEND_IGMP:
        igmp.rejoin(dev, dev.ip4)
    elif event == NetdevEvent.CHANGENAME:
        address.rename(dev)
        _tell_settings(dev, dev.ip4, RTM.DELNETCONF)
        if dev.name not in RESERVED:
            _tell_settings(dev, dev.ip4, RTM.NEWNETCONF)


def _tell_settings(dev: Device, idev: InetDevice, event: RTM) -> None:
    """devinet_sysctl_register(), devinet_sysctl_unregister(): all settings come, or go without being told."""
    dev.kernel.announcer.netconf(
        dev.net, event, AF_INET, dev.ifindex, idev.conf, () if event == RTM.DELNETCONF else None
    )
