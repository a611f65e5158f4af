"""netdevsim takes over routes: drivers/net/netdevsim/fib.c.

A simulated device hears of every route of the namespace that its devlink instance is in, whichever device the route
leads through, and says of the first route of each prefix that packets of it are trapped (RTM_F_TRAP). It says so from
work, so a route is announced before it is taken over, and shows it from the next request on.

It hears of a prefix only when another route becomes the first of it, or joins those that share the first one's load.
Then it may refuse: it has room for as many prefixes, and rules, as its resources say. Where the namespace wants it so
(fib_notify_on_flag_change), what it says of a route is told to listeners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from errno import ENOSPC, EPERM
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.kernel.devlink.resource import U64_MAX, every
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.nics.netdevsim.devlink import IPV4_FIB, IPV4_RULES, IPV6_FIB, IPV6_RULES, NEXTHOPS
from nlemu.emulator.kernel.nics.netdevsim.nexthops import NexthopTakeover
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devlink.resource import Resource
    from nlemu.emulator.kernel.inet.rules import Rules
    from nlemu.emulator.kernel.ipv4.fib import Route4, Table4
    from nlemu.emulator.kernel.ipv6.fib import Node6, Route6


NO_ROOM = "netdevsim: Exceeded number of supported fib entries"
NO_ROOM_FOR_RULES = "netdevsim: Exceeded number of supported fib rule entries"
ONLY_FAILURES = "2"
"""Of fib_notify_on_flag_change."""


class FibData:
    """What of struct nsim_fib_data is about routes and rules: how many of each it has room for, by resource; the rest
    is what tests have it refuse."""

    __slots__ = ("fail_route_offload", "limits", "net")

    def __init__(self, net: Net, limits: Mapping[int, int]) -> None:
        self.net = net
        self.limits = limits
        self.fail_route_offload = False

    def check(self, resource: int, used: int, text: str, errno: int) -> None:
        """nsim_fib_account(): whether there is room for one more beside those. Refusal."""
        if used >= self.limits[resource]:
            raise Refusal(errno, text)


class Takeover:
    """All simulated devices of one namespace: a listener of its routes.

    devices: those that take over its routes; takes: what they are still to do of that.
    """

    def __init__(self, net: Net) -> None:
        self.net = net
        self.devices: list[FibData] = []
        self.takes: list[Callable[[], None]] = []

    def check4(self, route: Route4) -> None:
        """nsim_fib4_prepare_event(): what takes the place of another has to find room beside it. EPERM."""
        for data in self.devices:
            if data.limits[IPV4_FIB] < U64_MAX:
                data.check(IPV4_FIB, prefixes4(self.net), NO_ROOM, EPERM)

    def check6(self, route: Route6) -> None:
        """nsim_fib6_prepare_event(). EPERM."""
        for data in self.devices:
            if data.limits[IPV6_FIB] < U64_MAX and not route.src_length:
                data.check(IPV6_FIB, prefixes6(self.net), NO_ROOM, EPERM)

    def check_rule(self, rules: Rules) -> None:
        """nsim_fib_rule_account(). ENOSPC."""
        resource = IPV4_RULES if rules is ip4.of(self.net).rules else IPV6_RULES
        for data in self.devices:
            data.check(resource, rules_of(self.net, rules), NO_ROOM_FOR_RULES, ENOSPC)

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

    @property
    def fails(self) -> bool:
        """Tests have one of the devices fail to take routes over."""
        return any(data.fail_route_offload for data in self.devices)

    def take4(self, routes: list[Route4]) -> None:
        """Marks those routes to one destination, the best first: the device has the first, or fails to."""
        taken = routes[:1] if self.devices else []
        if taken and self.fails:
            self._mark4(taken[0], trap=False, failed=True)
            return
        for route in taken:
            self._mark4(route, trap=True, failed=False)
        for other in routes[len(taken) :]:
            if other.trap:
                self._mark4(other, trap=False, failed=False)

    def _mark4(self, route: Route4, *, trap: bool, failed: bool) -> None:
        """fib_alias_hw_flags_set()."""
        if _mark(self.net, "ipv4", route, trap=trap, failed=failed):
            self.net.kernel.announcer.route4(self.net, RTM.NEWROUTE, route, nlflags=0)

    def take6(self, node: Node6 | None) -> None:
        """Of a prefix of which several routes share the load, all of those."""
        if node is None:
            return
        first = node.first()
        taken: tuple[Route6, ...] = node.siblings(first) if self.devices and not first.src_length else ()
        if taken and self.fails:
            for route in taken:
                self._mark6(route, trap=False, failed=True)
            return
        for route in taken:
            self._mark6(route, trap=True, failed=False)
        for route in node.trapped:
            if route not in taken:
                self._mark6(route, trap=False, failed=False)
        node.trapped = taken

    def _mark6(self, route: Route6, *, trap: bool, failed: bool) -> None:
        """fib6_info_hw_flags_set(): nothing is told of a route that is gone."""
        if _mark(self.net, "ipv6", route, trap=trap, failed=failed) and route.linked:
            self.net.kernel.announcer.route6(self.net, RTM.NEWROUTE, route, nlflags=0)

    def take_all(self) -> None:
        """Marks all routes of IPv4 anew."""
        for table in ip4.of(self.net).fib.in_order():
            for route in table:
                self.take4(table.of(route.dst, route.length))
        for node in ip6.of(self.net).fib.nodes():
            self.take6(node)


def _mark(net: Net, family: str, route: Route4 | Route6, *, trap: bool, failed: bool) -> bool:
    """What is said of a route in hardware; whether listeners hear of it (fib_notify_on_flag_change: 1, they do; 2, only
    whether it failed, and what else is so is not even looked at)."""
    if (route.trap, route.offload_failed) == (trap, failed):
        return False
    heard = settings(net.kernel.build)[f"{family}/fib_notify_on_flag_change"].read(net)
    route.trap = trap
    if heard == ONLY_FAILURES and route.offload_failed == failed:
        return False
    route.offload_failed = failed
    return heard != "0"


def _of(net: Net) -> Takeover:
    takeover = next((one for one in net.fib_listeners if isinstance(one, Takeover)), None)
    if takeover is None:
        takeover = Takeover(net)
        net.fib_listeners.append(takeover)
    return takeover


def attach(data: FibData) -> None:
    """register_fib_notifier(): the routes that are there are taken over, too."""
    takeover = _of(data.net)
    takeover.devices.append(data)
    takeover.later(takeover.take_all)


def catch_up(net: Net) -> None:
    """The work that routes are taken over in has been done: it is when the next port goes, since that takes long."""
    _of(net).catch_up()


def detach(data: FibData) -> None:
    """The device lets go of its routes, and with it any other device, as in the kernel: the flag is one for all."""
    takeover = _of(data.net)
    takeover.catch_up()
    others, takeover.devices = [one for one in takeover.devices if one is not data], []
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


def create(net: Net, resources: tuple[Resource, ...]) -> tuple[FibData, NexthopTakeover]:
    """nsim_fib_create(): each resource has the size that was set, what there is of next hop objects and routes is taken
    over, and from now on is known how much of each is used. Refusal ENOSPC, EPERM: there is too much of it."""
    counted = [resource for resource, _ in every(resources) if resource.id in COUNTS or resource.id == NEXTHOPS]
    for resource in counted:
        resource.size = resource.size_new
    limits = {resource.id: resource.size for resource in counted}
    nexthops, data = NexthopTakeover(net, limits[NEXTHOPS]), FibData(net, limits)
    nexthops.attach()
    try:
        for number, count in COUNTS.items():
            rules = number in (IPV4_RULES, IPV6_RULES)
            text, errno = (NO_ROOM_FOR_RULES, ENOSPC) if rules else (NO_ROOM, EPERM)
            data.check(number, count(net) - 1, text, errno)
    except Refusal:
        nexthops.detach()
        raise
    attach(data)
    for resource in counted:
        counting = COUNTS.get(resource.id)
        resource.occupied = (lambda: nexthops.places) if counting is None else partial(counting, net)
    return data, nexthops


def destroy(resources: tuple[Resource, ...], data: FibData, nexthops: NexthopTakeover) -> None:
    """nsim_fib_destroy()."""
    for resource, _ in every(resources):
        resource.occupied = None
    nexthops.detach()
    detach(data)
