"""bnxt_en on chips from P5 on: what it does otherwise than a profile can say (drivers/net/ethernet/broadcom/bnxt).

Locations of rules are the driver's choice. Rules are taken while the device is up, and say something of addresses or
ports; two may not be the same.
"""

from __future__ import annotations

from errno import EAGAIN, EEXIST, EINVAL, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.features import GRO, GRO_HW, LRO, update_features
from nlemu.emulator.kernel.devices.rss import Context, Rxfh
from nlemu.emulator.kernel.devices.rules import Rule, empty
from nlemu.emulator.kernel.ethtool.settings import Rings
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.nic import NicOps, program_of, splits, state_of
from nlemu.emulator.kernel.nics.rings import multiple
from nlemu.emulator.kernel.nics.rules import RuleFacts
from nlemu.emulator.kernel.queues.page_pool import PAGE_SIZE
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    ETH_RX_NFC_IP4,
    FLOW_EXT,
    FLOW_MAC_EXT,
    RX_CLS_LOC_ANY,
    RX_CLS_LOC_SPECIAL,
    FlowType,
    RssHash,
    TcpDataSplit,
)

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink

LONGEST, LONGEST_WITH_DATA, LEAST_TX = 256 * 32 - 1, 256 * 8 - 1, 17 + 2
"""BNXT_MAX_RX_DESC_CNT and BNXT_MAX_RX_JUM_DESC_CNT, BNXT_MAX_RX_DESC_CNT_JUM_ENA, BNXT_MIN_TX_DESC_CNT"""
LONGEST_PAGE, LONGEST_LINEAR = 3502, 3498
"""BNXT_MAX_PAGE_MODE_MTU; and beyond which a frame with what stands around it takes more than a page."""
ROOM = 4096 + 1024
"""BNXT_MAX_FLTR"""
ICMP, ICMPV6, WHOLE = 1, 58, 0xFF
OF_PORTS = (FlowType.TCP_V4, FlowType.UDP_V4, FlowType.TCP_V6, FlowType.UDP_V6)


def aggregates(dev: Device, features: int, mtu: int) -> bool:
    """BNXT_FLAG_AGG_RINGS: data of more than one packet, of a packet without its header, or of a long one."""
    return bool(features & (GRO_HW | LRO)) or splits(dev) or mtu > LONGEST_LINEAR


def pages(dev: Device) -> int:
    """bnxt_set_ring_params(): how many pages of data there are to a packet's descriptor."""
    merged = 4 if dev.features & (GRO_HW | LRO) or splits(dev) else 0
    return max(merged, multiple(dev.mtu - 40, PAGE_SIZE) // PAGE_SIZE if dev.mtu > LONGEST_LINEAR else 0)


class BnxtOps(NicOps):
    """bnxt_netdev_ops and bnxt_ethtool_ops, of a physical function."""

    rules = RuleFacts(room=ROOM, chosen=True, counts=ROOM | RX_CLS_LOC_SPECIAL, missing=EINVAL)
    """bnxt_get_rxnfc(), bnxt_grxclsrule()"""

    # Rings

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """bnxt_get_ringparam(): data has a ring of its own, while there is a reason for one."""
        super().get_ringparam(dev, rings)
        rings.tcp_data_split = TcpDataSplit.DISABLED
        if aggregates(dev, dev.features, dev.mtu):
            rings.tcp_data_split = TcpDataSplit.ENABLED
            rings.rx_max, rings.rx_jumbo_max = LONGEST_WITH_DATA, LONGEST
            rings.rx_jumbo = min(rings.rx * pages(dev), LONGEST)

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """bnxt_set_ringparam()."""
        if rings.tx < LEAST_TX:
            raise Refusal(EINVAL)
        if rings.tcp_data_split == TcpDataSplit.DISABLED:
            raise Refusal(EINVAL)
        if rings.tcp_data_split == TcpDataSplit.ENABLED:
            if not splits(dev) and program_of(dev) is not None:
                raise Refusal(EINVAL, "bnxt_en: tcp-data-split is disallowed when XDP is attached")
            rings.rx = min(rings.rx, LONGEST_WITH_DATA)
        return True

    def change_mtu(self, dev: Device, mtu: int) -> None:
        """bnxt_change_mtu()."""
        super().change_mtu(dev, mtu)
        self._fit(dev, dev.features, mtu)

    def _fit(self, dev: Device, features: int, mtu: int) -> None:
        """bnxt_set_ring_params(): beside a ring for data, the other is shorter."""
        if aggregates(dev, features, mtu):
            rings = state_of(dev).rings
            rings.rx = min(rings.rx, LONGEST_WITH_DATA)

    def fix_features(self, dev: Device, features: int) -> int:
        """bnxt_fix_features(), of the merging of packets."""
        if program_of(dev) is not None:
            features &= ~(LRO | GRO_HW)
        if not features & GRO:
            features &= ~GRO_HW
        return features & ~LRO if features & GRO_HW else features

    def set_features(self, dev: Device, features: int) -> bool:
        """bnxt_set_features(): without ntuple there are no rules."""
        if not features & NTUPLE:
            state_of(dev).rules.clear()
        self._fit(dev, features, dev.mtu)
        return False

    # XDP

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """bnxt_xdp_set(). That a program limits the MTU from then on is not modelled."""
        if splits(dev) or (not link.fragments and dev.mtu > LONGEST_PAGE):
            raise Refusal(EOPNOTSUPP)

    def xdp_is_set_up(self, dev: Device) -> None:
        """bnxt_set_rx_skb_mode(): packets are merged no more, or again."""
        update_features(dev)

    clear_xdp = xdp_is_set_up

    # Contexts of receive-side scaling

    def _check_context(self, dev: Device, wanted: Rxfh) -> None:
        """bnxt_rxfh_context_check()."""
        if wanted.function and wanted.function != RssHash.TOP:
            raise Refusal(EOPNOTSUPP, "bnxt_en: RSS hash function not supported")
        if not dev.running:
            raise Refusal(EAGAIN, "bnxt_en: Unable to set RSS contexts when interface is down")

    def create_rxfh_context(self, dev: Device, context: Context, wanted: Rxfh) -> None:
        self._check_context(dev, wanted)
        super().create_rxfh_context(dev, context, wanted)

    def modify_rxfh_context(self, dev: Device, context: Context, wanted: Rxfh) -> None:
        self._check_context(dev, wanted)

    # Rules

    def rule_locations(self, dev: Device, room: int) -> tuple[int, list[int]]:
        """bnxt_grxclsrlall(): in the order of a hash, here of their numbers."""
        kept = sorted(state_of(dev).rules)
        return len(kept), kept[:room]

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """bnxt_srxclsrlins(), bnxt_add_ntuple_cls_rule()."""
        if not dev.running:
            raise Refusal(EAGAIN)
        if not dev.features & NTUPLE:
            raise Refusal(EPERM)
        if rule.location != RX_CLS_LOC_ANY or rule.flags & FLOW_MAC_EXT:
            raise Refusal(EINVAL)
        if not rule.drops or rule.flow == FlowType.ETHER:
            if rule.vf or rule.ring >= state_of(dev).count:
                raise Refusal(EINVAL)
            if rule.flow == FlowType.ETHER:
                raise Refusal(EOPNOTSUPP)  # bnxt_add_l2_cls_rule(), on these chips
        if rule.flags & FLOW_EXT or not _understood(rule):
            raise Refusal(EOPNOTSUPP)
        if state_of(dev).rules.matching(rule):  # bnxt_fltr_match()
            raise Refusal(EEXIST)


def _understood(rule: Rule) -> bool:
    """bnxt_verify_ntuple_ip4_flow() and its like, and that something is looked at."""
    masks, values = rule.masks, rule.values
    if rule.flow in OF_PORTS:
        addresses = (masks.ip4src, masks.ip4dst) if hasattr(masks, "ip4src") else (masks.ip6src, masks.ip6dst)
        return not all(map(empty, (*addresses, masks.psrc, masks.pdst)))
    if rule.flow == FlowType.IPV4_USER:
        proto = masks.proto in (0, WHOLE) and (not masks.proto or values.proto == ICMP)
        plain = not masks.l4_4_bytes and not masks.tos and values.ip_ver == ETH_RX_NFC_IP4
        return bool(proto and plain and (masks.ip4src or masks.ip4dst))
    if rule.flow == FlowType.IPV6_USER:
        proto = masks.l4_proto in (0, WHOLE) and (not masks.l4_proto or values.l4_proto == ICMPV6)
        plain = not masks.l4_4_bytes and not masks.tclass
        return bool(proto and plain and not (empty(masks.ip6src) and empty(masks.ip6dst)))
    return False
