"""Routes of IPv6 come and go: ip6_route_add(), ip6_route_del() of net/ipv6/route.c, fib6_add() of ip6_fib.c; and those
that the kernel makes for addresses and devices, of net/ipv6/addrconf.c.

Everything about a new route is checked before anything changes, in the order in which the kernel finds fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EACCES, EEXIST, EHOSTUNREACH, EINVAL, ENETDOWN, ENODEV, ENOENT, ESRCH
from typing import TYPE_CHECKING, TypeGuard

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet import fib_chain, nexthop
from nlemu.emulator.kernel.inet.rules import Flow
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.fib import LOCAL as LOCAL_TABLE
from nlemu.emulator.kernel.ipv6.fib import MAIN, PREF_MEDIUM, Route6
from nlemu.emulator.kernel.ipv6.fib_lookup import look_up, lookup
from nlemu.emulator.kernel.ipv6.netns import AddrType
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_addr import IFA_F
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTM, RTN, RTNH_F, RTPROT

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.kernel.ipv4.fib_info import Metrics
    from nlemu.emulator.kernel.ipv6.fib import Node6

CREATE, EXCL, REPLACE, APPEND = int(NLM_F.CREATE), int(NLM_F.EXCL), int(NLM_F.REPLACE), int(NLM_F.APPEND)
TENTATIVE, OPTIMISTIC = int(IFA_F.TENTATIVE), int(IFA_F.OPTIMISTIC)
ONLINK, LINKDOWN, DEAD = int(RTNH_F.ONLINK), int(RTNH_F.LINKDOWN), int(RTNH_F.DEAD)
UNICAST, LOCAL, MULTICAST = int(RTN.UNICAST), int(RTN.LOCAL), int(RTN.MULTICAST)
ANYCAST = int(RTN.ANYCAST)
KERNEL, BOOT = int(RTPROT.KERNEL), int(RTPROT.BOOT)
IFF_LOOPBACK = int(IFF.LOOPBACK)
PRIO_ADDRCONF = 256
"""IP6_RT_PRIO_ADDRCONF: the metric of routes that come with addresses."""
NO_METRIC = 0xFFFFFFFF
PRIO_USER = 1024
"""IP6_RT_PRIO_USER: of those that user space gives none."""


@dataclass(slots=True)
class Wanted6:
    """struct fib6_config: a route that is to come, or to go. expires: in nanoseconds since boot; nlflags: NLM_F_CREATE,
    EXCL, REPLACE, APPEND, None where nobody asked by a message; local: to one of our addresses, or an anycast one;
    may_be_down: the device need not be up; metrics: or what is wrong with them, which is said when it is their turn;
    tunnel: or what is wrong with it; table: 0 for the main one; nh_id: of a next hop
    object, 0 for none."""

    dst: int = 0
    length: int = 0
    src_length: int = 0
    metric: int = 0
    protocol: int = KERNEL
    type: int = UNICAST
    ifindex: int = 0
    gateway: int | None = None
    prefsrc: int = 0
    flags: int = 0
    metrics: Metrics | Refusal = ()
    pref: int = PREF_MEDIUM
    weight: int = 1
    local: bool = False
    reject: bool = False
    cached: bool = False
    tunnel: Tunnel | Refusal | None = None
    expires: int | None = None
    nlflags: int | None = None
    may_be_down: bool = False
    table: int = MAIN
    src: int = 0
    nh_id: int = 0


# -- what a route has to be -------------------------------------------------------------------


def validate(net: Net, wanted: Wanted6) -> None:
    """fib6_config_validate(): EINVAL, with texts."""
    if wanted.cached:
        raise Refusal(EINVAL, "Userspace can not set RTF_CACHE")
    if wanted.type > RTN.XRESOLVE:
        raise Refusal(EINVAL, "Invalid route type")
    if wanted.length > 128:
        raise Refusal(EINVAL, "Invalid prefix length")
    if wanted.src_length and not net.kernel.build.has("IPV6_SUBTREES"):
        raise Refusal(EINVAL, "Specifying source address requires IPV6_SUBTREES to be enabled")
    if wanted.src_length > 128:
        raise Refusal(EINVAL, "Invalid source address length")
    if wanted.nh_id and wanted.src_length:
        raise Refusal(EINVAL, "Nexthops can not be used with source routing")


def create(net: Net, wanted: Wanted6) -> Route6:
    """ip6_route_info_create(): the route that is asked for, checked, with its device. ENODEV, EACCES, ENETDOWN,
    EHOSTUNREACH, EINVAL, some with texts."""
    table = ip6.of(net).fib.new_table(wanted.table)
    if isinstance(wanted.metrics, Refusal):
        raise wanted.metrics
    route = Route6(
        ip6.prefix_of(wanted.dst, wanted.length), wanted.length, wanted.metric, wanted.type or UNICAST,
        wanted.protocol or BOOT, None, prefsrc=wanted.prefsrc, metrics=wanted.metrics, pref=wanted.pref,
        weight=wanted.weight, local=wanted.local, expires=wanted.expires, table=table.id,
        src=ip6.prefix_of(wanted.src, wanted.src_length), src_length=wanted.src_length,
    )
    if wanted.nh_id:
        _lead_by(net, route, wanted)
        _check_source(net, wanted, route.dev)
        return route
    dev: Device | None = None
    if wanted.ifindex:
        dev = net.device(wanted.ifindex)
        if dev is None or dev.ip6 is None:
            raise Refusal(ENODEV)
    if wanted.flags & ONLINK:
        if dev is None:
            raise Refusal(ENODEV, "Nexthop device required for onlink")
        if not dev.up:
            raise Refusal(ENETDOWN, "Nexthop device is not up")
        route.flags |= ONLINK
    if wanted.reject:
        if net.loopback.ip6 is None:
            raise Refusal(ENODEV)
        route.dev = net.loopback
    else:
        _lead(net, route, wanted, dev)
    if wanted.reject or _loops(wanted, route.dev):
        route.reject, route.local, route.expires, route.pref = True, False, None, PREF_MEDIUM
    _check_source(net, wanted, route.dev)
    return route


def _lead_by(net: Net, route: Route6, wanted: Wanted6) -> None:
    """ip6_route_info_create_nh(), of a route that leads by a next hop object. EINVAL, with texts."""
    one = nexthop.of(net).find(wanted.nh_id)
    if one is None:
        raise Refusal(EINVAL, "Nexthop id does not exist")
    nexthop.check6(one)
    route.nh, route.reject = one, wanted.reject
    route.follow()


def _check_source(net: Net, wanted: Wanted6, dev: Device | None) -> None:
    """EINVAL, with a text, for a source address that is not ours."""
    if wanted.prefsrc and not _has(net, wanted.prefsrc, dev, banned=TENTATIVE):
        raise Refusal(EINVAL, "Invalid source address")


def _has(net: Net, address: int, dev: Device | None, banned: int = 0) -> bool:
    """ipv6_chk_addr_and_flags(): whether the address is ours, in the device's domain; one that reaches no further than
    a link, whether it is that device's."""
    master = None if dev is None else l3mdev.master_of(dev)
    for ifa in ip6.of(net).addresses.get(address, {}).values():
        flags = ifa.flags & ~TENTATIVE if ifa.flags & OPTIMISTIC else ifa.flags
        anywhere = not ifa.scope & (AddrType.LINKLOCAL | AddrType.LOOPBACK)
        if l3mdev.master_of(ifa.dev) is not master:
            continue
        if not flags & banned and (dev is None or ifa.dev is dev or anywhere):
            return True
    return False


def _loops(wanted: Wanted6, dev: Device | None) -> bool:
    """fib6_is_reject(): a true route through a loopback device would be a loop."""
    return (
        dev is not None
        and bool(dev.flags & IFF_LOOPBACK)
        and not wanted.local
        and not ip6.classify(wanted.dst)[0] & AddrType.LOOPBACK
    )


def _lead(net: Net, route: Route6, wanted: Wanted6, dev: Device | None) -> None:
    """fib6_nh_init(), of a route that leads somewhere."""
    if wanted.gateway is not None:
        dev = _check_gateway(net, wanted, wanted.gateway, dev)
        route.gateway = wanted.gateway
    if dev is None:
        raise Refusal(ENODEV)
    if dev.ip6 is None or dev.ip6.conf[Ipv6Devconf.DISABLE_IPV6]:
        raise Refusal(EACCES, "IPv6 is disabled on nexthop device")
    if not dev.up and not wanted.may_be_down:
        raise Refusal(ENETDOWN, "Nexthop device is not up")
    if not wanted.local and not dev.carrier:
        route.flags |= LINKDOWN
    if isinstance(wanted.tunnel, Refusal):
        raise wanted.tunnel
    route.dev, route.tunnel = dev, wanted.tunnel


def _check_gateway(net: Net, wanted: Wanted6, gateway: int, dev: Device | None) -> Device:
    """ip6_validate_gw(): the device through which one gets to the gateway."""
    kind = ip6.classify(gateway)[0]
    link_local = bool(kind & AddrType.LINKLOCAL)
    asked = dev
    if asked is not None and _is_ours(net, gateway, asked, link_local):
        raise Refusal(EINVAL, "Gateway can not be a local address")
    if kind != AddrType.LINKLOCAL | AddrType.UNICAST:
        if not kind & (AddrType.UNICAST | AddrType.MAPPED):
            raise Refusal(EINVAL, "Invalid gateway address")
        if wanted.flags & ONLINK:
            _check_onlink(net, gateway, asked)
        else:
            dev = _way_to(net, wanted, gateway, asked)
    if dev is None:
        raise Refusal(EINVAL, "Egress device not specified")
    if dev.flags & IFF_LOOPBACK:
        raise Refusal(EINVAL, "Egress device can not be loopback device for this route")
    if asked is None and _is_ours(net, gateway, dev, link_local):
        raise Refusal(EINVAL, "Gateway can not be a local address")
    return dev


def _is_ours(net: Net, gateway: int, dev: Device, link_local: bool) -> bool:
    """Whether a gateway is an address of the device's domain, or of the device."""
    master = l3mdev.master_of(dev)
    return any(
        l3mdev.master_of(other) is master and (other is dev or not link_local)
        for other in ip6.of(net).addresses.get(gateway, {})
    )


def _way_to(net: Net, wanted: Wanted6, gateway: int, dev: Device | None) -> Device | None:
    """ip6_route_check_nh(): a gateway must be on a link, by the table that the route is for, or by the rules."""
    oif = 0 if dev is None else dev.ifindex
    table = ip6.of(net).fib.table(wanted.table) if wanted.table else None
    if table is not None:
        route = look_up(net, table, Flow(gateway, wanted.prefsrc, oif=oif), iface=True)
        if _on_link(route) and dev in (None, route.dev):
            return route.dev
    route = lookup(net, Flow(gateway, oif=oif), iface=True)
    if not _on_link(route) or dev not in (None, route.dev):
        raise Refusal(EHOSTUNREACH)
    return route.dev


def _on_link(route: Route6 | None) -> TypeGuard[Route6]:
    return route is not None and not route.reject and not route.gateway


def _check_onlink(net: Net, gateway: int, dev: Device | None) -> None:
    """ip6_route_check_nh_onlink(): what is said to be on the link must not be one of our addresses, or of a group."""
    number = MAIN if dev is None else l3mdev.table_of(dev) or MAIN
    table = ip6.of(net).fib.table(number) or ip6.of(net).fib.main
    route = look_up(net, table, Flow(gateway, oif=0 if dev is None else dev.ifindex))
    if route is not None and not route.reject and route.type != UNICAST:
        raise Refusal(EINVAL, "Nexthop has invalid gateway")


# -- coming -----------------------------------------------------------------------------------


def insert(
    net: Net, route: Route6, nlflags: int | None = None, origin: Origin | None = None, *, quiet: bool = False
) -> None:
    """fib6_add(): the route is there, and announced. EEXIST, ENOENT with a text. nlflags: those of the request, None
    where there is none; quiet: whoever asked will announce it."""
    fib = ip6.of(net).fib
    node, table = fib.node_of(route), fib.new_table(route.table)
    asked = nlflags or 0
    add = nlflags is None or bool(asked & CREATE)
    told = EXCL | asked & APPEND
    place = route.dst, route.length, route.src, route.src_length
    if node is None and not add and asked & REPLACE and not table.branches(*place):
        raise Refusal(ENOENT, "Can not replace route - no match found")
    if node is not None and (alike := node.alike(route.metric)):
        if asked & EXCL:
            raise Refusal(EEXIST)
        told &= ~EXCL
        if asked & REPLACE:
            old = next((other for other in alike if other.shares == route.shares), next(iter(alike)))
            _replace(net, node, old, route)
            if not quiet:
                tell(net, RTM.NEWROUTE, route, REPLACE, origin)
            return
        known = node.same(route.metric, route.hop)
        if known is not None:
            if known.expires is not None:
                known.expires = route.expires
            raise Refusal(EEXIST)
    elif asked & REPLACE and not add:
        raise Refusal(ENOENT)
    if node is None or route.metric < node.first().metric:
        fib_chain.check6(net, route)
    fib.insert(route)
    _take_over(net, route)
    if not quiet:
        tell(net, RTM.NEWROUTE, route, told | CREATE, origin)


def _replace(net: Net, node: Node6, old: Route6, route: Route6) -> None:
    """NLM_F_REPLACE: the new route takes the place of the old one, and of all that share the load with that."""
    fib = ip6.of(net).fib
    if node.first() is old:
        fib_chain.check6(net, route)
    _, *others = node.siblings(old)
    fib.replace(old, route)
    for other in others:
        fib.remove(other)
    _take_over(net, route)


def _take_over(net: Net, route: Route6) -> None:
    """ip6_route_mpath_should_notify(): a netdevsim device hears of a route that is the first of its prefix, or shares
    the load with it."""
    node = ip6.of(net).fib.node_of(route)
    assert node is not None
    if route in node.siblings(node.first()):
        fib_chain.changed6(net, route)


def add(net: Net, wanted: Wanted6, origin: Origin | None = None) -> None:
    """ip6_route_add(): EEXIST, ENOENT, and what is wrong with it."""
    insert(net, create(net, wanted), wanted.nlflags, origin)


def tell(net: Net, event: int, route: Route6, nlflags: int, origin: Origin | None = None) -> None:
    """inet6_rt_notify()."""
    net.kernel.announcer.route6(net, event, route, nlflags=nlflags, origin=origin)


# -- going ------------------------------------------------------------------------------------


def remove(net: Net, route: Route6, origin: Origin | None = None, *, quiet: bool = False) -> None:
    """ip6_del_rt(): ENOENT when it is not there. quiet: nobody is told."""
    if not route.linked:
        raise Refusal(ENOENT)
    fib = ip6.of(net).fib
    node = fib.node_of(route)
    first = node is not None and node.siblings(node.first()) == (route,)
    fib.remove(route)
    route.expires = None
    if first:
        fib_chain.changed6(net, route)
    if not quiet:
        tell(net, RTM.DELROUTE, route, 0, origin)


def delete(net: Net, wanted: Wanted6, origin: Origin | None = None, *, whole: bool = True) -> None:
    """ip6_route_del(): the first route that fits is gone, and announced; with it those that share its load, if it is
    meant as a whole and no gateway is named. ESRCH. Of a route that was made on the way (RTF_CACHE) there is none."""
    fib, node = ip6.of(net).fib, None
    table = fib.table(wanted.table)
    if table is None:
        raise Refusal(ESRCH, "FIB table does not exist")
    if wanted.length <= 128 and wanted.src_length <= 128:
        dst, src = ip6.prefix_of(wanted.dst, wanted.length), ip6.prefix_of(wanted.src, wanted.src_length)
        node = table.locate(dst, wanted.length, src, wanted.src_length)
    if wanted.cached:
        if node is None and 0 < wanted.length <= 128 and table.branches(wanted.dst, wanted.length):
            raise Refusal(ESRCH)
        return
    for route in node or ():
        if route.nh is not None:
            if (
                wanted.nh_id in (0, route.nh.id)
                and wanted.metric in (0, route.metric)
                and wanted.protocol in (0, route.protocol)
            ):
                remove(net, route, origin)
                return
            continue
        if (
            not wanted.nh_id
            and (not wanted.ifindex or (route.dev is not None and route.dev.ifindex == wanted.ifindex))
            and (wanted.gateway is None or route.gateway == wanted.gateway)
            and wanted.metric in (0, route.metric)
            and wanted.protocol in (0, route.protocol)
        ):
            assert node is not None
            siblings = node.siblings(route)
            if len(siblings) > 1 and whole and wanted.gateway is None:
                tell(net, RTM.DELROUTE, route, 0, origin)
                first = node.first() is route
                for one in siblings:
                    fib.remove(one)
                if first:
                    fib_chain.changed6(net, route)
            else:
                remove(net, route, origin)
            return
    raise Refusal(ENOENT if node is None and _means_nothing(net, wanted) else ESRCH)


def _means_nothing(net: Net, wanted: Wanted6) -> bool:
    """Whether what is to go is the entry at the root that stands for no route (fib6_null_entry). It cannot go."""
    return (
        wanted.length == 0
        and wanted.ifindex in (0, net.loopback.ifindex)
        and wanted.gateway in (None, 0)
        and wanted.metric in (0, NO_METRIC)
        and wanted.protocol in (0, KERNEL)
    )


# -- for addresses and devices ----------------------------------------------------------------


def local_route(dev: Device, address: int) -> Route6:
    """addrconf_f6i_alloc(): the route to one of our addresses, not in the tree yet."""
    wanted = Wanted6(
        address, 128, type=LOCAL, ifindex=dev.ifindex, local=True, may_be_down=True,
        table=l3mdev.table_of(dev) or LOCAL_TABLE,
    )
    return create(dev.net, wanted)


def anycast_route(dev: Device, address: int) -> Route6:
    """addrconf_f6i_alloc() of an anycast address, not in the tree yet."""
    wanted = Wanted6(
        address, 128, type=ANYCAST, ifindex=dev.ifindex, local=True, may_be_down=True,
        table=l3mdev.table_of(dev) or LOCAL_TABLE,
    )
    return create(dev.net, wanted)


def _try_add(net: Net, wanted: Wanted6) -> None:
    try:
        add(net, wanted)
    except Refusal:
        return  # it is there already, or the device is down


def add_prefix(dev: Device, address: int, length: int, metric: int = 0, expires: int | None = None) -> None:
    """addrconf_prefix_route()."""
    wanted = Wanted6(
        address, length, metric=metric or PRIO_ADDRCONF, ifindex=dev.ifindex, expires=expires,
        table=l3mdev.table_of(dev) or MAIN,
    )
    _try_add(dev.net, wanted)


def prefix_route(dev: Device, address: int, length: int) -> Route6 | None:
    """addrconf_get_prefix_route(): the route through the device to that prefix."""
    table = ip6.of(dev.net).fib.table(l3mdev.table_of(dev) or MAIN)
    node = None if table is None else table.node(ip6.prefix_of(address, length), length)
    return None if node is None else node.through(dev, 0)


def add_multicast(dev: Device) -> None:
    """addrconf_add_mroute(), where addrconf_add_dev() has one: the master of a domain speaks to no link."""
    if l3mdev.is_master(dev):
        return
    wanted = Wanted6(
        ip6.MULTICAST, 8, metric=PRIO_ADDRCONF, type=MULTICAST, ifindex=dev.ifindex,
        table=l3mdev.table_of(dev) or LOCAL_TABLE,
    )
    _try_add(dev.net, wanted)


def sync_down(dev: Device, event: NetdevEvent) -> None:
    """rt6_sync_down_dev(): routes through a device that goes down are gone; without a carrier, marked."""
    net = dev.net
    for node, routes in ip6.of(net).fib.nodes_on(dev):
        if event == NetdevEvent.DOWN and any(route.shares for route in routes):
            _sync_shared(net, node, dev)
            continue
        for route in routes:
            if event != NetdevEvent.CHANGE:
                remove(net, route)
            elif not route.local:
                route.flags |= LINKDOWN


def _sync_shared(net: Net, node: Node6, dev: Device) -> None:
    """fib6_ifdown() of a prefix where routes share the load: they go together, when the last of them is dead. What
    stands between the first and the last of them in the list is passed over."""
    listed, at = list(node), 0
    going: set[Route6] = set()
    while at < len(listed):
        route = listed[at]
        at += 1
        siblings = node.siblings(route)
        if len(siblings) == 1 or route in going:
            if (route.dev is dev and route.nh is None) or route in going:
                remove(net, route)
            continue
        if any(one.dev is dev for one in siblings):
            if all(one.dev is dev or one.flags & DEAD for one in siblings):
                going.update(siblings)
                remove(net, route)
                continue
            for one in siblings:
                if one.dev is dev:
                    one.flags |= DEAD | LINKDOWN
        at = listed.index(siblings[-1]) + 1


def sync_up(dev: Device, state: int) -> None:
    """rt6_sync_up()."""
    if state & DEAD and dev.carrier:
        state |= LINKDOWN
    for route in ip6.of(dev.net).fib.on(dev):
        route.flags &= ~state


def forget_source(net: Net, address: int) -> None:
    """rt6_remove_prefsrc(): no route prefers an address that nobody has."""
    if ip6.find(net, address) is None:
        ip6.of(net).fib.lose_source(address)
