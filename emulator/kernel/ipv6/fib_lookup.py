"""Which route of IPv6 leads to an address: fib6_table_lookup(), rt6_select() of net/ipv6/route.c.

The longest prefix decides, then the metric. Of routes of one metric the best is taken: one through the device that is
asked for before any other, and, where a packet is to be sent, one whose gateway has been met before one whose gateway
nobody has tried. If none has been tried they take turns; one whose gateway did not answer is no route.

A kernel that is built with router preferences (CONFIG_IPV6_ROUTER_PREF) asks for these before anything but the device,
and takes a gateway that nobody has tried for one that will answer.

Which tables are looked through, the rules say (fib6_rules.c); until there are others than those from the start, the
table of local addresses and then the main one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import l3mdev
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.inet.rules import table_of
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.fib import PREF_MEDIUM
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.neighbour import NUD
from nlemu.protocol.uapi.rtnetlink import RTNH_F

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.inet.nexthop import Way
    from nlemu.emulator.kernel.inet.rules import Flow, Rule
    from nlemu.emulator.kernel.ipv6.fib import Node6, Route6, Table6

DEAD = int(RTNH_F.DEAD)
VALID = int(NUD.PERMANENT | NUD.NOARP | NUD.REACHABLE | NUD.PROBE | NUD.STALE | NUD.DELAY)
FAILED = int(NUD.FAILED)
FITS, DOES, UNTRIED, NONE = 2, 0, -1, -3
"""Scores: through the device that is asked for; through another; RT6_NUD_FAIL_DO_RR; RT6_NUD_FAIL_HARD, or _PROBE."""
LOW, HIGH = 3, 1
"""ICMPV6_ROUTER_PREF_*"""
PREFERENCES = {LOW: 0, PREF_MEDIUM: 4, HIGH: 8}
"""IPV6_DECODE_PREF(), where it stands in a score."""


def tables(net: Net, flow: Flow) -> Iterator[tuple[Table6, Rule | None]]:
    """fib6_rule_lookup(), fib6_lookup(): the tables that are looked through, one after the other, each with the rule
    that led there if rules were asked. Refusal: a rule leads nowhere."""
    state = ip6.of(net)
    if not state.rules.changed:
        yield state.fib.local, None
        if state.fib.several:
            yield state.fib.main, None
        return
    l3mdev.update_flow(net, flow)
    for rule in state.rules.chosen(net, flow):
        number = table_of(net, rule, flow)
        table = state.fib.table(number) if number else None
        if table is not None:
            yield table, rule


def lookup(net: Net, flow: Flow, *, iface: bool = False) -> Route6 | None:
    """fib6_lookup(): the route to an address, None if there is none."""
    try:
        for table, _ in tables(net, flow):
            route = look_up(net, table, flow, iface=iface)
            if route is not None:
                return route
    except Refusal:
        pass  # a rule that leads nowhere
    return None


def look_up(
    net: Net, table: Table6, flow: Flow, *, by: int | None = None, iface: bool = False, reachable: bool = False
) -> Route6 | None:
    """fib6_table_lookup(): the route to an address in one table, None if there is none. by: another device than
    flow.oif is asked for; iface: it must lead through the device that is asked for (RT6_LOOKUP_F_IFACE); reachable:
    gateways should have been met (RT6_LOOKUP_F_REACHABLE), unless then there is no route at all."""
    nodes = list(table.covering(flow.dst, flow.src))
    oif = flow.oif if by is None else by
    for met in (True, False) if reachable else (False,):
        for node in nodes:
            route = _select(net, node, oif, iface, met)
            if route is not None:
                return route
    return None


def _select(net: Net, node: Node6, oif: int, iface: bool, met: bool) -> Route6 | None:
    """rt6_select() and find_rr_leaf(): first those of the metric whose turn it is, then all others."""
    begin = node.turn or node.first()
    alike = list(node.alike(begin.metric))
    at = alike.index(begin)
    found, untried = _best(net, (*alike[at:], *alike[:at]), oif, iface, met)
    if untried:
        following = alike[at + 1] if at + 1 < len(alike) else node.first()
        if following is not begin:
            node.turn = following
    if found is None:
        others = [route for route in node if route.metric > begin.metric]
        found, _ = _best(net, others, oif, iface, met)
    return found if found is None or found.nh is None else found.by(_way(net, found, oif, iface, met))


def _best(
    net: Net, routes: Iterable[Route6], oif: int, iface: bool, met: bool
) -> tuple[Route6 | None, bool]:
    """__find_rr_leaf(): the first of the highest score, and whether it is one that nobody has tried."""
    best: Route6 | None = None
    highest, untried = -1, False
    now = net.kernel.clock.now
    for route in routes:
        if route.flags & DEAD or (route.expires is not None and route.expires < now):
            continue
        if route.nh is not None:
            if route.nh.blackhole:
                return route, False
            score = max(_score(net, route.by(way), oif, iface, met) for way, _ in route.nh.leaves)
        else:
            score = _score(net, route, oif, iface, met)
        if score != NONE and max(score, 0) > highest:
            best, highest, untried = route, max(score, 0), score == UNTRIED
    return best, untried


def _way(net: Net, route: Route6, oif: int, iface: bool, met: bool) -> Way:
    """fib6_select_path(): the way of a next hop object that a packet takes. Among several Linux chooses by a hash; here
    it is the first of the highest score."""
    assert route.nh is not None
    ways = [way for way, _ in route.nh.leaves]
    return max(ways, key=lambda way: _score(net, route.by(way), oif, iface, met))


def _score(net: Net, route: Route6, oif: int, iface: bool, met: bool) -> int:
    """rt6_score_route() and rt6_check_neigh()."""
    by_preference = net.kernel.build.has("IPV6_ROUTER_PREF")
    fits = not oif or (route.dev is not None and route.dev.ifindex == oif)
    if not fits and iface:
        return NONE
    if met and not route.reject and route.gateway and route.dev is not None:
        entry = neighbour.of(net).find(route.dev, ip6.AF_INET6, route.gateway)
        if entry is None and not by_preference:
            return UNTRIED
        if entry is not None and not entry.state & VALID and (entry.state & FAILED or not by_preference):
            return NONE
    return (FITS if fits else DOES) | (PREFERENCES[route.pref] if by_preference else 0)
