"""IPv6 on a device: struct inet6_dev, when a device has one, and when it is ready.

It comes when the device registers, and goes when it leaves its namespace or its MTU becomes too small; a greater MTU
brings it back. IPv6 is "ready" once the link can carry packets: the device is up, its operational state says so, and
its queues run. Imitates addrconf_notify() of net/ipv6/addrconf.c, as far as links show it.
"""

from __future__ import annotations

from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import l3mdev, qdisc
from nlemu.emulator.kernel.inet import neighbour_events, neighbour_parms
from nlemu.emulator.kernel.inet.names import RESERVED, check_name
from nlemu.emulator.kernel.ipv6 import anycast, autoconf, dad, mld, packets, routes, solicit
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.conf import MIN_MTU, Ipv6Conf
from nlemu.emulator.kernel.ipv6.mld import Listener
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF, IfOper
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from nlemu.protocol.uapi.rtnetlink import RTM, RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.work import Job
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.anycast import Anycast

READY = int(InetDeviceFlag.READY)
FORGOTTEN_WHEN_DOWN = int(InetDeviceFlag.RS_SENT | InetDeviceFlag.RA_RCVD | InetDeviceFlag.READY)
NOARP, MULTICAST = int(IFF.NOARP), int(IFF.MULTICAST)
DEAD, LINKDOWN = int(RTNH_F.DEAD), int(RTNH_F.LINKDOWN)
NO_TOKEN = bytes(16)


class Inet6Device:
    """struct inet6_dev.

    flags: InetDeviceFlag; tstamp: when it last changed, in nanoseconds since boot; token: the lower half of addresses
    that router advertisements bring; ra_mtu: what they said of the MTU, 0 for nothing; stats, icmp6_stats: counters by
    the numbers of uapi/linux/snmp.h, None while all are zero; addresses: in the kernel's order; anycasts: the
    oldest first; listener: the groups it listens to; solicit: the job that will ask for routers again;
    neighbour_parms: see inet/neighbour_parms.py; dead: it is leaving the device."""

    __slots__ = (
        "addresses", "anycasts", "conf", "dead", "flags", "icmp6_stats", "listener", "neighbour_parms",
        "ra_mtu", "solicit", "stats", "token", "tstamp",
    )

    def __init__(self, dev: Device) -> None:
        kernel = dev.kernel
        self.conf = Ipv6Conf(kernel.build, dev, ip6.of(dev.net).conf_default)
        self.flags = READY if dev.running and link_ready(dev) else 0
        self.tstamp = kernel.clock.now
        base = kernel.neighbour_parms[ip6.AF_INET6].values["base_reachable_time"]
        reachable_time = neighbour_parms.rand_reach_time(base, kernel.random)
        self.neighbour_parms = neighbour_parms.alloc(dev, ip6.AF_INET6, reachable_time)
        self.token = NO_TOKEN
        self.ra_mtu = 0
        self.stats: list[int] | None = None
        self.icmp6_stats: list[int] | None = None
        self.addresses: list[Address6] = []
        self.anycasts: dict[int, Anycast] = {}
        self.listener = Listener()
        self.solicit: Job | None = None
        self.dead = False


def link_ready(dev: Device) -> bool:
    """addrconf_link_ready()."""
    return dev.operstate in (IfOper.UNKNOWN, IfOper.UP) and qdisc.running(dev)


def on_event6(event: NetdevEvent, dev: Device, info: Info) -> None:
    """addrconf_notify(), and ndisc_netdev_event(), which stands behind it."""
    idev: Inet6Device | None = dev.ip6
    if event == NetdevEvent.REGISTER:
        if idev is None and dev.mtu >= MIN_MTU:
            _add(dev)
    elif event == NetdevEvent.CHANGEMTU:
        _mtu_changed(dev, idev)
    elif event == NetdevEvent.CHANGENAME:
        if idev is not None:
            _tell_settings(dev, idev, RTM.DELNETCONF)
            check_name(dev)
            _tell_settings(dev, idev, RTM.NEWNETCONF)
    elif event == NetdevEvent.NOTIFY_PEERS:
        packets.advertise(dev)
    elif event == NetdevEvent.RESEND_IGMP:
        if idev is not None:
            mld.rejoin(dev)
    elif event in (NetdevEvent.DOWN, NetdevEvent.UNREGISTER):
        _down(dev, unregister=event == NetdevEvent.UNREGISTER)
    else:
        _addrconf(event, dev, idev, info)
    neighbour_events.on_event(event, dev, info)


def _addrconf(event: NetdevEvent, dev: Device, idev: Inet6Device | None, info: Info) -> None:
    if idev is not None and idev.conf[Ipv6Devconf.DISABLE_IPV6]:
        return
    if dev.no_addrconf:
        if event == NetdevEvent.UP and idev is not None and dev.up and dev.flags & MULTICAST:
            mld.up(dev)
    elif event == NetdevEvent.UP:
        autoconf.restore(dev)
        if link_ready(dev):
            if idev is None and dev.mtu >= MIN_MTU and dev.name not in RESERVED:
                idev = _add(dev)
            if idev is not None:
                _ready(dev, idev)
    elif event == NetdevEvent.CHANGE:
        _state_changed(dev, idev, info)
    elif event == NetdevEvent.CHANGEUPPER and info.upper is not None and l3mdev.is_master(info.upper):
        _down(dev, unregister=False)


def find_inet6(dev: Device) -> Inet6Device:
    """ipv6_find_idev(): IPv6 on a device, brought back if the device can have it. EINVAL. On one that is up, all groups
    are reported anew, whatever comes of the request."""
    idev: Inet6Device | None = dev.ip6
    if idev is None:
        if dev.mtu < MIN_MTU:
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
    """ipv6_add_dev(): EINVAL of a device whose name its settings cannot have."""
    check_name(dev)
    idev = dev.ip6 = Inet6Device(dev)
    dev.changed()
    _tell_settings(dev, idev, RTM.NEWNETCONF)
    mld.join(dev, ip6.INTERFACE_NODES)
    mld.join(dev, ip6.ALL_NODES)
    return idev


def _ready(dev: Device, idev: Inet6Device) -> None:
    """The link can carry packets. The MTU may have changed while it was down, and be too small by now."""
    idev.flags |= READY
    autoconf.configure(dev)
    dad.run(idev)
    routes.sync_up(dev, DEAD)
    if dev.mtu >= MIN_MTU:
        idev.conf[Ipv6Devconf.MTU6] = dev.mtu
    idev.tstamp = dev.kernel.clock.now
    dev.changed()
    dev.kernel.announcer.link6(dev)
    if dev.mtu < MIN_MTU:
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
        anycast.destroy(dev, idev)
        mld.destroy(dev, idev.listener)
    else:
        idev.flags &= ~FORGOTTEN_WHEN_DOWN
        if was_ready:  # else the groups that were left are reported all the same
            mld.down(dev, idev.listener)
    solicit.stop(idev)
    idev.tstamp = dev.kernel.clock.now
    idev.ra_mtu = 0
    dev.changed()
    if unregister:
        _tell_settings(dev, idev, RTM.DELNETCONF)


def _tell_settings(dev: Device, idev: Inet6Device, event: RTM) -> None:
    """addrconf_sysctl_register(), addrconf_sysctl_unregister(): all settings come, or go without being told."""
    dev.kernel.announcer.netconf(
        dev.net, event, ip6.AF_INET6, dev.ifindex, idev.conf, () if event == RTM.DELNETCONF else None
    )


def _mtu_changed(dev: Device, idev: Inet6Device | None) -> None:
    if dev.mtu < MIN_MTU:
        _down(dev, unregister=dev is not dev.net.loopback)
    elif idev is not None:
        idev.conf[Ipv6Devconf.MTU6] = dev.mtu
        dev.changed()
    elif dev.name not in RESERVED:
        idev = _add(dev)
        if idev.flags & READY:
            _ready(dev, idev)
