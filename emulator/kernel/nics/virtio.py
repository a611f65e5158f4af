"""virtio_net, the NIC of a virtual machine (drivers/net/virtio_net.c), as QEMU's device has it.

All its queues have NAPI instances and page pools from the beginning, whether they are in use or not; they are filled
when the device first comes up, and stay filled. Which packets are hashed is kept as a set of kinds, so what is hashed
of IPv4 and of TCP over IPv4 hang together. Interrupts are held back by frames alone: one, or none where transmit queues
are not polled.
"""

from __future__ import annotations

from errno import EBUSY, EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.link_watch import carrier_off
from nlemu.emulator.kernel.devices.settings import set_real_num_queues
from nlemu.emulator.kernel.ethtool.settings import Channels, Coalesce, Rings
from nlemu.emulator.kernel.nics.nic import Channel, NicOps, state_of
from nlemu.emulator.kernel.nics.rss import ADDRESSES, PORTS
from nlemu.emulator.kernel.queues.napi import set_queue_napi
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, Rxh
from nlemu.protocol.uapi.if_ import IFF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

UP = int(IFF.UP)
HEADER = 20
"""struct virtio_net_hdr_v1_hash: the room before a frame, in bytes."""
PAGES = 128
"""That the buffers of a ring of 256 take, two a page."""
DISCARD = int(Rxh.DISCARD)
OF_IP = {FlowType.IPV4: FlowType.IPV4, FlowType.TCP_V4: FlowType.IPV4, FlowType.UDP_V4: FlowType.IPV4,
         FlowType.IPV6: FlowType.IPV6, FlowType.TCP_V6: FlowType.IPV6, FlowType.UDP_V6: FlowType.IPV6}
"""The protocol under each kind of packet that can be hashed."""


class VirtioOps(NicOps):
    """virtnet_netdev and virtnet_ethtool_ops. The kinds that are hashed are the keys of `fields` in the NIC's state."""

    def registered(self, dev: Device) -> None:
        """The end of virtnet_probe()."""
        carrier_off(dev)

    def plugged(self, dev: Device) -> None:
        """init_vqs(), virtnet_create_page_pools()."""
        state = state_of(dev)
        dev.needed_headroom = HEADER
        state.channels = [Channel() for _ in range(dev.num_rx_queues)]
        for index, channel in enumerate(state.channels):
            channel.napi.add_config(dev, index)
            channel.pool = self._create_pool(dev, channel.napi, index)

    def unplugged(self, dev: Device) -> None:
        """virtnet_remove()."""
        for channel in state_of(dev).channels:
            channel.napi.delete()
            if channel.pool is not None:
                channel.pool.destroy()

    def _start(self, dev: Device) -> None:
        for index, channel in enumerate(state_of(dev).channels):
            channel.napi.enable()
            set_queue_napi(dev, index, channel.napi)
            if channel.pool is not None and not channel.pool.out:
                for _ in range(PAGES):
                    channel.pool.alloc()

    def _stop(self, dev: Device) -> None:
        for index, channel in enumerate(state_of(dev).channels):
            set_queue_napi(dev, index, None)
            channel.napi.disable()

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """virtnet_set_channels()."""
        state, count = state_of(dev), channels.combined_count
        if channels.rx_count or channels.tx_count or channels.other_count:
            raise Refusal(EINVAL)
        if not 0 < count <= dev.num_rx_queues or dev.kernel.xdp.on(dev):
            raise Refusal(EINVAL)
        self.follow_channels(dev, count)
        state.count = count
        set_real_num_queues(dev, count, count)

    def set_ringparam(self, dev: Device, rings: Rings) -> None:
        """virtnet_set_ringparam()."""
        kept = state_of(dev).rings
        if rings.rx_mini or rings.rx_jumbo:
            raise Refusal(EINVAL)
        if (rings.rx, rings.tx) != (kept.rx, kept.tx):
            kept.rx, kept.tx = rings.rx, rings.tx

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        """virtnet_set_coalesce()."""
        for queue in range(dev.num_rx_queues):
            self._check_weight(dev, queue, coalesce)
        super().set_coalesce(dev, coalesce)

    def set_per_queue_coalesce(self, dev: Device, queue: int, coalesce: Coalesce) -> None:
        """virtnet_set_per_queue_coalesce()."""
        if queue < dev.num_rx_queues:
            self._check_weight(dev, queue, coalesce)
        super().set_per_queue_coalesce(dev, queue, coalesce)

    def _check_weight(self, dev: Device, queue: int, wanted: Coalesce) -> None:
        """virtnet_should_update_vq_weight(): who polls for what is sent is settled while the device is up. EBUSY."""
        kept = self.get_per_queue_coalesce(dev, queue)
        if bool(wanted.tx_max_frames) != bool(kept.tx_max_frames) and dev.flags & UP:
            raise Refusal(EBUSY)

    # Which packets are hashed

    def get_rxfh_fields(self, dev: Device, flow: FlowType, context: int) -> int:
        """virtnet_get_hashflow()."""
        kinds = state_of(dev).fields
        if flow in kinds:
            return ADDRESSES if OF_IP[flow] is flow else PORTS
        return ADDRESSES if OF_IP.get(flow) in kinds else 0

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        """virtnet_set_hashflow()."""
        state = state_of(dev)
        discard = bool(fields & DISCARD)
        if fields not in (ADDRESSES, PORTS) and not discard:
            raise Refusal(EINVAL)
        below = OF_IP.get(flow)
        if below is None:
            raise Refusal(EINVAL)
        kinds = set(state.fields) - {below, flow}
        if not discard and flow is below:
            kinds = {flow}
        elif not discard:
            kinds |= {below, flow} if fields == PORTS else {below}
        state.fields = dict.fromkeys(sorted(kinds), 0)
