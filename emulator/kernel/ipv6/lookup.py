"""The way to an address of IPv6, as a packet would take it: ip6_route_output(), and the choice of a source address by
RFC 6724, ipv6_dev_get_saddr() of net/ipv6/addrconf.c.
"""

from __future__ import annotations

from errno import EACCES, EAGAIN, EHOSTUNREACH, EINVAL, ENETUNREACH
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet.rules import FINDS_SOURCE, covers, suppressed
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.address import DEPRECATED, OPTIMISTIC, TENTATIVE
from nlemu.emulator.kernel.ipv6.fib_lookup import look_up, tables
from nlemu.emulator.kernel.ipv6.netns import AddrType
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.rules import Flow, Rule
    from nlemu.emulator.kernel.ipv6.address import Address6
    from nlemu.emulator.kernel.ipv6.fib import Route6

ERRORS: dict[int, int] = {
    RTN.BLACKHOLE: EINVAL, RTN.UNREACHABLE: EHOSTUNREACH, RTN.PROHIBIT: EACCES, RTN.THROW: EAGAIN, RTN.NAT: EINVAL,
    RTN.XRESOLVE: EINVAL,
}
"""fib6_prop[]: of routes that lead nowhere. Those of other types, which would be a loop, are told as if they led
somewhere."""
LABELS = (
    (1, 128, 0),
    (0xFFFF << 32, 96, 4),
    (0, 96, 3),
    (0x2001 << 112, 32, 6),
    (0x20010010 << 96, 28, 7),
    (0x2002 << 112, 16, 2),
    (0xFEC0 << 112, 10, 11),
    (0xFC00 << 112, 7, 5),
    (0, 0, 1),
)
"""ip6addrlbl_init_table of net/ipv6/addrlabel.c, the longest prefixes first: address, length, label."""


def find_way(net: Net, flow: Flow) -> Route6:
    """ip6_route_output(): the route that a packet would take. ENETUNREACH, and what a rule or the type of a route
    stands for. A packet that has a source address need not leave by the device that is asked for. Where a rule has one
    found, it is in the flow afterwards (fib6_rule_saddr())."""
    if ip6.classify(flow.dst)[0] & (AddrType.MULTICAST | AddrType.LINKLOCAL) and flow.oif:
        dev = net.device(flow.oif)
        master = None if dev is None else l3mdev.master_of(dev)
        if master is not None:
            return _link_scope_lookup(net, master, flow)
    near = bool(ip6.classify(flow.dst)[0] & (AddrType.MULTICAST | AddrType.LINKLOCAL | AddrType.LOOPBACK))
    return _by_rules(net, flow, None, near or bool(flow.oif and not flow.src))


def find_way_in(net: Net, flow: Flow) -> Route6:
    """ip6_route_input_lookup(): the route that a packet would take that comes in by flow.iif. A route by that very
    device is better than others, and what is near is looked for by no other. ENETUNREACH, and what a rule or the type
    of a route stands for."""
    near = bool(ip6.classify(flow.dst)[0] & (AddrType.MULTICAST | AddrType.LINKLOCAL | AddrType.LOOPBACK))
    return _by_rules(net, flow, flow.iif, near)


def _by_rules(net: Net, flow: Flow, by: int | None, iface: bool) -> Route6:
    """fib6_rule_lookup() with ip6_pol_route(). by: the index of the device that is better, or with iface the only
    one; None: that by which the packet is to leave, which rules may yet change."""
    for table, rule in tables(net, flow):
        route = look_up(net, table, flow, by=by, iface=iface, reachable=True)
        if route is None or (rule is not None and not _speaks_from(net, rule, flow, route)):
            continue
        refused = ERRORS.get(route.type, 0) if route.reject else 0
        if refused == EAGAIN:
            continue
        if refused:
            raise Refusal(refused)
        group = None if route.dev is None else route.dev.group
        if rule is None or not suppressed(rule, route.length, group):
            return route
    raise Refusal(ENETUNREACH)


def _link_scope_lookup(net: Net, master: Device, flow: Flow) -> Route6:
    """vrf_link_scope_lookup(): what is near is looked for in the domain's table, by the device that is asked for.
    ENETUNREACH: the master itself is on no link."""
    table = ip6.of(net).fib.table(l3mdev.table_of(master))
    if flow.oif != master.ifindex and table is not None:
        route = look_up(net, table, flow, iface=True, reachable=True)
        if route is not None:
            refused = ERRORS.get(route.type, 0) if route.reject else 0
            if refused:
                raise Refusal(refused)
            return route
    raise Refusal(ENETUNREACH)


def _speaks_from(net: Net, rule: Rule, flow: Flow, route: Route6) -> bool:
    """fib6_rule_saddr(): whether the address that the packet would have is one that the rule wants."""
    if not rule.flags & FINDS_SOURCE or not rule.src_length or flow.src:
        return True
    source = select_source(net, route.dev, flow.dst)
    if source is None or not covers(rule, rule.src, rule.src_length, source):
        return False
    flow.src = source
    return True


def select_source(net: Net, dev: Device | None, dst: int) -> int | None:
    """ipv6_dev_get_saddr(): the best of our addresses to speak to ``dst`` from. A near destination wants an address of
    the device itself. None if there is none."""
    kind, scope = ip6.classify(dst)
    devices: Iterable[Device] = net
    if net.leads_to_domains:
        master = None if dev is None else l3mdev.master_of(dev)
        devices = [other for other in net if l3mdev.master_of(other) is master]
        if master is not None:
            devices = (master, *(other for other in devices if other is not master))
    if dev is not None and (kind & AddrType.MULTICAST or scope <= ip6.SCOPE_LINK):
        devices = (dev,)
    best: Address6 | None = None
    highest: tuple[int, ...] = ()
    for each in (dev, *(other for other in devices if other is not dev)) if dev is not None else devices:
        for ifa in each.ip6.addresses if each.ip6 is not None else ():
            if ifa.flags & TENTATIVE and not ifa.flags & OPTIMISTIC:
                continue
            score = _score(ifa, dst, scope, dev)
            if best is None or score > highest:
                best, highest = ifa, score
    return None if best is None else best.address


def _score(ifa: Address6, dst: int, scope: int, dev: Device | None) -> tuple[int, ...]:
    """ipv6_get_saddr_eval(): one number a rule, the first that differs decides."""
    own = ip6.classify(ifa.address)[1]
    return (
        int(ifa.address == dst),
        own - 128 if own < scope else -own,
        int(not ifa.flags & DEPRECATED),
        int(dev is None or ifa.dev is dev),
        int(label(ifa.address) == label(dst)),
        min(128 - (ifa.address ^ dst).bit_length(), ifa.length),
    )


def label(address: int) -> int:
    """ipv6_addr_label()."""
    return next(
        number for prefix, length, number in LABELS if ip6.prefix_of(address, length) == ip6.prefix_of(prefix, length)
    )
