"""What all network devices of a simulated device have: ethtool's settings, an address, a switch that they are in
(drivers/net/netdevsim/ethtool.c). Physical ports can do more (port.py), those of virtual functions no more
than this.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from errno import EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.address import check_address, set_ethernet_mac
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.settings import set_real_num_queues
from nlemu.emulator.kernel.ethtool.link import Fec, FecBin, FecCounter, FecStats, TsInfo
from nlemu.emulator.kernel.ethtool.settings import (
    COALESCE_ORDER,
    Channels,
    Coalesce,
    Pause,
    PauseStats,
    Rings,
)
from nlemu.emulator.kernel.nics.netdevsim.macsec import NetdevsimMacsec
from nlemu.emulator.kernel.queues.napi import Napi
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FecFlag, TcpDataSplit

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice
    from nlemu.emulator.kernel.queues.page_pool import PagePool

HDS_THRESHOLD_MAX = 1024
"""NSIM_HDS_THRESHOLD_MAX."""
RING_MAX = 4096
RING_DEFAULT = 512
"""nsim_ethtool_ring_init()."""
NO_DRIVER_COALESCE = frozenset(
    ("use_cqe_mode_tx", "use_cqe_mode_rx", "tx_aggr_max_bytes", "tx_aggr_max_frames", "tx_aggr_time_usecs",
     "rx_cqe_frames", "rx_cqe_nsecs")
)
"""What struct kernel_ethtool_coalesce holds: the driver takes it and forgets it."""


@dataclass(slots=True)
class Queue:
    """struct nsim_rq: a receive queue. `pool` is None while there is none."""

    napi: Napi = field(default_factory=Napi)
    pool: PagePool | None = None


@dataclass(slots=True)
class PortState:
    """struct netdevsim: what a port's device carries as `priv`."""

    bus_device: BusDevice
    port_index: int
    channels: int
    queues: list[Queue]
    rings: Rings = field(default_factory=lambda: Rings(
        rx_max=RING_MAX, rx_mini_max=RING_MAX, rx_jumbo_max=RING_MAX, tx_max=RING_MAX, rx=RING_DEFAULT,
        tx=RING_DEFAULT))
    coalesce: Coalesce = field(default_factory=lambda: Coalesce(command=0))
    pause: Pause = field(default_factory=Pause)
    fec: Fec = field(default_factory=lambda: Fec(command=0))
    get_err: int = 0
    set_err: int = 0
    """debugfs ethtool/get_err and set_err: with which errno it fails to tell, and to take, what corrects errors."""
    clock: int = -1
    """The number of its clock, a mock one."""
    vf: int | None = None
    """The number of the virtual function, of such a function's port."""
    report_rx_pause: bool = True
    report_tx_pause: bool = True
    """debugfs ethtool/pause/report_stats_rx and _tx."""
    reset_mode: int = 0
    held: PagePool | None = None
    """Where the page comes from that debugfs pp_hold holds."""
    peer: Device | None = None
    """The port at the other end of the wire, when it is linked to one."""
    macsec: NetdevsimMacsec = field(default_factory=NetdevsimMacsec)


def state_of(dev: Device) -> PortState:
    """netdev_priv()."""
    state = dev.priv
    assert isinstance(state, PortState)
    return state


class NetdevsimEthtoolOps(DeviceOps):
    """What is the same of all of them."""

    driver = "netdevsim"
    firmware = "10.20.30 "
    """What devlink tells of it: one version, and a space behind it."""
    settable_rings = frozenset(("tcp_data_split", "hds_thresh"))
    settable_coalesce = frozenset(COALESCE_ORDER)

    def set_mac(self, dev: Device, address: bytes) -> None:
        set_ethernet_mac(dev, address)

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def get_port_parent_id(self, dev: Device) -> bytes | None:
        """devlink_compat_switch_id_get()."""
        return state_of(dev).bus_device.switch_id

    def get_channels(self, dev: Device) -> Channels:
        state = state_of(dev)
        return Channels(combined_max=state.bus_device.num_queues, combined_count=state.channels)

    def set_channels(self, dev: Device, channels: Channels) -> None:
        count = channels.combined_count
        set_real_num_queues(dev, count, count)
        state_of(dev).channels = count

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """nsim_get_ringparam(). Nobody chose a split: this driver splits."""
        kept = state_of(dev).rings
        for name in ("rx_max", "rx_mini_max", "rx_jumbo_max", "tx_max", "rx", "rx_mini", "rx_jumbo", "tx"):
            setattr(rings, name, getattr(kept, name))
        rings.command = 0
        rings.hds_thresh_max = HDS_THRESHOLD_MAX
        if dev.cfg.hds_config == TcpDataSplit.UNKNOWN:
            rings.tcp_data_split = TcpDataSplit.ENABLED

    def set_ringparam(self, dev: Device, rings: Rings) -> None:
        kept = state_of(dev).rings
        kept.rx, kept.rx_mini, kept.rx_jumbo, kept.tx = rings.rx, rings.rx_mini, rings.rx_jumbo, rings.tx

    def get_coalesce(self, dev: Device) -> Coalesce:
        return dataclasses.replace(state_of(dev).coalesce)

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        state_of(dev).coalesce = dataclasses.replace(coalesce, **dict.fromkeys(NO_DRIVER_COALESCE, 0))

    def get_pauseparam(self, dev: Device) -> Pause:
        return dataclasses.replace(state_of(dev).pause)

    def set_pauseparam(self, dev: Device, pause: Pause) -> None:
        """nsim_set_pauseparam(): no autonegotiation, and it stays off."""
        if pause.autoneg:
            raise Refusal(EINVAL)
        state_of(dev).pause = dataclasses.replace(pause)

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        info.phc_index = state_of(dev).clock

    def get_fecparam(self, dev: Device) -> Fec:
        """nsim_get_fecparam(). What tests have it fail with."""
        state = state_of(dev)
        if state.get_err:
            raise Refusal(state.get_err)
        return dataclasses.replace(state.fec)

    def set_fecparam(self, dev: Device, fec: Fec) -> None:
        """nsim_set_fecparam(): the best of what may be used is what is; off is what automatic comes to. What tests
        have it fail with."""
        state = state_of(dev)
        if state.set_err:
            raise Refusal(state.set_err)
        wanted = fec.fec | FecFlag.OFF if fec.fec == FecFlag.AUTO else fec.fec
        state.fec = Fec(fec.fec, 1 << (wanted | FecFlag.NONE).bit_length() - 1, fec.command or 0)

    def get_fec_stats(self, dev: Device) -> FecStats:
        """nsim_get_fec_stats(): made-up numbers."""
        return FecStats(
            FecCounter(123),
            FecCounter(4),
            FecCounter(),
            (FecBin(0, 0, None, (125, 120, 100, 100)), FecBin(1, 3, 12), FecBin(4, 7, 2, (2, 0, 0, 0))),
        )

    def get_pause_stats(self, dev: Device, stats: PauseStats) -> None:
        state = state_of(dev)
        if state.report_rx_pause:
            stats.rx_frames = 1
        if state.report_tx_pause:
            stats.tx_frames = 2
