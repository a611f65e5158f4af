"""A netdevsim port: a physical device that does all but move packets (drivers/net/netdevsim/netdev.c).

A port has a NAPI instance and a page pool for each receive queue that it could have, made when it comes up and gone
when it goes down, whatever number of channels is in use. When a queue is restarted, the new one is made before the old
one is taken away; `queue_reset` tries other orders, as the driver's debugfs file does.

There are two such drivers. The one of the kernel proper ("plain") cannot do DMA, and its pools take no memory
providers. The other ("dma") stands in for a real NIC: its pools do, and it does AF_XDP zero-copy. One more thing tells
them apart: a pool that the plain driver makes for a NAPI instance that no device has yet belongs to no device itself,
so user space never sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL, ENETDOWN
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.nics.netdevsim.ethtool import NetdevsimEthtoolOps, Queue, state_of
from nlemu.emulator.kernel.nics.netdevsim.vfs import NetdevsimVfOps
from nlemu.emulator.kernel.queues.napi import set_queue_napi
from nlemu.emulator.kernel.queues.provider import restart_queue
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import UdpTunnelType
from nlemu.protocol.uapi.if_ether import ETH_HLEN
from nlemu.protocol.uapi.net_shaper import NetShaperCaps

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.macsec.offload import MacsecOps
    from nlemu.emulator.kernel.nics.netdevsim.device import BusDevice
    from nlemu.emulator.kernel.queues.napi import Napi
    from nlemu.emulator.kernel.queues.page_pool import PagePool
    from nlemu.emulator.kernel.queues.qstats import RxStats, TxStats
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink
    from nlemu.emulator.kernel.queues.xsk import BufferPool
    from nlemu.protocol.uapi.net_shaper import NetShaperScope

UDP_TUNNEL_PORTS = 4
"""NSIM_UDP_TUNNEL_N_PORTS."""
XDP_MAX_MTU = 4000
"""NSIM_XDP_MAX_MTU: with a program that cannot do with fragments."""


@dataclass(slots=True)
class QueueMemory:
    """struct nsim_queue_mem: a queue, or (in reset mode 1) only a pool for the queue that stays."""

    queue: Queue | None = None
    pool: PagePool | None = None


def is_netdevsim(dev: Device) -> bool:
    """netdev_is_nsim()."""
    return isinstance(dev.ops, NetdevsimOps)


class NetdevsimOps(NetdevsimVfOps, NetdevsimEthtoolOps):
    """The plain driver."""

    has_udp_tunnels = True
    udp_tunnel_tables = (
        (UDP_TUNNEL_PORTS, 1 << UdpTunnelType.VXLAN),
        (UDP_TUNNEL_PORTS, 1 << UdpTunnelType.GENEVE | 1 << UdpTunnelType.VXLAN_GPE),
    )
    dma = False
    has_bpf = True

    def shaper_capabilities(self, dev: Device, scope: NetShaperScope) -> NetShaperCaps:
        """nsim_shaper_cap(): everything, for every scope."""
        return NetShaperCaps(sum(NetShaperCaps))

    def macsec_ops(self, dev: Device) -> MacsecOps | None:
        """nsim_macsec_init()."""
        return state_of(dev).macsec

    # Up and down

    def open(self, dev: Device) -> None:
        """nsim_open(): all NAPI instances, then all pools, then each queue is told and each instance enabled."""
        state = state_of(dev)
        for index, queue in enumerate(state.queues):
            queue.napi.add_config(dev, index)
        made: list[Queue] = []
        try:
            for index, queue in enumerate(state.queues):
                queue.pool = self._create_pool(dev, queue.napi, index)
                made.append(queue)
        except Refusal:
            for queue in reversed(made):
                self._destroy_pool(queue)
            for queue in state.queues:
                queue.napi.delete()
            raise
        for index, queue in enumerate(state.queues):
            set_queue_napi(dev, index, queue.napi)
            queue.napi.enable()
        state.bus_device.reports.began(dev)
        peer = state.peer
        if peer is not None and peer.running:
            carrier_on(dev)
            carrier_on(peer)

    def stop(self, dev: Device) -> None:
        """nsim_stop(). The carrier goes, and comes back only when a linked peer is up."""
        state = state_of(dev)
        carrier_off(dev)
        state.bus_device.reports.ended(dev)
        if state.peer is not None:
            carrier_off(state.peer)
        for index, queue in enumerate(state.queues):
            set_queue_napi(dev, index, None)
            queue.napi.disable()
            queue.napi.delete()
        for queue in state.queues:
            self._destroy_pool(queue)

    def _create_pool(self, dev: Device, napi: Napi, index: int) -> PagePool:
        """nsim_create_page_pool()."""
        pools = dev.kernel.page_pools
        if self.dma:
            return pools.create(dev, napi, index, unreadable=True)
        return pools.create(napi.dev, napi)

    def _destroy_pool(self, holder: Queue | QueueMemory) -> None:
        if holder.pool is not None:
            holder.pool.destroy()
            holder.pool = None

    # The rest of net_device_ops

    def get_iflink(self, dev: Device) -> int:
        peer = state_of(dev).peer
        return dev.ifindex if peer is None else peer.ifindex

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        peer = state_of(dev).peer
        if peer is None or not peer.takes(size):
            dev.stats.tx_dropped += 1
            return Xmit.SUCCESS, None
        dev.stats.sent(size)
        peer.stats.received(size - ETH_HLEN)  # eth_type_trans() has taken the header off
        return Xmit.SUCCESS, peer

    def get_phys_port_name(self, dev: Device) -> str | None:
        """devlink_compat_phys_port_name_get() of a physical port: ports count from 1, in 32 bits."""
        return f"p{(state_of(dev).port_index + 1) & 0xFFFFFFFF}"

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """nsim_setup_prog_checks()."""
        if not link.fragments and dev.mtu > XDP_MAX_MTU:
            raise Refusal(EINVAL, "MTU too large w/ XDP enabled")

    # queue_mgmt_ops

    def queue_mem_alloc(self, dev: Device, index: int) -> QueueMemory:
        """nsim_queue_mem_alloc()."""
        state = state_of(dev)
        if state.reset_mode > 3:
            raise Refusal(EINVAL)
        if state.reset_mode == 1:
            if not dev.running:
                raise Refusal(ENETDOWN)
            return QueueMemory(pool=self._create_pool(dev, state.queues[index].napi, index))
        queue = Queue()
        queue.pool = self._create_pool(dev, queue.napi, index)
        if not state.reset_mode:
            queue.napi.add_config(dev, index)
        return QueueMemory(queue=queue)

    def queue_mem_free(self, dev: Device, memory: QueueMemory) -> None:
        """nsim_queue_mem_free()."""
        self._destroy_pool(memory)
        if memory.queue is not None:
            if not state_of(dev).reset_mode:
                memory.queue.napi.delete()
            self._destroy_pool(memory.queue)

    def queue_start(self, dev: Device, memory: QueueMemory, index: int) -> None:
        """nsim_queue_start()."""
        state = state_of(dev)
        old = state.queues[index]
        if memory.queue is None:
            old.pool, memory.pool = memory.pool, None
            old.napi.enable()
            return
        new = memory.queue
        if state.reset_mode == 2:
            old.napi.delete()
            new.napi.add_config(dev, index)
        elif state.reset_mode == 3:
            new.napi.add_config(dev, index)
            old.napi.delete()
        state.queues[index] = new
        set_queue_napi(dev, index, new.napi)
        new.napi.enable()

    def queue_stop(self, dev: Device, index: int) -> QueueMemory:
        """nsim_queue_stop()."""
        state = state_of(dev)
        queue = state.queues[index]
        queue.napi.disable()
        if state.reset_mode == 1:
            return QueueMemory(pool=queue.pool)
        return QueueMemory(queue=queue)

    def queue_dma_device(self, dev: Device, index: int) -> BusDevice | None:
        return state_of(dev).bus_device if self.dma else None

    # netdev_stat_ops: the device's counters, on queue 0, but for one packet that is accounted to no queue

    def get_queue_stats_rx(self, dev: Device, index: int, stats: RxStats) -> None:
        packets, octets = (dev.stats.rx_packets, dev.stats.rx_bytes) if not index else (0, 0)
        stats.packets = packets - bool(packets)
        stats.bytes = octets

    def get_queue_stats_tx(self, dev: Device, index: int, stats: TxStats) -> None:
        packets, octets = (dev.stats.tx_packets, dev.stats.tx_bytes) if not index else (0, 0)
        stats.packets = packets - bool(packets)
        stats.bytes = octets

    def get_base_stats(self, dev: Device, rx: RxStats, tx: TxStats) -> None:
        rx.packets = int(bool(dev.stats.rx_packets))
        rx.bytes = 0
        tx.packets = int(bool(dev.stats.tx_packets))
        tx.bytes = 0


class NetdevsimDmaOps(NetdevsimOps):
    """The driver that can do DMA."""

    dma = True
    wakes_xsk = True

    def setup_xsk_pool(self, dev: Device, index: int, pool: BufferPool | None) -> None:
        """nsim_bpf(): all it does is map the memory for DMA."""


# The driver's debugfs files


def queue_reset(dev: Device, queue: int, mode: int) -> None:
    """debugfs queue_reset: restarts a queue. Mode 0 is the driver's own order; 1 keeps the NAPI instance, 2 takes the
    old one away first, 3 last. EINVAL, ENETDOWN (mode 1)."""
    if not 0 <= queue < dev.real_num_rx_queues:
        raise Refusal(EINVAL)
    state = state_of(dev)
    state.reset_mode = mode
    try:
        restart_queue(dev, queue)
    finally:
        state.reset_mode = 0


def hold_page(dev: Device, hold: bool) -> None:
    """debugfs pp_hold: takes a page from queue 0's pool and keeps it, or gives it back. ENETDOWN."""
    state = state_of(dev)
    if hold == (state.held is not None):
        return
    if state.held is not None:
        state.held.put()
        state.held = None
        return
    pool = state.queues[0].pool
    if not dev.running or pool is None:
        raise Refusal(ENETDOWN)
    pool.alloc()
    state.held = pool
