"""fbnic: what it does otherwise than a profile can say (drivers/net/ethernet/meta/fbnic).

One context more than the first, with the same key. What is hashed is kept for seven classes of packets; a packet of any
other protocol over IP belongs to IP's.
"""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Context, Rxfh
from nlemu.emulator.kernel.ethtool.settings import Channels, Coalesce, Rings
from nlemu.emulator.kernel.nics.fbnic_rules import FbnicRules
from nlemu.emulator.kernel.nics.nic import NicOps, program_of, state_of
from nlemu.emulator.kernel.nics.rings import power_of_two
from nlemu.emulator.kernel.nics.rss import BY_PORTS
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, Rxh, TcpDataSplit
from nlemu.protocol.uapi.if_ether import ETH_HLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink

OF_IPV4 = (FlowType.AH_V4, FlowType.ESP_V4, FlowType.AH_ESP_V4, FlowType.SCTP_V4, FlowType.IPV4)
OF_IPV6 = (FlowType.AH_V6, FlowType.ESP_V6, FlowType.AH_ESP_V6, FlowType.SCTP_V6, FlowType.IPV6)
CLASSES = (
    {flow: flow for flow in (*BY_PORTS, FlowType.ETHER)} | dict.fromkeys(OF_IPV4, FlowType.IPV4)
    | dict.fromkeys(OF_IPV6, FlowType.IPV6)
)
"""fbnic_get_rss_hash_idx()."""
L2 = int(Rxh.L2DA | Rxh.DISCARD)
L3 = L2 | int(Rxh.IP_SRC | Rxh.IP_DST | Rxh.IP6_FL)
L4 = L3 | int(Rxh.L4_B_0_1 | Rxh.L4_B_2_3)
"""FBNIC_L2_HASH_OPTIONS, FBNIC_L3_HASH_OPTIONS, FBNIC_L4_HASH_OPTIONS"""


OTHERS = 2
"""FBNIC_NON_NAPI_VECTORS"""
RINGS, LEAST_RING = ("rx", "rx_mini", "rx_jumbo", "tx"), 64
"""FBNIC_QUEUE_SIZE_MIN, and no driver's minimum is larger (FBNIC_RX_DESC_MIN, FBNIC_TX_DESC_MIN)."""

LIMITS = (
    ("rx_usecs", "rx_usecs", 0x3FFF), ("tx_usecs", "tx_usecs", 0x3FFF), ("rx_max_frames", "rx_frames", 0x7FFF // 2),
)
"""FBNIC_INTR_CQ_REARM_RCQ_TIMEOUT, _TCQ_TIMEOUT, FBNIC_QUEUE_RIM_THRESHOLD_RCD_MASK / FBNIC_MIN_RXD_PER_FRAME"""


def splits(mtu: int, threshold: int) -> bool:
    """fbnic_check_split_frames(): whether a program without fragments would see frames in parts."""
    return mtu + ETH_HLEN > threshold


class FbnicOps(FbnicRules, NicOps):
    """fbnic_netdev_ops and fbnic_ethtool_ops."""

    def get_channels(self, dev: Device) -> Channels:
        """fbnic_get_channels(), of combined ones: firmware and others have interrupts of their own."""
        channels = super().get_channels(dev)
        channels.rx_max = channels.tx_max = channels.combined_max
        channels.other_max = channels.other_count = OTHERS
        return channels

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """fbnic_set_channels(). That a channel may be for one direction alone is not modelled."""
        if channels.other_count != OTHERS or channels.rx_count or channels.tx_count:
            raise Refusal(EINVAL)
        super().set_channels(dev, channels)

    # Rings

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """fbnic_get_ringparam(): always split, and from which length on is the driver's to tell."""
        super().get_ringparam(dev, rings)
        rings.tcp_data_split = TcpDataSplit.ENABLED

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """fbnic_set_ringparam()."""
        for name in RINGS:
            setattr(rings, name, power_of_two(getattr(rings, name)))
        if any(getattr(rings, name) < LEAST_RING for name in RINGS):
            raise Refusal(EINVAL, "fbnic: requested ring size too small")
        if rings.tcp_data_split == TcpDataSplit.DISABLED:
            raise Refusal(EINVAL, "fbnic: Cannot disable TCP data split")
        if self._single_buffer(dev) and splits(dev.mtu, rings.hds_thresh):
            raise Refusal(EINVAL, "fbnic: Use higher HDS threshold or multi-buf capable program")
        return True

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        """fbnic_set_coalesce()."""
        for name, said, most in LIMITS:
            if getattr(coalesce, name) > most:
                raise Refusal(EINVAL, f"fbnic: {said} is above device max")
        super().set_coalesce(dev, coalesce)

    # XDP

    @staticmethod
    def _single_buffer(dev: Device) -> bool:
        program = program_of(dev)
        return program is not None and not program.fragments

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """fbnic_bpf()."""
        if not link.fragments and splits(dev.mtu, dev.cfg.hds_thresh):
            text = "fbnic: MTU too high, or HDS threshold is too low for single buffer XDP"
            raise Refusal(EOPNOTSUPP, text)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        """fbnic_change_mtu()."""
        if self._single_buffer(dev) and splits(mtu, dev.cfg.hds_thresh):
            raise Refusal(EINVAL)
        super().change_mtu(dev, mtu)

    # Receive-side scaling

    def check_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """fbnic_set_rxfh()."""
        if wanted.function and wanted.function not in self.facts.functions:
            raise Refusal(EINVAL)

    def create_rxfh_context(self, dev: Device, context: Context, wanted: Rxfh) -> None:
        if wanted.function and wanted.function not in self.facts.functions:
            raise Refusal(EOPNOTSUPP, "fbnic: RSS hash function not supported")
        super().create_rxfh_context(dev, context, wanted)

    def get_rxfh_fields(self, dev: Device, flow: FlowType, context: int) -> int:
        """fbnic_get_rss_hash_opts()."""
        if flow not in CLASSES:
            raise Refusal(EINVAL)
        return super().get_rxfh_fields(dev, CLASSES[flow], context)

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        """fbnic_set_rss_hash_opts()."""
        if flow not in CLASSES:
            raise Refusal(EINVAL)
        most = L2 if flow is FlowType.ETHER else L4 if flow in BY_PORTS else L3
        if fields & ~most:
            raise Refusal(EINVAL)
        state_of(dev).fields[CLASSES[flow]] = fields
