"""Routes of IPv6 that share the load: ip6_route_multipath_add(), ip6_route_multipath_del() of net/ipv6/route.c.

Each next hop is a route of its own. They are made one after the other, as if each had been asked for alone, and told of
once; if one is refused those before it go again, each told of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from errno import EEXIST
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6 import routes as ip6_route
from nlemu.emulator.kernel.ipv6.routes import APPEND, CREATE, EXCL, REPLACE, Wanted6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv6.fib import Route6


@dataclass(slots=True)
class Asked:
    """The flags of a request, NLM_F_*. The kernel changes them when the first next hop is there, and whoever asked is
    shown its request with the flags that it has in the end."""

    flags: int


def add(net: Net, hops: Sequence[Wanted6], asked: Asked, origin: Origin | None = None) -> None:
    """ip6_route_multipath_add(): what is wrong with a next hop, EEXIST, ENOENT."""
    replace = asked.flags & REPLACE
    nlflags = (REPLACE if replace else CREATE) | asked.flags & APPEND
    routes: list[Route6] = []
    for wanted in hops:
        route = ip6_route.create(net, wanted)
        if any(other.hop == route.hop for other in routes):
            raise Refusal(EEXIST)
        routes.append(route)
    done: list[Route6] = []
    for route in routes:
        try:
            ip6_route.insert(net, route, asked.flags, origin, quiet=True)
        except Refusal as refused:
            if replace and done:
                refused.text = "ipv6: multipath route replace failed (check consistency of installed routes)"
            _undo(net, hops[: len(done)], done, nlflags, origin)
            raise
        done.append(route)
        asked.flags = asked.flags & ~(EXCL | REPLACE) | CREATE
    _tell(net, done, nlflags, origin)


def _undo(
    net: Net, hops: Sequence[Wanted6], done: Sequence[Route6], nlflags: int, origin: Origin | None
) -> None:
    """Those that are there are told of, so that it makes sense to tell that they go."""
    if done:
        _tell(net, done, nlflags, origin)
    for wanted in hops:
        ip6_route.delete(net, wanted, origin)


def _tell(net: Net, done: Sequence[Route6], nlflags: int, origin: Origin | None) -> None:
    """ip6_route_mpath_notify(): from the first that was made on; of those that were appended from the first of all."""
    route = done[0]
    if nlflags & APPEND:
        node = ip6.of(net).fib.node_of(route)
        ring = () if node is None else node.siblings(done[-1])
        route = ring[1] if len(ring) > 1 else route
    ip6_route.tell(net, RTM.NEWROUTE, route, nlflags, origin)


def delete(net: Net, hops: Sequence[Wanted6], origin: Origin | None = None) -> None:
    """ip6_route_multipath_del(): all that are there; the last refusal is what one hears."""
    refused: Refusal | None = None
    for wanted in hops:
        try:
            ip6_route.delete(net, wanted, origin, whole=False)
        except Refusal as last:
            refused = last
    if refused is not None:
        raise refused
