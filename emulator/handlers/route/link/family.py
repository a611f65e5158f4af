"""Link messages of one protocol family: what IPv6 tells of links, and what bridges would do to them.

IPv6 has its own dump of links, and its own notification when it is ready on one (net/ipv6/addrconf.c). Requests of the
bridge family are for bridges and their ports (net/core/rtnetlink.c: rtnl_bridge_setlink() ...); there are none here, so
that all there is to do is to refuse them in the right words.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link import fill as link_fill
from nlemu.emulator.handlers.route.link.af.inet6 import fill_inet6 as af_inet6
from nlemu.emulator.handlers.route.link.get import least_room
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.link import DELLINK, GETLINK, INET6_REPLY, SETLINK, Link
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import walk
from nlemu.protocol.uapi.if_ import IfOper

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

AF_INET6, AF_BRIDGE = 10, 7
BRIDGE_FLAGS, BRIDGE_MODE = 0, 1
"""IFLA_BRIDGE_*"""
DOWN = int(IfOper.DOWN)


# -- IPv6 -------------------------------------------------------------------------------------


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


# -- bridges ----------------------------------------------------------------------------------


@dumpit_of(GETLINK, AF_BRIDGE)
def bridge_dump(call: Call) -> Dump:
    """rtnl_bridge_getlink(): there are none."""
    return Dump(call, iter(()), least=least_room(call))


@doit_of(SETLINK, AF_BRIDGE)
def bridge_setlink(call: Call) -> None:
    """rtnl_bridge_setlink()."""
    refuse_bridge(call, (BRIDGE_FLAGS, BRIDGE_MODE))


@doit_of(DELLINK, AF_BRIDGE)
def bridge_dellink(call: Call) -> None:
    """rtnl_bridge_dellink()."""
    refuse_bridge(call, (BRIDGE_FLAGS,))


def refuse_bridge(call: Call, words: tuple[int, ...]) -> None:
    """EINVAL for one of those attributes that is cut short; ENODEV; else EOPNOTSUPP: nothing here is the
    port of a bridge, nor behaves like one."""
    message = call.message
    if call.net.device(call.fixed.index) is None:
        raise Refusal(errno.ENODEV, "unknown ifindex")
    for number, start, end in walk(message, call.attrs.start, call.attrs.end):
        if number == Link.af_spec.number:
            for inner, first, last in walk(message, start, end):
                if inner in words and last - first < 2:
                    raise Refusal(errno.EINVAL)
            break
    raise Refusal(errno.EOPNOTSUPP)

