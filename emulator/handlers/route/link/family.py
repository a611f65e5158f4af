"""Link messages of IPv6: it has its own dump of links, and its own notification when it is ready on one
(net/ipv6/addrconf.c)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link import fill as link_fill
from nlemu.emulator.handlers.route.link.af.inet6 import fill_inet6 as af_inet6
from nlemu.emulator.handlers.route.link.get import least_room
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.protocol.families.route.link import GETLINK, INET6_REPLY, Link
from nlemu.protocol.uapi.if_ import IfOper

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

AF_INET6 = 10
DOWN = int(IfOper.DOWN)


def inet6_body(dev: Device) -> bytes:
    """inet6_fill_ifinfo()."""
    iflink = dev.iflink
    told: link_fill.Pairs = {
        Link.ifname: dev.name,
        Link.address: dev.address if dev.addr_len else None,
        Link.mtu: dev.mtu,
        Link.link: iflink if iflink != dev.ifindex else None,
        Link.operstate: dev.operstate if dev.running else DOWN,
        Link.protinfo: af_inet6(dev, 0),
    }
    return link_fill.header(dev, AF_INET6) + link_fill.NO_CHANGE + INET6_REPLY.encode(told)


@dumpit_of(GETLINK, AF_INET6)
def inet6_dump(call: Call) -> Dump:
    """inet6_dump_ifinfo()."""
    return Dump(call, tell_inet6(call), least=least_room(call))


def tell_inet6(call: Call) -> Messages:
    """The links that have IPv6."""
    net, dev = call.net, call.net.after(0)
    while dev is not None:
        index = dev.ifindex
        if dev.ip6 is not None:
            yield partial(fill_inet6, net, index)
        dev = net.after(index)


def fill_inet6(net: Net, index: int) -> bytes | None:
    """The link of that index, if it is still there, and has IPv6."""
    dev = net.device(index)
    return None if dev is None or dev.ip6 is None else inet6_body(dev)
