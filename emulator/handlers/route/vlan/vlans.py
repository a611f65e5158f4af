"""VLANs of bridges and ports: br_vlan_rtm_process(), br_vlan_rtm_dump() of net/bridge/br_vlan.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.bridge import vlans
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, Vlan, bridge_of, port_of
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import check_length
from nlemu.protocol.families.route.bridge import (
    DELVLAN,
    DUMP,
    DUMP_GLOBAL,
    DUMP_STATS,
    GETVLAN,
    NEWVLAN,
    SET,
    TAKEN_VLAN,
    VLAN_INFO,
    VLAN_MSG,
    VLAN_REPLY,
    Vlandb,
    VlandbDump,
    VlanEntry,
    VlanStats,
    VlanTunnel,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.schema.policy import DEPRECATED_STRICT, STRICT, Policy
from nlemu.protocol.uapi.if_bridge import BrState, BrVlanInfo, MdbRtrType
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

BODY = NLMSG_HDRLEN + (VLAN_MSG.size or 0)
PVID, UNTAGGED = int(BrVlanInfo.PVID), int(BrVlanInfo.UNTAGGED)
BEGIN, END, ONLY_OPTS = int(BrVlanInfo.RANGE_BEGIN), int(BrVlanInfo.RANGE_END), int(BrVlanInfo.ONLY_OPTS)
UNREAD = Policy(top=2, chosen_from=Vlandb)
NO_STATS = {VlanStats.rx_bytes: 0, VlanStats.rx_packets: 0, VlanStats.tx_bytes: 0, VlanStats.tx_packets: 0}
OPTIONS = (
    VlanEntry.state, VlanEntry.tunnel_info, VlanEntry.mcast_router, VlanEntry.mcast_max_groups,
    VlanEntry.neigh_suppress, VlanEntry.neigh_forward_grat,
)


def owner_of(dev: Device) -> Bridge | Port | None:
    """The bridge or the port that the device is."""
    return bridge_of(dev) or port_of(dev)


def header(ifindex: int) -> bytes:
    """struct br_vlan_msg."""
    return VLAN_MSG.encode({"family": AF_BRIDGE, "reserved1": 0, "reserved2": 0, "ifindex": ifindex})


def entry(owner: Bridge | Port, vid: int, last: int, vlan: Vlan | None, *, stats: bool = False) -> dict[Any, Any]:
    """br_vlan_fill_vids(): a VLAN, or neighbours that are alike; without one, which it was."""
    group = owner.vlans
    flags = 0
    if vlan is not None:
        assert group is not None
        flags = vlan.flags & UNTAGGED | (PVID if group.pvid == vid else 0)
    told: dict[Any, Any] = {
        VlanEntry.info: {"flags": flags, "vid": vid},
        VlanEntry.range: last if vid < last and not flags & PVID else None,
    }
    if vlan is not None:
        told |= {
            VlanEntry.state: int(BrState.FORWARDING),
            VlanEntry.tunnel_info: None if vlan.tunnel is None else {VlanTunnel.id: vlan.tunnel},
            VlanEntry.neigh_suppress: 0,
            VlanEntry.neigh_forward_grat: 0,
            VlanEntry.mcast_router: int(MdbRtrType.TEMP_QUERY),
            VlanEntry.stats: NO_STATS if stats else None,
        }
    return told


def body(dev: Device, event: int, vid: int, last: int) -> bytes:
    """br_vlan_notify()."""
    owner = owner_of(dev)
    assert owner is not None and owner.vlans is not None
    vlan = owner.vlans.find(vid) if event == RTM.NEWVLAN else None
    return header(dev.ifindex) + VLAN_REPLY.encode({Vlandb.entry: [entry(owner, vid, last, vlan)]})


@doit_of(NEWVLAN, AF_BRIDGE)
def add(call: Call) -> None:
    """br_vlan_rtm_process(RTM_NEWVLAN)."""
    process(call, add=True)


@doit_of(DELVLAN, AF_BRIDGE)
def delete(call: Call) -> None:
    """br_vlan_rtm_process(RTM_DELVLAN)."""
    process(call, add=False)


def process(call: Call, *, add: bool) -> None:
    """One entry after the other; those before one that is refused are done. EINVAL, ENODEV, with texts."""
    check_length(call, SET)
    message, end = call.message, len(call.message)
    validate(UNREAD, message, BODY, end, DEPRECATED_STRICT, call.extack)
    dev = call.net.device(call.fixed.ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    owner = owner_of(dev)
    if owner is None:
        raise Refusal(errno.EINVAL, "bridge: The device is not a valid bridge or bridge port")
    found = False
    for number, first, last in walk(message, BODY, end):
        if number == Vlandb.entry.number:
            found = True
            process_one(call, dev, owner, (first, last), add=add)
        elif number == Vlandb.global_options.number:
            raise Refusal(errno.EOPNOTSUPP)  # options of multicast in a VLAN are not modelled
    if not found:
        raise Refusal(errno.EINVAL, "bridge: No vlans found to process")


def process_one(call: Call, dev: Device, owner: Bridge | Port, span: tuple[int, int], *, add: bool) -> None:
    """br_vlan_rtm_process_one()."""
    message = call.message
    attrs = Attrs(message, validate(TAKEN_VLAN, message, *span, STRICT, call.extack), *span)
    if VlanEntry.info not in attrs:
        raise Refusal(errno.EINVAL, "bridge: Missing vlan entry info")
    info = VLAN_INFO.decode(message, *attrs.spans[VlanEntry.info.number])
    if info.flags & (BEGIN | END):
        raise Refusal(errno.EINVAL, "bridge: Old-style vlan ranges are not allowed when using RTM vlan calls")
    vlans.check_id(info.vid)
    last = attrs.get(VlanEntry.range)
    request = vlans.Request(owner, add=add)
    if last is not None:
        vlans.check_id(last)
        vlans.check_range(info.flags | END, last, info.vid)
    if not (add and info.flags & ONLY_OPTS and last is None):
        try:
            if last is None:
                request.take(info.flags, info.vid)
            else:
                request.take(info.flags | BEGIN, info.vid)
                request.take(info.flags | END, last)
        finally:
            if request.changed:
                dev.kernel.announcer.bridge_link(RTM.SETLINK if add else RTM.DELLINK, dev)  # as the kernel does
    if add and any(option in attrs for option in OPTIONS):
        raise Refusal(errno.EOPNOTSUPP)  # options of a VLAN are not modelled


@dumpit_of(GETVLAN, AF_BRIDGE)
def dump(call: Call) -> Dump:
    """br_vlan_rtm_dump(): a dump of one device ends with its message, that of all for itself."""
    return Dump(call, tell_vlans(call), done_apart=not any(call.message[BODY - 4 : BODY]))


def tell_vlans(call: Call) -> Messages:
    """A message a device. EINVAL, ENODEV."""
    check_length(call, DUMP)
    message, end = call.message, len(call.message)
    policy = Policy(VlandbDump.flags)
    attrs = Attrs(message, validate(policy, message, BODY, end, STRICT, call.extack), BODY, end)
    flags = attrs.get(VlandbDump.flags, 0)
    if call.fixed.ifindex:
        dev = call.net.device(call.fixed.ifindex)
        if dev is None:
            raise Refusal(errno.ENODEV)
        if owner_of(dev) is None:
            raise Refusal(errno.EINVAL)
        devices = [dev]
    else:
        devices = [dev for dev in call.net if owner_of(dev) is not None]
    for dev in devices:
        owner = owner_of(dev)
        if owner is not None and owner.vlans is not None and not flags & DUMP_GLOBAL:
            told = dumped(owner, stats=bool(flags & DUMP_STATS))
            yield partial(bytes.__add__, header(dev.ifindex), VLAN_REPLY.encode({Vlandb.entry: told}))


def dumped(owner: Bridge | Port, *, stats: bool) -> list[dict[Any, Any]]:
    """br_vlan_dump_dev(): neighbours that are alike together, unless their counters are told."""
    assert owner.vlans is not None
    runs = list[list[Vlan]]()
    for vlan in owner.vlans:
        if not vlan.used:
            continue
        if runs and not stats and vlans.alike(vlan, runs[-1][-1]):
            runs[-1].append(vlan)
        else:
            runs.append([vlan])
    return [entry(owner, run[0].vid, run[-1].vid, run[0], stats=stats) for run in runs]
