"""Notifications of routes: rtmsg_fib(), inet6_rt_notify(), rtmsg_lfib()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.notify import RtnlNotify
from nlemu.emulator.handlers.route.route import fill, mpls_fill
from nlemu.protocol.uapi.rtnetlink import RTNLGRP

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.ipv4.fib import Route4
    from nlemu.emulator.kernel.ipv6.fib import Route6
    from nlemu.emulator.kernel.mpls.labels import LabelRoute

IPV4_ROUTE, IPV6_ROUTE, MPLS_ROUTE = int(RTNLGRP.IPV4_ROUTE), int(RTNLGRP.IPV6_ROUTE), int(RTNLGRP.MPLS_ROUTE)


class RouteNotify(RtnlNotify):
    """RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE and RTNLGRP_MPLS_ROUTE."""

    def route4(
        self, net: Net, event: int, route: Route4, *, nlflags: int = 0, origin: Origin | None = None
    ) -> None:
        """rtmsg_fib()."""
        self.notify(net, IPV4_ROUTE, event, lambda: fill.body4(route), nlflags, origin)

    def route6(
        self, net: Net, event: int, route: Route6, *, nlflags: int = 0, origin: Origin | None = None
    ) -> None:
        """inet6_rt_notify()."""
        siblings = fill.node_siblings
        self.notify(net, IPV6_ROUTE, event, lambda: fill.body6(route, siblings(net, route)), nlflags, origin)

    def label_route(
        self, net: Net, event: int, label: int, route: LabelRoute, *, nlflags: int = 0, origin: Origin | None = None
    ) -> None:
        """rtmsg_lfib()."""
        self.notify(net, MPLS_ROUTE, event, lambda: mpls_fill.body(label, route), nlflags, origin)
