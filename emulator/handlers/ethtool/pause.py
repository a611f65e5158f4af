"""Flow control and forward error correction (net/ethtool/pause.c, fec.c)."""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.ethtool.bitset import put_bitset, update_bitset
from nlemu.emulator.handlers.ethtool.common import Request, given, query, setting
from nlemu.emulator.kernel.ethtool import link
from nlemu.emulator.kernel.ethtool import settings as model
from nlemu.protocol.families.ethtool.commands import (
    FEC_GET,
    FEC_NTF,
    FEC_SET,
    PAUSE_GET,
    PAUSE_NTF,
    PAUSE_SET,
)
from nlemu.protocol.families.ethtool.link import Fec, FecHist, FecStat, Pause, PauseStat
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.uapi.ethtool import FecFlag, LinkModeFec, MacStatsSrc
from nlemu.protocol.uapi.link_modes import LINK_MODES

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

MODULE = "ethtool_nl: "
"""NL_SET_ERR_MSG_MOD(): what the texts of some files begin with."""
NO_MERGE_LAYER = MODULE + "Device does not support MAC merge layer"
MODE_OF = (
    (FecFlag.OFF, LinkModeFec.NONE),
    (FecFlag.RS, LinkModeFec.RS),
    (FecFlag.BASER, LinkModeFec.BASER),
    (FecFlag.LLRS, LinkModeFec.LLRS),
)
"""Which link mode says which correction."""


def check_source(source: int) -> None:
    """No device here has a MAC of two halves, so none can be asked about one. Refusal EOPNOTSUPP."""
    if source != MacStatsSrc.AGGREGATE:
        raise Refusal(errno.EOPNOTSUPP, NO_MERGE_LAYER)


def pause_source(request: Request) -> int:
    """pause_parse_request()."""
    source = request.attrs.get(Pause.stats_src)
    if source is not None and not request.stats:
        text = MODULE + "ETHTOOL_FLAG_STATS must be set when requesting a source of stats"
        raise Refusal(errno.EINVAL, text)
    return source or 0


@query(PAUSE_GET, ntf=PAUSE_NTF, parse=pause_source)
def pause(dev: Device, request: Request) -> Values:
    """pause_fill_reply()."""
    record = model.get_pause(dev)
    source = request.options or 0
    check_source(source)
    values: dict[Attr[Any], Any] = {
        Pause.autoneg: int(record.autoneg), Pause.rx: int(record.rx), Pause.tx: int(record.tx),
    }
    if request.stats:
        counted = model.PauseStats()
        dev.ops.get_pause_stats(dev, counted)
        names = vars(PauseStat)
        values[Pause.stats_src] = source
        values[Pause.stats] = {names[field.name]: getattr(counted, field.name) for field in fields(counted)}
    return values


@setting(PAUSE_SET, PAUSE_NTF)
def set_pause(dev: Device, request: Request) -> bool:
    """ethnl_set_pause()."""
    wanted = given(request.attrs, Pause, ("autoneg", "rx", "tx"))
    return model.set_pause(dev, {name: bool(value) for name, value in wanted.items()})


def link_modes(fec: int) -> int:
    """ethtool_fec_to_link_modes()."""
    return sum(1 << mode for flag, mode in MODE_OF if fec & flag)


@query(FEC_GET, ntf=FEC_NTF)
def fec(dev: Device, request: Request) -> Values:
    """fec_prepare_data(), fec_fill_reply()."""
    record = link.get_fec(dev)
    active = link_modes(record.active)
    values: dict[Attr[Any], Any] = {
        Fec.modes: put_bitset(link_modes(record.fec), None, LINK_MODES, request.compact),
        Fec.auto: int(bool(record.fec & FecFlag.AUTO)),
        Fec.active: (active & -active).bit_length() - 1 if active else None,
    }
    if request.stats:
        stats = link.get_fec_stats(dev)
        values[Fec.stats] = {
            FecStat.corrected: counters(stats.corrected),
            FecStat.uncorr: counters(stats.uncorrectable),
            FecStat.corr_bits: counters(stats.corrected_bits),
            FecStat.hist: [histogram_bin(one) for one in stats.histogram],
        }
    return values


def counters(stat: link.FecCounter) -> bytes:
    """fec_stats_recalc(): the total, then each lane; nothing where nothing is counted."""
    if stat.lanes:
        return packed((sum(stat.lanes), *stat.lanes))
    return b"" if stat.total is None else packed((stat.total,))


def packed(numbers: Sequence[int]) -> bytes:
    """The numbers as an array of u64."""
    return struct.pack(f"<{len(numbers)}Q", *numbers)


def histogram_bin(one: link.FecBin) -> Values:
    """fec_put_hist(): the lanes are added up where the driver does not say the sum."""
    return {
        FecHist.bin_low: one.low,
        FecHist.bin_high: one.high,
        FecHist.bin_val: sum(one.lanes) if one.sum is None else one.sum,
        FecHist.bin_val_per_lane: packed(one.lanes) if one.lanes else None,
    }


@setting(FEC_SET, FEC_NTF)
def set_fec(dev: Device, request: Request) -> bool:
    """ethnl_set_fec()."""
    link.check_fec_settable(dev)
    record = link.get_fec(dev)
    auto = int(bool(record.fec & FecFlag.AUTO))
    modes, changed = update_bitset(link_modes(record.fec), request, Fec.modes, LINK_MODES)
    wanted = request.attrs.get(Fec.auto, auto)
    if not changed and wanted == auto:
        return False
    new = int(FecFlag.AUTO) if wanted else 0
    for flag, mode in MODE_OF:
        if modes >> mode & 1:
            new |= flag
            modes &= ~(1 << mode)
    if modes:
        raise Refusal(errno.EINVAL, "invalid FEC modes requested", at="modes")
    if not new:
        raise Refusal(errno.EINVAL, "no FEC modes set", at="modes")
    dev.ops.set_fecparam(dev, link.Fec(new))
    return True
