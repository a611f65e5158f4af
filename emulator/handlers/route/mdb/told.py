"""What is told of groups: __mdb_fill_info() of net/bridge/br_mdb.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.bridge import mdb
from nlemu.protocol.families.route.mdb import ENTRY, HEADER
from nlemu.protocol.schema.attributes import pack
from nlemu.protocol.uapi.socket import AF_BRIDGE, AF_INET, AF_INET6

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nlemu.emulator.kernel.bridge.bridge import Bridge, PortMulticast, Vlan
    from nlemu.emulator.kernel.bridge.mdb import Group, PortGroup
    from nlemu.emulator.kernel.devices.device import Device

MDB, ENTRIES, INFO = 1, 1, 1
"""MDBA_MDB, MDBA_MDB_ENTRY, MDBA_MDB_ENTRY_INFO"""
TIMER, SRC_LIST, GROUP_MODE, SOURCE, RTPROT = 1, 2, 3, 4, 5
"""MDBA_MDB_EATTR_*"""
SOURCE_ENTRY, SOURCE_ADDRESS, SOURCE_TIMER = 1, 1, 2
"""MDBA_MDB_SRCLIST_ENTRY, MDBA_MDB_SRCATTR_*"""
OFFLOAD, FAST_LEAVE, STAR_EXCL, BLOCKED = 1, 2, 4, 8
"""MDB_FLAGS_*"""
FLAGS = ((mdb.Pg.OFFLOAD, OFFLOAD), (mdb.Pg.FAST_LEAVE, FAST_LEAVE), (mdb.Pg.STAR_EXCL, STAR_EXCL),
         (mdb.Pg.BLOCKED, BLOCKED))
ROUTER, ROUTER_PORT, ROUTER_TIMER, ROUTER_TYPE = 2, 1, 1, 2
"""MDBA_ROUTER, MDBA_ROUTER_PORT, MDBA_ROUTER_PATTR_*"""
ROUTER_TIMERS = {AF_INET: 3, AF_INET6: 4}
"""MDBA_ROUTER_PATTR_INET_TIMER, MDBA_ROUTER_PATTR_INET6_TIMER"""
ROUTER_VID = 5
"""MDBA_ROUTER_PATTR_VID"""
NESTED = 0x8000
"""NLA_F_NESTED"""


def u32(number: int, value: int) -> bytes:
    """An attribute of four bytes."""
    return pack(number, value.to_bytes(4, "little"))


def sources(those: Iterable[tuple[bytes, int]]) -> bytes:
    """MDBA_MDB_EATTR_SRC_LIST: addresses, and how long each is still wanted."""
    return pack(SRC_LIST | NESTED, b"".join(
        pack(SOURCE_ENTRY | NESTED, pack(SOURCE_ADDRESS, address) + u32(SOURCE_TIMER, left)) for address, left in those
    ))


def _info(group: Group, one: PortGroup | None) -> bytes:
    """__mdb_fill_info()."""
    br, address = group.br, group.address
    flags = 0 if one is None else one.flags
    state = flags & mdb.PERMANENT if address.proto else 1
    told = sum(bit for flag, bit in FLAGS if flags & flag)
    ifindex = br.dev.ifindex if one is None else one.port.dev.ifindex
    body = ENTRY.codec.pack(
        ifindex=ifindex, state=state, flags=told, vid=address.vid, addr=address.dst.ljust(16, b"\0"),
        proto=address.proto,
    )
    body += u32(TIMER, (group if one is None else one).timer.left)
    if address.src:
        body += pack(SOURCE, address.src)
    if one is not None:
        body += pack(RTPROT, bytes((one.rt_protocol,)))
        if mdb.has_modes(br.multicast, address.proto):
            if one.sources:
                body += sources((source.address, source.timer.left) for source in one.sources)
            body += pack(GROUP_MODE, bytes((one.filter_mode,)))
    return pack(INFO, body)


def entry(group: Group) -> bytes:
    """All of one group."""
    infos = ([_info(group, None)] if group.host_joined else []) + [_info(group, one) for one in group.ports]
    return pack(ENTRIES, b"".join(infos))


def header(dev: Device, family: int = AF_BRIDGE) -> bytes:
    """struct br_port_msg"""
    return HEADER.codec.pack(family=family, ifindex=dev.ifindex)


def groups(entries: Iterable[bytes]) -> bytes:
    """MDBA_MDB"""
    return pack(MDB, b"".join(entries))


def change(group: Group, one: PortGroup | None) -> bytes:
    """nlmsg_populate_mdb_fill()."""
    return header(group.br.dev) + groups([pack(ENTRIES, _info(group, one))])


def everything(dev: Device) -> bytes:
    """br_mdb_dump()."""
    return header(dev, 0) + groups(entry(group) for group in mdb.groups(dev.priv)) + routers(dev.priv)


def router(pmctx: PortMulticast) -> bytes:
    """nlmsg_populate_rtr_fill()."""
    port = pmctx.port
    told = port.dev.ifindex.to_bytes(4, "little") + _vid(pmctx)
    return header(port.bridge.dev) + pack(ROUTER, pack(ROUTER_PORT, told))


def _vid(pmctx: PortMulticast) -> bytes:
    return pack(ROUTER_VID, pmctx.vid.to_bytes(2, "little")) if pmctx.vid else b""


def routers(br: Bridge, vlan: Vlan | None = None) -> bytes:
    """br_rports_fill_info(): MDBA_ROUTER, where there are any and the bridge, or that VLAN of it, lets them count."""
    there = [pmctx for pmctx in contexts(br, vlan) if pmctx.families]
    if not (br.multicast if vlan is None else vlan.mcast).router or not there:
        return b""
    return pack(ROUTER, b"".join(pack(ROUTER_PORT, _router(pmctx)) for pmctx in there))


def contexts(br: Bridge, vlan: Vlan | None) -> Iterator[PortMulticast]:
    """Of each port, or of its VLAN of that number."""
    for port in br.ports:
        if vlan is None:
            yield port.multicast
        elif port.vlans is not None and (one := port.vlans.find(vlan.vid)) is not None and one.port_mcast is not None:
            yield one.port_mcast


def _router(pmctx: PortMulticast) -> bytes:
    left = {family: pmctx.timers[family].left for family in pmctx.families}
    body = pmctx.port.dev.ifindex.to_bytes(4, "little") + u32(ROUTER_TIMER, max(left.values()))
    body += pack(ROUTER_TYPE, bytes((pmctx.port.multicast.router,)))  # of the port, also where it is about a VLAN
    body += b"".join(u32(number, left[family]) for family, number in ROUTER_TIMERS.items() if family in left)
    return body + _vid(pmctx)
