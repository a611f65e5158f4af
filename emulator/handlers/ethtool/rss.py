"""Receive-side scaling in messages (net/ethtool/rss.c).

What is asked for goes by context: 0 is the one that every device has. A dump tells of all contexts of all devices. Two
settings have notifications of their own: that a context was made is told as the answer was, and that one went by its
number alone.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.ethtool.common import (
    Request,
    fills,
    inside,
    named_header,
    parse_header,
    setting,
)
from nlemu.emulator.kernel.ethtool import rss as model
from nlemu.emulator.kernel.ethtool.rss import Told, Wanted
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.ethtool.commands import (
    RSS_CREATE_ACT,
    RSS_CREATE_NTF,
    RSS_DELETE_ACT,
    RSS_DELETE_NTF,
    RSS_GET,
    RSS_NTF,
    RSS_SET,
)
from nlemu.protocol.families.ethtool.device import Flow, Rss
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema import u32s
from nlemu.protocol.schema.attributes import Attr, Attrs, Values
from nlemu.protocol.uapi.ethtool import FlowType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

FLOWS: tuple[tuple[Attr[Any], FlowType], ...] = (
    (Flow.ether, FlowType.ETHER), (Flow.ip4, FlowType.IPV4), (Flow.ip6, FlowType.IPV6),
    (Flow.tcp4, FlowType.TCP_V4), (Flow.tcp6, FlowType.TCP_V6), (Flow.udp4, FlowType.UDP_V4),
    (Flow.udp6, FlowType.UDP_V6), (Flow.sctp4, FlowType.SCTP_V4), (Flow.sctp6, FlowType.SCTP_V6),
    (Flow.ah4, FlowType.AH_V4), (Flow.ah6, FlowType.AH_V6), (Flow.esp4, FlowType.ESP_V4),
    (Flow.esp6, FlowType.ESP_V6), (Flow.ah_esp4, FlowType.AH_ESP_V4), (Flow.ah_esp6, FlowType.AH_ESP_V6),
    (Flow.gtpu4, FlowType.GTPU_V4), (Flow.gtpu6, FlowType.GTPU_V6), (Flow.gtpc4, FlowType.GTPC_V4),
    (Flow.gtpc6, FlowType.GTPC_V6), (Flow.gtpc_teid4, FlowType.GTPC_TEID_V4),
    (Flow.gtpc_teid6, FlowType.GTPC_TEID_V6), (Flow.gtpu_eh4, FlowType.GTPU_EH_V4),
    (Flow.gtpu_eh6, FlowType.GTPU_EH_V6), (Flow.gtpu_ul4, FlowType.GTPU_UL_V4), (Flow.gtpu_ul6, FlowType.GTPU_UL_V6),
    (Flow.gtpu_dl4, FlowType.GTPU_DL_V4), (Flow.gtpu_dl6, FlowType.GTPU_DL_V6),
)
"""ethtool_rxfh_ft_nl2ioctl."""
"""Bytes of an entry of a table."""


def values(found: Told, context: int) -> dict[Any, Any]:
    """rss_fill_reply()."""
    told: dict[Any, Any] = {Rss.context: context or None}
    rxfh = found.rxfh
    if rxfh is not None:
        told[Rss.indir] = u32s.pack(rxfh.table or ()) or None
        if not found.keyless:
            told[Rss.hfunc] = rxfh.function or None
            told[Rss.input_xfrm] = rxfh.transform or None
            told[Rss.hkey] = rxfh.key or None
    if found.fields:
        told[Rss.flow_hash] = {attr: found.fields[flow] for attr, flow in FLOWS if flow in found.fields}
    return told


def parse(request: Request) -> int:
    """rss_parse_request(): the context; where to start is for dumps. EINVAL."""
    at = request.attrs.offset(Rss.start_context)
    if at is not None:
        raise Refusal(errno.EINVAL, at=at)
    return int(request.attrs.get(Rss.context, 0))


@doit(RSS_GET)
def rss(call: Call) -> Values:
    """rss_prepare_data()."""
    request = parse_header(call, demanded=True)
    context = parse(request)
    assert request.dev is not None
    return named_header(RSS_GET, request.dev) | values(model.get(request.dev, context), context)


def _tell(dev: Device, request: Request) -> Values:
    """The notification of a change: of the context that it was about."""
    context = request.options or 0
    return values(model.get(dev, context), context)


fills[RSS_NTF.cmd] = fills[RSS_CREATE_NTF.cmd] = _tell


@dumpit(RSS_GET)
def dump(call: Call) -> Dump:
    """ethnl_rss_dump_start(), ethnl_rss_dumpit()."""
    at = call.attrs.offset(Rss.context)
    if at is not None:
        raise Refusal(errno.EINVAL, at=at)
    wanted = parse_header(call, demanded=False).dev
    return Dump(call, _contexts(call, wanted, call.attrs.get(Rss.start_context, 0)), multi=False)


def _contexts(call: Call, wanted: Device | None, start: int) -> Messages:
    """rss_dump_one_dev(), of each."""
    for dev in devices(call.net) if wanted is None else (wanted,):
        if not dev.ops.has("get_rxfh"):
            continue
        for context in (0, *sorted(dev.spread.contexts)):
            if context >= start:
                yield partial(_one, dev, context)


def _one(dev: Device, context: int) -> Values:
    return named_header(RSS_GET, dev) | values(model.told(dev, context), context)


def wanted_of(attrs: Attrs) -> Wanted:
    """What a request says, but for the fields. EINVAL."""
    table, ragged = None, False
    if Rss.indir in attrs:
        data: bytes = attrs[Rss.indir]
        ragged, table = len(data) % u32s.SIZE > 0, u32s.unpack(data)
    return Wanted(
        attrs.get(Rss.context, 0), table, ragged, attrs.get(Rss.hkey), attrs.get(Rss.hfunc), attrs.get(Rss.input_xfrm)
    )


@setting(RSS_SET, RSS_NTF, parse=parse)
def set_rss(dev: Device, request: Request) -> bool:
    """ethnl_rss_set_validate(), ethnl_rss_set()."""
    attrs = request.attrs
    wanted = wanted_of(attrs)
    if Rss.flow_hash in attrs:
        wanted.fields = True
    model.check_set(dev, wanted)
    blame: dict[FlowType, int] = {}

    def fields() -> dict[FlowType, int]:
        """They are read late, when all else has been found right."""
        nest = inside(request, Rss.flow_hash, Flow.spec.policy)
        for attr, flow in FLOWS:
            at = nest.offset(attr)
            if at is not None:
                blame[flow] = at
        return {flow: nest[attr] for attr, flow in FLOWS if attr in nest}

    return model.set_(dev, wanted, fields if Rss.flow_hash in attrs else dict, blame)


@doit(RSS_CREATE_ACT)
def create(call: Call) -> Values:
    """ethnl_rss_create_doit()."""
    request = parse_header(call, demanded=True)
    dev = request.dev
    assert dev is not None
    try:
        context = model.create(dev, wanted_of(call.attrs))
    except Refusal as refusal:
        if isinstance(refusal.at, str):
            refusal.at = call.attrs.offset(Rss.spec.by_name[refusal.at])
        raise
    answer = named_header(RSS_CREATE_ACT, dev) | values(model.told_of(dev, dev.spread.contexts[context], {}), context)
    call.machine.ethtool.say(dev, RSS_CREATE_NTF, answer)
    return answer


@doit(RSS_DELETE_ACT)
def delete(call: Call) -> None:
    """ethnl_rss_delete_doit()."""
    call.attrs.require((Rss.context,))
    dev = parse_header(call, demanded=True).dev
    assert dev is not None
    context = call.attrs[Rss.context]
    model.delete(dev, context)
    call.machine.ethtool.say(dev, RSS_DELETE_NTF, named_header(RSS_DELETE_NTF, dev) | {Rss.context: context})
