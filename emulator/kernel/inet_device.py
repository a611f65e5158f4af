"""IPv4 and IPv6 on a device: struct in_device, struct inet6_dev, and when a device has them.

Both come when the device registers, and go when it leaves its namespace or its MTU becomes too small; a greater MTU
brings them back. IPv6 is "ready" once the link can carry packets: the device is up, its operational state says so, and
its queues run. Imitates inetdev_event() of net/ipv4/devinet.c and addrconf_notify() of net/ipv6/addrconf.c, as far as
links show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.kernel import ip4_conf, ip6_conf, qdisc
from emulator.kernel.events import Info, NetdevEvent
from emulator.kernel.ip4_conf import Ipv4Conf
from emulator.kernel.ip6_conf import Ipv6Conf
from protocol.uapi.if_ import IfOper
from protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf

if TYPE_CHECKING:
    from emulator.kernel.device import Device

READY = int(InetDeviceFlag.READY)
FORGOTTEN_WHEN_DOWN = int(InetDeviceFlag.RS_SENT | InetDeviceFlag.RA_RCVD | InetDeviceFlag.READY)
BASE_REACHABLE_TIME = 30000
"""ND_REACHABLE_TIME, in milliseconds."""
NO_TOKEN = bytes(16)


class InetDevice:
    """struct in_device."""

    __slots__ = ("conf",)

    def __init__(self, dev: Device, *, registering: bool) -> None:
        self.conf = Ipv4Conf(dev, registering=registering)


class Inet6Device:
    """struct inet6_dev.

    flags: InetDeviceFlag; tstamp: when it last changed, in nanoseconds since boot; reachable_time: of neighbours, in
    milliseconds; token: the lower half of addresses that router advertisements bring; ra_mtu: what they said of the
    MTU, 0 for nothing; stats, icmp6_stats: counters by the numbers of uapi/linux/snmp.h, None while all are zero."""

    __slots__ = ("conf", "flags", "icmp6_stats", "ra_mtu", "reachable_time", "stats", "token", "tstamp")

    def __init__(self, dev: Device) -> None:
        kernel = dev.kernel
        self.conf = Ipv6Conf(dev)
        self.flags = READY if dev.running and link_ready(dev) else 0
        self.tstamp = kernel.clock.now
        # neigh_rand_reach_time(): between half and one and a half of the base.
        self.reachable_time = BASE_REACHABLE_TIME // 2 + kernel.random.randrange(BASE_REACHABLE_TIME)
        self.token = NO_TOKEN
        self.ra_mtu = 0
        self.stats: list[int] | None = None
        self.icmp6_stats: list[int] | None = None


def link_ready(dev: Device) -> bool:
    """addrconf_link_ready()."""
    return dev.operstate in (IfOper.UNKNOWN, IfOper.UP) and dev.tx_active and dev.qdisc != qdisc.NOOP


def on_event4(event: NetdevEvent, dev: Device, info: Info) -> None:
    """inetdev_event()."""
    if dev.ip4 is None:
        if event == NetdevEvent.REGISTER or (event == NetdevEvent.CHANGEMTU and dev.mtu >= ip4_conf.MIN_MTU):
            dev.ip4 = InetDevice(dev, registering=event == NetdevEvent.REGISTER)
            dev.changed()
    elif event == NetdevEvent.UNREGISTER or (event == NetdevEvent.CHANGEMTU and dev.mtu < ip4_conf.MIN_MTU):
        dev.ip4 = None
        dev.changed()


def on_event6(event: NetdevEvent, dev: Device, info: Info) -> None:
    """addrconf_notify()."""
    idev: Inet6Device | None = dev.ip6
    if event == NetdevEvent.REGISTER:
        if idev is None and dev.mtu >= ip6_conf.MIN_MTU:
            _add(dev)
    elif event == NetdevEvent.CHANGEMTU:
        _mtu_changed(dev, idev)
    elif event == NetdevEvent.UP:
        if link_ready(dev):
            if idev is None and dev.mtu >= ip6_conf.MIN_MTU:
                idev = _add(dev)
            if idev is not None:
                _ready(dev, idev)
    elif event == NetdevEvent.CHANGE:
        if idev is not None and not idev.flags & READY and link_ready(dev):
            _ready(dev, idev)
    elif event == NetdevEvent.DOWN:
        _down(dev)
    elif event == NetdevEvent.UNREGISTER:
        dev.ip6 = None
        dev.changed()


def _add(dev: Device) -> Inet6Device:
    """ipv6_add_dev()."""
    idev = dev.ip6 = Inet6Device(dev)
    dev.changed()
    return idev


def _ready(dev: Device, idev: Inet6Device) -> None:
    """The link can carry packets. The MTU may have changed while it was down."""
    idev.flags |= READY
    if dev.mtu >= ip6_conf.MIN_MTU:
        idev.conf[Ipv6Devconf.MTU6] = dev.mtu
    idev.tstamp = dev.kernel.clock.now
    dev.changed()


def _down(dev: Device) -> None:
    """addrconf_ifdown()."""
    idev: Inet6Device | None = dev.ip6
    if idev is not None:
        idev.flags &= ~FORGOTTEN_WHEN_DOWN
        idev.tstamp = dev.kernel.clock.now
        idev.ra_mtu = 0
        dev.changed()


def _mtu_changed(dev: Device, idev: Inet6Device | None) -> None:
    if dev.mtu < ip6_conf.MIN_MTU:
        if dev is dev.net.loopback:
            _down(dev)
        else:
            dev.ip6 = None
            dev.changed()
    elif idev is not None:
        idev.conf[Ipv6Devconf.MTU6] = dev.mtu
        dev.changed()
    else:
        idev = _add(dev)
        if idev.flags & READY:
            _ready(dev, idev)
