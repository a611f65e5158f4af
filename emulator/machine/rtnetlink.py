"""rtnetlink: from a message to the function for its type and its protocol family (rtnetlink_rcv_msg()).

Message types come in blocks of four, new, delete, get, set, and the place in the block says what a request may do: all
but get want CAP_NET_ADMIN, and only get can be a dump. The first byte of a request names a protocol family; what that
family does not answer falls back to who is registered for no family at all (PF_UNSPEC), and for some messages that is
all families, one after the other. How a request is read is declared (emulator/netlink/request.py does it): before a
doit, and when a dump is packed for the first time, since what is wrong with a dump's request is told in its DONE.
"""

from __future__ import annotations

import errno
from functools import cache
from typing import TYPE_CHECKING

from nlemu.emulator.handlers import load
from nlemu.emulator.handlers.route import announcements
from nlemu.emulator.machine import answer
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.protocol import KernelSocket, want_admin
from nlemu.emulator.netlink.registry import Doit, doits_of, dumpits_of
from nlemu.emulator.netlink.request import HEADER, read
from nlemu.protocol.families.route.family import route
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.family import Half, Operation, Registered
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.rtnetlink import RTM_MAX, RTNLGRP, RTNLGRP_MAX
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.machine.endpoint import Endpoint

load("route")

MULTICAST_ROUTERS = frozenset({int(RTNLGRP.IPV4_MROUTE_R), int(RTNLGRP.IPV6_MROUTE_R)})
DUMP = int(NLM_F.DUMP)
BULK = int(NLM_F.BULK)
GET, DEL = 2, 1  # enum rtnl_kinds: the place in the block of four


def receive(call: Call) -> Dump | None:
    """One rtnetlink request. Replies are queued; a dump is returned. Raises Refusal."""
    if call.type > RTM_MAX:
        raise Refusal(errno.EOPNOTSUPP)
    if len(call.message) < 17:  # not even a family: nothing is done, and that is a success
        return None
    kind = call.type & 3
    if kind != GET and not call.ns_capable():
        raise Refusal(errno.EPERM)
    family = call.message[HEADER]
    if kind == GET and call.flags & DUMP:
        found = _dumpit(call.machine.build, call.type, family)
        if found is None:
            raise Refusal(errno.EOPNOTSUPP)
        op, family, half = found
        call.op = op
        call.endpoint.check_no_dump()
        return _dump(call, op, family, half)
    link = _doit(call.machine.build, call.type, family)
    if link is None:
        raise Refusal(errno.EOPNOTSUPP)
    call.op, half, doit, bulk = link
    if kind == DEL and call.flags & BULK and not bulk:
        raise Refusal(errno.EOPNOTSUPP, "Bulk delete is not supported")
    if not half.late:
        read(call, half)
    answer.do(call, doit)
    return None


def _registered(build: Build, op: Operation, family: int) -> Registered | None:
    """How that protocol family answers on that kernel, if it does."""
    found = op.registered.get(family)
    return None if found is None or (found.option is not None and not build.has(found.option)) else found


@cache
def _doit(build: Build, type: int, family: int) -> tuple[Operation, Half, Doit, bool] | None:
    """Who answers a request to do of that message type and protocol family; None: nobody (rtnl_get_link())."""
    op = route.operations.get(type)
    if op is None:
        return None
    for one in (family, AF_UNSPEC):
        registered = _registered(build, op, one)
        if registered is not None and registered.do is not None:
            return op, registered.do, doits_of[op, one], registered.bulk
    return None


@cache
def _dumpit(build: Build, type: int, family: int) -> tuple[Operation, int, Half] | None:
    """Which protocol family answers a request to dump, and how it is read; None: none does."""
    op = route.operations.get(type)
    if op is None:
        return None
    for one in (family, AF_UNSPEC):
        registered = _registered(build, op, one)
        if registered is not None and registered.dump is not None:
            return op, one, registered.dump
    return None


def _dump(call: Call, op: Operation, family: int, half: Half) -> Dump:
    if half.every:
        return answer.dump(call, half, lambda call: _all(call, op, half.every))
    begun = answer.dump(call, half, dumpits_of[op, family])
    begun.prepare = lambda: read(call, half)
    return begun


def _all(call: Call, op: Operation, families: tuple[int, ...]) -> Messages:
    """rtnl_dump_all(): the dumps of several families in one; what the first one refuses ends it. Each family's messages
    are watched for changes by themselves."""
    for family in families:
        registered = _registered(call.machine.build, op, family)
        if registered is None:
            continue
        half = registered.dump
        assert half is not None
        read(call, half)
        whole = call.dump
        messages = dumpits_of[op, family](call)
        generation = None
        if isinstance(messages, Dump):
            call.dump, generation, messages = whole, messages.generation, messages.messages
        whole.turn(generation)
        yield from messages
    call.dump.turn(None)


def may_join(endpoint: Endpoint, group: int) -> None:
    """rtnetlink_bind(): OSError EPERM."""
    if group in MULTICAST_ROUTERS:
        want_admin(endpoint, group)


KERNEL = KernelSocket(groups=RTNLGRP_MAX, may_join=may_join, receive=receive, start=announcements.start)
