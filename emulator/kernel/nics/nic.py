"""Physical NICs: devices on a real bus, as their profile says (profiles.py).

A NIC is plugged at a bus address, which is its name as a parent, and unplugged there; nothing but that name tells it
apart from others of its driver. It has a NAPI instance and a page pool for each channel that is in use, from when it
comes up until it goes down, and an interrupt for each. A queue that is restarted keeps its NAPI instance and gets a new
pool; a change of channels or rings restarts them all, as real drivers do.

What a driver lacks is lacking here too: `has()` says no for what the profile says nothing of, and so every errno
follows from the same rules as for any other device.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EINVAL, ERANGE
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.address import check_address, set_ethernet_mac
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.devices.settings import set_real_num_queues
from nlemu.emulator.kernel.ethtool.settings import Channels, Coalesce, Pause, Rings
from nlemu.emulator.kernel.nics.beside import TESTS, TUNNELS, Beside, NicBeside
from nlemu.emulator.kernel.nics.counting import NicCounting
from nlemu.emulator.kernel.nics.function import BusFunction
from nlemu.emulator.kernel.nics.link import NicLink
from nlemu.emulator.kernel.nics.linking import NicLinking
from nlemu.emulator.kernel.nics.links import link_of
from nlemu.emulator.kernel.nics.moderation import NicModeration
from nlemu.emulator.kernel.nics.modules import NicModules
from nlemu.emulator.kernel.nics.ports import NicPorts
from nlemu.emulator.kernel.nics.profiles import Profile
from nlemu.emulator.kernel.nics.rss import NicRss
from nlemu.emulator.kernel.nics.rule_table import RuleTable
from nlemu.emulator.kernel.nics.rules import NicRules
from nlemu.emulator.kernel.nics.standard import FACTS, NO_FACTS, NicStandard
from nlemu.emulator.kernel.nics.vfs import RULES, NicVfs
from nlemu.emulator.kernel.queues.napi import Napi, set_queue_napi
from nlemu.emulator.kernel.queues.page_pool import PAGE_SIZE, PagePool
from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats
from nlemu.emulator.kernel.queues.xdp import Mode
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, TcpDataSplit
from nlemu.protocol.uapi.netdev import XdpAct

if TYPE_CHECKING:
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink
    from nlemu.emulator.kernel.queues.xsk import BufferPool

XDP_MAX_MTU = 3498
"""A frame of one page, with headroom, shared info and an Ethernet header: what a program without fragments can do."""

LIMITS_OF_RINGS = ("rx_max", "rx_mini_max", "rx_jumbo_max", "tx_max", "hds_thresh_max")
SIZES_OF_RINGS = ("rx", "rx_mini", "rx_jumbo", "tx", "rx_buf_len")
STATS = ("get_queue_stats_rx", "get_queue_stats_tx", "get_base_stats")
FLAGS = ("get_priv_flags", "set_priv_flags")
QUEUES = ("queue_mem_alloc", "queue_mem_free", "queue_start", "queue_stop")


class Function:
    """A function of a card: what does the DMA for some queues, and is told apart from the others by identity."""


@dataclass(slots=True)
class Channel:
    """A receive queue and its transmit queue. `pool` is None while it does not run."""

    napi: Napi = field(default_factory=Napi)
    pool: PagePool | None = None


@dataclass(slots=True)
class NicState:
    """What a NIC's device carries as `priv`."""

    profile: Profile
    function: BusFunction
    functions: tuple[Function, ...]
    count: int
    """How many channels are in use."""
    first_irq: int
    rings: Rings
    rules: RuleTable
    """Those that send flows to queues, by their locations."""
    link: NicLink
    beside: Beside
    channels: list[Channel] = field(default_factory=list)
    ever: int = 0
    """How many channels there were at most."""
    coalesce: Coalesce = field(default_factory=Coalesce)
    apart: dict[int, Coalesce] = field(default_factory=dict)
    """How interrupts are held back, and of which queues otherwise."""
    pause: Pause = field(default_factory=Pause)
    rx: dict[int, RxStats] = field(default_factory=dict)
    tx: dict[int, TxStats] = field(default_factory=dict)
    """Counters of the queues that ever counted anything."""
    rxfh: Rxfh = field(default_factory=Rxfh)
    fields: dict[FlowType, int] = field(default_factory=dict)
    """How packets are spread over queues, and what of them is hashed."""
    flags: int = 0
    """The driver's private ones that are on, as bits."""
    own: Any = None
    """What its driver keeps besides."""
    base_rx: RxStats = field(default_factory=RxStats)
    base_tx: TxStats = field(default_factory=TxStats)


def state_of(dev: Device) -> NicState:
    """netdev_priv()."""
    state = dev.priv
    assert isinstance(state, NicState)
    return state


def program_of(dev: Device) -> XdpLink | XdpAttached | None:
    """The XDP program that the driver runs, if it has one."""
    return dev.kernel.xdp.on(dev).get(Mode.NATIVE)


def splits(dev: Device) -> bool:
    """Whether header and data are to be split (hds_config)."""
    return dev.cfg.hds_config == TcpDataSplit.ENABLED


def is_nic(dev: Device) -> bool:
    """Whether it is one of these."""
    return isinstance(dev.ops, NicOps)


class NicOps(
    NicCounting, NicBeside, NicModules, NicStandard, NicLinking, NicModeration, NicRss, NicRules, NicPorts, NicVfs,
    DeviceOps,
):
    """The driver of a NIC, of that profile."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.driver = profile.driver
        self.firmware = profile.firmware
        self.has_vfs = profile.driver in RULES
        self.driver_version = profile.version
        self.settable_rings = profile.settable_rings
        self.private = profile.private
        self.settable_coalesce = profile.coalesce.settable
        self.take_way(profile.driver)
        self.link = link_of(profile.driver)
        self.standard = FACTS.get(profile.driver, NO_FACTS)
        self.pauses = profile.pause
        self.links_lanes = self.link.lanes_settable
        self.udp_tunnel_tables = TUNNELS.get(profile.driver, ())
        self.has_udp_tunnels = bool(self.udp_tunnel_tables)
        self.knows_iana_vxlan = profile.driver == "mlx5_core"
        self.take_facts(profile.rss)
        self.xdp_rx_metadata = profile.rx_metadata
        self.sets_rx_page_size = profile.rx_page_size > 0
        self.has_bpf = bool(profile.xdp_features & XdpAct.BASIC)
        self.wakes_xsk = bool(profile.xdp_features & XdpAct.XSK_ZEROCOPY)

    def has(self, name: str) -> bool:
        if name in STATS:
            return bool(self.profile.rx_counters)
        if name in QUEUES:
            return self.profile.queue_mgmt
        if name in self.METHODS or name in self.OF_CONTEXTS:
            return self.has_rss(name)
        if name == "get_ethtool_stats":
            return bool(self.profile.counters.blocks)
        if name in FLAGS:
            return bool(self.private.names)
        if name == "get_strings":
            return bool(self.profile.counters.blocks or self.private.names or self.driver in TESTS)
        if name in self.OF_QUEUES:
            return self.way.of_queue is not None
        if name in self.RULE_METHODS:
            return self.rules is not None
        if name in self.PORT_METHODS:
            return self.has_port(name)
        if name in self.BESIDE_METHODS:
            return self.has_beside(name)
        if name in self.MODULE_METHODS:
            return self.has_module_method(name)
        if name in self.LINK_METHODS:
            return self.has_link_method(name)
        return super().has(name)

    def plugged(self, dev: Device) -> None:
        """What a driver does before its device is registered."""
        carrier_off(dev)

    def registered(self, dev: Device) -> None:
        """And what afterwards."""

    def unplugged(self, dev: Device) -> None:
        """What it does when its device is none any more."""

    # Up and down

    def open(self, dev: Device) -> None:
        self.take_address(dev)
        self._start(dev)
        if self.link_wanted(dev):
            carrier_on(dev)

    def stop(self, dev: Device) -> None:
        carrier_off(dev)
        self._stop(dev)

    def _start(self, dev: Device) -> None:
        state = state_of(dev)
        self.forget_apart(dev)
        state.channels = [Channel() for _ in range(state.count)]
        state.ever = max(state.ever, state.count)
        for index, channel in enumerate(state.channels):
            channel.napi.add_config(dev, index)
            channel.napi.irq = state.first_irq + index
        for index, channel in enumerate(state.channels):
            channel.pool = self._create_pool(dev, channel.napi, index)
        for index, channel in enumerate(state.channels):
            set_queue_napi(dev, index, channel.napi)
            dev.tx[index].napi = channel.napi
            channel.napi.enable()

    def _stop(self, dev: Device) -> None:
        state = state_of(dev)
        for index, channel in enumerate(state.channels):
            set_queue_napi(dev, index, None)
            dev.tx[index].napi = None
            channel.napi.disable()
            channel.napi.delete()
        for channel in state.channels:
            if channel.pool is not None:
                channel.pool.destroy()
        state.channels = []

    def _create_pool(self, dev: Device, napi: Napi | None, index: int) -> PagePool:
        """A memory provider is taken by who does queue management, with the page size that it asks for."""
        provider = dev.rx[index].mp if self.profile.queue_mgmt else None
        size = PAGE_SIZE if provider is None else max(provider.rx_page_size, PAGE_SIZE)
        return dev.kernel.page_pools.create(
            dev, napi, index, unreadable=provider is not None, order=(size // PAGE_SIZE).bit_length() - 1
        )

    # net_device_ops

    def set_mac(self, dev: Device, address: bytes) -> None:
        self.check_own_address(dev, address)
        set_ethernet_mac(dev, address)

    def validate_address(self, dev: Device) -> None:
        check_address(dev)

    def setup_xsk_pool(self, dev: Device, index: int, pool: BufferPool | None) -> None:
        """The queue's memory is mapped; what else a driver does nobody sees."""

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        if not link.fragments and dev.mtu > XDP_MAX_MTU:
            raise Refusal(EINVAL, "MTU too large w/ XDP enabled")

    # queue_mgmt_ops

    def validate_queue_config(self, dev: Device, rx_page_size: int) -> None:
        """bnxt_validate_qcfg(): ERANGE beyond what one buffer of a receive ring can hold."""
        if rx_page_size and not PAGE_SIZE <= rx_page_size <= self.profile.rx_page_size:
            raise Refusal(ERANGE)

    def queue_mem_alloc(self, dev: Device, index: int) -> Channel:
        if not dev.running and self.profile.down_errno:
            raise Refusal(self.profile.down_errno)
        channels = state_of(dev).channels
        napi = channels[index].napi if index < len(channels) else Napi()
        return Channel(napi, self._create_pool(dev, napi, index))

    def queue_mem_free(self, dev: Device, memory: Channel) -> None:
        if memory.pool is not None:
            memory.pool.destroy()
            memory.pool = None

    def queue_start(self, dev: Device, memory: Channel, index: int) -> None:
        state_of(dev).channels[index] = memory
        memory.napi.enable()

    def queue_stop(self, dev: Device, index: int) -> Channel:
        channel = state_of(dev).channels[index]
        channel.napi.disable()
        return channel

    def queue_dma_device(self, dev: Device, index: int) -> Function | None:
        state, profile = state_of(dev), self.profile
        if not profile.dma or (not profile.dma_down and (not dev.running or index >= state.count)):
            return None
        # mlx5_sd_ch_ix_get_dev_ix(): the functions take turns.
        return state.functions[index % len(state.functions)]

    # ethtool_ops

    def get_channels(self, dev: Device) -> Channels:
        count, limit = state_of(dev).count, dev.num_rx_queues
        if self.profile.combined:
            return Channels(combined_max=limit, combined_count=count)
        return Channels(rx_max=limit, tx_max=limit, rx_count=count, tx_count=count)

    def set_channels(self, dev: Device, channels: Channels) -> None:
        count = channels.combined_count if self.profile.combined else channels.rx_count
        if not self.profile.combined and channels.tx_count != count:
            raise Refusal(EINVAL)
        self._restart(dev, count)

    def _restart(self, dev: Device, count: int) -> None:
        """Everything stops, and starts with that many channels."""
        if dev.running:
            self._stop(dev)
        set_real_num_queues(dev, count, count)
        state_of(dev).count = count
        self.follow_channels(dev, count)
        if dev.running:
            self._start(dev)

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        kept = state_of(dev).rings
        for name in (*LIMITS_OF_RINGS, *SIZES_OF_RINGS):
            setattr(rings, name, getattr(kept, name))

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """What the driver refuses, and rounds; whether the queues start again for it."""
        return True

    def set_ringparam(self, dev: Device, rings: Rings) -> None:
        state = state_of(dev)
        again = self.check_rings(dev, rings)
        for name in SIZES_OF_RINGS:
            setattr(state.rings, name, getattr(rings, name))
        if again:
            self._restart(dev, state.count)

