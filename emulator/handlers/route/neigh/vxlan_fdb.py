"""The forwarding table of a VXLAN in messages: vxlan_fdb_*() of drivers/net/vxlan/vxlan_core.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.inet import CENTISECOND
from nlemu.emulator.kernel.tunnels import address as tunnel_address
from nlemu.emulator.kernel.tunnels.address import TunnelAddress
from nlemu.emulator.kernel.vxlan import fdb
from nlemu.emulator.kernel.vxlan.fdb import Flushed, Wanted
from nlemu.emulator.kernel.vxlan.vxlan import ADDED_BY_USER, Flag, Remote, TunnelEntry, Vxlan
from nlemu.protocol.families.route.neigh import HEADER, TOLD_VXLAN, VXLAN_BULK, Nda
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.uapi.neighbour import NTF, NUD
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_HDRLEN
from nlemu.protocol.uapi.rtnetlink import RTN
from nlemu.protocol.uapi.socket import AF_BRIDGE
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

BODY = NLMSG_HDRLEN + (HEADER.size or 0)
NDM_FLAGS = 0xFF
STATES = int(NUD.PERMANENT | NUD.REACHABLE)
STATIC = int(NUD.PERMANENT | NUD.NOARP)
FLUSH_IGNORED = int(NTF.MASTER | NTF.SELF)
FLUSH_FLAGS = int(NTF.EXT_LEARNED | NTF.OFFLOADED | NTF.ROUTER)
UNICAST = int(RTN.UNICAST)
LED = (Nda.dst, Nda.vni, Nda.ifindex, Nda.port)
NOT_ASSIGNED = -1


def body(dev: Device, entry: TunnelEntry, remote: Remote | None) -> bytes:
    """vxlan_fdb_info(), of a message that is no question."""
    vxlan: Vxlan = dev.priv
    head = HEADER.codec.pack(
        family=AF_BRIDGE, ifindex=dev.ifindex, state=entry.state, flags=entry.flags & NDM_FLAGS, type=UNICAST
    )
    now = dev.kernel.clock.now
    told: dict[Any, Any] = {
        Nda.lladdr: entry.address,
        Nda.cacheinfo: (0, (now - entry.used) // CENTISECOND, (now - entry.updated) // CENTISECOND, 0),
        Nda.src_vni: entry.vni if vxlan.has(Flag.COLLECT_METADATA) and entry.vni else None,
    }
    if dev.net is not vxlan.net:
        nsid = dev.net.id_of(vxlan.net)
        told[Nda.link_netnsid] = NOT_ASSIGNED if nsid is None else nsid
    if entry.nexthop is not None:
        told[Nda.nh_id] = entry.nexthop.id
    elif remote is not None:
        told |= {
            Nda.dst: remote.address.packed,
            Nda.port: remote.port if remote.port not in (0, vxlan.config.dst_port) else None,
            Nda.vni: remote.vni if remote.vni != vxlan.vni else None,
            Nda.ifindex: remote.ifindex or None,
        }
    return head + TOLD_VXLAN.encode(told)


def dump(dev: Device) -> Iterator[Callable[[], bytes]]:
    """vxlan_fdb_dump()."""
    for entry in fdb.entries(dev.priv):
        for remote in entry.remotes if entry.nexthop is None else (None,):
            yield partial(body, dev, entry, remote)


def find(call: Call, dev: Device, address: bytes) -> bytes:
    """vxlan_fdb_get(): ENOENT, with a text."""
    vxlan: Vxlan = dev.priv
    entry = fdb.find(vxlan, address, call.attrs.get(Nda.vni, vxlan.vni))
    if entry is None:
        raise Refusal(errno.ENOENT, "Fdb entry not found")
    return body(dev, entry, fdb.first_remote(entry))


def _address(payload: bytes) -> TunnelAddress:
    """vxlan_nla_get_addr(): EAFNOSUPPORT, with a text."""
    if len(payload) >= 16:
        return tunnel_address.ipv6(payload)
    if len(payload) >= 4:
        return tunnel_address.ipv4(payload)
    raise Refusal(errno.EAFNOSUPPORT, "Unsupported address family")


def _number(attrs: Attrs, attr: Attr[int], size: int, text: str, default: int) -> int:
    """EINVAL, with a text."""
    if attr not in attrs:
        return default
    if len(attrs.payload(attr)) != size:
        raise Refusal(errno.EINVAL, text)
    return attrs[attr]


def _parse(attrs: Attrs, dev: Device) -> tuple[Remote, int, int]:
    """vxlan_fdb_parse(): where to, the VNI that frames come from, and the number of a next hop. EINVAL, EADDRNOTAVAIL,
    EAFNOSUPPORT, with texts."""
    vxlan: Vxlan = dev.priv
    if Nda.nh_id in attrs and any(attr in attrs for attr in LED):
        raise Refusal(errno.EINVAL, "DST, VNI, ifindex and port are mutually exclusive with NH_ID")
    address = tunnel_address.of_family(vxlan.remote.family)
    if Nda.dst in attrs:
        address = _address(attrs.payload(Nda.dst))
    port = _number(attrs, Nda.port, 2, "Invalid vxlan port", vxlan.config.dst_port)
    vni = _number(attrs, Nda.vni, 4, "Invalid vni", vxlan.vni)
    source = _number(attrs, Nda.src_vni, 4, "Invalid src vni", vxlan.vni)
    ifindex = _number(attrs, Nda.ifindex, 4, "Invalid ifindex", 0)
    if Nda.ifindex in attrs and dev.net.device(ifindex) is None:
        raise Refusal(errno.EADDRNOTAVAIL, "Device not found")
    return Remote(address, port, vni, ifindex), source, attrs.get(Nda.nh_id, 0)


def add(call: Call, dev: Device, address: bytes, flags: int) -> None:
    """vxlan_fdb_add(): flags: NTF_*. EINVAL, EAFNOSUPPORT, and what vxlan_fdb_update() refuses."""
    vxlan: Vxlan = dev.priv
    attrs, header, said = call.attrs, call.fixed, call.flags
    if not header.state & STATES or (Nda.dst not in attrs and Nda.nh_id not in attrs):
        raise Refusal(errno.EINVAL)
    remote, source, nh_id = _parse(attrs, dev)
    if nh_id and not header.state & STATIC:
        raise Refusal(errno.EINVAL, "A nexthop fdb cannot be dynamic")
    if vxlan.remote.family != remote.address.family:
        raise Refusal(errno.EAFNOSUPPORT)
    fdb.update(vxlan, Wanted(
        address, source, remote, header.state, flags | ADDED_BY_USER,
        create=bool(said & NLM_F.CREATE), exclusive=bool(said & NLM_F.EXCL), replace=bool(said & NLM_F.REPLACE),
        append=bool(said & NLM_F.APPEND), nh_id=nh_id,
    ))


def delete(attrs: Attrs, dev: Device, address: bytes) -> None:
    """vxlan_fdb_delete(): ENOENT, and what is wrong with the attributes."""
    remote, source, _ = _parse(attrs, dev)
    fdb.delete(dev.priv, address, source, remote)


def delete_bulk(call: Call, dev: Device) -> None:
    """vxlan_fdb_delete_bulk(): EINVAL and EAFNOSUPPORT with texts, and what the policy refuses."""
    message, header, end = call.message, call.fixed, len(call.message)
    flags = header.flags & ~FLUSH_IGNORED
    attrs = Attrs(message, validate(VXLAN_BULK, message, BODY, end, STRICT, call.extack), BODY, end)
    if flags & ~FLUSH_FLAGS:
        raise Refusal(errno.EINVAL, "Unsupported fdb flush ndm flag bits set")
    if header.state & ~STATIC:
        raise Refusal(errno.EINVAL, "Unsupported fdb flush ndm state bits set")
    fdb.flush(dev.priv, Flushed(
        state=header.state, state_mask=attrs.get(Nda.ndm_state_mask, 0),
        flags=flags, flags_mask=attrs.get(Nda.ndm_flags_mask, 0),
        src_vni=attrs.get(Nda.src_vni, 0), nh_id=attrs.get(Nda.nh_id, 0), vni=attrs.get(Nda.vni, 0),
        port=attrs.get(Nda.port, 0),
        dst=_address(attrs.payload(Nda.dst)) if Nda.dst in attrs else tunnel_address.NO_ADDRESS,
    ))
