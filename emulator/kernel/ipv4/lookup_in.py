"""The way of a packet of IPv4 that comes in by a device: ip_route_input_slow() of net/ipv4/route.c, and whether it may
come from where it says, fib_validate_source() of net/ipv4/fib_frontend.c.

Nothing comes in here but questions (RTA_IIF). A packet for ourselves ends at the loopback; one for others is passed on
if the device forwards; and one that cannot be from where it says it is (a martian) is refused with EINVAL, whatever
else is wrong with it. What is found is not kept: Linux tells of the first look at a way one reference more, and of
later ones their age.
"""

from __future__ import annotations

from dataclasses import replace
from errno import EHOSTUNREACH, EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4 import routes
from nlemu.emulator.kernel.ipv4.lookup import STAYS, TO_ALL, TO_GROUP, Way4, holder
from nlemu.emulator.kernel.ipv4.routes import BROADCAST, HOST, LOCAL, MULTICAST, UNICAST
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ip import Ipv4Devconf

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.fib import Found

REDIRECTED = 0x01000000
"""RTCF_DOREDIRECT: whoever sent it could have sent it by a shorter way."""


def _either(dev: Device, field: Ipv4Devconf) -> int:
    """IN_DEV_MAXCONF(), IN_DEV_ORCONF(): as the device has it, or all devices."""
    return max(dev.inet.conf[field], ip4.of(dev.net).conf_all[field])


def find_way(net: Net, dev: Device, flow: Flow) -> Way4:
    """ip_route_input_rcu(). flow: with iif. EINVAL, EHOSTUNREACH, ENETUNREACH, and what the type of a route stands
    for."""
    if dev.ip4 is None:
        raise Refusal(EINVAL)
    if ip4.is_multicast(flow.dst):
        return _to_group(net, dev, flow)
    source = flow.src
    if ip4.is_multicast(source) or source == ip4.BROADCAST:
        raise Refusal(EINVAL)
    if flow.dst == ip4.BROADCAST or not (source or flow.dst):
        return _to_all(net, dev, flow, None)
    if ip4.is_zeronet(source) or ip4.is_zeronet(flow.dst):
        raise Refusal(EINVAL)
    nets = (address >> 24 for address in (flow.dst, source))
    if ip4.LOOPBACK >> 24 in nets and not _either(dev, Ipv4Devconf.ROUTE_LOCALNET):
        raise Refusal(EINVAL)
    forwards = dev.inet.conf[Ipv4Devconf.FORWARDING]
    try:
        found = routes.lookup(net, replace(flow, oif=0, uid=0))
    except Refusal as refused:
        raise refused if forwards else Refusal(EHOSTUNREACH) from refused
    kind = found.route.type
    if kind == BROADCAST and not (
        dev.inet.conf[Ipv4Devconf.BC_FORWARDING] and ip4.of(net).conf_all[Ipv4Devconf.BC_FORWARDING]
    ):
        return _to_all(net, dev, flow, found)
    if kind == LOCAL:
        _check_source(net, dev, flow, 0)
        return _to_us(net, found, STAYS, LOCAL)
    if kind != BROADCAST and not forwards:
        raise Refusal(EHOSTUNREACH)
    if kind not in (UNICAST, BROADCAST):
        raise Refusal(EINVAL)
    return _onward(net, dev, flow, found)


def _to_group(net: Net, dev: Device, flow: Flow) -> Way4:
    """ip_route_input_mc(): for a group that the device is in; no router for groups is here."""
    if flow.dst not in dev.inet.groups:
        raise Refusal(EINVAL)
    _check_group_source(net, dev, flow)
    return Way4(MULTICAST, net.loopback, 0, TO_GROUP | STAYS)


def _check_group_source(net: Net, dev: Device, flow: Flow) -> None:
    """ip_mc_validate_source()."""
    source = flow.src
    near = flow.dst >> 8 == 0xE00000
    if ip4.is_multicast(source) or source == ip4.BROADCAST:
        raise Refusal(EINVAL)
    if source >> 24 == ip4.LOOPBACK >> 24 and not _either(dev, Ipv4Devconf.ROUTE_LOCALNET):
        raise Refusal(EINVAL)
    if not ip4.is_zeronet(source):
        _check_source(net, dev, replace(flow, dst=0), 0)
    elif not near:
        raise Refusal(EINVAL)


def _to_all(net: Net, dev: Device, flow: Flow, found: Found | None) -> Way4:
    """brd_input of ip_route_input_slow()."""
    if flow.src:
        _check_source(net, dev, replace(flow, dst=0), 0)
    return _to_us(net, found, TO_ALL | STAYS, BROADCAST)


def _to_us(net: Net, found: Found | None, flags: int, kind: int) -> Way4:
    """local_input: it ends at the loopback, or at the master of the domain (ip_rt_get_dev())."""
    on = None if found is None else found.nexthop.dev
    master = None if on is None else l3mdev.master_of(on)
    way = Way4(kind, master or net.loopback, 0, flags)
    if found is not None:
        way.found, way.cached, way.tunnel = found.route, True, found.nexthop.tunnel
    return way


def _onward(net: Net, dev: Device, flow: Flow, found: Found) -> Way4:
    """__mkroute_input()."""
    out = found.nexthop.dev
    assert out is not None
    near = _check_source(net, dev, flow, out.ifindex)
    way = Way4(found.route.type, out, 0)
    way.lead_by(found)
    way.found, way.cached = found.route, True
    if out is dev and near and _either(dev, Ipv4Devconf.SEND_REDIRECTS):
        gateway = found.nexthop.gateway
        via = gateway.address if gateway is not None and gateway.family == ip4.AF_INET else 0
        if _either(dev, Ipv4Devconf.SHARED_MEDIA) or _on_link(dev, flow.src, via):
            way.flags |= REDIRECTED
    return way


def _on_link(dev: Device, one: int, other: int) -> bool:
    """inet_addr_onlink(): whether both are in one of the device's networks; the other may be 0."""
    return any(
        ifa.prefix == one & ip4.mask_of(ifa.length) and (not other or ifa.prefix == other & ip4.mask_of(ifa.length))
        for ifa in dev.inet.addresses
    )


def _check_source(net: Net, dev: Device, flow: Flow, oif: int) -> bool:
    """fib_validate_source(): whether the sender is on the link by which it came. oif: by which the packet goes on, 0
    for none. EINVAL: it cannot be from there."""
    looks = _either(dev, Ipv4Devconf.RP_FILTER)
    redirects = _either(dev, Ipv4Devconf.SEND_REDIRECTS)
    if not looks and (dev.ifindex != oif or not redirects):
        if _either(dev, Ipv4Devconf.ACCEPT_LOCAL):
            return False
        if not ip4.of(net).fib.split:
            if holder(net, flow.src) is not None:
                raise Refusal(EINVAL)
            return False
    return _look_back(net, dev, flow, oif, looks)


def _look_back(net: Net, dev: Device, flow: Flow, oif: int, looks: int) -> bool:
    """__fib_validate_source(). looks: 1 for by the very device, 2 for by any (rp_filter)."""
    master = l3mdev.master_of(dev)
    back = Flow(
        flow.src, flow.dst, flow.tos, iif=oif or 1, l3mdev=0 if master is None else master.ifindex,
        mark=flow.mark if _either(dev, Ipv4Devconf.SRC_VMARK) else 0,
    )
    try:
        found = routes.lookup(net, back)
    except Refusal as refused:
        return _last_resort(looks, refused)
    kind = found.route.type
    if kind != UNICAST and (kind != LOCAL or not _either(dev, Ipv4Devconf.ACCEPT_LOCAL)):
        raise Refusal(EINVAL)
    leads_there = any(hop.dev is dev for hop in found.route.info.nexthops)
    if leads_there or (kind == LOCAL and dev is net.loopback):
        return found.nexthop.scope >= HOST
    if not dev.inet.addresses:
        return _last_resort(looks, None)
    if looks == 1:
        raise Refusal(EINVAL)
    try:
        found = routes.lookup(net, replace(back, oif=dev.ifindex))
    except Refusal:
        return False
    return found.route.type == UNICAST and found.nexthop.scope >= HOST


def _last_resort(looks: int, refused: Refusal | None) -> bool:
    if looks:
        raise Refusal(EINVAL) from refused
    return False
