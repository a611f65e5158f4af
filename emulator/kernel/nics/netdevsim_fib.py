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


class Takeover:
    """struct nsim_fib_data of all simulated devices of one namespace: a listener of its routes.

    devices: how many take over its routes; takes: what they are still to do of that.
    """

    def __init__(self, net: Net) -> None:
        self.net = net
        self.devices = 0
        self.takes: list[Callable[[], None]] = []

    def changed4(self, table: Table4, route: Route4) -> None:
        """nsim_fib4_event()."""
        if self.devices:
            self.later(lambda: self.take4(table.of(route.dst, route.length)))

    def changed6(self, route: Route6) -> None:
        """nsim_fib6_event()."""
        if self.devices and not route.src_length:
            self.later(lambda: self.take6(ip6.of(self.net).fib.node_of(route)))

    def later(self, take: Callable[[], None]) -> None:
        """Has something done when the kernel's work runs next (nsim_fib_event_work())."""
        self.takes.append(take)
        self.net.kernel.defer(self.catch_up)

    def catch_up(self) -> None:
        """Does what waits, in the order in which it came."""
        while self.takes:
            self.takes.pop(0)()

    def take4(self, routes: list[Route4]) -> None:
        """Marks those routes to one destination, the best first: the device has the first."""
        for at, route in enumerate(routes):
            route.trap = self.devices > 0 and at == 0

    def take6(self, node: Node6 | None) -> None:
        """Of a prefix of which several routes share the load, all of those."""
        if node is None:
            return
        first = node.first()
        taken: tuple[Route6, ...] = node.siblings(first) if self.devices and not first.src_length else ()
        for route in node.trapped:
            route.trap = route in taken
        for route in taken:
            route.trap = True
        node.trapped = taken

    def take_all(self) -> None:
        """Marks all routes of IPv4 anew."""
        for table in ip4.of(self.net).fib.in_order():
            for route in table:
                self.take4(table.of(route.dst, route.length))
        for node in ip6.of(self.net).fib.nodes():
            self.take6(node)


def _of(net: Net) -> Takeover:
    takeover = next((one for one in net.fib_listeners if isinstance(one, Takeover)), None)
    if takeover is None:
        takeover = Takeover(net)
        net.fib_listeners.append(takeover)
    return takeover


def attach(net: Net) -> None:
    """nsim_fib_create(): the routes that are there are taken over, too."""
    takeover = _of(net)
    takeover.devices += 1
    takeover.later(takeover.take_all)


def catch_up(net: Net) -> None:
    """The work that routes are taken over in has been done: it is when the next port goes, since that takes long."""
    _of(net).catch_up()


def detach(net: Net) -> None:
    """nsim_fib_destroy(): the device lets go of its routes, and with it any other device, as in the kernel: the flag is
    one for all."""
    takeover = _of(net)
    takeover.catch_up()
    others, takeover.devices = takeover.devices - 1, 0
    takeover.take_all()
    takeover.devices = others
