"""bnxt_en on chips from P5 on: what it does otherwise than a profile can say (drivers/net/ethernet/broadcom/bnxt).

Locations of rules are the driver's choice. Rules are taken while the device is up, and say something of addresses or
ports; two may not be the same.
"""

from __future__ import annotations

from errno import EAGAIN, EEXIST, EINVAL, EOPNOTSUPP, EPERM
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Context, Rxfh
from nlemu.emulator.kernel.devices.rules import Rule, empty
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.nic import NicOps, state_of
from nlemu.emulator.kernel.nics.rules import RuleFacts
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    ETH_RX_NFC_IP4,
    FLOW_EXT,
    FLOW_MAC_EXT,
    RX_CLS_LOC_ANY,
    RX_CLS_LOC_SPECIAL,
    FlowType,
    RssHash,
)

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ROOM = 4096 + 1024
"""BNXT_MAX_FLTR"""
ICMP, ICMPV6, WHOLE = 1, 58, 0xFF
OF_PORTS = (FlowType.TCP_V4, FlowType.UDP_V4, FlowType.TCP_V6, FlowType.UDP_V6)


class BnxtOps(NicOps):
    """bnxt_netdev_ops and bnxt_ethtool_ops, of a physical function."""

    rules = RuleFacts(room=ROOM, chosen=True)

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

    def rule_count(self, dev: Device) -> tuple[int, int | None]:
        return len(state_of(dev).rules), ROOM | RX_CLS_LOC_SPECIAL

    def rule_locations(self, dev: Device, room: int) -> tuple[int, list[int]]:
        """bnxt_grxclsrlall(): in the order of a hash, here of their numbers."""
        kept = sorted(state_of(dev).rules)
        return len(kept), kept[:room]

    def get_rule(self, dev: Device, location: int) -> Rule:
        """bnxt_grxclsrule(): EINVAL where there is none."""
        found = state_of(dev).rules.get(location)
        if found is None:
            raise Refusal(EINVAL)
        return found

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
        if any(_same(rule, other) for other in state_of(dev).rules.values()):
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


def _same(one: Rule, other: Rule) -> bool:
    """bnxt_fltr_match(): the same packets."""
    return (one.flow, one.values, one.masks) == (other.flow, other.values, other.masks)
