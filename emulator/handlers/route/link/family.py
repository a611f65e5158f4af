"""Link messages of one protocol family: what IPv6 tells of links, and what bridges would do to them.

IPv6 has its own dump of links, and its own notification when it is ready on one (net/ipv6/addrconf.c). Requests of the
bridge family are for bridges and their ports (net/core/rtnetlink.c: rtnl_bridge_setlink() ...); there are none here, so
that all there is to do is to refuse them in the right words.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link import fill as link_fill
from nlemu.emulator.handlers.route.link.af.inet6 import fill_inet6 as af_inet6
from nlemu.emulator.handlers.route.link.get import least_room
from nlemu.emulator.handlers.route.link.parse import BODY, parse
from nlemu.emulator.netlink.by_family import HEADER, doit_of, dumpit_of
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.protocol.families.route.link import DELLINK, GETLINK, INET6_REPLY, SETLINK, Link
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import walk
from nlemu.protocol.schema.link_kind import LINK
from nlemu.protocol.schema.policy import DEPRECATED_STRICT
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
        Link.protinfo: af_inet6(dev.ip6, 0),
    }
    return link_fill.header(dev, AF_INET6) + link_fill.NO_CHANGE + INET6_REPLY.encode(told)


@dumpit_of(GETLINK, AF_INET6)
def inet6_dump(call: Call) -> Dump:
    """inet6_dump_ifinfo()."""
    return Dump(call, tell_inet6(call), least=least_room(call))


def tell_inet6(call: Call) -> Messages:
    """The links that have IPv6. Only a strict socket's request is looked at."""
    if call.endpoint.strict:
        if len(call.message) < BODY:
            raise Refusal(errno.EINVAL, "ipv6: Invalid header for link dump request")
        if len(call.message) > BODY:
            raise Refusal(errno.EINVAL, "ipv6: Invalid data after header")
        check_header(call, "ipv6: Invalid values in header for dump request")
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


def check_header(call: Call, complaint: str) -> None:
    """EINVAL with that text unless the header says nothing but a family."""
    header = LINK.decode(call.message, HEADER, BODY)
    if header.pad or header.type or header.flags or header.change or header.index:
        raise Refusal(errno.EINVAL, complaint)


# -- bridges ----------------------------------------------------------------------------------


@dumpit_of(GETLINK, AF_BRIDGE)
def bridge_dump(call: Call) -> Dump:
    """rtnl_bridge_getlink()."""
    return Dump(call, tell_bridges(call), least=least_room(call))


def tell_bridges(call: Call) -> Messages:
    """There are none. What is wrong with a liberal socket's request is told, and does not matter."""
    yield from ()
    if call.endpoint.strict:
        if len(call.message) < BODY:
            raise Refusal(errno.EINVAL, "Invalid header for bridge link dump")
        check_header(call, "Invalid values in header for bridge link dump request")
        if set(parse(call, DEPRECATED_STRICT).spans) - {Link.ext_mask.number}:
            raise Refusal(errno.EINVAL, "Unsupported attribute in bridge link dump request")
        return
    try:
        parse(call)
    except Refusal as refused:
        call.extack.merge(refused)


@doit_of(SETLINK, AF_BRIDGE)
def bridge_setlink(call: Call) -> None:
    """rtnl_bridge_setlink()."""
    refuse_bridge(call, (BRIDGE_FLAGS, BRIDGE_MODE))


@doit_of(DELLINK, AF_BRIDGE)
def bridge_dellink(call: Call) -> None:
    """rtnl_bridge_dellink()."""
    refuse_bridge(call, (BRIDGE_FLAGS,))


def refuse_bridge(call: Call, words: tuple[int, ...]) -> None:
    """EINVAL for a request that is cut short, or one of those attributes; ENODEV; else EOPNOTSUPP: nothing here is the
    port of a bridge, nor behaves like one."""
    message = call.message
    if len(message) < BODY:
        raise Refusal(errno.EINVAL)
    header: Any = LINK.decode(message, HEADER, BODY)
    if call.net.device(header.index) is None:
        raise Refusal(errno.ENODEV, "unknown ifindex")
    for number, start, end in walk(message, BODY, len(message)):
        if number == Link.af_spec.number:
            for inner, first, last in walk(message, start, end):
                if inner in words and last - first < 2:
                    raise Refusal(errno.EINVAL)
            break
    raise Refusal(errno.EOPNOTSUPP)

