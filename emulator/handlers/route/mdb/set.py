"""Groups are added and deleted: rtnl_mdb_add(), rtnl_mdb_del() of net/core/rtnetlink.c, br_mdb_add(), br_mdb_del() and
br_mdb_del_bulk() of net/bridge/br_mdb.c."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.mdb import vxlan, words
from nlemu.emulator.kernel.bridge import mdb
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, bridge_of, port_of
from nlemu.emulator.netlink.registry import doit_of
from nlemu.protocol.families.route.mdb import (
    ADD_ATTRS,
    DELMDB,
    ENTRY,
    FLUSH,
    FLUSH_ATTRS,
    NEWMDB,
    SET_ONE,
    Mdba,
    Mdbe,
    MdbeSource,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.uapi.if_bridge import BrState
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_BRIDGE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

BULK, REPLACE = int(NLM_F.BULK), int(NLM_F.REPLACE)
IP, IPV6 = int(ETH_P.IP), int(ETH_P.IPV6)
STATIC = 4
"""RTPROT_STATIC"""
ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
LOCAL_GROUPS = b"\xe0\0\0"
"""ipv4_is_local_multicast()"""


def _check_entry(attrs: Attrs) -> None:
    """rtnl_validate_mdb_entry(): EINVAL, with texts."""
    entry = words.entry_of(attrs)
    if not entry.ifindex:
        raise Refusal(errno.EINVAL, "Zero entry ifindex is not allowed")
    wrong = None
    if entry.proto == IP:
        if entry.addr[0] >> 4 != 0xE and any(entry.addr[:4]):
            wrong = "IPv4 entry group address is not multicast or 0.0.0.0"
        elif entry.addr[:3] == LOCAL_GROUPS:
            wrong = "IPv4 entry group address is local multicast"
    elif entry.proto == IPV6:
        if entry.addr == ALL_NODES:
            wrong = "IPv6 entry group address is link-local all nodes"
    elif entry.proto == 0:
        if not entry.addr[0] & 1:
            wrong = "L2 entry group is not multicast"
    else:
        wrong = "Unknown entry protocol"
    if wrong is None and entry.state > 1:
        wrong = "Unknown entry state"
    if wrong is None and entry.vid >= words.VLAN_VID_MASK:
        wrong = "Invalid entry VLAN id"
    if wrong is not None:
        raise Refusal(errno.EINVAL, wrong)


def _check_flush(attrs: Attrs) -> None:
    """rtnl_validate_mdb_entry_del_bulk(): EINVAL, with texts."""
    entry = words.entry_of(attrs)
    start, end = attrs.spans[Mdba.entry.number]
    for wrong, text in (
        (entry.state > 1, "Unknown entry state"),
        (entry.flags, "Entry flags cannot be set"),
        (entry.vid >= words.VLAN_VID_MASK, "Invalid entry VLAN id"),
        (any(attrs.message[start + 8 : end]), "Entry address cannot be set"),
    ):
        if wrong:
            raise Refusal(errno.EINVAL, text)


def _device(call: Call, attrs: Attrs) -> Device:
    dev = words.device(call)
    if Mdba.entry not in attrs:
        raise Refusal(errno.EINVAL, "Missing MDBA_SET_ENTRY attribute", missing=Mdba.entry.number)
    return dev


def _source(payload: bytes, proto: int) -> bytes:
    """is_valid_mdb_source(): EINVAL, with texts. Nothing for an address of zeros."""
    words.check_source(payload, proto)
    return payload if any(payload) else b""


def _config(call: Call, br: Bridge, attrs: Attrs, *, replacing: bool) -> mdb.Wanted:
    """br_mdb_config_init(): EINVAL and ENODEV, with texts."""
    if not br.dev.running:
        raise Refusal(errno.EINVAL, "bridge: Bridge device is not running")
    if not br.snooping:
        raise Refusal(errno.EINVAL, "bridge: Bridge's multicast processing is disabled")
    entry = words.entry_of(attrs)
    port = _port(call, br, entry.ifindex)
    if entry.proto == IP and not any(entry.addr[:4]):
        raise Refusal(errno.EINVAL, "bridge: IPv4 entry group address 0.0.0.0 is not allowed")
    want = mdb.Wanted(
        br, port, words.address(entry), entry.state == 1, mdb.EXCLUDE, STATIC, (), replacing
    )
    if Mdba.entry_attrs not in attrs:
        return want
    return _config_attrs(call, want, words.inner(call, attrs, ADD_ATTRS))


def _port(call: Call, br: Bridge, ifindex: int) -> Port | None:
    if ifindex == br.dev.ifindex:
        return None
    dev = call.net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV, "bridge: Port net device doesn't exist")
    port = port_of(dev)
    if port is None:
        raise Refusal(errno.EINVAL, "bridge: Net device is not a bridge port")
    if port.bridge is not br:
        raise Refusal(errno.EINVAL, "bridge: Port belongs to a different bridge device")
    return port


def _config_attrs(call: Call, want: mdb.Wanted, said: Attrs) -> mdb.Wanted:
    """br_mdb_config_attrs_init(): EINVAL, with texts."""
    proto = want.address.proto
    if Mdbe.source in said:
        want = replace(want, address=replace(want.address, src=_source(said.payload(Mdbe.source), proto)))
    group = want.address
    mode = said.get(Mdbe.group_mode)
    if mode is not None:
        if want.port is None:
            raise Refusal(errno.EINVAL, "bridge: Filter mode cannot be set for host groups")
        if not group.star_g:
            raise Refusal(errno.EINVAL, "bridge: Filter mode can only be set for (*, G) entries")
        want = replace(want, filter_mode=mode)
    if Mdbe.src_list in said:
        if want.port is None:
            raise Refusal(errno.EINVAL, "bridge: Source list cannot be set for host groups")
        if not group.star_g:
            raise Refusal(errno.EINVAL, "bridge: Source list can only be set for (*, G) entries")
        if mode is None:
            raise Refusal(errno.EINVAL, "bridge: Source list cannot be set without filter mode")
        want = replace(want, sources=_sources(said, proto))
    if not want.sources and want.filter_mode == mdb.INCLUDE:
        raise Refusal(errno.EINVAL, "bridge: Cannot add (*, G) INCLUDE with an empty source list")
    if Mdbe.rtprot in said:
        if want.port is None:
            raise Refusal(errno.EINVAL, "bridge: Protocol cannot be set for host groups")
        want = replace(want, rt_protocol=said[Mdbe.rtprot])
    return want


def _sources(said: Attrs, proto: int) -> tuple[bytes, ...]:
    """br_mdb_config_src_list_init(): EINVAL, with texts."""
    start, end = said.spans[Mdbe.src_list.number]
    entries = list(walk(said.message, start, end))
    if len(entries) >= mdb.MOST_SOURCES:
        raise Refusal(errno.EINVAL, f"bridge: Exceeded maximum number of source entries ({mdb.MOST_SOURCES - 1})")
    found = []
    for _, first, last in entries:
        addresses: list[Any] = [
            said.message[begin:stop] for number, begin, stop in walk(said.message, first, last)
            if number == MdbeSource.address.number
        ]
        if not addresses:
            raise Refusal(errno.EINVAL, missing=MdbeSource.address.number, nest=first - 4)
        words.check_source(addresses[-1], proto)
        found.append(addresses[-1])
    return tuple(found)


def _vids(want: mdb.Wanted) -> list[int] | None:
    """With VLANs and none said, those of the port; None: as it was said."""
    vlans = (want.br if want.port is None else want.port).vlans
    if not want.br.vlan_filtering or vlans is None or want.address.vid:
        return None
    return [vlan.vid for vlan in vlans]


@doit_of(NEWMDB, AF_BRIDGE)
def add(call: Call) -> None:
    """br_mdb_add(): EINVAL, ENODEV, EOPNOTSUPP, EEXIST, with texts."""
    attrs = words.read(call, SET_ONE, _check_entry)
    dev = _device(call, attrs)
    br = bridge_of(dev)
    if br is None:
        vxlan.add(call, words.vxlan(dev), attrs)
        return
    want = _config(call, br, attrs, replacing=bool(call.flags & REPLACE))
    group, port = want.address, want.port
    if port is None and group.proto:
        if want.permanent:
            raise Refusal(errno.EINVAL, "bridge: Flags are not allowed for host groups")
        if not group.star_g:
            raise Refusal(errno.EINVAL, "bridge: Groups with sources cannot be manually host joined")
    if not group.proto and not want.permanent:
        raise Refusal(errno.EINVAL, "bridge: Only permanent L2 entries allowed")
    if port is not None and port.state == BrState.DISABLED and not want.permanent:
        raise Refusal(errno.EINVAL, "bridge: Port is in disabled state and entry is not permanent")
    vids = _vids(want)
    if vids is None:
        mdb.add(want)
        return
    if not vids:
        raise Refusal(errno.EINVAL)
    for vid in vids:
        mdb.add(replace(want, address=replace(group, vid=vid)))


@doit_of(DELMDB, AF_BRIDGE)
def delete(call: Call) -> None:
    """br_mdb_del(), br_mdb_del_bulk(): EINVAL, ENODEV, EOPNOTSUPP, with texts."""
    bulk = bool(call.flags & BULK)
    attrs = words.read(call, FLUSH, _check_flush) if bulk else words.read(call, SET_ONE, _check_entry)
    dev = _device(call, attrs)
    br = bridge_of(dev)
    if br is None:
        (vxlan.flush if bulk else vxlan.delete)(call, words.vxlan(dev, bulk=bulk), attrs)
        return
    if bulk:
        _flush(call, br, attrs)
        return
    want = _config(call, br, attrs, replacing=False)
    vids, found = _vids(want), True
    for vid in [want.address.vid] if vids is None else vids:
        found = mdb.remove(br, want.port, replace(want.address, vid=vid))
    if not found:
        raise Refusal(errno.EINVAL)


def _flush(call: Call, br: Bridge, attrs: Attrs) -> None:
    entry = ENTRY.decode(attrs.message, *attrs.spans[Mdba.entry.number])
    rt_protocol = mask = 0
    if Mdba.entry_attrs in attrs:
        said = words.inner(call, attrs, FLUSH_ATTRS)
        mask, rt_protocol = said.get(Mdbe.state_mask, 0), said.get(Mdbe.rtprot, 0)
    mdb.flush(br, ifindex=entry.ifindex, vid=entry.vid, rt_protocol=rt_protocol, state=entry.state, mask=mask)
