"""netdevsim takes over routes: drivers/net/netdevsim/fib.c.

A simulated device hears of every route of the namespace that its devlink instance is in, whichever device the route
leads through, and says of the first route of each prefix that packets of it are trapped (RTM_F_TRAP). It says so from
work, so a route is announced before it is taken over, and shows it from the next request on.

It hears of a prefix only when another route becomes the first of it, or joins those that share the first one's load.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devlink.resource import every
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.nics.netdevsim.devlink import IPV4_FIB, IPV4_RULES, IPV6_FIB, IPV6_RULES, NEXTHOPS
from nlemu.emulator.kernel.nics.netdevsim.nexthops import NexthopTakeover

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devlink.resource import Resource
    from nlemu.emulator.kernel.inet.rules import Rules
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


# How much of the device's resources is used


def prefixes4(net: Net) -> int:
    """nsim_fib_ipv4_resource_occ_get(): prefixes that there are routes to, in all tables."""
    return sum(len({route.key for route in table}) for table in ip4.of(net).fib.in_order())


def prefixes6(net: Net) -> int:
    """nsim_fib_ipv6_resource_occ_get()."""
    return sum(1 for node in ip6.of(net).fib.nodes() if not node.first().src_length)


def rules_of(net: Net, rules: Rules) -> int:
    """nsim_fib_ipv4_rules_res_occ_get(): those that are there from the start, too."""
    return len(rules.rules) if net.kernel.build.has(rules.ops.option) else 0


COUNTS: dict[int, Callable[[Net], int]] = {
    IPV4_FIB: prefixes4, IPV4_RULES: lambda net: rules_of(net, ip4.of(net).rules), IPV6_FIB: prefixes6,
    IPV6_RULES: lambda net: rules_of(net, ip6.of(net).rules),
}


def create(net: Net, resources: tuple[Resource, ...]) -> NexthopTakeover:
    """nsim_fib_create(): each resource has the size that was set, what there is of next hop objects and routes is taken
    over, and from now on is known how much of each is used. Refusal ENOSPC: there is too much of it."""
    counted = [resource for resource, _ in every(resources) if resource.id in COUNTS or resource.id == NEXTHOPS]
    for resource in counted:
        resource.size = resource.size_new
    most = next(resource.size for resource in counted if resource.id == NEXTHOPS)
    takeover = NexthopTakeover(net, most)
    takeover.attach()
    attach(net)
    for resource in counted:
        count = COUNTS.get(resource.id)
        resource.occupied = (lambda: takeover.places) if count is None else partial(count, net)
    return takeover


def destroy(net: Net, resources: tuple[Resource, ...], takeover: NexthopTakeover) -> None:
    """nsim_fib_destroy()."""
    for resource, _ in every(resources):
        resource.occupied = None
    takeover.detach()
    detach(net)
