"""Statistics of devices are told: rtnl_stats_get(), rtnl_stats_dump() of net/core/rtnetlink.c.

Of kinds of links, bonds and bridges have statistics of their own.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.route.link.fill import COUNTERS
from nlemu.emulator.handlers.route.link.kinds import by_attr
from nlemu.emulator.handlers.route.stats import parts
from nlemu.emulator.kernel.devices import hw_stats
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import check_length, read
from nlemu.protocol.families.route.stats import (
    GET,
    GET_ONE,
    GETSTATS,
    HEADER,
    STATS_MAX,
    TOLD,
    AfStats,
    Asked,
    Filters,
    HwInfoOne,
    LinkStats,
    LinkXstats,
    MplsStats,
    OffloadXstats,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN
from nlemu.protocol.uapi.socket import AF_UNSPEC
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.kind import Kind
    from nlemu.emulator.netlink.call import Call, Messages

ALL = 0xFFFFFFFF
LINK_64, XSTATS, XSTATS_SLAVE, OFFLOAD, AF_SPEC = (1 << number for number in range(5))
"""IFLA_STATS_FILTER_BIT()"""
HW_S_INFO, L3_STATS = (1 << number - 1 for number in (2, 3))


def check_header(call: Call, *, dump: bool = False) -> None:
    """rtnl_valid_stats_req(): EINVAL, with texts."""
    header = call.fixed
    if not call.endpoint.strict:
        return
    if header.pad1 or header.pad2 or (dump and header.ifindex):
        raise Refusal(errno.EINVAL, "Invalid values in header for stats dump request")
    if header.filter_mask >= 1 << STATS_MAX:
        raise Refusal(errno.EINVAL, "Invalid stats requested through filter mask")


def device(call: Call) -> Device:
    """EINVAL, ENODEV."""
    ifindex = call.fixed.ifindex
    if not ifindex:
        raise Refusal(errno.EINVAL)
    dev = call.net.device(ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV)
    return dev


def offload_mask(call: Call, attrs: Attrs) -> int:
    """rtnl_stats_get_parse_filters(): which statistics of hardware are asked for. EINVAL, with a text."""
    filters = attrs.get(Asked.filters)
    if filters is None or Filters.link_offload_xstats not in filters:
        return ALL
    if not call.fixed.filter_mask & OFFLOAD:
        raise Refusal(errno.EINVAL, "Filtered attribute not enabled in filter_mask")
    mask: int = filters[Filters.link_offload_xstats]
    return mask


def header(dev: Device, mask: int) -> bytes:
    """struct if_stats_msg of an answer."""
    return HEADER.codec.pack(family=AF_UNSPEC, pad1=0, pad2=0, ifindex=dev.ifindex, filter_mask=mask)


def values(dev: Device, mask: int, offload: int) -> dict[Attr[Any], Any]:
    """rtnl_fill_statsinfo(): what is told, in the order in which it is. offload: which statistics of hardware."""
    return {
        LinkStats.link_64: COUNTERS(dev.stats) if mask & LINK_64 else None,
        LinkStats.link_xstats: _of_kind(dev, dev.kind, None) if mask & XSTATS else None,
        LinkStats.link_xstats_slave: _of_master(dev) if mask & XSTATS_SLAVE else None,
        LinkStats.link_offload_xstats: _offloaded(dev, offload) if mask & OFFLOAD else None,
        LinkStats.af_spec: _families(dev) if mask & AF_SPEC else None,
    }


def body(dev: Device, mask: int, offload: int) -> bytes:
    """The answer about one device, whole. EMSGSIZE."""
    told = values(dev, mask, offload)
    for attr in parts.DIVIDED:
        if parts.too_long(told.get(attr)):
            raise Refusal(errno.EMSGSIZE)
    return header(dev, mask) + TOLD.encode(told)


def in_parts(call: Call, dev: Device, mask: int, offload: int, part: parts.Part) -> bytes | None:
    """The next of the messages about one device: what the datagram has room for."""
    assert call.dump is not None
    said = parts.fill(part, values(dev, mask, offload), call.dump.left - NLMSG_HDRLEN - (HEADER.size or 0))
    call.dump.full = not part.over
    return None if said is None else header(dev, mask) + said


def _of_kind(dev: Device, kind: Kind | None, slave: Device | None) -> dict[Any, Any] | None:
    """fill_linkxstats of the kind: of a device, or of a slave of it."""
    told = None if kind is None else kind.fill_linkxstats(dev, slave)
    return None if told is None else by_attr(LinkXstats, told)


def _of_master(dev: Device) -> dict[Any, Any] | None:
    return None if dev.master is None else _of_kind(dev.master, dev.master.kind, dev)


def _offloaded(dev: Device, mask: int) -> dict[Any, Any] | None:
    """rtnl_offload_xstats_fill()."""
    request = dev.hw_counts is not None
    told: dict[Any, Any] = {
        OffloadXstats.hw_s_info: {OffloadXstats.l3_stats.number: {
            HwInfoOne.request: int(request), HwInfoOne.used: int(request and hw_stats.used(dev)),
        }} if mask & HW_S_INFO else None,
        OffloadXstats.l3_stats: hw_stats.counts(dev) if mask & L3_STATS and request else None,
    }
    return told if any(value is not None for value in told.values()) else None


def _families(dev: Device) -> dict[Any, Any]:
    """fill_stats_af of those that have it, which is MPLS; nothing is sent labelled."""
    return {AfStats.mpls: {MplsStats.link: {}} if dev.mpls is not None else None}


@doit_of(GETSTATS, AF_UNSPEC)
def get(call: Call) -> bytes:
    """rtnl_stats_get()."""
    check_length(call, GET_ONE)
    check_header(call)
    dev = device(call)
    if not call.fixed.filter_mask:
        raise Refusal(errno.EINVAL, "Filter mask must be set for stats get")
    return body(dev, call.fixed.filter_mask, offload_mask(call, read(call, GET_ONE)))


def walk(call: Call) -> Messages:
    """rtnl_stats_dump()."""
    check_header(call, dump=True)
    if not call.fixed.filter_mask:
        raise Refusal(errno.EINVAL, "Filter mask must be set for stats dump")
    start, end = NLMSG_HDRLEN + (HEADER.size or 0), len(call.message)
    attrs = Attrs(call.message, validate(GET, call.message, start, end, STRICT, call.extack), start, end)
    mask = offload_mask(call, attrs)
    for dev in devices(call.net):
        part = parts.Part()
        while not part.over:
            yield partial(in_parts, call, dev, call.fixed.filter_mask, mask, part)


@dumpit_of(GETSTATS, AF_UNSPEC)
def dump(call: Call) -> Dump:
    """rtnl_stats_dump()."""
    return Dump(call, walk(call), generation=lambda: call.net.dev_base_seq)
