"""Which route of IPv6 leads to an address: fib6_table_lookup(), rt6_select() of net/ipv6/route.c.

The longest prefix decides, then the metric. Of routes of one metric the best is taken: one through the device that is
asked for before any other, and, where a packet is to be sent, one whose gateway has been met before one whose gateway
nobody has tried. If none has been tried they take turns; one whose gateway did not answer is no route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.protocol.uapi.neighbour import NUD
from nlemu.protocol.uapi.rtnetlink import RTNH_F

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv6.fib import Node6, Route6

DEAD = int(RTNH_F.DEAD)
VALID = int(NUD.PERMANENT | NUD.NOARP | NUD.REACHABLE | NUD.PROBE | NUD.STALE | NUD.DELAY)
FITS, DOES, UNTRIED, NONE = 2, 0, -1, -3
"""Scores: through the device that is asked for; through another; RT6_NUD_FAIL_DO_RR; RT6_NUD_FAIL_HARD."""


def lookup(
    net: Net, address: int, oif: int = 0, *, iface: bool = False, reachable: bool = False
) -> Route6 | None:
    """fib6_table_lookup(): the route to an address, None if there is none. oif: the index of the device that it is to
    lead through; iface: or it is none (RT6_LOOKUP_F_IFACE); reachable: gateways should have been met
    (RT6_LOOKUP_F_REACHABLE), unless then there is no route at all."""
    nodes = list(ip6.of(net).fib.covering(address))
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
    return found


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
        score = _score(net, route, oif, iface, met)
        if score != NONE and max(score, 0) > highest:
            best, highest, untried = route, max(score, 0), score == UNTRIED
    return best, untried


def _score(net: Net, route: Route6, oif: int, iface: bool, met: bool) -> int:
    """rt6_score_route() and rt6_check_neigh(), without router preferences, which the recorded kernel does not use."""
    fits = not oif or (route.dev is not None and route.dev.ifindex == oif)
    if not fits and iface:
        return NONE
    if met and not route.reject and route.gateway and route.dev is not None:
        entry = neighbour.of(net).find(route.dev, ip6.AF_INET6, route.gateway)
        if entry is None:
            return UNTRIED
        if not entry.state & VALID:
            return NONE
    return FITS if fits else DOES
