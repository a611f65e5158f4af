"""Routes of multicast groups: what ipmr_rtm_getroute() and ipmr_rtm_dumproute() of net/ipv4/ipmr.c, and the same of
net/ipv6/ip6mr.c, say where there are none.

Such routes are made by a routing daemon through a raw socket (MRT_INIT), which is not emulated: the tables are there,
one to begin with, and empty.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NoReturn

from nlemu.emulator.handlers.route.route.dump import asked
from nlemu.emulator.handlers.route.route.get import check_lengths
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.route import GETROUTE, Rta, checked_group6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RT_TABLE, RTNL_FAMILY_IP6MR, RTNL_FAMILY_IPMR

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages

FIRST = {RTNL_FAMILY_IPMR: int(RT_TABLE.DEFAULT), RTNL_FAMILY_IP6MR: int(RT_TABLE.MAIN)}
"""The table that a namespace begins with: RT_TABLE_DEFAULT, and RT6_TABLE_DFLT, which is the main one."""
ASKABLE = frozenset(attr.number for attr in (Rta.src, Rta.dst, Rta.table))
SEVERAL = {RTNL_FAMILY_IPMR: "IP_MROUTE_MULTIPLE_TABLES", RTNL_FAMILY_IP6MR: "IPV6_MROUTE_MULTIPLE_TABLES"}
"""The option with which tables have numbers."""


def has_table(call: Call, family: int, table: int) -> bool:
    """ipmr_get_table(): a kernel of one table has it under every number."""
    return table == FIRST[family] or not call.machine.build.has(SEVERAL[family])


@doit_of(GETROUTE, RTNL_FAMILY_IPMR)
def get4(call: Call) -> NoReturn:
    """ipmr_rtm_getroute(): EINVAL with texts, ENOENT."""
    if call.endpoint.strict:
        check_lengths(call, "ipv4", 32, "IPv4")
        if not call.attrs.spans.keys() <= ASKABLE:
            raise Refusal(errno.EINVAL, "ipv4: Unsupported attribute in multicast route get request")
    raise Refusal(errno.ENOENT)


@doit_of(GETROUTE, RTNL_FAMILY_IP6MR)
def get6(call: Call) -> NoReturn:
    """ip6mr_rtm_getroute(): EINVAL and ENOENT with texts."""
    text = checked_group6(call.fixed)
    if text is not None:
        raise Refusal(errno.EINVAL, text)
    check_lengths(call, "ipv6", 128, "IPv6")
    if not has_table(call, RTNL_FAMILY_IP6MR, call.attrs.get(Rta.table, 0) or int(RT_TABLE.DEFAULT)):
        raise Refusal(errno.ENOENT, "ipv6: MR table does not exist")
    raise Refusal(errno.ENOENT, "ipv6: MR cache entry not found")


def walk(call: Call, family: int, prefix: str) -> Messages:
    """ipmr_rtm_dumproute()."""
    table = asked(call).table
    if table and not has_table(call, family, table):
        raise Refusal(errno.ENOENT, f"{prefix}: MR table does not exist")
    yield from ()


@dumpit_of(GETROUTE, RTNL_FAMILY_IPMR)
def dump4(call: Call) -> Messages:
    """ipmr_rtm_dumproute()."""
    return walk(call, RTNL_FAMILY_IPMR, "ipv4")


@dumpit_of(GETROUTE, RTNL_FAMILY_IP6MR)
def dump6(call: Call) -> Messages:
    """ip6mr_rtm_dumproute()."""
    return walk(call, RTNL_FAMILY_IP6MR, "ipv6")
