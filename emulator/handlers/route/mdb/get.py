"""Groups are told: rtnl_mdb_get(), rtnl_mdb_dump() of net/core/rtnetlink.c, br_mdb_get(), br_mdb_dump() of
net/bridge/br_mdb.c."""

from __future__ import annotations

import errno
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.mdb import told, vxlan, words
from nlemu.emulator.kernel.bridge.bridge import bridge_of
from nlemu.emulator.kernel.vxlan.vxlan import vxlan_of
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.protocol.families.route.mdb import GET_ATTRS, GET_ONE, GETMDB, NEWMDB, Mdba, Mdbe
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.socket import AF_BRIDGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Attrs
    from nlemu.protocol.schema.family import Operation


@dumpit_of(GETMDB, AF_BRIDGE)
def dump(call: Call) -> Messages:
    """rtnl_mdb_dump(): a message a bridge or a VXLAN, whatever it has."""
    for dev in [*call.net]:
        if bridge_of(dev) is not None:
            yield partial(_typed, call, GETMDB, told.everything, dev)
        elif (tunnel := vxlan_of(dev)) is not None:
            yield partial(_typed, call, NEWMDB, vxlan.everything, tunnel)


def _typed(call: Call, op: Operation, fill: Callable[[Any], bytes], thing: Any) -> bytes:
    """A message of that type: bridges and VXLANs do not agree in which that of a dump is."""
    call.op = op
    return fill(thing)


@doit_of(GETMDB, AF_BRIDGE)
def get(call: Call) -> bytes:
    """rtnl_mdb_get(), br_mdb_get(): EINVAL, ENODEV, EOPNOTSUPP, ENOENT, with texts."""
    attrs = words.read(call, GET_ONE, check_entry)
    dev = words.device(call)
    if Mdba.entry not in attrs:
        raise Refusal(errno.EINVAL, "Missing MDBA_GET_ENTRY attribute", missing=Mdba.entry.number)
    br = bridge_of(dev)
    if br is None:
        found = vxlan.get(call, words.vxlan(dev), attrs)
        call.op = NEWMDB
        return found
    entry = words.entry_of(attrs)
    address = words.address(entry)
    if Mdba.entry_attrs in attrs:
        said = words.inner(call, attrs, GET_ATTRS)
        if Mdbe.source in said:
            source = said.payload(Mdbe.source)
            words.check_source(source, entry.proto)
            address = replace(address, src=source if any(source) else b"")
    group = br.mdb.get(address)
    if group is None or not (group.ports or group.host_joined):
        raise Refusal(errno.ENOENT, "bridge: MDB entry not found")
    call.op = NEWMDB
    return told.header(dev) + told.groups([told.entry(group)])


def check_entry(attrs: Attrs) -> None:
    """rtnl_validate_mdb_entry_get(): EINVAL, with texts."""
    entry = words.entry_of(attrs)
    for wrong, text in (
        (entry.ifindex, "Entry ifindex cannot be specified"),
        (entry.state, "Entry state cannot be specified"),
        (entry.flags, "Entry flags cannot be specified"),
        (entry.vid >= words.VLAN_VID_MASK, "Invalid entry VLAN id"),
        (entry.proto not in (0, ETH_P.IP, ETH_P.IPV6), "Unknown entry protocol"),
    ):
        if wrong:
            raise Refusal(errno.EINVAL, text)
