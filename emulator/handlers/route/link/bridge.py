"""Links of AF_BRIDGE: ports and bridges are told of and set (rtnl_bridge_*link() of net/core/rtnetlink.c, br_getlink(),
br_setlink(), br_dellink() of net/bridge/br_netlink.c).

A request goes to the bridge of which the device is a port, to the device itself, or to both, as IFLA_BRIDGE_FLAGS says.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link import fill as link_fill
from nlemu.emulator.handlers.route.link.get import least_room
from nlemu.emulator.handlers.route.link.kinds import read
from nlemu.emulator.handlers.route.link.parse import parse_quietly
from nlemu.emulator.kernel.bridge import mst, settings, stp, vlan_tunnels, vlans
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, PortFlag, VlanGroup, bridge_of, port_of
from nlemu.emulator.kernel.bridge.params import PortParams
from nlemu.emulator.kernel.links.bridge import fill_port
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import nested
from nlemu.protocol.families.route.bridge import (
    AF_SPEC,
    LINK_REPLY,
    MST_ENTRY,
    PROTINFO,
    TUNNEL_INFO,
    VLAN_INFO,
    BridgeAf,
    Mst,
    MstEntry,
    TunnelInfo,
)
from nlemu.protocol.families.route.kinds.bridge import PORT_POLICY, Brport
from nlemu.protocol.families.route.link import DELLINK, GETLINK, SETLINK, Link
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import NLATTR, walk
from nlemu.protocol.uapi.if_bridge import BridgeFlags, BrVlanInfo
from nlemu.protocol.uapi.netlink import NLA_F_NESTED
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER, RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

MASTER, SELF = int(BridgeFlags.MASTER), int(BridgeFlags.SELF)
BRVLAN, COMPRESSED = int(RTEXT_FILTER.BRVLAN), int(RTEXT_FILTER.BRVLAN_COMPRESSED)
OF_BRIDGES = BRVLAN | COMPRESSED | int(RTEXT_FILTER.MRP | RTEXT_FILTER.CFM_CONFIG | RTEXT_FILTER.CFM_STATUS)
OTHER_PROTOCOLS = int(RTEXT_FILTER.MRP | RTEXT_FILTER.CFM_CONFIG | RTEXT_FILTER.CFM_STATUS)
MST = int(RTEXT_FILTER.MST)
"""Masks by which a bridge itself is told of."""
PVID, UNTAGGED = int(BrVlanInfo.PVID), int(BrVlanInfo.UNTAGGED)
BEGIN, END = int(BrVlanInfo.RANGE_BEGIN), int(BrVlanInfo.RANGE_END)
Owner = Bridge | Port


# -- what is told ------------------------------------------------------------------------------


def body(dev: Device, event: int, mask: int) -> bytes:
    """br_fill_ifinfo(). event: RTM.NEWLINK or RTM.DELLINK; mask: RTEXT_FILTER_*."""
    port = port_of(dev)
    owner: Owner = dev.priv if port is None else port
    br = owner if isinstance(owner, Bridge) else owner.bridge
    iflink = dev.iflink
    told: dict[Any, Any] = {
        Link.ifname: dev.name,
        Link.master: br.dev.ifindex,
        Link.mtu: dev.mtu,
        Link.operstate: dev.shown_operstate,
        Link.address: dev.address if dev.addr_len else None,
        Link.link: iflink if iflink != dev.ifindex else None,
    }
    if event == RTM.NEWLINK and port is not None:
        said = fill_port(port)
        told[PROTINFO] = {attr: said.get(name) for name, attr in Brport.spec.fields.items()}
    group = owner.vlans
    if group is not None and group.count:
        spec: dict[Any, Any] = {}
        if mask & (BRVLAN | COMPRESSED):
            spec[BridgeAf.vlan_info] = ranges(group) if mask & COMPRESSED else list(plain(group))
            if port is not None and port.flags & PortFlag.VLAN_TUNNEL:
                spec[BridgeAf.vlan_tunnel_info] = told_tunnels(port)
        if mask & MST and not mask & OTHER_PROTOCOLS and port is not None and br.has(mst.OPTION):
            spec[BridgeAf.mst] = {
                Mst.entry: [{MstEntry.msti: msti, MstEntry.state: state} for msti, state in mst.states(port)]
            }
        if spec:
            told[AF_SPEC] = spec
    return link_fill.header(dev, AF_BRIDGE) + link_fill.NO_CHANGE + LINK_REPLY.encode(told)


def plain(group: VlanGroup) -> list[dict[str, int]]:
    """br_fill_ifvlaninfo(): struct bridge_vlan_info of each VLAN in use."""
    return [
        {"flags": vlan.flags & UNTAGGED | (PVID if vlan.vid == group.pvid else 0), "vid": vlan.vid}
        for vlan in group if vlan.used
    ]


def ranges(group: VlanGroup) -> list[dict[str, int]]:
    """br_fill_ifvlaninfo_compressed(): neighbours that are alike by the first and the last of them."""
    runs: list[list[dict[str, int]]] = []
    for info in plain(group):
        if runs and info["vid"] - runs[-1][-1]["vid"] == 1 and info["flags"] == runs[-1][-1]["flags"]:
            runs[-1].append(info)
        else:
            runs.append([info])
    told = []
    for run in runs:
        first, last = run[0], run[-1]
        if first is last:
            told.append(first)
        else:
            told += [first | {"flags": first["flags"] | BEGIN}, last | {"flags": last["flags"] | END}]
    return told


def told_tunnels(port: Port) -> list[dict[Any, int]]:
    """br_fill_vlan_tunnel_info(): also where ranges were not asked for."""
    told: list[dict[Any, int]] = []
    for first, last in vlan_tunnels.runs(port):
        for vlan, flags in ((first, 0),) if first is last else ((first, BEGIN), (last, END)):
            assert vlan.tunnel is not None
            told.append({TunnelInfo.id: vlan.tunnel, TunnelInfo.vid: vlan.vid, TunnelInfo.flags: flags})
    return told


@dumpit_of(GETLINK, AF_BRIDGE)
def bridge_dump(call: Call) -> Dump:
    """rtnl_bridge_getlink()."""
    return Dump(call, tell_bridges(call), done_apart=True, least=least_room(call))


def tell_bridges(call: Call) -> Messages:
    """Ports, and with a mask bridges too, in the order in which they came."""
    net, mask = call.net, call.attrs.get(Link.ext_mask, 0)
    for dev in net:
        if port_of(dev) is not None or (bridge_of(dev) is not None and mask & OF_BRIDGES):
            yield partial(fill, net, dev.ifindex, mask)


def fill(net: Net, index: int, mask: int) -> bytes | None:
    """The device of that index, if it still is a port or a bridge."""
    dev = net.device(index)
    if dev is None or (port_of(dev) is None and bridge_of(dev) is None):
        return None
    return body(dev, RTM.NEWLINK, mask)


# -- what is set -------------------------------------------------------------------------------


@doit_of(SETLINK, AF_BRIDGE)
def bridge_setlink(call: Call) -> None:
    """rtnl_bridge_setlink()."""
    dev = _device(call)
    _hand_over(call, dev, _flags(call, (BridgeAf.flags.number, BridgeAf.mode.number)), set_one)


@doit_of(DELLINK, AF_BRIDGE)
def bridge_dellink(call: Call) -> None:
    """rtnl_bridge_dellink()."""
    dev = _device(call)
    _hand_over(call, dev, _flags(call, (BridgeAf.flags.number,)), delete_one)


def _device(call: Call) -> Device:
    dev = call.net.device(call.fixed.index)
    if dev is None:
        raise Refusal(errno.ENODEV, "unknown ifindex")
    return dev


def _flags(call: Call, words: tuple[int, ...]) -> tuple[int, int | None]:
    """IFLA_BRIDGE_FLAGS, the first of them, and where they stand. EINVAL for one of those attributes that is cut
    short."""
    flags: int | None = None
    where, span = None, find(call, Link.af_spec.number)
    for number, first, last in () if span is None else walk(call.message, *span):
        if number in words:
            if last - first < 2:
                raise Refusal(errno.EINVAL)
            if number == BridgeAf.flags.number and flags is None:
                flags, where = int.from_bytes(call.message[first : first + 2], "little"), first
    return flags or 0, where


def find(call: Call, wanted: int) -> tuple[int, int] | None:
    """nlmsg_find_attr(): the first attribute of that number."""
    for number, start, end in walk(call.message, call.attrs.start, call.attrs.end):
        if number == wanted:
            return start, end
    return None


def _hand_over(call: Call, dev: Device, said: tuple[int, int | None], act: Any) -> None:
    """Who has done it is taken off the flags in the request, where the next one refuses."""
    flags, where = said
    if not flags or flags & MASTER:
        if port_of(dev) is None:
            raise Refusal(errno.EOPNOTSUPP)
        act(call, dev)
        flags &= ~MASTER
    elif not flags & SELF:
        raise Refusal(errno.EOPNOTSUPP)
    if where is not None:
        call.rewrite(where, flags.to_bytes(2, "little"))
    if flags & SELF:
        if bridge_of(dev) is None:
            raise Refusal(errno.EOPNOTSUPP)
        act(call, dev)


def set_one(call: Call, dev: Device) -> None:
    """br_setlink()."""
    protinfo, af_spec = find(call, Link.protinfo.number), find(call, Link.af_spec.number)
    if protinfo is None and af_spec is None:
        return
    port = port_of(dev)
    if port is None and af_spec is None:
        raise Refusal(errno.EINVAL)
    changed = False
    if port is not None and protinfo is not None:
        set_port(call, port, protinfo)
        changed = True
    try:
        if af_spec is not None:
            changed = _specified(call, dev, af_spec, changed, add=True)
    except Told as refused:
        changed = refused.changed
        raise refused.refusal from None
    finally:
        if changed:
            dev.kernel.announcer.bridge_link(RTM.NEWLINK, dev)


class Told(Exception):
    """A refusal, and whether anything had changed before it."""

    def __init__(self, refusal: Refusal, changed: bool) -> None:
        super().__init__()
        self.refusal, self.changed = refusal, changed


def set_port(call: Call, port: Port, span: tuple[int, int]) -> None:
    """IFLA_PROTINFO: attributes, or in old programs just the state."""
    if NLATTR.unpack_from(call.message, span[0] - 4)[1] & NLA_F_NESTED:
        attrs = parse_quietly(PORT_POLICY, call.message, span)
        settings.change_port(port, read(PortParams, Brport, attrs))
    elif span[1] == span[0]:
        raise Refusal(errno.EINVAL)
    else:
        stp.set_port_state(port, call.message[span[0]])


def delete_one(call: Call, dev: Device) -> None:
    """br_dellink(), which has no words for what is wrong."""
    span = find(call, Link.af_spec.number)
    if span is None:
        return
    changed = False
    try:
        changed = _specified(call, dev, span, False, add=False)
    except Told as refused:
        changed = refused.changed
        raise Refusal(refused.refusal.errno) from None
    finally:
        if changed:
            dev.kernel.announcer.bridge_link(RTM.NEWLINK, dev)


def _specified(call: Call, dev: Device, span: tuple[int, int], changed: bool, *, add: bool) -> bool:
    """br_afspec(): whether anything changed. Raises Told."""
    port = port_of(dev)
    owner: Owner = dev.priv if port is None else port
    request = vlans.Request(owner, add=add)
    request.changed = changed
    tunnels = None if port is None else vlan_tunnels.Request(port, add=add)
    try:
        for number, first, last in walk(call.message, *span):
            if number == BridgeAf.vlan_info.number:
                if last - first != VLAN_INFO.size or owner.vlans is None:
                    raise Refusal(errno.EINVAL if owner.vlans is not None else errno.EOPNOTSUPP)
                info = VLAN_INFO.decode(call.message, first, last)
                call.rewrite(first, request.noted(info.flags, info.vid).to_bytes(2, "little"))
                request.take(info.flags, info.vid)
            elif number == BridgeAf.vlan_tunnel_info.number:
                if tunnels is None or not tunnels.port.flags & PortFlag.VLAN_TUNNEL:
                    raise Refusal(errno.EINVAL)
                try:
                    tunnels.take(_mapping(call, (first, last)))
                finally:
                    request.changed = request.changed or tunnels.changed
            elif number == BridgeAf.mst.number:
                _set_trees(call, port, (first, last), add)
            elif number in (BridgeAf.mrp.number, BridgeAf.cfm.number):
                raise Refusal(errno.EOPNOTSUPP)  # as a kernel without MRP and CFM
    except Refusal as refused:
        raise Told(refused, request.changed) from None
    return request.changed


def _mapping(call: Call, span: tuple[int, int]) -> vlan_tunnels.Mapping:
    """br_parse_vlan_tunnel_info(): EINVAL, ERANGE."""
    attrs = parse_quietly(TUNNEL_INFO, call.message, span)
    if TunnelInfo.id not in attrs or TunnelInfo.vid not in attrs:
        raise Refusal(errno.EINVAL)
    if attrs[TunnelInfo.vid] >= vlans.VID_END:
        raise Refusal(errno.ERANGE)
    return vlan_tunnels.Mapping(attrs.get(TunnelInfo.flags, 0), attrs[TunnelInfo.vid], attrs[TunnelInfo.id])


def _set_trees(call: Call, port: Port | None, span: tuple[int, int], add: bool) -> None:
    """br_mst_process(): EINVAL, EBUSY, ERANGE, with texts."""
    if port is None:
        raise Refusal(errno.EINVAL, "MST states can only be set on bridge ports")
    if not add:
        raise Refusal(errno.EINVAL, "MST states can only be set through RTM_SETLINK")
    if not port.bridge.has(mst.OPTION):
        raise Refusal(errno.EBUSY, "bridge: Can't modify MST state when MST is disabled")
    found = False
    for number, first, last in walk(call.message, *span):
        if number == Mst.entry.number:
            found = True
            said = nested(call, MST_ENTRY, (first, last))
            if MstEntry.msti not in said:
                raise Refusal(errno.EINVAL, "bridge: MSTI not specified")
            if MstEntry.state not in said:
                raise Refusal(errno.EINVAL, "bridge: State not specified")
            mst.set_state(port, said[MstEntry.msti], said[MstEntry.state])
    if not found:
        raise Refusal(errno.EINVAL, "bridge: Found no MST entries to process")
