"""What ethtool reads and sets of a device: channels, rings, coalescing, pause.

A driver fills these records and takes them back (its methods are in ops.py). Between a request and the driver stand
rules that are the stack's own, the same for every driver: they are here, and blame what they refuse by the name of
its attribute. A `set_` verb takes only what the request said, by the field's name; it answers whether anything
differed, because a request that changes nothing reaches neither the driver nor the listeners.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.queue import min_provider_channels, queue_busy
from nlemu.emulator.kernel.ethtool import rules
from nlemu.emulator.kernel.ethtool.rss import highest_queue
from nlemu.protocol.refusal import Refusal, formatted
from nlemu.protocol.uapi.ethtool import TcpDataSplit
from nlemu.protocol.uapi.netdev import QueueType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(slots=True)
class Channels:
    """struct ethtool_channels, by the names and in the order of ETHTOOL_A_CHANNELS_*."""

    rx_max: int = 0
    tx_max: int = 0
    other_max: int = 0
    combined_max: int = 0
    rx_count: int = 0
    tx_count: int = 0
    other_count: int = 0
    combined_count: int = 0


@dataclass(slots=True)
class Rings:
    """struct ethtool_ringparam and kernel_ethtool_ringparam, by the names of ETHTOOL_A_RINGS_*."""

    rx_max: int = 0
    rx_mini_max: int = 0
    rx_jumbo_max: int = 0
    tx_max: int = 0
    rx: int = 0
    rx_mini: int = 0
    rx_jumbo: int = 0
    tx: int = 0
    rx_buf_len: int = 0
    tcp_data_split: int = 0
    cqe_size: int = 0
    tx_push: int = 0
    rx_push: int = 0
    tx_push_buf_len: int = 0
    tx_push_buf_len_max: int = 0
    hds_thresh: int = 0
    hds_thresh_max: int = 0
    command: int | None = None
    """cmd, where the driver writes over it: ioctls show that."""


RINGS_UNSUPPORTED = {
    "rx_buf_len": "setting rx buf len not supported",
    "tcp_data_split": "setting TCP data split is not supported",
    "hds_thresh": "setting hds-thresh is not supported",
    "cqe_size": "setting cqe size not supported",
    "tx_push": "setting tx push not supported",
    "rx_push": "setting rx push not supported",
    "tx_push_buf_len": "setting tx push buf len is not supported",
}
"""What a driver has to allow (ETHTOOL_RING_USE_*) before it may be set, in the order of the checks, and the refusal."""


@dataclass(slots=True)
class Coalesce:
    """struct ethtool_coalesce and kernel_ethtool_coalesce, by the names and in the order of ETHTOOL_A_COALESCE_*."""

    rx_usecs: int = 0
    rx_max_frames: int = 0
    rx_usecs_irq: int = 0
    rx_max_frames_irq: int = 0
    tx_usecs: int = 0
    tx_max_frames: int = 0
    tx_usecs_irq: int = 0
    tx_max_frames_irq: int = 0
    stats_block_usecs: int = 0
    use_adaptive_rx: int = 0
    use_adaptive_tx: int = 0
    pkt_rate_low: int = 0
    rx_usecs_low: int = 0
    rx_max_frames_low: int = 0
    tx_usecs_low: int = 0
    tx_max_frames_low: int = 0
    pkt_rate_high: int = 0
    rx_usecs_high: int = 0
    rx_max_frames_high: int = 0
    tx_usecs_high: int = 0
    tx_max_frames_high: int = 0
    rate_sample_interval: int = 0
    use_cqe_mode_tx: int = 0
    use_cqe_mode_rx: int = 0
    tx_aggr_max_bytes: int = 0
    tx_aggr_max_frames: int = 0
    tx_aggr_time_usecs: int = 0
    rx_cqe_frames: int = 0
    rx_cqe_nsecs: int = 0
    command: int | None = None
    """cmd, where the driver keeps what it was told: ioctls show that."""


PROFILES = ("rx_profile", "tx_profile")
"""ETHTOOL_A_COALESCE_*_PROFILE, which stand before the last two."""
COALESCE_NAMES = tuple(field.name for field in fields(Coalesce) if field.name != "command")
COALESCE_ORDER = (*COALESCE_NAMES[:-2], *PROFILES, *COALESCE_NAMES[-2:])
"""The fields in the order of the attributes: ETHTOOL_COALESCE_ALL_PARAMS."""


@dataclass(slots=True)
class Pause:
    """struct ethtool_pauseparam."""

    autoneg: bool = False
    rx: bool = False
    tx: bool = False


@dataclass(slots=True)
class PauseStats:
    """struct ethtool_pause_stats; None: the driver does not count it."""

    tx_frames: int | None = None
    rx_frames: int | None = None
    tx_pause_storm_events: int | None = None


def _update(record: Channels | Rings | Coalesce | Pause, wanted: Mapping[str, int]) -> bool:
    changed = False
    for name, value in wanted.items():
        if getattr(record, name) != value:
            setattr(record, name, value)
            changed = True
    return changed


def _exceeds(record: Channels | Rings, pairs: tuple[tuple[str, str], ...], text: str) -> None:
    for name, limit in pairs:
        if getattr(record, name) > getattr(record, limit):
            raise Refusal(EINVAL, text, at=name.replace("_", "-"))


def get_channels(dev: Device) -> Channels:
    """channels_prepare_data(). EOPNOTSUPP."""
    if not dev.ops.has("get_channels"):
        raise Refusal(EOPNOTSUPP)
    return dev.ops.get_channels(dev)


def set_channels(dev: Device, wanted: Mapping[str, int]) -> bool:
    """ethnl_set_channels(). wanted: some of rx_count, tx_count, other_count, combined_count. EINVAL at one of
    "rx-count", "tx-count", "other-count", "combined-count" (a limit), or at nothing (queues in use, or named by a table
    or a rule)."""
    if not (dev.ops.has("get_channels") and dev.ops.has("set_channels")):
        raise Refusal(EOPNOTSUPP)
    channels = dev.ops.get_channels(dev)
    old_rx = channels.combined_count + channels.rx_count
    old_tx = channels.combined_count + channels.tx_count
    old_combined = channels.combined_count
    if not _update(channels, wanted):
        return False
    pairs = (("rx_count", "rx_max"), ("tx_count", "tx_max"), ("other_count", "other_max"),
             ("combined_count", "combined_max"))
    _exceeds(channels, pairs, "requested channel count exceeds maximum")
    rx = channels.combined_count + channels.rx_count
    tx = channels.combined_count + channels.tx_count
    if not rx or not tx:
        blamed = "rx-count" if not rx else "tx-count"
        if channels.combined_count != old_combined:
            blamed = "combined-count"
        text = "requested channel counts would result in no RX or TX channel being configured"
        raise Refusal(EINVAL, text, at=blamed)
    named = highest_queue(dev)
    if rx <= named:
        text = f"requested channel counts are too low for existing indirection table ({named})"
        raise Refusal(EINVAL, formatted(text))
    if rx <= rules.highest_queue(dev):
        raise Refusal(EINVAL, "requested channel counts are too low for existing ntuple filter settings")
    provided = min_provider_channels(dev)
    # Not a strict comparison, though the count is one more than the index: the kernel refuses one channel too many.
    if rx <= provided:
        text = f"requested channel counts are too low for existing memory provider setting ({provided})"
        raise Refusal(EINVAL, formatted(text))
    for kind, count, old in ((QueueType.RX, rx, old_rx), (QueueType.TX, tx, old_tx)):
        for index in range(count, old):
            busy = queue_busy(dev, index, kind)
            if busy is not None:
                raise Refusal(EINVAL, busy)
    dev.ops.set_channels(dev, channels)
    return True


def get_rings(dev: Device) -> Rings:
    """rings_prepare_data(). EOPNOTSUPP."""
    if not dev.ops.has("get_ringparam"):
        raise Refusal(EOPNOTSUPP)
    rings = Rings(tcp_data_split=dev.cfg.hds_config, hds_thresh=dev.cfg.hds_thresh)
    dev.ops.get_ringparam(dev, rings)
    return rings


def configured_rings(dev: Device) -> Rings:
    """ethtool_ringparam_get_cfg(): the driver tells its state; what is to be updated is the configuration, where the
    split may still be undecided."""
    rings = Rings()
    dev.ops.get_ringparam(dev, rings)
    rings.tcp_data_split = dev.cfg.hds_config
    rings.hds_thresh = dev.cfg.hds_thresh
    return rings


def set_rings(dev: Device, wanted: Mapping[str, int]) -> bool:
    """ethnl_set_rings_validate() and ethnl_set_rings(). wanted: fields of Rings other than maxima. EOPNOTSUPP at a
    field that the driver cannot set ("tcp-data-split" ...); EINVAL at "rx", "rx-mini", "rx-jumbo", "tx",
    "hds-thresh" or "tx-push-buf-len" (a limit), or at nothing (a memory provider needs the split)."""
    for name, text in RINGS_UNSUPPORTED.items():
        if name in wanted and name not in dev.ops.settable_rings:
            raise Refusal(EOPNOTSUPP, text, at=name.replace("_", "-"))
    if not (dev.ops.has("get_ringparam") and dev.ops.has("set_ringparam")):
        raise Refusal(EOPNOTSUPP)
    rings = configured_rings(dev)
    if not _update(rings, wanted):
        return False
    if rings.tcp_data_split == TcpDataSplit.ENABLED and dev.kernel.xdp.single_buffer(dev):
        text = "tcp-data-split can not be enabled with single buffer XDP"
        raise Refusal(EINVAL, text, at="tcp-data-split" if "tcp_data_split" in wanted else None)
    if min_provider_channels(dev):
        if rings.tcp_data_split != TcpDataSplit.ENABLED:
            raise Refusal(EINVAL, "can't disable tcp-data-split while device has memory provider enabled")
        if rings.hds_thresh:
            raise Refusal(EINVAL, "can't set non-zero hds_thresh while device is memory provider enabled")
    pairs = (("rx", "rx_max"), ("rx_mini", "rx_mini_max"), ("rx_jumbo", "rx_jumbo_max"), ("tx", "tx_max"),
             ("hds_thresh", "hds_thresh_max"))
    _exceeds(rings, pairs, "requested ring size exceeds maximum")
    if rings.tx_push_buf_len > rings.tx_push_buf_len_max:
        text = f"Requested TX push buffer exceeds the maximum of {rings.tx_push_buf_len_max}"
        raise Refusal(EINVAL, formatted(text), at="tx-push-buf-len")
    dev.ops.set_ringparam(dev, rings)
    dev.cfg.hds_config = rings.tcp_data_split
    dev.cfg.hds_thresh = rings.hds_thresh
    return True


def get_coalesce(dev: Device) -> Coalesce:
    """coalesce_prepare_data(). EOPNOTSUPP."""
    if not dev.ops.has("get_coalesce"):
        raise Refusal(EOPNOTSUPP)
    return dev.ops.get_coalesce(dev)


def set_coalesce(dev: Device, wanted: Mapping[str, int]) -> bool:
    """ethnl_set_coalesce(). wanted: fields of Coalesce, and rx_profile and tx_profile. EINVAL at a field that the
    driver does not support, the first in the order of the attributes. Profiles come to nothing: no driver here
    moderates interrupts by them, though one that supports every parameter supports those too."""
    if not (dev.ops.has("get_coalesce") and dev.ops.has("set_coalesce")):
        raise Refusal(EOPNOTSUPP)
    for name in COALESCE_ORDER:
        if name in wanted and name not in dev.ops.settable_coalesce:
            raise Refusal(EINVAL, "cannot modify an unsupported parameter", at=name.replace("_", "-"))
    coalesce = dev.ops.get_coalesce(dev)
    if not _update(coalesce, {name: value for name, value in wanted.items() if name not in PROFILES}):
        return False
    dev.ops.set_coalesce(dev, coalesce)
    return True


def get_pause(dev: Device) -> Pause:
    """pause_prepare_data(). EOPNOTSUPP."""
    if not dev.ops.has("get_pauseparam"):
        raise Refusal(EOPNOTSUPP)
    return dev.ops.get_pauseparam(dev)


def set_pause(dev: Device, wanted: Mapping[str, bool]) -> bool:
    """ethnl_set_pause(). wanted: some of autoneg, rx, tx."""
    if not (dev.ops.has("get_pauseparam") and dev.ops.has("set_pauseparam")):
        raise Refusal(EOPNOTSUPP)
    pause = dev.ops.get_pauseparam(dev)
    if not _update(pause, wanted):
        return False
    dev.ops.set_pauseparam(dev, pause)
    return True
