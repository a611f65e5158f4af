"""VNIs that VXLANs filter: vxlan_vnifilter_process(), vxlan_vnifilter_dump() of drivers/net/vxlan/vxlan_vnifilter.c."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.tunnels import address as tunnel_address
from nlemu.emulator.kernel.vxlan import vnis
from nlemu.emulator.kernel.vxlan.vxlan import Vni, Vxlan, vxlan_of
from nlemu.emulator.netlink.dump import GOODSIZE, LARGEST, Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import check_length
from nlemu.protocol.families.route.tunnel import (
    DELTUNNEL,
    DUMP,
    GETTUNNEL,
    NEWTUNNEL,
    REPLY,
    TAKEN_ENTRY,
    TUNNEL_MSG,
    VniEntry,
    VniFilter,
    VniStats,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.uapi.if_link import TunnelMsgFlag
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.uapi.socket import AF_BRIDGE, AF_INET, AF_INET6
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.tunnels.address import TunnelAddress
    from nlemu.emulator.netlink.call import Call, Messages

STATS = int(TunnelMsgFlag.STATS)
BODY = NLMSG_HDRLEN + (TUNNEL_MSG.size or 0)
NOTHING_COUNTED = dict.fromkeys(VniStats.order, 0)
Entry = dict[Any, Any]


def entry(run: list[Vni], *, stats: bool = False) -> Entry:
    """vxlan_fill_vni_filter_entry(): VNIs that follow each other."""
    remote = run[0].remote
    return {
        VniEntry.start: run[0].vni,
        VniEntry.end: run[-1].vni if len(run) > 1 else None,
        VniEntry.group: remote.packed if remote.family == AF_INET and not remote.any else None,
        VniEntry.group6: remote.packed if remote.family == AF_INET6 and not remote.any else None,
        VniEntry.stats: NOTHING_COUNTED if stats else None,
    }


def header(dev: Device) -> bytes:
    """struct tunnel_msg."""
    return TUNNEL_MSG.encode({"family": AF_BRIDGE, "flags": 0, "reserved2": 0, "ifindex": dev.ifindex})


def body(dev: Device, told: list[Entry]) -> bytes:
    """vxlan_vnifilter_notify()."""
    return header(dev) + REPLY.encode({VniFilter.entry: told})


# -- what is set -------------------------------------------------------------------------------


@doit_of(NEWTUNNEL, AF_BRIDGE)
def add(call: Call) -> None:
    """vxlan_vnifilter_process(RTM_NEWTUNNEL)."""
    process(call, new=True)


@doit_of(DELTUNNEL, AF_BRIDGE)
def delete(call: Call) -> None:
    """vxlan_vnifilter_process(RTM_DELTUNNEL)."""
    process(call, new=False)


def process(call: Call, *, new: bool) -> None:
    """vxlan_vnifilter_process(): one entry after the other; those before one that is refused are done. ENODEV,
    EOPNOTSUPP, EINVAL with texts."""
    dev = call.net.device(call.fixed.ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    vxlan = vxlan_of(dev)
    if vxlan is None:
        raise Refusal(errno.EINVAL, "vxlan: The device is not a vxlan device")
    if vxlan.vnis is None:
        raise Refusal(errno.EOPNOTSUPP)
    found = False
    for number, first, last in walk(call.message, BODY, len(call.message)):
        if number == VniFilter.entry.number:
            found = True
            _process_one(call, vxlan, (first, last), new=new)
    if not found:
        raise Refusal(errno.EINVAL, "vxlan: No vnis found to process")


def _process_one(call: Call, vxlan: Vxlan, span: tuple[int, int], *, new: bool) -> None:
    """vxlan_process_vni_filter()."""
    message = call.message
    attrs = Attrs(message, validate(TAKEN_ENTRY, message, *span, STRICT, call.extack), *span)
    start = attrs.get(VniEntry.start, 0)
    end = attrs.get(VniEntry.end, start)
    if not start and not end:
        raise Refusal(errno.EINVAL, "vni start nor end found in vni entry", at=span[0] - 4)
    group = _group(attrs)
    if group.multicast and not vxlan.ifindex:
        raise Refusal(errno.EINVAL, "Local interface required for multicast remote group")
    for number in range(start, end + 1):
        if new:
            vnis.add(vxlan, number, group)
        else:
            vnis.delete(vxlan, number)


def _group(attrs: Attrs) -> TunnelAddress:
    if VniEntry.group in attrs:
        return tunnel_address.ipv4(attrs[VniEntry.group])
    if VniEntry.group6 in attrs:
        return tunnel_address.ipv6(attrs[VniEntry.group6])
    return tunnel_address.NO_ADDRESS


# -- what is told ------------------------------------------------------------------------------


@dumpit_of(GETTUNNEL, AF_BRIDGE)
def dump(call: Call) -> Dump:
    """vxlan_vnifilter_dump(): a dump of one device ends with its message, that of all for itself."""
    return Dump(call, tell(call), done_apart=not any(call.message[BODY - 4 : BODY]))


def tell(call: Call) -> Messages:
    """vxlan_vnifilter_dump(): of each device its VNIs together, in as many messages as they need. EINVAL with texts,
    ENODEV."""
    if len(call.message) < BODY:
        raise Refusal(errno.EINVAL, "Invalid msg length")
    check_length(call, DUMP)
    if call.fixed.flags & ~STATS:
        raise Refusal(errno.EINVAL, "Invalid tunnelmsg flags in ancillary header")
    stats = bool(call.fixed.flags & STATS)
    if call.fixed.ifindex:
        dev = call.net.device(call.fixed.ifindex)
        if dev is None:
            raise Refusal(errno.ENODEV)
        vxlan = vxlan_of(dev)
        if vxlan is None:
            raise Refusal(errno.EINVAL, "The device is not a vxlan device")
        if vxlan.vnis is None:
            raise Refusal(errno.EINVAL)
        yield from _messages(dev, vxlan, stats=stats)
        return
    for dev in call.net:
        vxlan = vxlan_of(dev)
        if vxlan is not None:
            yield from _messages(dev, vxlan, stats=stats)


def _messages(dev: Device, vxlan: Vxlan, *, stats: bool) -> Messages:
    """vxlan_vnifilter_dump_dev(): a message takes what the datagram has room for."""
    told, room = b"", GOODSIZE - BODY
    for run in _runs(vxlan, stats=stats):
        one = REPLY.encode({VniFilter.entry: [entry(run, stats=stats)]})
        if len(told) + len(one) > room:
            yield partial(bytes.__add__, header(dev), told)
            told, room = b"", LARGEST - BODY
        told += one
    if told:
        yield partial(bytes.__add__, header(dev), told)


def _runs(vxlan: Vxlan, *, stats: bool) -> Iterator[list[Vni]]:
    """Those that follow each other and have the same remote, unless they are counted."""
    run: list[Vni] = []
    for number, vni in sorted((vxlan.vnis or {}).items()):
        if run and not stats and number == run[-1].vni + 1 and vni.remote == run[-1].remote:
            run.append(vni)
            continue
        if run:
            yield run
        run = [vni]
    if run:
        yield run
