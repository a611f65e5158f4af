"""VLANs of bridges and ports: br_vlan_rtm_process(), br_vlan_rtm_dump() of net/bridge/br_vlan.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link.kinds import read
from nlemu.emulator.handlers.route.vlan import told
from nlemu.emulator.kernel.bridge import vlan_options, vlans
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, bridge_of
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import check_length, nested
from nlemu.protocol.families.route.bridge import (
    DELVLAN,
    DUMP,
    DUMP_GLOBAL,
    DUMP_STATS,
    GETVLAN,
    NEWVLAN,
    SET,
    TAKEN_GLOBAL,
    TAKEN_VLAN,
    TUNNEL,
    VLAN_INFO,
    VLAN_MSG,
    GlobalOptions,
    Vlandb,
    VlandbDump,
    VlanEntry,
    VlanTunnel,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.schema.policy import DEPRECATED_STRICT, STRICT, Policy
from nlemu.protocol.uapi.if_bridge import BrVlanInfo
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device

BODY = NLMSG_HDRLEN + (VLAN_MSG.size or 0)
BEGIN, END, ONLY_OPTS = int(BrVlanInfo.RANGE_BEGIN), int(BrVlanInfo.RANGE_END), int(BrVlanInfo.ONLY_OPTS)
UNREAD = Policy(top=2, chosen_from=Vlandb)


@doit_of(NEWVLAN, AF_BRIDGE)
def add(call: Call) -> None:
    """br_vlan_rtm_process(RTM_NEWVLAN)."""
    process(call, add=True)


@doit_of(DELVLAN, AF_BRIDGE)
def delete(call: Call) -> None:
    """br_vlan_rtm_process(RTM_DELVLAN)."""
    process(call, add=False)


def process(call: Call, *, add: bool) -> None:
    """br_vlan_rtm_process(): one entry after the other; those before one that is refused are done. EINVAL, ENODEV, with
    texts."""
    check_length(call, SET)
    message, end = call.message, len(call.message)
    validate(UNREAD, message, BODY, end, DEPRECATED_STRICT, call.extack)
    dev = call.net.device(call.fixed.ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    owner = told.owner_of(dev)
    if owner is None:
        raise Refusal(errno.EINVAL, "bridge: The device is not a valid bridge or bridge port")
    found = False
    for number, first, last in walk(message, BODY, end):
        if number == Vlandb.entry.number:
            process_one(call, dev, owner, (first, last), add=add)
        elif number == Vlandb.global_options.number:
            process_global(call, dev, (first, last), add=add)
        else:
            continue
        found = True
    if not found:
        raise Refusal(errno.EINVAL, "bridge: No vlans found to process")


def process_one(call: Call, dev: Device, owner: Bridge | Port, span: tuple[int, int], *, add: bool) -> None:
    """br_vlan_rtm_process_one()."""
    attrs = nested(call, TAKEN_VLAN, span)
    if VlanEntry.info not in attrs:
        raise Refusal(errno.EINVAL, "bridge: Missing vlan entry info")
    where = attrs.spans[VlanEntry.info.number]
    info = VLAN_INFO.decode(call.message, *where)
    if info.flags & (BEGIN | END):
        raise Refusal(errno.EINVAL, "bridge: Old-style vlan ranges are not allowed when using RTM vlan calls")
    vlans.check_id(info.vid)
    last = attrs.get(VlanEntry.range)
    request = vlans.Request(owner, add=add)
    if last is not None:
        call.rewrite(where[0], (info.flags | BEGIN).to_bytes(2, "little"))
        vlans.check_id(last)
        vlans.check_range(info.flags | END, last, info.vid)
    if not (add and info.flags & ONLY_OPTS):
        try:
            if last is None:
                call.rewrite(where[0], request.noted(info.flags, info.vid).to_bytes(2, "little"))
                request.take(info.flags, info.vid)
            else:
                request.take(info.flags | BEGIN, info.vid)
                request.take(info.flags | END, last)
        finally:
            if request.changed:
                dev.kernel.announcer.bridge_link(RTM.SETLINK if add else RTM.DELLINK, dev)  # as the kernel does
    if add:
        there = VlanEntry.tunnel_info in attrs
        tunnel = _tunnel(call, attrs.spans[VlanEntry.tunnel_info.number]) if there else None
        said = read(vlan_options.VlanParams, VlanEntry, attrs, {"tunnel_info": tunnel})
        vlan_options.process(owner, info.vid, info.vid if last is None else last, said)


def _tunnel(call: Call, span: tuple[int, int]) -> Callable[[int], int | None]:
    """What BRIDGE_VLANDB_ENTRY_TUNNEL_INFO maps a VLAN to, by how many stand before it: EINVAL, ENOENT, with texts."""

    def mapped(behind: int) -> int | None:
        said = nested(call, TUNNEL, span)
        command = said.get(VlanTunnel.cmd)
        if command is None:
            raise Refusal(errno.ENOENT, "bridge: Missing tunnel command attribute")
        if command == RTM.DELLINK:
            return None
        if command != RTM.SETLINK:
            raise Refusal(errno.EINVAL, "bridge: Unsupported tunnel command")
        if VlanTunnel.id not in said:
            raise Refusal(errno.ENOENT, "bridge: Missing tunnel id attribute")
        return (said[VlanTunnel.id] + behind) & 0xFFFFFFFF

    return mapped


def process_global(call: Call, dev: Device, span: tuple[int, int], *, add: bool) -> None:
    """br_vlan_rtm_process_global_options(): EINVAL, with texts."""
    if not add:
        raise Refusal(errno.EINVAL, "bridge: Global vlan options support only set operation")
    br = bridge_of(dev)
    if br is None:
        raise Refusal(errno.EINVAL, "bridge: Global vlan options can only be set on bridge device")
    attrs = nested(call, TAKEN_GLOBAL, span)
    if GlobalOptions.id not in attrs:
        raise Refusal(errno.EINVAL, "bridge: Missing vlan entry id")
    first = attrs[GlobalOptions.id]
    vlans.check_id(first)
    last = attrs.get(GlobalOptions.range)
    if last is not None:
        vlans.check_id(last)
        if first >= last:
            raise Refusal(errno.EINVAL, "bridge: End vlan id is less than or equal to start vlan id")
    said = read(vlan_options.GlobalParams, GlobalOptions, attrs)
    vlan_options.process_global(br, first, first if last is None else last, said)


@dumpit_of(GETVLAN, AF_BRIDGE)
def dump(call: Call) -> Dump:
    """br_vlan_rtm_dump(): a dump of one device ends with its message, that of all for itself."""
    return Dump(call, tell_vlans(call), done_apart=not any(call.message[BODY - 4 : BODY]))


def tell_vlans(call: Call) -> Messages:
    """br_vlan_rtm_dump(): a message a device. EINVAL, ENODEV."""
    check_length(call, DUMP)
    message, end = call.message, len(call.message)
    policy = Policy(VlandbDump.flags)
    attrs = Attrs(message, validate(policy, message, BODY, end, STRICT, call.extack), BODY, end)
    flags = attrs.get(VlandbDump.flags, 0)
    if call.fixed.ifindex:
        dev = call.net.device(call.fixed.ifindex)
        if dev is None:
            raise Refusal(errno.ENODEV)
        if told.owner_of(dev) is None:
            raise Refusal(errno.EINVAL)
        devices = [dev]
    else:
        devices = [dev for dev in call.net if told.owner_of(dev) is not None]
    for dev in devices:
        part = Part(dev, flags)
        while not part.over:
            begin = part.end
            yield partial(part.fill, call, begin)


class Part:
    """Messages about one device, as many as its VLANs need. end: how many VLANs have been told; over: whether that is
    all."""

    def __init__(self, dev: Device, flags: int) -> None:
        self.dev, self.flags = dev, flags
        self.end, self.over = 0, False

    def fill(self, call: Call, begin: int) -> bytes | None:
        """br_vlan_dump_dev(), from that VLAN on: as much as there is room for, be it nothing, and the datagram ends."""
        self.end, self.over = begin, True
        owner, flags = told.owner_of(self.dev), self.flags
        if owner is None or owner.vlans is None:
            return None
        if not flags & DUMP_GLOBAL:
            rest = told.everything(owner, begin, stats=bool(flags & DUMP_STATS))
        elif isinstance(owner, Bridge):
            rest = told.everything_global(owner, begin)
        else:
            return None
        parts, left = [told.header(self.dev.ifindex)], call.dump.left - BODY
        for count, said in rest:
            if len(said) > left:
                self.over, call.dump.full = False, left >= 0
                break
            parts.append(said)
            left -= len(said)
            self.end += count
        return b"".join(parts)
