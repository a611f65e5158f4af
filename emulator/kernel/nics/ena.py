"""ena, the NIC of AWS: what it does otherwise than a profile can say (drivers/net/ethernet/amazon/ena).

Headers are pushed to the device as they are sent, as it has it (LLQ): that cannot be switched off, only how long they
may be. With more than half of its queues in use there is no XDP, and the device says so.
"""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.features import set_xdp_features
from nlemu.emulator.kernel.ethtool.settings import Channels, Rings
from nlemu.emulator.kernel.nics.nic import NicOps, program_of, state_of
from nlemu.emulator.kernel.nics.rings import power_of_two
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType
from nlemu.protocol.uapi.netdev import XdpAct

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LEAST_RING = 256
"""ENA_MIN_RING_SIZE"""
HEADER, LARGE_HEADER = 96, 224
"""ENA_LLQ_HEADER, ENA_LLQ_LARGE_HEADER"""
XDP = int(XdpAct.BASIC | XdpAct.REDIRECT)
UNSUPPORTED = frozenset((
    FlowType.AH_V4, FlowType.ESP_V4, FlowType.AH_V6, FlowType.ESP_V6, FlowType.SCTP_V4, FlowType.AH_ESP_V4,
))


class EnaOps(NicOps):
    """ena_netdev_ops and ena_ethtool_ops."""

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """ena_set_channels()."""
        legal = 2 * channels.combined_count <= dev.num_tx_queues
        if not legal and program_of(dev) is not None:
            raise Refusal(EINVAL)
        set_xdp_features(dev, XDP if legal else 0)
        super().set_channels(dev, channels)

    # Rings

    def plugged(self, dev: Device) -> None:
        super().plugged(dev)
        state_of(dev).rings.tx_push_buf_len = HEADER

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """ena_get_ringparam()."""
        super().get_ringparam(dev, rings)
        rings.tx_push, rings.tx_push_buf_len_max = 1, LARGE_HEADER
        rings.tx_push_buf_len = state_of(dev).rings.tx_push_buf_len

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """ena_set_ringparam(): sizes are rounded down."""
        for name in ("rx", "tx"):
            size = max(getattr(rings, name), LEAST_RING)
            setattr(rings, name, power_of_two(size + 1) >> 1)
        if not rings.tx_push:
            raise Refusal(EINVAL, "ena: Push mode state cannot be modified")
        kept = state_of(dev).rings
        length = rings.tx_push_buf_len or kept.tx_push_buf_len
        if length not in (HEADER, LARGE_HEADER):
            raise Refusal(EINVAL, f"ena: Supported tx push buff values: [{HEADER}, {LARGE_HEADER}]")
        again = (rings.rx, rings.tx, length) != (kept.rx, kept.tx, kept.tx_push_buf_len)
        kept.tx_push_buf_len = length
        return again

    # Receive-side scaling

    def get_rxfh_fields(self, dev: Device, flow: FlowType, context: int) -> int:
        """ena_get_rxfh_fields()."""
        if flow in UNSUPPORTED:
            raise Refusal(EOPNOTSUPP)
        return super().get_rxfh_fields(dev, flow, context)

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        """ena_set_rxfh_fields(); of fields, those are taken that are hashed at first or some of them."""
        if flow in UNSUPPORTED:
            raise Refusal(EOPNOTSUPP)
        if flow not in self.facts.fields:
            raise Refusal(EINVAL)
        if fields & ~self.facts.fields[flow]:
            raise Refusal(EOPNOTSUPP)
        state_of(dev).fields[flow] = fields
