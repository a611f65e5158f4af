"""gve: what it does otherwise than a profile can say (drivers/net/ethernet/google/gve).

A table and a key, and nothing to be said of what is hashed. What the device refuses is told in one sentence, whatever
it is. Rules are the device's: the driver passes them on, asks it for them again, and tells only what it asked of it.
"""

from __future__ import annotations

from dataclasses import replace
from errno import EINVAL, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.features import GRO_HW
from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool.settings import Coalesce, Rings
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.nic import Channel, NicOps, program_of, splits, state_of
from nlemu.emulator.kernel.nics.rings import power_of_two
from nlemu.emulator.kernel.nics.rules import RuleFacts
from nlemu.emulator.kernel.queues.xsk import PACKET_HEADROOM
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, TcpDataSplit
from nlemu.protocol.uapi.if_ether import ETH_HLEN

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink
    from nlemu.emulator.kernel.queues.xsk import BufferPool

ROOM = 1024
"""How many rules there may be is the device's to say, and it tells that when it is asked what it can."""
BUFFERS = (2048, 4096)
LEAST_RX, LEAST_TX = 512, 256
"""GVE_DEFAULT_MIN_RX_RING_SIZE, GVE_DEFAULT_MIN_TX_RING_SIZE"""
LONGEST_WAIT = 0xFFF * 2
"""GVE_MAX_ITR_INTERVAL_DQO"""
TOO_MANY_QUEUES = (
    "XDP load failed: The number of configured RX queues should be equal to the number of configured TX queues and the "
    "number of configured RX/TX queues should be less than or equal to half the maximum number of RX/TX queues"
)
OF_IPV4 = frozenset((FlowType.TCP_V4, FlowType.UDP_V4, FlowType.SCTP_V4, FlowType.AH_V4, FlowType.ESP_V4))
OF_IPV6 = frozenset((FlowType.TCP_V6, FlowType.UDP_V6, FlowType.SCTP_V6, FlowType.AH_V6, FlowType.ESP_V6))
UNMASKED = frozenset((FlowType.AH_V6, FlowType.ESP_V6))
"""Of whose SPI the driver passes on no mask."""


class GveOps(NicOps):
    """gve_netdev_ops and gve_ethtool_ops."""

    rules = RuleFacts(room=ROOM, counts=ROOM, all_at_once=True, missing=EINVAL)
    """gve_get_rxnfc(), gve_get_flow_rule_entry()"""

    def check_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """gve_adminq_configure_rss(), and gve_set_rxfh() after it."""
        if wanted.function and wanted.function not in self.facts.functions:
            raise Refusal(EOPNOTSUPP, "gve: Fail to configure RSS config")

    def set_features(self, dev: Device, features: int) -> bool:
        """gve_set_features(): the hardware does no GRO beside a program, and then all stays as it is; without ntuple
        there are no rules."""
        if features & ~dev.features & GRO_HW and program_of(dev) is not None:
            return True
        if dev.features & NTUPLE and not features & NTUPLE:
            state_of(dev).rules.clear()
        return False

    def plugged(self, dev: Device) -> None:
        """gve_init_priv(): a frame is as long as the network lets it be."""
        super().plugged(dev)
        dev.mtu = dev.max_mtu

    # Rings

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """gve_get_ringparam()."""
        super().get_ringparam(dev, rings)
        told = TcpDataSplit.ENABLED if splits(dev) else TcpDataSplit.DISABLED
        rings.tcp_data_split = told if program_of(dev) is None else TcpDataSplit.UNKNOWN

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """gve_set_rx_buf_len_config(), gve_set_hsplit_config(), gve_set_ring_sizes_config()."""
        kept, program = state_of(dev).rings, program_of(dev)
        if rings.rx_buf_len != kept.rx_buf_len:
            if program is not None and rings.rx_buf_len != BUFFERS[0]:
                raise Refusal(EINVAL, "gve: Rx buf len can only be 2048 when XDP is on")
            if rings.rx_buf_len not in BUFFERS:
                raise Refusal(EINVAL, "gve: Rx buf len can only be 2048 or 4096")
        if rings.tcp_data_split != TcpDataSplit.UNKNOWN and program is not None:
            raise Refusal(EOPNOTSUPP)
        if (rings.rx, rings.tx) != (kept.rx, kept.tx):
            for size, least in ((rings.rx, LEAST_RX), (rings.tx, LEAST_TX)):
                if size < least or size != power_of_two(size):
                    raise Refusal(EINVAL)
        return True

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        """gve_set_coalesce()."""
        if max(coalesce.rx_usecs, coalesce.tx_usecs) > LONGEST_WAIT:
            raise Refusal(EINVAL)
        super().set_coalesce(dev, coalesce)

    # Queues

    def queue_stop(self, dev: Device, index: int) -> Channel:
        """gve_rx_queue_stop(): the first is not taken away from under the others."""
        if index == 0:
            raise Refusal(ERANGE)
        return super().queue_stop(dev, index)

    # XDP

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """gve_xdp()."""
        self._check_xdp(dev)

    def setup_xsk_pool(self, dev: Device, index: int, pool: BufferPool | None) -> None:
        """gve_xdp(), gve_xsk_pool_enable(): a buffer holds the longest frame that there may be. bind() carries no
        text."""
        if pool is None:
            return
        try:
            self._check_xdp(dev)
        except Refusal as refusal:
            raise Refusal(refusal.errno) from None
        if pool.umem.chunk_size - pool.umem.headroom - PACKET_HEADROOM < dev.max_mtu + ETH_HLEN:
            raise Refusal(EINVAL)

    def _check_xdp(self, dev: Device) -> None:
        """gve_verify_xdp_configuration(). EOPNOTSUPP and EINVAL, with texts."""
        state = state_of(dev)
        length = state.rings.rx_buf_len
        text = None
        if dev.features & GRO_HW:
            text = "XDP is not supported when HW-GRO is on."
        elif splits(dev):
            text = "XDP is not supported when header-data split is enabled."
        elif length != BUFFERS[0]:
            text = f"XDP is not supported for Rx buf len {length}, only {BUFFERS[0]} supported."
        elif dev.mtu > length - ETH_HLEN:
            text = f"XDP is not supported for mtu {dev.mtu}."
        if text is not None:
            raise Refusal(EOPNOTSUPP, f"gve: {text}")
        if 2 * state.count > dev.num_tx_queues:
            raise Refusal(EINVAL, f"gve: {TOO_MANY_QUEUES}")

    # Rules

    def rule_locations(self, dev: Device, room: int) -> tuple[int, list[int]]:
        """gve_get_flow_rule_ids(): how many there are it does not tell, so that what is behind them is told too."""
        size, kept = super().rule_locations(dev, room)
        return size, [*kept, *[0] * (room - len(kept))]

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """gve_set_rxnfc(), gve_generate_flow_rule(); and of the place, what gve_adminq_parse_err() makes of a device
        that says it is out of range, or taken."""
        if not dev.features & NTUPLE:
            raise Refusal(EOPNOTSUPP)
        if rule.drops:
            raise Refusal(EOPNOTSUPP)
        if rule.cookie >= state_of(dev).count or rule.flow not in OF_IPV4 | OF_IPV6:
            raise Refusal(EINVAL)
        if rule.location >= ROOM or rule.location in state_of(dev).rules:
            raise Refusal(EINVAL)

    def kept(self, rule: Rule) -> Rule:
        """gve_fill_ethtool_flow_spec(): without the traffic class, and without what is beside the kind."""
        unsaid = {"tos" if rule.flow in OF_IPV4 else "tclass": 0}
        masks = rule.masks._replace(**unsaid, **({"spi": 0} if rule.flow in UNMASKED else {}))
        values = rule.values._replace(**unsaid)
        return replace(rule, flags=0, context=0, values=values, masks=masks, extra_values=None, extra_masks=None)

    def delete_rule(self, dev: Device, location: int) -> None:
        """gve_set_rxnfc(), gve_del_flow_rule()."""
        if not dev.features & NTUPLE:
            raise Refusal(EOPNOTSUPP)
        if state_of(dev).rules.pop(location, None) is None:
            raise Refusal(EINVAL)
