"""Channels, rings and interrupt coalescing (net/ethtool/channels.c, rings.c, coalesce.c).

The records of the model have the attributes' names, so they are read and written by name; the rules are the model's
(emulator/kernel/ethtool/settings.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.ethtool.common import Request, given, query, setting
from nlemu.emulator.kernel.ethtool import settings as model
from nlemu.protocol.families.ethtool.commands import (
    CHANNELS_GET,
    CHANNELS_NTF,
    CHANNELS_SET,
    COALESCE_GET,
    COALESCE_NTF,
    COALESCE_SET,
    RINGS_GET,
    RINGS_NTF,
    RINGS_SET,
)
from nlemu.protocol.families.ethtool.device import Channels, Coalesce, Rings
from nlemu.protocol.schema.attributes import Attr, Values

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

CHANNEL_KINDS = ("rx", "tx", "other", "combined")
COUNTS = tuple(f"{kind}_count" for kind in CHANNEL_KINDS)
RING_KINDS = ("rx", "rx_mini", "rx_jumbo", "tx")
UNLESS_ZERO = ("rx_buf_len", "tcp_data_split", "cqe_size")
ALWAYS = ("tx_push", "rx_push")
IF_SETTABLE = (("tx_push_buf_len", "tx_push_buf_len_max"), ("hds_thresh", "hds_thresh_max"))
RINGS_TAKEN = (
    *RING_KINDS, "rx_buf_len", "tcp_data_split", "cqe_size", "tx_push", "rx_push", "tx_push_buf_len", "hds_thresh",
)
COALESCE_TAKEN = tuple(attr.field for attr in Coalesce.order[1:])
MODES = ("use_adaptive_rx", "use_adaptive_tx")
PROFILES = ("rx_profile", "tx_profile")


@query(CHANNELS_GET, ntf=CHANNELS_NTF)
def channels(dev: Device, request: Request) -> Values:
    """channels_fill_reply(): a kind that the device can have none of is left out."""
    record, names, values = model.get_channels(dev), vars(Channels), {}
    for kind in CHANNEL_KINDS:
        most = getattr(record, f"{kind}_max")
        if most:
            values[names[f"{kind}_max"]] = most
            values[names[f"{kind}_count"]] = getattr(record, f"{kind}_count")
    return values


@setting(CHANNELS_SET, CHANNELS_NTF)
def set_channels(dev: Device, request: Request) -> bool:
    """ethnl_set_channels()."""
    return model.set_channels(dev, given(request.attrs, Channels, COUNTS))


@query(RINGS_GET, ntf=RINGS_NTF)
def rings(dev: Device, request: Request) -> Values:
    """rings_fill_reply()."""
    record, names = model.get_rings(dev), vars(Rings)
    values: dict[Attr[Any], Any] = {}
    for kind in RING_KINDS:
        most = getattr(record, f"{kind}_max")
        if most:
            values[names[f"{kind}_max"]] = most
            values[names[kind]] = getattr(record, kind)
    for name in UNLESS_ZERO:
        values[names[name]] = getattr(record, name) or None
    for name in ALWAYS:
        values[names[name]] = int(bool(getattr(record, name)))
    for name, limit in IF_SETTABLE:
        if name in dev.ops.settable_rings:
            values[names[name]] = getattr(record, name)
            values[names[limit]] = getattr(record, limit)
    return values


@setting(RINGS_SET, RINGS_NTF)
def set_rings(dev: Device, request: Request) -> bool:
    """ethnl_set_rings()."""
    return model.set_rings(dev, given(request.attrs, Rings, RINGS_TAKEN))


@query(COALESCE_GET, ntf=COALESCE_NTF)
def coalesce(dev: Device, request: Request) -> Values:
    """coalesce_fill_reply(): what the driver cannot set is told only if it is not zero."""
    record, names = model.get_coalesce(dev), vars(Coalesce)
    values: dict[Attr[Any], Any] = {}
    for name in model.COALESCE_NAMES:
        value = getattr(record, name)
        if value or name in dev.ops.settable_coalesce:
            values[names[name]] = int(bool(value)) if name.startswith("use_") else value
    return values


@setting(COALESCE_SET, COALESCE_NTF)
def set_coalesce(dev: Device, request: Request) -> bool:
    """ethnl_set_coalesce(): a profile is looked at only by a driver that moderates interrupts, which none here does."""
    wanted = given(request.attrs, Coalesce, COALESCE_TAKEN)
    for name in MODES:
        if name in wanted:
            wanted[name] = int(bool(wanted[name]))
    return model.set_coalesce(dev, wanted)
