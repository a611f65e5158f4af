"""Groups of VXLANs: what requests ask of them and what is told (drivers/net/vxlan/vxlan_mdb.c)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.mdb import told, words
from nlemu.emulator.kernel.tunnels.address import NO_ADDRESS, TunnelAddress, ipv4, ipv6
from nlemu.emulator.kernel.vxlan import mdb
from nlemu.emulator.kernel.vxlan.mdb import GroupKey
from nlemu.emulator.kernel.vxlan.vxlan import Flag, Remote
from nlemu.emulator.netlink.request import nested
from nlemu.protocol.families.route.mdb import (
    ENTRY,
    SOURCE,
    VXLAN_ADD,
    VXLAN_FLUSH,
    VXLAN_GET,
    Mdba,
    Mdbe,
    MdbeSource,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import NLATTR, Attrs, pack, walk
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.socket import AF_INET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.vxlan.mdb import GroupEntry, GroupRemote
    from nlemu.emulator.kernel.vxlan.vxlan import Vxlan
    from nlemu.emulator.netlink.call import Call

CREATE, REPLACE = int(NLM_F.CREATE), int(NLM_F.REPLACE)
PERMANENT = 1
"""MDB_PERMANENT"""
STATIC = 4
"""RTPROT_STATIC"""
DST, DST_PORT, VNI, IFINDEX, SRC_VNI = 6, 7, 8, 9, 10
"""MDBA_MDB_EATTR_*, beside those of bridges"""
PROTOCOLS = {int(ETH_P.IP): ("IPv4", 4), int(ETH_P.IPV6): ("IPv6", 16)}


def _wrong(text: str, **where: Any) -> Refusal:
    return Refusal(errno.EINVAL, f"vxlan: {text}", **where)


def _address(packed: bytes) -> TunnelAddress:
    """vxlan_nla_get_addr()."""
    return ipv6(packed) if len(packed) >= 16 else ipv4(packed)


def _source(packed: bytes, proto: int) -> TunnelAddress:
    """vxlan_mdb_is_valid_source(): EINVAL, with texts."""
    if proto not in PROTOCOLS:
        raise _wrong("Invalid protocol used with source address")
    name, size = PROTOCOLS[proto]
    if len(packed) != size:
        raise _wrong(f"{name} invalid source address length")
    address = _address(packed)
    if address.multicast:
        raise _wrong(f"{name} multicast source address is not allowed")
    if address.any:
        raise _wrong(f"{name} all-zeros source address is not allowed")
    return address


def _group(entry: Any) -> TunnelAddress:
    """vxlan_mdb_group_set(): none of a protocol that is neither."""
    if entry.proto not in PROTOCOLS:
        return NO_ADDRESS
    return _address(bytes(entry.addr[: PROTOCOLS[entry.proto][1]]))


def _config(call: Call, vxlan: Vxlan, attrs: Attrs, flags: int) -> mdb.Wanted:
    """vxlan_mdb_config_init(): EINVAL, with texts. flags: of the request, 0 where something is to be deleted."""
    entry = words.entry_of(attrs)
    for wrong, text in (
        (entry.ifindex != vxlan.dev.ifindex, "Port net device must be the VXLAN net device"),
        (flags & (CREATE | REPLACE) and entry.state != PERMANENT, "MDB entry must be permanent"),
        (entry.flags, "Invalid MDB entry flags"),
        (entry.vid, "VID must not be specified"),
        (entry.proto not in PROTOCOLS, "Group address must be an IPv4 / IPv6 address"),
    ):
        if wrong:
            raise _wrong(text)
    if Mdba.entry_attrs not in attrs:
        raise _wrong("Missing MDBA_SET_ENTRY_ATTRS attribute", missing=Mdba.entry_attrs.number)
    span = attrs.spans[Mdba.entry_attrs.number]
    said = nested(call, VXLAN_ADD, span)
    if Mdbe.dst not in said:
        raise _wrong("Missing remote destination IP address", missing=Mdbe.dst.number, nest=span[0] - NLATTR.size)
    source = _source(said.payload(Mdbe.source), entry.proto) if Mdbe.source in said else NO_ADDRESS
    key = GroupKey(_group(entry), vxlan.vni, source)
    if not key.dst.multicast and not key.dst.any:
        raise _wrong("Group address is not multicast")
    if key.dst.any and Mdbe.source in said:
        raise _wrong("Source cannot be specified for the all-zeros entry")
    mode, sources = _mode(call, said, key, entry.proto)
    ifindex = said.get(Mdbe.ifindex, 0)
    if ifindex and vxlan.net.device(ifindex) is None:
        raise _wrong("Outgoing interface not found")
    remote = Remote(
        _address(said.payload(Mdbe.dst)), said.get(Mdbe.dst_port, vxlan.config.dst_port),
        said.get(Mdbe.vni, vxlan.vni), ifindex,
    )
    return mdb.Wanted(
        key._replace(vni=said.get(Mdbe.src_vni, key.vni)), remote, mode, said.get(Mdbe.rtprot, STATIC),
        bool(flags & CREATE), bool(flags & REPLACE), sources,
    )


def _mode(call: Call, said: Attrs, key: GroupKey, proto: int) -> tuple[int, tuple[TunnelAddress, ...]]:
    """Which sources are wanted: all but those, or only those."""
    mode = mdb.INCLUDE if key.sg else mdb.EXCLUDE
    if Mdbe.group_mode in said:
        if not key.star_g:
            raise _wrong("Filter mode can only be set for (*, G) entries")
        mode = said[Mdbe.group_mode]
    sources: tuple[TunnelAddress, ...] = ()
    if Mdbe.src_list in said:
        if not key.star_g:
            raise _wrong("Source list can only be set for (*, G) entries")
        if Mdbe.group_mode not in said:
            raise _wrong("Source list cannot be set without filter mode")
        sources = _sources(call, said, proto)
    if key.star_g and not sources and mode == mdb.INCLUDE:
        raise _wrong("Cannot add (*, G) INCLUDE with an empty source list")
    return mode, sources


def _sources(call: Call, said: Attrs, proto: int) -> tuple[TunnelAddress, ...]:
    """vxlan_mdb_config_src_list_init()."""
    found = []
    for _, first, last in walk(said.message, *said.spans[Mdbe.src_list.number]):
        one = nested(call, SOURCE, (first, last))
        if MdbeSource.address not in one:
            raise Refusal(errno.EINVAL, missing=MdbeSource.address.number, nest=first - NLATTR.size)
        found.append(_source(one.payload(MdbeSource.address), proto))
    return tuple(found)


def add(call: Call, vxlan: Vxlan, attrs: Attrs) -> None:
    """vxlan_mdb_add(): EINVAL, EEXIST, ENOENT, with texts."""
    mdb.add(vxlan, _config(call, vxlan, attrs, call.flags))


def delete(call: Call, vxlan: Vxlan, attrs: Attrs) -> None:
    """vxlan_mdb_del(): EINVAL, ENOENT, with texts."""
    want = _config(call, vxlan, attrs, 0)
    mdb.delete(vxlan, want.key, want.remote.address)


def flush(call: Call, vxlan: Vxlan, attrs: Attrs) -> None:
    """vxlan_mdb_del_bulk(): EINVAL, with texts."""
    entry = words.entry_of(attrs)
    if entry.ifindex not in (0, vxlan.dev.ifindex):
        raise _wrong("Invalid port net device")
    if entry.vid:
        raise _wrong("VID must not be specified")
    which = mdb.Flushed()
    if Mdba.entry_attrs in attrs:
        said = nested(call, VXLAN_FLUSH, attrs.spans[Mdba.entry_attrs.number])
        if said.get(Mdbe.state_mask, 0) & PERMANENT and not entry.state & PERMANENT:
            raise _wrong("Only permanent MDB entries are supported")
        which = mdb.Flushed(
            _address(said.payload(Mdbe.dst)) if Mdbe.dst in said else NO_ADDRESS, said.get(Mdbe.src_vni, 0),
            said.get(Mdbe.vni, 0), said.get(Mdbe.dst_port, 0), said.get(Mdbe.rtprot, 0),
        )
    mdb.flush(vxlan, which)


def get(call: Call, vxlan: Vxlan, attrs: Attrs) -> bytes:
    """vxlan_mdb_get(): EINVAL and ENOENT, with texts."""
    entry = words.entry_of(attrs)
    key = GroupKey(_group(entry), vxlan.vni)
    if Mdba.entry_attrs in attrs:
        said = nested(call, VXLAN_GET, attrs.spans[Mdba.entry_attrs.number])
        source = _source(said.payload(Mdbe.source), entry.proto) if Mdbe.source in said else NO_ADDRESS
        key = GroupKey(key.dst, said.get(Mdbe.src_vni, key.vni), source)
    found = vxlan.mdb.get(key)
    if found is None:
        raise Refusal(errno.ENOENT, "vxlan: MDB entry not found")
    return _message(vxlan.dev, [_entry(vxlan, found)])


# What is told


def _message(dev: Device, entries: Iterable[bytes]) -> bytes:
    return told.header(dev) + told.groups(entries)


def _entry(vxlan: Vxlan, entry: GroupEntry) -> bytes:
    """vxlan_mdb_entry_fill()."""
    return pack(told.ENTRIES, b"".join(_info(vxlan, entry, one) for one in entry.remotes))


def _info(vxlan: Vxlan, entry: GroupEntry, one: GroupRemote) -> bytes:
    """vxlan_mdb_entry_info_fill()."""
    key, remote = entry.key, one.remote
    body = ENTRY.codec.pack(
        ifindex=vxlan.dev.ifindex, state=PERMANENT, flags=told.BLOCKED if one.blocked else 0, vid=0,
        addr=key.dst.packed.ljust(16, b"\0"), proto=ETH_P.IP if key.dst.family == AF_INET else ETH_P.IPV6,
    )
    body += told.u32(told.TIMER, 0)
    if not key.src.any:
        body += pack(told.SOURCE, key.src.packed)
    body += pack(told.RTPROT, bytes((one.rt_protocol,))) + pack(told.GROUP_MODE, bytes((one.filter_mode,)))
    if one.sources:
        body += told.sources((source.packed, 0) for source in one.sources)
    body += pack(DST, remote.address.packed)
    for number, value, size in (
        (DST_PORT, remote.port if remote.port != vxlan.config.dst_port else 0, 2),
        (VNI, remote.vni if remote.vni != vxlan.vni else None, 4),
        (IFINDEX, remote.ifindex, 4),
        (SRC_VNI, key.vni if vxlan.has(Flag.COLLECT_METADATA) else 0, 4),
    ):
        if value or (number == VNI and value is not None):
            body += pack(number, value.to_bytes(size, "little"))
    return pack(told.INFO, body)


def change(vxlan: Vxlan, entry: GroupEntry, one: GroupRemote) -> bytes:
    """vxlan_mdb_nlmsg_fill()."""
    return _message(vxlan.dev, [pack(told.ENTRIES, _info(vxlan, entry, one))])


def everything(vxlan: Vxlan) -> bytes:
    """vxlan_mdb_dump()."""
    return _message(vxlan.dev, [_entry(vxlan, entry) for entry in mdb.entries(vxlan)])
