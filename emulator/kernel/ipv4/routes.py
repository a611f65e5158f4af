"""Routes of IPv4 come and go: fib_table_insert(), fib_table_delete() of net/ipv4/fib_trie.c, and the checks of
fib_create_info() in net/ipv4/fib_semantics.c.

Everything about a new route is checked before anything changes, in the order in which the kernel finds fault. A way
through a gateway is looked up, and must end on a link.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from errno import EEXIST, EINVAL, ENETDOWN, ENETUNREACH, ENODEV, ENOENT, ESRCH
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet import fib_chain, nexthop
from nlemu.emulator.kernel.inet.rules import Flow, suppressed, table_of
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.fib import Found, Route4, look_up
from nlemu.emulator.kernel.ipv4.fib_info import (
    DEAD,
    ERRORS,
    LINKDOWN,
    SCOPES,
    Gateway,
    Info4,
    Metrics,
    Nexthop4,
)
from nlemu.emulator.kernel.ipv4.fib_info import check_nexthop as check_object
from nlemu.emulator.kernel.ipv6 import routes
from nlemu.emulator.kernel.ipv6.routes import Wanted6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE, RT_TABLE, RTM, RTN, RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.kernel.inet.rules import Rule
    from nlemu.emulator.kernel.ipv4.fib import Fib4, Table4

CREATE, EXCL, REPLACE, APPEND = int(NLM_F.CREATE), int(NLM_F.EXCL), int(NLM_F.REPLACE), int(NLM_F.APPEND)
ONLINK, PERVASIVE = int(RTNH_F.ONLINK), int(RTNH_F.PERVASIVE)
UNIVERSE, LINK, HOST, NOWHERE = (
    int(RT_SCOPE.UNIVERSE), int(RT_SCOPE.LINK), int(RT_SCOPE.HOST), int(RT_SCOPE.NOWHERE)
)
MAIN, LOCAL_TABLE, DEFAULT_TABLE = int(RT_TABLE.MAIN), int(RT_TABLE.LOCAL), int(RT_TABLE.DEFAULT)
UNICAST, LOCAL, BROADCAST, MULTICAST = int(RTN.UNICAST), int(RTN.LOCAL), int(RTN.BROADCAST), int(RTN.MULTICAST)
REAL = (UNICAST, LOCAL, BROADCAST, int(RTN.ANYCAST), MULTICAST)
"""Types of routes that lead somewhere."""


@dataclass(slots=True)
class Hop:
    """One of several next hops that are asked for (struct rtnexthop and its attributes). gateway: that of address 0 is
    none, but has to be met where a route is to go."""

    oif: int = 0
    gateway: Gateway | None = None
    flags: int = 0
    weight: int = 1
    tunnel: Tunnel | Refusal | None = None
    realm: int = 0


Hops = tuple[Hop | Refusal, ...]
"""Next hops, and in the place of some what is wrong with them: that is said when it is their turn."""


@dataclass(slots=True)
class Wanted4:
    """struct fib_config: a route that is to come, or to go. nlflags: NLM_F_CREATE, EXCL, REPLACE, APPEND; tunnel: or
    what is wrong with it; nh_id: of a next hop object, in the place of all that; realm: of the way, where the kernel
    keeps realms (CONFIG_IP_ROUTE_CLASSID); remark: what is said of it when it goes, though it is not refused for
    that."""

    dst: int = 0
    length: int = 0
    tos: int = 0
    table: int = MAIN
    protocol: int = 0
    scope: int = UNIVERSE
    type: int = UNICAST
    flags: int = 0
    oif: int = 0
    gateway: Gateway | None = None
    priority: int = 0
    prefsrc: int = 0
    metrics: Metrics | Refusal = ()
    hops: Hops | Refusal = ()
    tunnel: Tunnel | Refusal | None = None
    realm: int = 0
    nh_id: int = 0
    nlflags: int = CREATE
    remark: Refusal | None = None


# -- looking up -------------------------------------------------------------------------------


def lookup(net: Net, flow: Flow, scope: int = 0) -> Found:
    """fib_lookup(): by the rules, table after table. Refusal: ENETUNREACH, or what a rule or the type of a route stands
    for. What domain the packet is in stands in the flow afterwards."""
    return lookup_by(net, flow, scope)[0]


def lookup_by(net: Net, flow: Flow, scope: int = 0) -> tuple[Found, Rule | None]:
    """The same, and the rule that led there, if rules were asked."""
    state = ip4.of(net)
    if not state.fib.split:
        return _lookup_plainly(state.fib, flow, scope), None
    l3mdev.update_flow(net, flow)
    for rule in state.rules.chosen(net, flow):
        found = _through(state.fib.searched(table_of(net, rule, flow)), flow, scope)
        if isinstance(found, Refusal):
            raise found
        if found is not None:
            dev = found.nexthop.dev
            if not suppressed(rule, found.route.length, None if dev is None else dev.group):
                return found, rule
    raise Refusal(ENETUNREACH)


def _lookup_plainly(fib: Fib4, flow: Flow, scope: int) -> Found:
    """fib_lookup() while nobody has changed a rule: the main table and the local one as one, then the default one."""
    refused: Refusal | None = None
    for tables in (fib.searched(MAIN), fib.searched(DEFAULT_TABLE)):
        found = _through(tables, flow, scope) if tables else refused
        if isinstance(found, Found):
            return found
        refused = found
    raise refused or Refusal(ENETUNREACH)


def _through(tables: list[Table4], flow: Flow, scope: int) -> Found | Refusal | None:
    """What one look into tables gives; a route of the type "throw" is none."""
    try:
        return look_up(tables, flow.dst, tos=flow.tos, scope=scope, oif=flow.oif)
    except Refusal as refused:
        return None if refused.errno == ERRORS[RTN.THROW] else refused


def address_type(net: Net, address: int, table: int = LOCAL_TABLE) -> int:
    """inet_addr_type_table(): what an address is here. Where nothing has been routed yet all are broadcast."""
    if ip4.is_zeronet(address) or address == ip4.BROADCAST:
        return BROADCAST
    if ip4.is_multicast(address):
        return MULTICAST
    if ip4.of(net).fib.table(table) is None:
        return BROADCAST
    found = _through(ip4.of(net).fib.searched(table), Flow(address), 0)
    return found.route.type if isinstance(found, Found) else UNICAST


# -- what a route has to be -------------------------------------------------------------------


def create_info(net: Net, wanted: Wanted4) -> Info4:
    """fib_create_info(): the way that is asked for, checked, with its devices. EINVAL, ENODEV, ENETDOWN, ENETUNREACH,
    with texts."""
    if SCOPES.get(wanted.type, UNIVERSE) > wanted.scope:
        raise Refusal(EINVAL, "Invalid scope")
    if wanted.flags & (DEAD | LINKDOWN):
        raise Refusal(EINVAL, "Invalid rtm_flags - can not contain DEAD or LINKDOWN")
    nh = None
    if wanted.nh_id:
        nh = nexthop.of(net).find(wanted.nh_id)
        if nh is None:
            raise Refusal(EINVAL, "Nexthop id does not exist")
    hops = wanted.hops
    if isinstance(hops, Refusal):
        raise hops
    if isinstance(wanted.metrics, Refusal):
        raise wanted.metrics
    nexthops = [_nexthop(hop) for hop in hops]
    if nh is not None:
        nexthops = []
    elif nexthops:
        _check_first(nexthops[0], wanted)
    else:
        alone = Hop(wanted.oif, wanted.gateway, wanted.flags, tunnel=wanted.tunnel, realm=wanted.realm)
        nexthops = [_nexthop(alone)]
    info = Info4(
        wanted.table, wanted.protocol, wanted.scope, wanted.type, wanted.priority, wanted.prefsrc, nexthops,
        wanted.metrics, wanted.flags, nh,
    )
    if nh is not None:
        info.follow()
    if wanted.type in ERRORS:
        if wanted.gateway is not None or wanted.oif or hops:
            raise Refusal(EINVAL, "Gateway, device and multipath can not be specified for this route type")
        return ip4.of(net).fib.infos.share(info)
    if wanted.type not in REAL:
        raise Refusal(EINVAL, "Invalid route type")
    if wanted.scope > HOST:
        raise Refusal(EINVAL, "Invalid scope")
    if nh is not None:
        check_object(nh, wanted.scope)
    elif wanted.scope == HOST:
        _check_host(net, nexthops)
    else:
        for hop in nexthops:
            check_nexthop(net, hop, wanted)
        if all(hop.flags & LINKDOWN for hop in nexthops):
            info.flags |= LINKDOWN
    if info.prefsrc and not _valid_prefsrc(net, wanted):
        raise Refusal(EINVAL, "Invalid prefsrc address")
    return ip4.of(net).fib.infos.share(info)


def _nexthop(hop: Hop | Refusal) -> Nexthop4:
    """fib_nh_init(): what is wrong with a tunnel."""
    if isinstance(hop, Refusal):
        raise hop
    if isinstance(hop.tunnel, Refusal):
        raise hop.tunnel
    gateway = hop.gateway if hop.gateway is not None and hop.gateway.address else None
    return Nexthop4(
        hop.oif, gateway, hop.flags & 0xFF, weight=hop.weight, realm=hop.realm, tunnel=hop.tunnel
    )


def _check_first(first: Nexthop4, wanted: Wanted4) -> None:
    """The end of fib_get_nhs(): what the route says of a way, the first of several has to say as well."""
    if wanted.oif not in (0, first.oif):
        raise Refusal(EINVAL, "Nexthop device index does not match RTA_OIF")
    if wanted.gateway is not None and wanted.gateway != first.gateway:
        raise Refusal(EINVAL, "Nexthop gateway does not match RTA_GATEWAY or RTA_VIA")
    if wanted.realm not in (0, first.realm):
        raise Refusal(EINVAL, "Nexthop class id does not match RTA_FLOW")


def _check_host(net: Net, nexthops: list[Nexthop4]) -> None:
    """The route of a local address."""
    if len(nexthops) > 1:
        raise Refusal(EINVAL, "Route with host scope can not have multiple nexthops")
    nexthop = nexthops[0]
    if nexthop.gateway:
        raise Refusal(EINVAL, "Route with host scope can not have a gateway")
    nexthop.scope = NOWHERE
    nexthop.dev = net.device(nexthop.oif)
    if nexthop.dev is None:
        raise Refusal(ENODEV)


def check_nexthop(net: Net, nexthop: Nexthop4, wanted: Wanted4) -> None:
    """fib_check_nh()."""
    gateway = nexthop.gateway
    if gateway is None:
        _check_device(net, nexthop)
    elif gateway.family != ip4.AF_INET:
        _check_gateway6(net, nexthop, gateway.address)
        return
    elif nexthop.flags & ONLINK:
        _check_onlink(net, nexthop, gateway.address, wanted.scope)
    else:
        _check_gateway(net, nexthop, gateway.address, wanted)
    assert nexthop.dev is not None
    if not nexthop.dev.carrier:
        nexthop.flags |= LINKDOWN


def _check_device(net: Net, nexthop: Nexthop4) -> None:
    """fib_check_nh_nongw()."""
    if nexthop.flags & (PERVASIVE | ONLINK):
        raise Refusal(EINVAL, "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set")
    dev = net.device(nexthop.oif)
    if dev is None or dev.ip4 is None:
        raise Refusal(ENODEV)
    if not dev.up:
        raise Refusal(ENETDOWN, "Device for nexthop is not up")
    nexthop.dev, nexthop.scope = dev, HOST


def _check_onlink(net: Net, nexthop: Nexthop4, gateway: int, scope: int) -> None:
    """fib_check_nh_v4_gw() of a gateway that is said to be on the link."""
    if scope >= LINK:
        raise Refusal(EINVAL, "Nexthop has invalid scope")
    dev = net.device(nexthop.oif)
    if dev is None:
        raise Refusal(ENODEV, "Nexthop device required for onlink")
    if not dev.up:
        raise Refusal(ENETDOWN, "Nexthop device is not up")
    if address_type(net, gateway, l3mdev.table_of(dev) or LOCAL_TABLE) != UNICAST:
        raise Refusal(EINVAL, "Nexthop has invalid gateway")
    nexthop.dev, nexthop.scope = dev, LINK


def _check_gateway6(net: Net, nexthop: Nexthop4, gateway: int) -> None:
    """fib_check_nh_v6_gw(): a gateway of IPv6 is what IPv6 would take for one."""
    asked = Wanted6(ifindex=nexthop.oif, gateway=gateway, flags=nexthop.flags & ONLINK)
    nexthop.dev = routes.create(net, asked).dev
    assert nexthop.dev is not None
    nexthop.oif, nexthop.scope = nexthop.dev.ifindex, LINK


def _check_gateway(net: Net, nexthop: Nexthop4, gateway: int, wanted: Wanted4) -> None:
    """fib_check_nh_v4_gw(): how does one get to the gateway?"""
    scope = max(wanted.scope + 1, LINK)
    flow = Flow(gateway, oif=nexthop.oif)
    found = None if wanted.table == MAIN else _through(ip4.of(net).fib.searched(wanted.table), flow, scope)
    if not isinstance(found, Found):
        try:
            found = lookup(net, flow, scope)
        except Refusal as refused:
            raise Refusal(refused.errno, "Nexthop has invalid gateway") from refused
    if found.route.type not in (UNICAST, LOCAL):
        raise Refusal(EINVAL, "Nexthop has invalid gateway")
    dev = found.nexthop.dev
    if dev is None:
        raise Refusal(EINVAL, "No egress device for nexthop gateway")
    nexthop.scope, nexthop.oif, nexthop.dev = found.route.info.scope, dev.ifindex, dev
    if not dev.up:
        raise Refusal(ENETDOWN)


def _valid_prefsrc(net: Net, wanted: Wanted4) -> bool:
    """fib_valid_prefsrc(): a source address has to be one of ours, or the very one that the route makes ours."""
    if wanted.type == LOCAL and wanted.dst and wanted.prefsrc == wanted.dst:
        return True
    tables = (LOCAL_TABLE,) if wanted.table in (MAIN, LOCAL_TABLE) else (wanted.table, LOCAL_TABLE)
    return any(address_type(net, wanted.prefsrc, table=table) == LOCAL for table in tables)


# -- coming and going -------------------------------------------------------------------------


def check_prefix(dst: int, length: int) -> None:
    """fib_valid_key_len(): EINVAL."""
    if length > 32:
        raise Refusal(EINVAL, "Invalid prefix length")
    if length < 32 and dst << length & ip4.BROADCAST:
        raise Refusal(EINVAL, "Invalid prefix for given prefix length")


def insert(net: Net, wanted: Wanted4, origin: Origin | None = None) -> None:
    """fib_table_insert(): the route is there, and announced. EEXIST, ENOENT, and what is wrong with it."""
    state = ip4.of(net)
    table = state.fib.new_table(wanted.table)
    info = create_info(net, wanted)
    route = Route4(wanted.table, wanted.dst, wanted.length, wanted.tos, wanted.type, info)
    there = table.of(wanted.dst, wanted.length)
    alike = [other for other in there if other.tos == wanted.tos and other.info.priority == info.priority]
    nlflags = EXCL
    before: Route4 | None = None
    if alike:
        if wanted.nlflags & EXCL:
            raise Refusal(EEXIST)
        nlflags = 0
        match = next((other for other in alike if other.type == wanted.type and other.info is info), None)
        if wanted.nlflags & REPLACE:
            _replace(net, table, alike[0], route, match, origin)
            return
        if match is not None:
            raise Refusal(EEXIST)
        if wanted.nlflags & APPEND:
            nlflags |= APPEND
        else:
            before = alike[0]
    if not wanted.nlflags & CREATE:
        raise Refusal(ENOENT)
    _check_as_first(net, there, route, before)
    state.fib.infos.hold(info, route)
    table.insert(route, before)
    _take_over(net, table, route)
    _tell(net, RTM.NEWROUTE, route, nlflags | CREATE, origin)


def _replace(
    net: Net, table: Table4, first: Route4, route: Route4, match: Route4 | None, origin: Origin | None
) -> None:
    """NLM_F_REPLACE: the new route takes the place of the first one like it, unless it is that one."""
    if match is first:
        return
    if match is not None:
        raise Refusal(EEXIST)
    _check_as_first(net, table.of(route.dst, route.length), route, first)
    infos = ip4.of(net).fib.infos
    infos.hold(route.info, route)
    table.replace(first, route)
    _take_over(net, table, route)
    infos.release(first.info, first)
    _tell(net, RTM.NEWROUTE, route, REPLACE, origin)


def delete(net: Net, wanted: Wanted4, origin: Origin | None = None) -> None:
    """fib_table_delete(): the first route that fits is gone, and announced. ESRCH."""
    table = ip4.of(net).fib.table(wanted.table)
    if table is None:
        raise Refusal(ESRCH, "FIB table does not exist")
    for route in table.of(wanted.dst, wanted.length):
        if route.tos == wanted.tos and _fits(route, wanted):
            _tell(net, RTM.DELROUTE, route, 0, origin)
            _drop(net, table, route)
            return
    raise Refusal(ESRCH)


def _fits(route: Route4, wanted: Wanted4) -> bool:
    """Whether a route is one that is meant; what the request leaves at 0 can be anything."""
    info = route.info
    assert not isinstance(wanted.metrics, Refusal)
    return (
        wanted.type in (0, route.type)
        and wanted.scope in (NOWHERE, info.scope)
        and wanted.prefsrc in (0, info.prefsrc)
        and wanted.protocol in (0, info.protocol)
        and wanted.priority in (0, info.priority)
        and _hops_fit(info, wanted)
        and all(dict(info.metrics).get(metric, 0) == value for metric, value in wanted.metrics)
    )


def _hops_fit(info: Info4, wanted: Wanted4) -> bool:
    """fib_nh_match(): if a device or a gateway is named, only the first next hop has to fit."""
    if wanted.nh_id:
        return info.nh is not None and info.nh.id == wanted.nh_id
    if info.nh is not None:
        return not wanted.oif and wanted.gateway is None and wanted.hops == ()
    if wanted.oif or wanted.gateway is not None:
        first = info.nexthops[0]
        if not _tunnel_fits(first, wanted):
            return False
        same = wanted.oif in (0, first.oif) and wanted.gateway in (None, first.gateway)
        return same and wanted.realm in (0, first.realm)
    if wanted.hops == ():
        return True
    if isinstance(wanted.hops, Refusal) or len(wanted.hops) < len(info.nexthops):
        return False
    return all(_hop_fits(hop, nexthop) for hop, nexthop in zip(wanted.hops, info.nexthops, strict=False))


def _tunnel_fits(first: Nexthop4, wanted: Wanted4) -> bool:
    """fib_encap_match(): a tunnel that would be refused fits all, and what is wrong with it is said all the same."""
    if isinstance(wanted.tunnel, Refusal):
        wanted.remark = wanted.tunnel
        return True
    return wanted.tunnel in (None, first.tunnel)


def _hop_fits(hop: Hop | Refusal, nexthop: Nexthop4) -> bool:
    return (
        not isinstance(hop, Refusal)
        and hop.oif in (0, nexthop.oif)
        and hop.gateway in (None, nexthop.gateway)
        and hop.realm in (0, nexthop.realm)
    )


def _check_as_first(net: Net, there: list[Route4], route: Route4, place: Route4 | None) -> None:
    """Listeners may refuse what will be the first route of its prefix. there: those that it has; place: of which route
    it takes the place, or before which it comes; None: behind those like it. Refusal."""
    first = there[0] if there else None
    if first is place or (first is not None and route.rank < first.rank):
        fib_chain.check4(net, route)


def _take_over(net: Net, table: Table4, route: Route4) -> None:
    """Listeners hear of the first route of its prefix."""
    if table.of(route.dst, route.length)[0] is route:
        fib_chain.changed4(net, table, route)


def _drop(net: Net, table: Table4, route: Route4) -> None:
    first = table.of(route.dst, route.length)[0] is route
    table.remove(route)
    if first:
        fib_chain.changed4(net, table, route)
    ip4.of(net).fib.infos.release(route.info, route)


def _tell(net: Net, event: int, route: Route4, nlflags: int, origin: Origin | None) -> None:
    """rtmsg_fib()."""
    ip4.of(net).fib.generation += 1
    net.kernel.announcer.route4(net, event, route, nlflags=nlflags, origin=origin)


def flush(net: Net, infos: Iterable[Info4]) -> None:
    """fib_flush(): the routes that lead the dead one of these ways are gone, without a word; only who lost its source
    address is told of."""
    fib = ip4.of(net).fib
    dying = [route for info in infos if info.flags & DEAD for route in info.routes]
    place = {table.id: at for at, table in enumerate(fib.in_order())}
    dying.sort(key=lambda route: (place[route.table], route.key))
    for route in dying:
        _drop(net, fib.tables[route.table], route)
        if route.info.prefsrc_gone:
            _tell(net, RTM.DELROUTE, route, 0, None)


def tell_again(net: Net, infos: Iterable[Info4], origin: Origin | None) -> None:
    """fib_info_notify_update(): the routes that lead these ways, whose next hop object has been replaced."""
    place = {table.id: at for at, table in enumerate(ip4.of(net).fib.in_order())}
    changed = [route for info in infos for route in info.routes]
    for route in sorted(changed, key=lambda route: (place[route.table], route.key)):
        _tell(net, RTM.NEWROUTE, route, REPLACE, origin)
