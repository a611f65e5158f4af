"""fbnic: what it does otherwise than a profile can say (drivers/net/ethernet/meta/fbnic).

One context more than the first, with the same key. What is hashed is kept for seven classes of packets; a packet of any
other protocol over IP belongs to IP's.
"""

from __future__ import annotations

from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Context, Rxfh
from nlemu.emulator.kernel.nics.fbnic_rules import FbnicRules
from nlemu.emulator.kernel.nics.nic import NicOps, state_of
from nlemu.emulator.kernel.nics.rss import BY_PORTS
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, Rxh

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

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


class FbnicOps(FbnicRules, NicOps):
    """fbnic_netdev_ops and fbnic_ethtool_ops."""

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
