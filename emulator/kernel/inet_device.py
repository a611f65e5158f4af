"""IPv4 and IPv6 on a device: struct in_device, struct inet6_dev, and when a device has them.

Both come when the device registers, and go when it leaves its namespace or its MTU becomes too small; a greater MTU
brings them back. IPv6 is "ready" once the link can carry packets: the device is up, its operational state says so, and
its queues run. Imitates inetdev_event() of net/ipv4/devinet.c and addrconf_notify() of net/ipv6/addrconf.c, as far as
links show it.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import qdisc
from nlemu.emulator.kernel.inet import neighbour, neighbour_events
from nlemu.emulator.kernel.ipv4 import address, fib_sync, groups
from nlemu.emulator.kernel.ipv4 import conf as ip4_conf
from nlemu.emulator.kernel.ipv4.conf import Ipv4Conf
from nlemu.emulator.kernel.ipv4.groups import Membership
from nlemu.emulator.kernel.ipv6 import autoconf, dad, mld, routes, solicit
from nlemu.emulator.kernel.ipv6 import conf as ip6_conf
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.conf import Ipv6Conf
from nlemu.emulator.kernel.ipv6.mld import Listener
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF, IfOper
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.address import Address4
    from nlemu.emulator.kernel.ipv6.address import Address6

READY = int(InetDeviceFlag.READY)
FORGOTTEN_WHEN_DOWN = int(InetDeviceFlag.RS_SENT | InetDeviceFlag.RA_RCVD | InetDeviceFlag.READY)
LOOPBACK, NOARP = int(IFF.LOOPBACK), int(IFF.NOARP)
DEAD, LINKDOWN = int(RTNH_F.DEAD), int(RTNH_F.LINKDOWN)
BASE_REACHABLE_TIME = 30000
"""ND_REACHABLE_TIME, in milliseconds."""
NO_TOKEN = bytes(16)


class InetDevice:
    """struct in_device. addresses: primaries before secondaries; groups: that it listens to, the oldest first; dead: it
    is leaving the device."""

    __slots__ = ("addresses", "conf", "dead", "groups")

    def __init__(self, dev: Device, *, registering: bool) -> None:
        self.conf = Ipv4Conf(dev, registering=registering)
        self.addresses: list[Address4] = []
        self.groups: dict[int, Membership] = {}
        self.dead = False


class Inet6Device:
    """struct inet6_dev.

    flags: InetDeviceFlag; tstamp: when it last changed, in nanoseconds since boot; reachable_time: of neighbours, in
    milliseconds; token: the lower half of addresses that router advertisements bring; ra_mtu: what they said of the
    MTU, 0 for nothing; stats, icmp6_stats: counters by the numbers of uapi/linux/snmp.h, None while all are zero;
    addresses: in the kernel's order; listener: the groups it listens to; solicit: the job that will ask for routers
    again; interface_id: the random lower half of its address of the link, if it was made so; dead: it is leaving the
    device."""

    __slots__ = (
        "addresses", "conf", "dead", "flags", "icmp6_stats", "interface_id", "listener", "ra_mtu", "reachable_time",
        "solicit", "stats", "token", "tstamp",
    )

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
        self.addresses: list[Address6] = []
        self.listener = Listener()
        self.solicit: Job | None = None
        self.interface_id: int | None = None
        self.dead = False


def link_ready(dev: Device) -> bool:
    """addrconf_link_ready()."""
    return dev.operstate in (IfOper.UNKNOWN, IfOper.UP) and qdisc.running(dev)


def on_event4(event: NetdevEvent, dev: Device, info: Info) -> None:
    """inetdev_event(), and fib_netdev_event(), which stands behind it."""
    _in_device(event, dev)
    fib_sync.on_event(event, dev, info)


def _in_device(event: NetdevEvent, dev: Device) -> None:
    if dev.ip4 is None:
        if event == NetdevEvent.REGISTER or (event == NetdevEvent.CHANGEMTU and dev.mtu >= ip4_conf.MIN_MTU):
            _check_name(dev)
            idev = dev.ip4 = InetDevice(dev, registering=event == NetdevEvent.REGISTER)
            dev.changed()
            if dev.up:
                groups.up(dev, idev)
    elif event == NetdevEvent.UNREGISTER or (event == NetdevEvent.CHANGEMTU and dev.mtu < ip4_conf.MIN_MTU):
        dev.ip4.dead = True
        groups.destroy(dev, dev.ip4)
        address.remove_all(dev)
        neighbour_events.ifdown(dev, neighbour.AF_INET)
        dev.ip4 = None
        dev.changed()
    elif event == NetdevEvent.UP:
        if dev.mtu < ip4_conf.MIN_MTU:
            return
        if dev.flags & LOOPBACK:
            address.add_loopback(dev)
        groups.up(dev, dev.ip4)
    elif event == NetdevEvent.DOWN:
        groups.down(dev, dev.ip4)
    elif event == NetdevEvent.CHANGENAME:
        address.rename(dev)


def _check_name(dev: Device) -> None:
    """sysctl_dev_name_is_allowed(): settings are files by the device's name, and two names are taken. EINVAL."""
    if dev.name in ("all", "default"):
        raise Refusal(EINVAL)


def on_event6(event: NetdevEvent, dev: Device, info: Info) -> None:
    """addrconf_notify(), and ndisc_netdev_event(), which stands behind it."""
    idev: Inet6Device | None = dev.ip6
    if event == NetdevEvent.REGISTER:
        if idev is None and dev.mtu >= ip6_conf.MIN_MTU:
            _add(dev)
    elif event == NetdevEvent.CHANGEMTU:
        _mtu_changed(dev, idev)
    elif event == NetdevEvent.CHANGENAME:
        if idev is not None:
            _check_name(dev)
    elif event in (NetdevEvent.DOWN, NetdevEvent.UNREGISTER):
        _down(dev, unregister=event == NetdevEvent.UNREGISTER)
    else:
        _addrconf(event, dev, idev, info)
    neighbour_events.on_event(event, dev, info)


def _addrconf(event: NetdevEvent, dev: Device, idev: Inet6Device | None, info: Info) -> None:
    if idev is not None and idev.conf[Ipv6Devconf.DISABLE_IPV6]:
        return
    elif event == NetdevEvent.UP:
        autoconf.restore(dev)
        if link_ready(dev):
            if idev is None and dev.mtu >= ip6_conf.MIN_MTU:
                idev = _add(dev)
            if idev is not None:
                _ready(dev, idev)
    elif event == NetdevEvent.CHANGE:
        _state_changed(dev, idev, info)


def find_inet6(dev: Device) -> Inet6Device:
    """ipv6_find_idev(): IPv6 on a device, brought back if the device can have it. EINVAL. On one that is up, all groups
    are reported anew, whatever comes of the request."""
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        if dev.mtu < ip6_conf.MIN_MTU:
            raise Refusal(EINVAL)
        idev = _add(dev)
    if dev.up:
        mld.up(dev)
    return idev


def _state_changed(dev: Device, idev: Inet6Device | None, info: Info) -> None:
    """The operational state, or a flag, of a device that is up is another one."""
    if not link_ready(dev):
        routes.sync_down(dev, NetdevEvent.CHANGE)
    elif idev is not None:
        if not idev.flags & READY:
            _ready(dev, idev)
            return
        mld.up(dev)
        if info.flags_changed & NOARP:
            dad.run(idev, restart=True)
        routes.sync_up(dev, LINKDOWN)


def _add(dev: Device) -> Inet6Device:
    """ipv6_add_dev()."""
    idev = dev.ip6 = Inet6Device(dev)
    dev.changed()
    mld.join(dev, ip6.INTERFACE_NODES)
    mld.join(dev, ip6.ALL_NODES)
    return idev


def _ready(dev: Device, idev: Inet6Device) -> None:
    """The link can carry packets. The MTU may have changed while it was down, and be too small by now."""
    idev.flags |= READY
    autoconf.configure(dev)
    dad.run(idev)
    routes.sync_up(dev, DEAD)
    if dev.mtu >= ip6_conf.MIN_MTU:
        idev.conf[Ipv6Devconf.MTU6] = dev.mtu
    idev.tstamp = dev.kernel.clock.now
    dev.changed()
    dev.kernel.announcer.link6(dev)
    if dev.mtu < ip6_conf.MIN_MTU:
        _down(dev, unregister=dev is not dev.net.loopback)


def _down(dev: Device, *, unregister: bool) -> None:
    """addrconf_ifdown()."""
    idev: Inet6Device | None = dev.ip6
    was_ready = idev is not None and idev.flags & READY
    autoconf.down(dev, unregister=unregister)
    if idev is None:
        return
    if unregister:
        dev.ip6 = None
        mld.destroy(dev, idev.listener)
    else:
        idev.flags &= ~FORGOTTEN_WHEN_DOWN
        if was_ready:  # else the groups that were left are reported all the same
            mld.down(dev, idev.listener)
    solicit.stop(idev)
    idev.tstamp = dev.kernel.clock.now
    idev.ra_mtu = 0
    dev.changed()


def _mtu_changed(dev: Device, idev: Inet6Device | None) -> None:
    if dev.mtu < ip6_conf.MIN_MTU:
        _down(dev, unregister=dev is not dev.net.loopback)
    elif idev is not None:
        idev.conf[Ipv6Devconf.MTU6] = dev.mtu
        dev.changed()
    else:
        idev = _add(dev)
        if idev.flags & READY:
            _ready(dev, idev)
