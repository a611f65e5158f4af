"""Next hop objects are looked up and listed: rtm_get_nexthop(), rtm_dump_nexthop() of net/ipv4/nexthop.c.

Statistics of groups (NHA_OP_FLAG_DUMP_STATS) are not told: no packet is carried.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.handlers.route.nexthop.fill import body
from nlemu.emulator.handlers.route.nexthop.set import named
from nlemu.emulator.kernel.inet import nexthop
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.nexthop import GETNEXTHOP, Nha
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.inet.nexthop import Nexthop
    from nlemu.emulator.netlink.call import Call, Messages

INT_MAX = 0x7FFFFFFF


@doit_of(GETNEXTHOP, AF_UNSPEC)
def getnexthop(call: Call) -> bytes:
    """rtm_get_nexthop()."""
    return body(named(call))


class Filter(NamedTuple):
    """struct nh_dump_filter: 0 is no condition."""

    family: int
    ifindex: int
    master: int
    groups: bool

    def shows(self, one: Nexthop) -> bool:
        """nh_dump_filtered()"""
        if self.groups and one.way is not None:
            return False
        if not self.family and not self.ifindex and not self.master:
            return True
        if one.way is None or (self.family and one.way.family != self.family):
            return False
        dev = one.way.dev
        if self.ifindex and (dev is None or dev.ifindex != self.ifindex):
            return False
        master = None if dev is None else dev.master
        return not self.master or (master is not None and master.ifindex == self.master)


def asked(call: Call) -> Filter:
    """__nh_valid_dump_req(): EINVAL, with texts."""
    header, attrs = call.fixed, call.attrs
    if attrs.get(Nha.oif, 0) > INT_MAX:
        raise Refusal(errno.EINVAL, "Invalid device index")
    if attrs.get(Nha.master, 0) > INT_MAX:
        raise Refusal(errno.EINVAL, "Invalid master device index")
    if header.protocol or header.resvd or header.scope or header.flags:
        raise Refusal(errno.EINVAL, "Invalid values in header for nexthop dump request")
    return Filter(header.family, attrs.get(Nha.oif, 0), attrs.get(Nha.master, 0), Nha.groups in attrs)


def walk(call: Call) -> Messages:
    """rtm_dump_walk_nexthops(): by their numbers, with room for change in between."""
    chosen, known = asked(call), nexthop.of(call.net)
    one = known.after(0)
    while one is not None:
        if chosen.shows(one):
            yield partial(body, one)
        one = known.after(one.id)


def dump(call: Call) -> Dump:
    """rtm_dump_nexthop()."""
    return Dump(call, walk(call), generation=lambda: nexthop.of(call.net).seq)


for number in (AF_UNSPEC, AF_INET, AF_INET6):
    dumpit_of(GETNEXTHOP, number)(dump)
