"""Next hop objects and what is below and above them: a device that they lead through, and the routes that lead by them.

nh_create_ipv4(), nh_create_ipv6(), nexthop_flush_dev() and nexthop_replace_notify() of net/ipv4/nexthop.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices import flags
from nlemu.emulator.kernel.inet import nexthop
from nlemu.emulator.kernel.inet.nexthop import Nexthop, Way
from nlemu.emulator.kernel.ipv4 import routes
from nlemu.emulator.kernel.ipv4.fib_info import Gateway, Nexthop4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv6 import routes as routes6
from nlemu.emulator.kernel.ipv6.routes import Wanted6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.rtnetlink import RT_SCOPE, RTM

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.kernel.ipv6.fib import Route6

LINK = int(RT_SCOPE.LINK)
CARRYING = int(IFF.RUNNING | IFF.LOWER_UP)
EVENTS = (NetdevEvent.DOWN, NetdevEvent.UNREGISTER, NetdevEvent.CHANGE)


def create_way(
    net: Net, family: int, ifindex: int, gateway: int, nh_flags: int, *, blackhole: bool, fdb: bool,
    tunnel: Tunnel | Refusal | None = None,
) -> Way:
    """nexthop_create(): a way that is asked for, checked, with its device. tunnel: or what is wrong with it. What a
    route would be refused for, with texts."""
    if blackhole:
        ifindex = net.loopback.ifindex
    way = Way(family, None, gateway, LINK, nh_flags, blackhole, fdb)
    if fdb:
        return way
    if family == AF_INET:
        if isinstance(tunnel, Refusal):
            raise tunnel
        hop = Nexthop4(ifindex, Gateway(AF_INET, gateway) if gateway else None, nh_flags)
        routes.check_nexthop(net, hop, routes.Wanted4())
        way.dev, way.scope, way.flags, way.tunnel = hop.dev, hop.scope, hop.flags, tunnel
    else:
        made = routes6.create(net, Wanted6(ifindex=ifindex, gateway=gateway or None, flags=nh_flags, tunnel=tunnel))
        way.dev, way.flags, way.tunnel = made.dev, made.flags, made.tunnel
    return way


def add(net: Net, new: Nexthop, *, replace: bool, create: bool, origin: Origin | None = None) -> None:
    """nexthop_add(), once it is made: routes that lead another way now are told of again."""
    changes = nexthop.add(net, new, replace=replace, create=create, origin=origin)
    for changed in changes if nexthop.spelled_out(net) else ():
        routes.tell_again(net, changed.infos, origin)
        for route in reversed(changed.routes6):
            routes6.tell(net, RTM.NEWROUTE, route, routes6.REPLACE, origin)


def _remove6(net: Net, route: Route6) -> None:
    routes6.remove(net, route, quiet=not nexthop.spelled_out(net))


def remove(net: Net, one: Nexthop, origin: Origin | None = None) -> None:
    """remove_one_nexthop(): with the routes that lead by it."""
    routes.flush(net, nexthop.remove(net, one, _remove6, told=True, origin=origin))


def on_event(event: NetdevEvent, dev: Device, info: Info) -> None:
    """nh_netdev_event(): a device that goes, or can carry nothing, takes them along without a word; routes of IPv6 are
    told of (ip6_del_rt()) where they are spelled out."""
    if event == NetdevEvent.CHANGE and flags.get_flags(dev) & CARRYING:
        return
    known = nexthop.of(dev.net)
    dead = []
    for one in known.on(dev):
        assert one.way is not None
        if not one.way.blackhole or event == NetdevEvent.UNREGISTER:
            dead += nexthop.remove(dev.net, one, _remove6, told=False)
    if dead:
        routes.flush(dev.net, dead)
