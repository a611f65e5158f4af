"""netdevsim takes over routes: drivers/net/netdevsim/fib.c.

A simulated device hears of every route of the namespace that its devlink instance is in, whichever device the route
leads through, and says of the first route of each prefix that packets of it are trapped (RTM_F_TRAP). It says so from
work, so a route is announced before it is taken over, and shows it from the next request on.

It hears of a prefix only when another route becomes the first of it, or joins those that share the first one's load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv6 import netns as ip6

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv4.fib import Route4, Table4
    from nlemu.emulator.kernel.ipv6.fib import Node6, Route6


def attach(net: Net) -> None:
    """nsim_fib_create(): the routes that are there are taken over, too."""
    ip4.of(net).trapping += 1
    _later(net, lambda: _take_all(net))


def _later(net: Net, take: Callable[[], None]) -> None:
    ip4.of(net).takes.append(take)
    net.kernel.defer(lambda: catch_up(net))


def catch_up(net: Net) -> None:
    """The work that routes are taken over in has been done: it is when the next port goes, since that takes long."""
    takes = ip4.of(net).takes
    while takes:
        takes.pop(0)()


def detach(net: Net) -> None:
    """nsim_fib_destroy(): the device lets go of its routes, and with it any other device, as in the kernel: the flag is
    one for all."""
    catch_up(net)
    state = ip4.of(net)
    others, state.trapping = state.trapping - 1, 0
    _take_all(net)
    state.trapping = others


def changed4(net: Net, table: Table4, route: Route4) -> None:
    """A route of IPv4 came or went that is, or was, the first of its prefix."""
    if ip4.of(net).trapping:
        _later(net, lambda: _take4(net, table.of(route.dst, route.length)))


def changed6(net: Net, route: Route6) -> None:
    """A route of IPv6 came or went that is, or was, the first of its prefix, or shares the load with it."""
    if ip4.of(net).trapping:
        _later(net, lambda: _take6(net, ip6.of(net).fib.node(route.dst, route.length)))


def _take4(net: Net, routes: list[Route4]) -> None:
    there = ip4.of(net).trapping > 0
    for at, route in enumerate(routes):
        route.trap = there and at == 0


def _take6(net: Net, node: Node6 | None) -> None:
    """Of a prefix of which several routes share the load, all of those."""
    if node is None:
        return
    taken: tuple[Route6, ...] = node.siblings(node.first()) if ip4.of(net).trapping else ()
    for route in node.trapped:
        route.trap = route in taken
    for route in taken:
        route.trap = True
    node.trapped = taken


def _take_all(net: Net) -> None:
    for table in ip4.of(net).fib.in_order():
        for route in table:
            _take4(net, table.of(route.dst, route.length))
    for node in ip6.of(net).fib.nodes():
        _take6(net, node)
