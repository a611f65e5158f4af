"""Dumps of routes: inet_dump_fib() of net/ipv4/fib_frontend.c, inet6_dump_fib() of net/ipv6/ip6_fib.c.

A socket that wants strict checking may narrow a dump by table, protocol, type and device. Its dumps leave cached routes
out, which counts as narrowing: every message says it was filtered, the end of the dump only if something was asked for.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.handlers.route.route.fill import body4, body6
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AF_INET6
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.emulator.netlink.request import family_of
from nlemu.protocol.families.route.route import GETROUTE, HEADER, Rta
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTM_F

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.ipv4.fib import Table4
    from nlemu.emulator.kernel.ipv6.fib import Node6, Route6, Table6

FILTERED = int(NLM_F.DUMP_FILTERED)
PREFIX, CLONED = int(RTM_F.PREFIX), int(RTM_F.CLONED)
BODY = 16 + (HEADER.size or 0)


class Filter(NamedTuple):
    """struct fib_dump_filter: what a dump is to show; 0 and None are no condition."""

    flags: int = 0
    table: int = 0
    protocol: int = 0
    type: int = 0
    dev: Device | None = None


def asked(call: Call) -> Filter:
    """What is left of ip_valid_fib_dump_req() once the request has been read: EINVAL with texts, ENODEV."""
    header, attrs = call.fixed, call.attrs
    if not call.endpoint.strict:
        return Filter(header.flags & PREFIX)
    call.dump.message_flags |= FILTERED
    table, dev = header.table, None
    for number in sorted(attrs.spans):
        if number == Rta.table.number:
            table = attrs[Rta.table]
        elif number == Rta.oif.number:
            dev = call.net.device(attrs[Rta.oif])
            if dev is None:
                raise Refusal(errno.ENODEV)
        else:
            raise Refusal(errno.EINVAL, "Unsupported attribute in dump request")
    chosen = Filter(header.flags, table, header.protocol, header.type, dev)
    if any(chosen):
        call.dump.answer_flags |= FILTERED
    return chosen


def tables4(call: Call, chosen: Filter) -> list[Table4]:
    """The tables that a dump shows. ENOENT, where one is asked for by name of its family."""
    fib = ip4.of(call.net).fib
    if not chosen.table:
        return fib.in_order()
    table = fib.table(chosen.table)
    if table is not None:
        return [table]
    if family_of(call) == AF_INET:
        raise Refusal(errno.ENOENT, "ipv4: FIB table does not exist")
    return []


def walk4(call: Call) -> Messages:
    """inet_dump_fib(). IPv4 keeps no cached routes here, and has none that came by router advertisements."""
    chosen = asked(call)
    if chosen.flags & PREFIX:
        return
    tables = tables4(call, chosen)
    if chosen.flags & CLONED and call.endpoint.strict:
        return
    for table in tables:
        for route in table:
            info = route.info
            if (
                chosen.type in (0, route.type)
                and chosen.protocol in (0, info.protocol)
                and (chosen.dev is None or chosen.dev in info.devices)
            ):
                yield partial(body4, route)


def tables6(call: Call, chosen: Filter) -> list[Table6]:
    """The same of IPv6."""
    fib = ip6.of(call.net).fib
    if not chosen.table:
        return fib.in_order()
    table = fib.table(chosen.table)
    if table is not None:
        return [table]
    if family_of(call) == AF_INET6:
        raise Refusal(errno.ENOENT, "ipv6: FIB table does not exist")
    return []


def walk6(call: Call) -> Messages:
    """inet6_dump_fib()."""
    chosen = asked(call)
    tables = tables6(call, chosen)
    if chosen.flags & PREFIX or (chosen.flags & CLONED and call.endpoint.strict):
        return
    for table in tables:
        for node in table.nodes():
            for route, siblings in grouped(node):
                if (
                    chosen.type in (0, route.type)
                    and chosen.protocol in (0, route.protocol)
                    and (chosen.dev is None or any(chosen.dev in hop.devices for hop in siblings))
                ):
                    yield partial(body6, route, siblings)


def grouped(node: Node6) -> Iterator[tuple[Route6, tuple[Route6, ...]]]:
    """The routes of a prefix, each with those that share the load with it, told of once. What stands between the first
    and the last of those is not told at all: the kernel goes on behind the last (fib6_dump_node())."""
    listed, at = list(node), 0
    while at < len(listed):
        siblings = node.siblings(listed[at])
        yield listed[at], siblings
        at = at + 1 if len(siblings) == 1 else listed.index(siblings[-1]) + 1


@dumpit_of(GETROUTE, AF_INET)
def dump4(call: Call) -> Messages:
    """inet_dump_fib()."""
    return walk4(call)


@dumpit_of(GETROUTE, AF_INET6)
def dump6(call: Call) -> Messages:
    """inet6_dump_fib()."""
    return walk6(call)

