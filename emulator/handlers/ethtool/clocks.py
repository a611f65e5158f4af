"""Time stamps and the clocks that make them (net/ethtool/tsinfo.c, tsconfig.c, phc_vclocks.c)."""

from __future__ import annotations

import errno
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.common.ints import s32
from nlemu.emulator.handlers.ethtool.bitset import put_bitset
from nlemu.emulator.handlers.ethtool.common import Request, named_header, parse_header, query, setting
from nlemu.emulator.kernel.ethtool import link as model
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.ethtool.commands import PHC_VCLOCKS_GET, TSCONFIG_GET, TSCONFIG_SET, TSINFO_GET
from nlemu.protocol.families.ethtool.link import HwtstampProvider, Tsinfo, TsStat
from nlemu.protocol.families.ethtool.strings import SOF_TIMESTAMPING, TS_RX_FILTERS, TS_TX_TYPES
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.uapi.net_tstamp import HwtstampSource

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

NO_CLOCK = -1


def provider(request: Request) -> tuple[int, int]:
    """tsinfo_parse_request(): which clock is meant, by number and qualifier; NO_CLOCK for the device's own."""
    if Tsinfo.hwtstamp_provider not in request.attrs:
        return NO_CLOCK, 0
    if request.stats:
        raise Refusal(errno.EOPNOTSUPP, "can't query statistics for a provider")
    wanted = request.attrs[Tsinfo.hwtstamp_provider]
    wanted.require((HwtstampProvider.index, HwtstampProvider.qualifier))
    return s32(wanted[HwtstampProvider.index]), wanted[HwtstampProvider.qualifier]


def fill_info(info: model.TsInfo, request: Request, stats: model.TsStats | None) -> Values:
    """tsinfo_fill_reply(). stats: where they are wanted."""
    compact, has_clock = request.compact, info.phc_index >= 0
    values: dict[Attr[Any], Any] = {
        Tsinfo.phc_index: info.phc_index if has_clock else None,
        Tsinfo.hwtstamp_source: HwtstampSource.NETDEV if has_clock else None,
        Tsinfo.stats: None if stats is None else counted(stats),
    }
    if has_clock:
        values[Tsinfo.hwtstamp_provider] = {
            HwtstampProvider.index: info.phc_index,
            HwtstampProvider.qualifier: info.phc_qualifier,
        }
    for attr, bits, names in (
        (Tsinfo.timestamping, info.so_timestamping, SOF_TIMESTAMPING),
        (Tsinfo.tx_types, info.tx_types, TS_TX_TYPES),
        (Tsinfo.rx_filters, info.rx_filters, TS_RX_FILTERS),
    ):
        if bits:
            values[attr] = put_bitset(bits, None, names, compact)
    return values


def counted(stats: model.TsStats) -> Values:
    """tsinfo_put_stats()."""
    names = vars(TsStat)
    return {names[field.name]: getattr(stats, field.name) for field in fields(stats)}


@doit(TSINFO_GET)
def tsinfo(call: Call) -> Values:
    """tsinfo_prepare_data()."""
    request = parse_header(call, demanded=True)
    dev = request.dev
    assert dev is not None
    clock, qualifier = provider(request)
    info = model.get_ts_info(dev) if clock == NO_CLOCK else model.get_ts_info_of(dev, clock, qualifier)
    stats = (dev.ops.get_ts_stats(dev) or model.TsStats()) if request.stats else None
    return named_header(TSINFO_GET, dev) | dict(fill_info(info, request, stats))


@dumpit(TSINFO_GET)
def tsinfo_dump(call: Call) -> Dump:
    """ethnl_tsinfo_start(), ethnl_tsinfo_dumpit(): one device or all, those that say something themselves. Which clock
    the request means is not looked at."""
    request = parse_header(call, demanded=False)
    if request.stats:
        raise Refusal(errno.EOPNOTSUPP, "stats not supported in dump")

    def fill(dev: Device) -> Values | None:
        if not dev.ops.has("get_ts_info"):
            return None
        info = model.get_ts_info(dev)
        return named_header(TSINFO_GET, dev) | dict(fill_info(info, request, None))

    def messages() -> Messages:
        for dev in devices(call.net) if request.dev is None else (request.dev,):
            yield partial(fill, dev)

    return Dump(call, messages(), multi=False)


@query(PHC_VCLOCKS_GET)
def phc_vclocks(dev: Device, request: Request) -> Values:
    """phc_vclocks_fill_reply(): no clock here has virtual ones."""
    return {}


@query(TSCONFIG_GET)
def tsconfig(dev: Device, request: Request) -> Values:
    """tsconfig_prepare_data(): no driver here can be told what to stamp."""
    raise Refusal(errno.EOPNOTSUPP)


@setting(TSCONFIG_SET)
def set_tsconfig(dev: Device, request: Request) -> bool:
    """ethnl_set_tsconfig()."""
    raise Refusal(errno.EOPNOTSUPP)


