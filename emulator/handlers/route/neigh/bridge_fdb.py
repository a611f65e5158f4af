"""The forwarding table of a bridge in messages: br_fdb_*() of net/bridge/br_fdb.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.inet import CENTISECOND
from nlemu.emulator.kernel.bridge import fdb
from nlemu.emulator.kernel.bridge.bridge import Bridge, Entry, Port, VlanGroup, bridge_of, port_of
from nlemu.protocol.families.route.neigh import BULK, HEADER, SINCE, TAKEN_NFEA, TOLD_BRIDGE, WHOSE, Nda, Nfea
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.uapi.if_bridge import BrState
from nlemu.protocol.uapi.neighbour import NTF, NTF_EXT, NUD
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_HDRLEN
from nlemu.protocol.uapi.socket import AF_BRIDGE
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

CREATE, EXCL = int(NLM_F.CREATE), int(NLM_F.EXCL)
USE, EXT_LEARNED, STICKY = int(NTF.USE), int(NTF.EXT_LEARNED), int(NTF.STICKY)
PERMANENT, NOARP, REACHABLE = int(NUD.PERMANENT), int(NUD.NOARP), int(NUD.REACHABLE)
STATES = PERMANENT | NOARP | REACHABLE
FLUSH_IGNORED = int(NTF.MASTER | NTF.SELF)
FLUSH_FLAGS = int(NTF.USE | NTF.EXT_LEARNED | NTF.STICKY | NTF.OFFLOADED)
LEARN = (int(BrState.LEARNING), int(BrState.FORWARDING))
EXT_LOCKED = int(NTF_EXT.LOCKED)
pack_header = HEADER.codec.pack
BODY = NLMSG_HDRLEN + (HEADER.size or 0)


def body(br: Bridge, entry: Entry) -> bytes:
    """fdb_fill_info()."""
    now = br.dev.kernel.clock.now
    behind = br.dev if entry.port is None else entry.port.dev
    head = pack_header((AF_BRIDGE, 0, 0, behind.ifindex, fdb.state_of(br, entry), fdb.flags_of(entry), 0))
    told: dict[Any, Any] = {
        Nda.lladdr: entry.address,
        WHOSE: (br.dev.ifindex, EXT_LOCKED if entry.flags & fdb.LOCKED else 0),
        SINCE: ((0, (now - entry.used) // CENTISECOND, (now - entry.updated) // CENTISECOND, 0), entry.vid or None),
    }
    if entry.flags & fdb.NOTIFY:
        bits = 3 if entry.flags & fdb.INACTIVE else 1
        told[Nda.fdb_ext_attrs] = {Nfea.activity_notify: bits}
    return head + TOLD_BRIDGE.encode(told)


def find(br: Bridge, address: bytes, vid: int) -> bytes:
    """br_fdb_get(): ENOENT, with a text."""
    entry = br.fdb.get((address, vid))
    if entry is None:
        raise Refusal(errno.ENOENT, "Fdb entry not found")
    return body(br, entry)


def _where(dev: Device) -> tuple[Bridge, Port | None, VlanGroup | None]:
    """The bridge, the port and its VLANs: of a bridge, its own. EINVAL."""
    br, port = bridge_of(dev), port_of(dev)
    if br is not None:
        return br, None, br.vlans
    if port is None:
        raise Refusal(errno.EINVAL)
    return port.bridge, port, port.vlans


def _vids(group: VlanGroup | None) -> list[int]:
    """Those in use."""
    return [] if group is None or not group.count else [vlan.vid for vlan in group if vlan.used]


def add(call: Call, dev: Device, address: bytes, vid: int) -> bool:
    """br_fdb_add(): in one VLAN, or without one and in each that there is. True when the bridge has told, or may have.
    EINVAL now and then with a text, EPERM, ENOENT, EEXIST, ENOMEM."""
    attrs, header = call.attrs, call.fixed
    if not header.state & STATES or not any(address):
        raise Refusal(errno.EINVAL)
    br, port, group = _where(dev)
    if attrs.get(Nda.flags_ext, 0) & NTF_EXT.LOCKED:
        raise Refusal(errno.EINVAL, 'bridge: Cannot add FDB entry with "locked" flag set')
    nfea = Attrs(call.message, {}, 0, 0)
    span = attrs.spans.get(Nda.fdb_ext_attrs.number)
    if span is not None:
        nfea = Attrs(call.message, validate(TAKEN_NFEA, call.message, *span, STRICT, call.extack), *span)
    if vid:
        vlan = None if group is None else group.find(vid)
        if vlan is None or not vlan.used:
            raise Refusal(errno.EINVAL)
        return _add(call, br, port, address, vid, nfea)
    notified = _add(call, br, port, address, 0, nfea)
    for one in _vids(group):
        notified = _add(call, br, port, address, one, nfea) or notified
    return notified


def _add(call: Call, br: Bridge, port: Port | None, address: bytes, vid: int, nfea: Attrs) -> bool:
    """__br_fdb_add()."""
    header = call.fixed
    if header.flags & USE:
        if port is None:
            raise Refusal(errno.EINVAL)
        if port.state not in LEARN:
            return False
        fdb.update(br, port, address, vid, fdb.BY_USER)
    elif header.flags & EXT_LEARNED:
        if port is None and not header.state & PERMANENT:
            raise Refusal(errno.EINVAL, "bridge: FDB entry towards bridge must be permanent")
        fdb.add_learned_elsewhere(br, port, address, vid)
    else:
        fdb.add_entry(
            br, port, address, vid, state=header.state, sticky=bool(header.flags & STICKY),
            notify=nfea.get(Nfea.activity_notify, 0), refresh=Nfea.dont_refresh not in nfea,
            create=bool(call.flags & CREATE), exclusive=bool(call.flags & EXCL),
        )
    return True


def delete(dev: Device, address: bytes, vid: int) -> None:
    """br_fdb_delete(): ENOENT when it was nowhere."""
    br, port, group = _where(dev)
    vids = [vid] if vid else [0, *_vids(group)]
    if not any([fdb.delete_entry(br, port, address, one) for one in vids]):
        raise Refusal(errno.ENOENT)


def _flags(state: int, flags: int) -> int:
    """__ndm_state_to_fdb_flags(), __ndm_flags_to_fdb_flags()."""
    pairs = (
        (state & PERMANENT, fdb.LOCAL), (state & NOARP, fdb.STATIC), (flags & USE, fdb.BY_USER),
        (flags & EXT_LEARNED, fdb.LEARNED_ELSEWHERE), (flags & NTF.OFFLOADED, fdb.OFFLOADED),
        (flags & STICKY, fdb.STICKY),
    )
    return sum(bit for said, bit in pairs if said)


def delete_bulk(call: Call, dev: Device) -> None:
    """br_fdb_delete_bulk(): all that is like that. EINVAL and ENODEV with texts, and what the policy refuses."""
    message, header, end = call.message, call.fixed, len(call.message)
    attrs = Attrs(message, validate(BULK, message, BODY, end, STRICT, call.extack), BODY, end)
    flags = header.flags & ~FLUSH_IGNORED
    own, port = bridge_of(dev), port_of(dev)
    if own is None and port is None:
        raise Refusal(errno.EINVAL, "bridge: Device is not a bridge port")
    br = own if own is not None or port is None else port.bridge
    assert br is not None
    if flags & ~FLUSH_FLAGS:
        raise Refusal(errno.EINVAL, "Unsupported fdb flush ndm flag bits set")
    if header.state & ~(PERMANENT | NOARP):
        raise Refusal(errno.EINVAL, "Unsupported fdb flush ndm state bits set")
    mask = _flags(attrs.get(Nda.ndm_state_mask, 0), attrs.get(Nda.ndm_flags_mask, 0))
    ifindex = attrs.get(Nda.ifindex, 0)
    if ifindex:
        _check_flushed(br, ifindex)
    elif port is not None and own is None:
        ifindex = port.dev.ifindex
    fdb.flush(br, ifindex=ifindex, vid=attrs.get(Nda.vlan, 0), flags=_flags(header.state, flags), mask=mask)


def _check_flushed(br: Bridge, ifindex: int) -> None:
    """__fdb_flush_validate_ifindex()."""
    dev = br.dev.net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV, "bridge: Unknown flush device ifindex")
    own, port = bridge_of(dev), port_of(dev)
    if own is None and port is None:
        raise Refusal(errno.EINVAL, "bridge: Flush device is not a bridge or bridge port")
    if own is not None and own is not br:
        raise Refusal(errno.EINVAL, "bridge: Flush bridge device does not match target bridge device")
    if port is not None and port.bridge is not br:
        raise Refusal(errno.EINVAL, "bridge: Port belongs to a different bridge device")
