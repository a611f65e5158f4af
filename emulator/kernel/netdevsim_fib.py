"""netdevsim takes over routes: drivers/net/netdevsim/fib.c.

A simulated device hears of every route of the namespace that its devlink instance is in, whichever device the route
leads through, and says of the first route of each prefix that packets of it are trapped (RTM_F_TRAP). It says so from
work, so a route is announced before it is taken over, and shows it from the next request on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.kernel import ip4, ip6

if TYPE_CHECKING:
    from emulator.kernel.fib4 import Route4, Table4
    from emulator.kernel.fib6 import Node6, Route6
    from emulator.kernel.net import Net


def attach(net: Net) -> None:
    """nsim_fib_create(): the routes that are there are taken over, too."""
    ip4.of(net).trapping += 1
    net.kernel.defer(lambda: _set_all(net, trap=True))


def detach(net: Net) -> None:
    """nsim_fib_destroy(): the device lets go of all routes, even if another one has them as well."""
    ip4.of(net).trapping -= 1
    _set_all(net, trap=False)


def changed4(net: Net, table: Table4, route: Route4) -> None:
    """A route of IPv4 came or went."""
    if ip4.of(net).trapping:
        net.kernel.defer(lambda: _take4(table.of(route.dst, route.length)))


def changed6(net: Net, route: Route6) -> None:
    """A route of IPv6 came or went."""
    if ip4.of(net).trapping:
        net.kernel.defer(lambda: _take6(ip6.of(net).fib.node(route.dst, route.length)))


def _take4(routes: list[Route4]) -> None:
    for at, route in enumerate(routes):
        route.trap = at == 0


def _take6(node: Node6 | None) -> None:
    """Of a prefix of which several routes share the load, all of those."""
    if node is None:
        return
    first: tuple[Route6, ...] = ()
    for route in node:
        first = first or node.siblings(route)
        route.trap = route in first


def _set_all(net: Net, *, trap: bool) -> None:
    trap = trap and ip4.of(net).trapping > 0
    for table in ip4.of(net).fib.in_order():
        for route in table:
            route.trap = trap and route is table.of(route.dst, route.length)[0]
    for node in ip6.of(net).fib.nodes():
        _take6(node)
        if not trap:
            for each in node:
                each.trap = False
