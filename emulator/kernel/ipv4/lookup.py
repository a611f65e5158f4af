"""The way to an address of IPv4, as a packet would take it: ip_route_output_key() of net/ipv4/route.c.

The answer is more than a route: a source address if none was given, the device, and whether the packet would stay on
this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import EINVAL, ENETUNREACH, ENODEV
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import routes
from nlemu.emulator.kernel.ipv4.address import SECONDARY
from nlemu.emulator.kernel.ipv4.routes import BROADCAST, HOST, LINK, LOCAL, MULTICAST, UNICAST
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.kernel.ipv4.fib import Found, Route4
    from nlemu.emulator.kernel.ipv4.fib_info import Gateway, Metrics

STAYS, TO_GROUP, TO_ALL = 0x80000000, 0x20000000, 0x10000000
"""RTCF_LOCAL, RTCF_MULTICAST, RTCF_BROADCAST."""
LOOPBACK = int(IFF.LOOPBACK)
SOURCE, DESTINATION = 0xFFFF0000, 0xFFFF
"""Where the two realms stand in a tag."""


@dataclass(slots=True)
class Way4:
    """struct rtable. source: that a packet would have; route: None where no table knows it, or the way is not that of
    the route; found: what the tables knew; cached: it is kept with the next hop, and so has one reference more;
    realm: its two realms (tclassid); tunnel: that packets go through."""

    type: int
    dev: Device
    source: int
    flags: int = 0
    gateway: Gateway | None = None
    metrics: Metrics = ()
    route: Route4 | None = None
    found: Route4 | None = None
    cached: bool = False
    realm: int = 0
    tunnel: Tunnel | None = None

    def lead_by(self, found: Found) -> None:
        """rt_set_nexthop(): all that the route says of the way."""
        nexthop = found.nexthop
        self.route, self.metrics = found.route, found.route.info.metrics
        self.realm, self.tunnel = nexthop.realm, nexthop.tunnel
        if nexthop.gateway is not None and nexthop.scope == LINK:
            self.gateway = nexthop.gateway


def has(net: Net, address: int) -> bool:
    """__ip_dev_find(): whether the address is ours, in whatever domain."""
    if routes.address_type(net, address) == LOCAL:
        return True
    return net.leads_to_domains and holder(net, address) is not None


def holder(net: Net, address: int) -> Device | None:
    """inet_lookup_ifaddr_rcu(): the device that has the address, None if none has."""
    return next(
        (dev for dev in net if dev.ip4 is not None and any(ifa.local == address for ifa in dev.ip4.addresses)), None
    )


def _device_of(net: Net, address: int) -> Device:
    """__ip_dev_find(): whose address it is."""
    dev = holder(net, address)
    if dev is not None:
        return dev
    found = routes.lookup(net, Flow(address))
    assert found.nexthop.dev is not None
    return found.nexthop.dev


def select_source(dev: Device, dst: int, scope: int) -> int:
    """inet_select_addr(): the address of a device to speak to ``dst`` from, as wide as that scope; of another device if
    it has none; 0 if nobody has."""
    first = 0
    for ifa in dev.ip4.addresses if dev.ip4 is not None else ():
        if ifa.flags & SECONDARY or ifa.scope > scope:
            continue
        if not dst or ifa.prefix == dst & ip4.mask_of(ifa.length):
            return int(ifa.local)
        first = first or ifa.local
    if first:
        return int(first)
    master = l3mdev.master_of(dev)
    devices = [other for other in dev.net if l3mdev.master_of(other) is master]
    for other in devices if master is None else (master, *devices):
        for ifa in other.ip4.addresses if other.ip4 is not None else ():
            if not ifa.flags & SECONDARY and ifa.scope != LINK and ifa.scope <= scope:
                return int(ifa.local)
    return 0


def find_way(net: Net, flow: Flow, scope: int = 0) -> Way4:
    """ip_route_output_key_hash_rcu(): EINVAL, ENODEV, ENETUNREACH, and what the type of a route stands for. scope: how
    near a route has to lead."""
    dst, source, oif = flow.dst, flow.src, flow.oif
    if source:
        if ip4.is_multicast(source) or source == ip4.BROADCAST or ip4.is_zeronet(source):
            raise Refusal(EINVAL)
        if not has(net, source):
            raise Refusal(ENETUNREACH)
        if not oif and (ip4.is_multicast(dst) or dst == ip4.BROADCAST):
            return _make(dst, source, 0, _device_of(net, source), None)
    dev: Device | None = None
    if oif:
        dev = net.device(oif)
        if dev is None:
            raise Refusal(ENODEV)
        if not dev.up or dev.ip4 is None:
            raise Refusal(ENETUNREACH)
        if dst >> 8 == 0xE00000 or dst == ip4.BROADCAST:
            return _make(dst, source or select_source(dev, 0, LINK), UNICAST, dev, None)
        if not source and ip4.is_multicast(dst):
            source = select_source(dev, 0, 0)
        elif not source and not dst:
            source = select_source(dev, 0, HOST)
    if not dst:
        return _make(source or ip4.LOOPBACK, source or ip4.LOOPBACK, LOCAL, net.loopback, None)
    flow = replace(flow, src=source)
    try:
        found, rule = routes.lookup_by(net, flow, scope)
    except Refusal:
        if dev is None or (flow.l3mdev and not ip4.is_multicast(dst)):
            raise
        return _make(dst, source or select_source(dev, 0, LINK), UNICAST, dev, None)
    if found.route.type == LOCAL:
        on = found.nexthop.dev
        domain = None if on is None else l3mdev.master_of(on)
        way = _make(dst, source or found.route.info.prefsrc or dst, LOCAL, domain or net.loopback, found)
    else:
        assert found.nexthop.dev is not None
        source = source or _source_in_domain(net, flow, found)
        way = _make(dst, source, found.route.type, found.nexthop.dev, found)
    way.realm = _tagged(way.realm, (rule.realm if rule is not None else None) or 0)
    return way


def _tagged(realm: int, rule: int) -> int:
    """set_class_tag(): what the way does not say of its two realms the rule says."""
    return (realm & SOURCE or rule & SOURCE) | (realm & DESTINATION or rule & DESTINATION)


def _source_in_domain(net: Net, flow: Flow, found: Found) -> int:
    """The end of fib_select_path(): a way that leads out of the domain is gone from an address of its master."""
    master = net.device(flow.l3mdev) if flow.l3mdev else None
    if master is None or found.nexthop.dev is None or l3mdev.master_of(found.nexthop.dev) is master:
        return _preferred(found)
    return select_source(master, 0, LINK)


def _preferred(found: Found) -> int:
    """fib_result_prefsrc()."""
    info, nexthop = found.route.info, found.nexthop
    assert nexthop.dev is not None
    gateway = nexthop.gateway
    near = gateway.address if gateway is not None and gateway.family == ip4.AF_INET else 0
    return info.prefsrc or select_source(nexthop.dev, near, info.scope)


def _make(dst: int, source: int, kind: int, dev: Device, found: Found | None) -> Way4:
    """__mkroute_output(): EINVAL."""
    if source >> 24 == 127 and not dev.flags & LOOPBACK and not l3mdev.is_master(dev):
        raise Refusal(EINVAL)
    if dst == ip4.BROADCAST:
        kind = BROADCAST
    elif ip4.is_multicast(dst):
        kind = MULTICAST
    elif ip4.is_zeronet(dst):
        raise Refusal(EINVAL)
    flags = STAYS if dev.flags & LOOPBACK or kind == LOCAL else 0
    member = False
    if kind == BROADCAST:
        flags |= TO_ALL | STAYS
    elif kind == MULTICAST:
        member = dev.ip4 is not None and dst in dev.ip4.groups
        flags |= TO_GROUP | (STAYS if member else 0)
    way = Way4(kind, dev, source, flags)
    if found is None:
        return way
    way.found = found.route
    if dst != ip4.BROADCAST and not (kind == MULTICAST and found.route.length < 4):
        way.lead_by(found)
        way.cached = not member and (kind != LOCAL or found.nexthop.dev is dev)
    return way
