"""No groups are kept of bridges, so none are told of: rtnl_mdb_get(), rtnl_mdb_dump() of net/core/rtnetlink.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import read
from nlemu.protocol.families.route.mdb import ENTRY, GET_ONE, GETMDB, Mdba
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.socket import AF_BRIDGE

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Attrs

VLAN_VID_MASK = 4095


@dumpit_of(GETMDB, AF_BRIDGE)
def dump(call: Call) -> Messages:
    """rtnl_mdb_dump(): no driver has any."""
    return iter(())


@doit_of(GETMDB, AF_BRIDGE)
def get(call: Call) -> None:
    """rtnl_mdb_get(): EINVAL, ENODEV, EOPNOTSUPP, with texts."""
    attrs = read(call, GET_ONE)
    if Mdba.entry in attrs:
        check_entry(attrs)
    if not call.fixed.ifindex:
        raise Refusal(errno.EINVAL, "Invalid ifindex")
    if call.net.device(call.fixed.ifindex) is None:
        raise Refusal(errno.ENODEV, "Device doesn't exist")
    if Mdba.entry not in attrs:
        raise Refusal(errno.EINVAL, "Missing MDBA_GET_ENTRY attribute", missing=Mdba.entry.number)
    raise Refusal(errno.EOPNOTSUPP, "Device does not support MDB operations")


def check_entry(attrs: Attrs) -> None:
    """rtnl_validate_mdb_entry_get(): EINVAL, with texts."""
    start, end = attrs.spans[Mdba.entry.number]
    if end - start != ENTRY.size:
        raise Refusal(errno.EINVAL, "Invalid attribute length", at=attrs.offset(Mdba.entry))
    entry = ENTRY.decode(attrs.message, start, end)
    for wrong, text in (
        (entry.ifindex, "Entry ifindex cannot be specified"),
        (entry.state, "Entry state cannot be specified"),
        (entry.flags, "Entry flags cannot be specified"),
        (entry.vid >= VLAN_VID_MASK, "Invalid entry VLAN id"),
        (entry.proto not in (0, ETH_P.IP, ETH_P.IPV6), "Unknown entry protocol"),
    ):
        if wrong:
            raise Refusal(errno.EINVAL, text)
