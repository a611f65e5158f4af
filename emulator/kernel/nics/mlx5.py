"""mlx5_core: what it does otherwise than a profile can say (drivers/net/ethernet/mellanox/mlx5/core/en_*.c).

Packets of TCP and UDP are split into header and data only while GRO is done by the hardware. The table of receive-side
scaling grows with the channels. A rule stands where it is said to stand, and takes the place of the one that was there.
"""

from __future__ import annotations

from dataclasses import replace
from errno import EINVAL, ENOSPC, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import features
from nlemu.emulator.kernel.devices.queue import xsk_pool
from nlemu.emulator.kernel.devices.rules import Rule, empty
from nlemu.emulator.kernel.ethtool.rss import default_table
from nlemu.emulator.kernel.ethtool.settings import Coalesce, Rings
from nlemu.emulator.kernel.nics.feature_sets import RXHASH
from nlemu.emulator.kernel.nics.moderation import MLX5_LONGEST, MLX5_MOST
from nlemu.emulator.kernel.nics.nic import Channel, NicOps, program_of, splits, state_of
from nlemu.emulator.kernel.nics.rings import power_of_two
from nlemu.emulator.kernel.nics.rules import RuleFacts
from nlemu.emulator.kernel.queues.page_pool import PAGE_SIZE
from nlemu.protocol.refusal import Refusal, formatted
from nlemu.protocol.uapi.ethtool import ETH_RX_NFC_IP4, FLOW_EXT, FLOW_MAC_EXT, FlowType, Rxh, TcpDataSplit

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink
    from nlemu.emulator.kernel.queues.xsk import BufferPool

LEAST_RINGS = {"rx": 16, "tx": 64}
"""MLX5E_PARAMS_MINIMUM_LOG_RQ_SIZE, which hangs on how many packets share a page, and _LOG_SQ_SIZE."""
MODERATION = {
    ("rx", True, True): (8, 128), ("rx", True, False): (8, 256), ("rx", False, True): (3, 32),
    ("rx", False, False): (16, 32), ("tx", True, True): (8, 64), ("tx", True, False): (8, 128),
    ("tx", False, True): (16, 32), ("tx", False, False): (16, 32),
}
"""With how many usecs and frames it begins, by side, whether it adapts and whether it counts from a completion:
MLX5E_PARAMS_DEFAULT_RX_CQ_MODERATION_USEC and its like, and the profiles of lib/dim."""
RESTARTING = frozenset(("rx_cqe_compress", "rx_striding_rq", "xdp_tx_mpwqe", "skb_tx_mpwqe", "tx_port_ts"))
"""The flags for which channels are made anew (mlx5e_safe_switch_params())."""
LEAST_TABLE, FACTOR = 256, 4
"""MLX5E_INDIR_MIN_RQT_SIZE, MLX5E_UNIFORM_SPREAD_RQT_FACTOR"""
VLAN_VID_MASK = 0xFFF
HASHABLE = int(Rxh.IP_SRC | Rxh.IP_DST | Rxh.L4_B_0_1 | Rxh.L4_B_2_3)
BY_PORTS = (FlowType.TCP_V4, FlowType.UDP_V4, FlowType.TCP_V6, FlowType.UDP_V6)
KNOWN = frozenset((
    *BY_PORTS, FlowType.AH_V4, FlowType.AH_V6, FlowType.ESP_V4, FlowType.ESP_V6, FlowType.IPV4, FlowType.IPV6,
))
"""flow_type_to_traffic_type()."""


def table_size(channels: int) -> int:
    """mlx5e_rqt_size(): a power of two, as long as the hardware's limit is not met."""
    return max(LEAST_TABLE, power_of_two(channels * FACTOR))


class Mlx5Ops(NicOps):
    """mlx5e_netdev_ops and mlx5e_ethtool_ops."""

    rules = RuleFacts(room=1 << 10)
    """MAX_NUM_OF_ETHTOOL_RULES"""

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """mlx5e_ethtool_set_tcp_data_split(), mlx5e_ethtool_set_ringparam(): sizes are powers of two, and the queues
        start again for a new one."""
        if rings.tcp_data_split == TcpDataSplit.ENABLED and not dev.features & features.GRO_HW:
            raise Refusal(EINVAL, "mlx5_core: TCP-data-split is not supported when GRO HW is disabled")
        if rings.tcp_data_split == TcpDataSplit.DISABLED and splits(dev):
            dev.cfg.hds_config = TcpDataSplit.DISABLED
            features.update_features(dev)
            dev.cfg.hds_config = TcpDataSplit.ENABLED
        for name, least in LEAST_RINGS.items():
            size = getattr(rings, name)
            if size < least:
                raise Refusal(EINVAL, f"mlx5_core: {name} ({size}) < min ({least})")
            setattr(rings, name, power_of_two(size))
        kept = state_of(dev).rings
        return (rings.rx, rings.tx) != (kept.rx, kept.tx)

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        """mlx5e_ethtool_set_coalesce(): what holds interrupts back by itself cannot be told how long, and who begins or
        ends to do so, or counts from another moment, begins anew."""
        rx, tx, kept = coalesce.rx_usecs, coalesce.tx_usecs, state_of(dev).coalesce
        if max(rx, tx) > MLX5_LONGEST:
            text = f"mlx5_core: Max coalesce time {MLX5_LONGEST} usecs, tx-usecs ({tx}) rx-usecs ({rx})"
            raise Refusal(ERANGE, formatted(text))
        rx, tx = coalesce.rx_max_frames, coalesce.tx_max_frames
        if max(rx, tx) > MLX5_MOST:
            text = f"mlx5_core: Max coalesce frames {MLX5_MOST}, tx-frames ({tx}) rx-frames ({rx})"
            raise Refusal(ERANGE, formatted(text))
        new = replace(coalesce)
        for side in ("rx", "tx"):
            names = f"use_adaptive_{side}", f"use_cqe_mode_{side}"
            adaptive, by_completion = (bool(getattr(new, name)) for name in names)
            if any(bool(getattr(kept, name)) != bool(getattr(new, name)) for name in names):
                usecs, frames = MODERATION[side, adaptive, by_completion]
            elif adaptive:
                usecs, frames = getattr(kept, f"{side}_usecs"), getattr(kept, f"{side}_max_frames")
            else:
                continue
            setattr(new, f"{side}_usecs", usecs)
            setattr(new, f"{side}_max_frames", frames)
        super().set_coalesce(dev, new)
        state, bits = state_of(dev), self.private.bits
        for side, on in (("rx", new.use_cqe_mode_rx), ("tx", new.use_cqe_mode_tx)):
            flag = bits(f"{side}_cqe_moder")
            state.flags = state.flags | flag if on else state.flags & ~flag

    def set_priv_flags(self, dev: Device, flags: int) -> None:
        """mlx5e_set_priv_flags(): one after the other, up to the first that cannot be; what features come of it is seen
        afterwards in any case."""
        state = state_of(dev)
        try:
            for name in self.private.names:
                flag = self.private.bits(name)
                if (flags ^ state.flags) & flag:
                    self._check_flag(dev, name, bool(flags & flag))
                    state.flags ^= flag
                    if name in RESTARTING:
                        self._restart(dev, state.count)
        finally:
            features.update_features(dev)

    def _check_flag(self, dev: Device, name: str, on: bool) -> None:
        """mlx5e_modify_rx_cqe_compression_locked(), set_pflag_rx_striding_rq()."""
        if name == "rx_cqe_compress" and dev.features & features.GRO_HW:
            raise Refusal(EINVAL)
        if name == "rx_striding_rq" and not on and dev.features & (features.GRO_HW | features.LRO):
            raise Refusal(EINVAL)

    def fix_features(self, dev: Device, features_: int) -> int:
        """mlx5e_fix_features(): the hardware does no GRO beside a program or AF_XDP, and does it while header and data
        are split. What its flags say of completions and queues forbids some features, too."""
        flags, bits = state_of(dev).flags, self.private.bits
        if not flags & bits("rx_striding_rq"):
            features_ &= ~(features.LRO | features.GRO_HW)
        if flags & bits("rx_cqe_compress"):
            features_ &= ~(RXHASH | features.GRO_HW)
        if program_of(dev) is not None or any(xsk_pool(dev, index) for index in range(dev.real_num_rx_queues)):
            features_ &= ~(features.LRO | features.GRO_HW)
        return features_ | (features.GRO_HW if splits(dev) else 0)

    # Queues

    def validate_queue_config(self, dev: Device, rx_page_size: int) -> None:
        """mlx5e_queue_validate_qcfg()."""
        if rx_page_size & (rx_page_size - 1):
            raise Refusal(EINVAL)
        super().validate_queue_config(dev, rx_page_size)

    def queue_mem_alloc(self, dev: Device, index: int) -> Channel:
        """mlx5e_queue_mem_alloc(): no channel is made beside a program."""
        if dev.running and program_of(dev) is not None:
            raise Refusal(EOPNOTSUPP)
        return super().queue_mem_alloc(dev, index)

    # XDP

    def setup_xsk_pool(self, dev: Device, index: int, pool: BufferPool | None) -> None:
        """mlx5e_validate_xsk_param(): a frame is no longer than a page."""
        if pool is not None and pool.umem.chunk_size > PAGE_SIZE:
            raise Refusal(EINVAL)

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """mlx5e_xdp_allowed(): not beside GRO by the hardware; how long a frame may be then is not modelled."""
        if dev.features & (features.GRO_HW | features.LRO):
            raise Refusal(EINVAL)
        super().setup_xdp(dev, link)

    # Receive-side scaling

    def table_for(self, count: int) -> int:
        return table_size(count)

    def follow_channels(self, dev: Device, count: int) -> None:
        """mlx5e_rx_res_rss_set_indir_uniform(), or the table that was chosen, folded or repeated."""
        state, size = state_of(dev), table_size(count)
        if not dev.spread.user_size:
            state.rxfh.table = default_table(size, count)
        else:
            state.rxfh.table = resized(state.rxfh.table or (), size)
        for context in dev.spread.contexts.values():
            context.table = resized(context.table, size)

    def get_rxfh_fields(self, dev: Device, flow: FlowType, context: int) -> int:
        if flow not in KNOWN:
            raise Refusal(EINVAL)
        return super().get_rxfh_fields(dev, flow, context)

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        """mlx5e_ethtool_set_rxfh_fields()."""
        if flow not in KNOWN:
            raise Refusal(EINVAL)
        if flow not in BY_PORTS or fields & ~HASHABLE:
            raise Refusal(EOPNOTSUPP)
        state_of(dev).fields[flow] = fields

    # Rules

    def get_rule(self, dev: Device, location: int) -> Rule:
        """mlx5e_ethtool_get_flow()."""
        if location >= self.room:
            raise Refusal(EINVAL)
        return super().get_rule(dev, location)

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """validate_flow()."""
        if rule.location >= self.room:
            raise Refusal(ENOSPC)
        if not rule.drops and rule.cookie >= state_of(dev).count:
            raise Refusal(EINVAL)
        matched = _matched(rule)
        if rule.flags & FLOW_EXT:
            if rule.extra_masks.vlan_etype or rule.extra_masks.vlan_tci != VLAN_VID_MASK:
                raise Refusal(EINVAL)
            if rule.extra_values.vlan_tci > VLAN_VID_MASK:
                raise Refusal(EINVAL)
            matched += 1
        if rule.flags & FLOW_MAC_EXT and not empty(rule.extra_masks.h_dest):
            matched += 1
        if not matched:
            raise Refusal(EINVAL)

    def delete_rule(self, dev: Device, location: int) -> None:
        """mlx5e_ethtool_flow_remove()."""
        if location >= self.room:
            raise Refusal(ENOSPC)
        super().delete_rule(dev, location)


def resized(table: tuple[int, ...], size: int) -> tuple[int, ...]:
    """ethtool_rxfh_resize()."""
    return table[:size] if size <= len(table) else table * (size // len(table))


def _matched(rule: Rule) -> int:
    """validate_ethter() and its like: by how many things it tells packets apart, the kind being one. EINVAL,
    EOPNOTSUPP."""
    masks, flow = rule.masks, rule.flow
    ignored: object
    looked_at: tuple[int | bytes, ...]
    if flow == FlowType.ETHER:
        return sum(not empty(mask) for mask in (masks.h_dest, masks.h_source, masks.h_proto))
    if flow in (FlowType.TCP_V4, FlowType.UDP_V4):
        ignored, looked_at = masks.tos, (masks.ip4src, masks.ip4dst, masks.psrc, masks.pdst)
    elif flow in (FlowType.TCP_V6, FlowType.UDP_V6):
        ignored, looked_at = masks.tclass, (masks.ip6src, masks.ip6dst, masks.psrc, masks.pdst)
    elif flow == FlowType.IPV4_USER:
        ignored = masks.l4_4_bytes or masks.tos or rule.values.ip_ver != ETH_RX_NFC_IP4
        looked_at = (masks.ip4src, masks.ip4dst, masks.proto)
    elif flow == FlowType.IPV6_USER:
        ignored, looked_at = masks.l4_4_bytes or masks.tclass, (masks.ip6src, masks.ip6dst, masks.l4_proto)
    else:
        raise Refusal(EOPNOTSUPP)
    if ignored:
        raise Refusal(EINVAL)
    return 1 + sum(not empty(mask) for mask in looked_at)
