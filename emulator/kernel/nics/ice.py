"""ice: what it does otherwise than a profile can say (drivers/net/ethernet/intel/ice).

Flow Director is on while `ntuple` is: it has an interrupt of its own, which is among the channels as another one, and
takes rules that look at whole fields, for one kind of packet always the same. Whoever sets a table and says nothing of
symmetry gets symmetry: the driver takes "as it is" (RXH_XFRM_NO_CHANGE, all bits) for it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from errno import EBUSY, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.features import set_xdp_features
from nlemu.emulator.kernel.devices.queue import xsk_pool
from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.devices.rules import Rule, empty
from nlemu.emulator.kernel.ethtool.rss import default_table
from nlemu.emulator.kernel.ethtool.settings import Channels, Rings
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.hash_fields import HASHED_BY_ICE
from nlemu.emulator.kernel.nics.nic import NicOps, splits, state_of
from nlemu.emulator.kernel.nics.rings import multiple
from nlemu.emulator.kernel.nics.rules import RuleFacts
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    ETH_RX_NFC_IP4,
    FLOW_EXT,
    FLOW_MAC_EXT,
    FLOW_RSS,
    RX_CLS_FLOW_DISC,
    FlowType,
    RxhXfrm,
    TcpDataSplit,
)
from nlemu.protocol.uapi.netdev import XdpAct

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.xdp import XdpAttached, XdpLink

ROOM = 16384
"""ice_get_fdir_cnt_all(): what the firmware guarantees and what it shares out; the number is a card's."""
LEAST_RING, MULTIPLE = 64, 32
"""ICE_MIN_NUM_DESC, ICE_REQ_DESC_MULTIPLE"""
PAD, LONGEST_FRAME = 14 + 4 + 2 * 4, 3072
"""ICE_ETH_PKT_HDR_PAD, ICE_RXBUF_3072"""
TRANSMITS = int(XdpAct.NDO_XMIT | XdpAct.NDO_XMIT_SG)
SYMMETRIC = int(RxhXfrm.SYM_XOR)
OF_IPV4 = frozenset((FlowType.TCP_V4, FlowType.UDP_V4, FlowType.SCTP_V4))
OF_IPV6 = frozenset((FlowType.TCP_V6, FlowType.UDP_V6, FlowType.SCTP_V6))
FLEX, MOST_OFFSET = 0xFFFFFFFF, 0x1FE
"""ICE_USERDEF_FLEX_FLTR_M, ICE_USERDEF_FLEX_MAX_OFFS_VAL: a word of the packet, and where it may stand."""
VLAN_N_VID, VLANS = 4096, (0x8100, 0x88A8)
NO_PROTOCOL, WHOLE, PORT, WORD = 59, 0xFF, 0xFFFF, 0xFFFFFFFF
EVERY_BIT, HOST = b"\xff" * 6, b"\xff" * 16


class IceOps(NicOps):
    """ice_netdev_ops and ice_ethtool_ops."""

    rules = RuleFacts(room=ROOM, counts=ROOM, all_at_once=True, missing=EINVAL)
    """ice_get_rxnfc(), ice_get_fdir_fltr_ids(), ice_get_ethtool_fdir_entry()"""

    def set_features(self, dev: Device, features: int) -> bool:
        """ice_set_features(), ice_vsi_manage_fdir(): without ntuple there are no rules."""
        if dev.features & NTUPLE and not features & NTUPLE:
            state_of(dev).rules.clear()
        return False

    def set_priv_flags(self, dev: Device, flags: int) -> None:
        """ice_set_priv_flags(): what is refused stays as it was, the others are taken."""
        if flags > 1 << len(self.private.names):
            raise Refusal(EINVAL)
        held = self.held_by_vfs(dev, flags)
        super().set_priv_flags(dev, flags ^ held)
        if held:
            raise Refusal(EOPNOTSUPP)

    # Channels

    def get_channels(self, dev: Device) -> Channels:
        """ice_get_channels()."""
        channels, other = super().get_channels(dev), int(bool(dev.features & NTUPLE))
        channels.rx_max = channels.tx_max = channels.combined_max
        channels.other_max = channels.other_count = other
        return channels

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """ice_set_channels(). That a channel may be for one direction alone is not modelled."""
        if channels.other_count != int(bool(dev.features & NTUPLE)):
            raise Refusal(EINVAL)
        if state_of(dev).rules:
            raise Refusal(EOPNOTSUPP)
        if channels.rx_count or channels.tx_count:
            raise Refusal(EINVAL)
        super().set_channels(dev, channels)

    # Rings

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """ice_get_ringparam()."""
        super().get_ringparam(dev, rings)
        rings.tcp_data_split = TcpDataSplit.ENABLED if splits(dev) else TcpDataSplit.DISABLED

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """ice_set_ringparam(): nothing else changes while AF_XDP has a queue."""
        if min(rings.rx, rings.tx) < LEAST_RING:
            raise Refusal(EINVAL)
        rings.rx, rings.tx = multiple(rings.rx, MULTIPLE), multiple(rings.tx, MULTIPLE)
        kept = state_of(dev).rings
        split = rings.tcp_data_split == TcpDataSplit.ENABLED
        if (rings.rx, rings.tx, split) == (kept.rx, kept.tx, splits(dev)):
            return False
        if any(xsk_pool(dev, index) for index in range(state_of(dev).count)):
            raise Refusal(EBUSY)
        return True

    # XDP

    def setup_xdp(self, dev: Device, link: XdpLink | XdpAttached) -> None:
        """ice_xdp_setup_prog(): from then on it sends frames of others too."""
        if not link.fragments and dev.mtu + PAD > LONGEST_FRAME:
            text = "ice: MTU is too large for linear frames and XDP prog does not support frags"
            raise Refusal(EOPNOTSUPP, text)
        set_xdp_features(dev, dev.xdp_features | TRANSMITS)

    def clear_xdp(self, dev: Device) -> None:
        set_xdp_features(dev, dev.xdp_features & ~TRANSMITS)

    # Receive-side scaling

    def set_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """ice_set_rxfh(): a table that is not said is the default one again."""
        self.check_rxfh(dev, wanted)
        state = state_of(dev)
        kept = state.rxfh
        kept.transform = SYMMETRIC if wanted.transform is None else wanted.transform & SYMMETRIC
        if wanted.key is not None:
            kept.key = wanted.key
        kept.table = wanted.table or default_table(self.table_for(state.count), state.count)

    def get_rxfh_fields(self, dev: Device, flow: FlowType, context: int) -> int:
        """ice_get_rxfh_fields(): nothing, of packets that it does not know."""
        return state_of(dev).fields.get(flow, 0)

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        """ice_set_rxfh_fields(): what is not of that kind of packet is passed over."""
        known = fields & HASHED_BY_ICE.get(flow, 0)
        if not known:
            raise Refusal(EINVAL)
        state_of(dev).fields[flow] = known

    # Rules

    def get_rule(self, dev: Device, location: int) -> Rule:
        """ice_get_ethtool_fdir_entry()."""
        return told(super().get_rule(dev, location))

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """ice_add_fdir_ethtool()."""
        rules = state_of(dev).rules
        if not dev.features & NTUPLE:
            raise Refusal(EOPNOTSUPP)
        offset = flexible(rule)
        if rule.flags & (FLOW_MAC_EXT | FLOW_RSS):
            raise Refusal(EINVAL)
        looked_at = input_set(rule), offset
        other = rules.of_kind(rule.flow)
        if other is not None and (input_set(other), flexible(other)) != looked_at:
            raise Refusal(EINVAL)  # ice_fdir_set_hw_fltr_rule(): all of a kind look at the same
        if rule.location >= ROOM:
            raise Refusal(ENOSPC)
        if not rule.drops and (rule.vf or rule.ring >= state_of(dev).count):
            raise Refusal(EINVAL)
        for location, other in rules.matching(rule).items():
            if location != rule.location or other.cookie == rule.cookie:
                raise Refusal(EINVAL)

    def match(self, rule: Rule) -> Hashable:
        """ice_fdir_comp_rules()."""
        return rule.flow, compared(rule)

    def delete_rule(self, dev: Device, location: int) -> None:
        """ice_del_fdir_ethtool()."""
        if not dev.features & NTUPLE:
            raise Refusal(EOPNOTSUPP)
        if state_of(dev).rules.pop(location, None) is None:
            raise Refusal(ENOENT)


def flexible(rule: Rule) -> int | None:
    """ice_parse_rx_flow_user_data(): where a word of the packet is looked at; None for nowhere. EINVAL."""
    if not rule.flags & FLOW_EXT:
        return None
    value, mask = ((record.data[0] << 32) | record.data[1] for record in (rule.extra_values, rule.extra_masks))
    if not mask:
        return None
    if mask & FLEX != FLEX or value > FLEX or value >> 16 > MOST_OFFSET:
        raise Refusal(EINVAL)
    return int(value >> 16)


def input_set(rule: Rule) -> tuple[bool, ...]:
    """ice_cfg_fdir_xtrct_seq(): which fields are looked at. EINVAL for none, EOPNOTSUPP for a part of one."""
    masks, flow = rule.masks, rule.flow
    if flow in OF_IPV4 or flow in OF_IPV6:
        ports = ((masks.psrc, PORT), (masks.pdst, PORT))
        if flow in OF_IPV4:
            return _whole(((masks.ip4src, WORD), (masks.ip4dst, WORD), *ports), masks.tos)
        return _whole(((masks.ip6src, HOST), (masks.ip6dst, HOST), *ports), masks.tclass)
    if flow == FlowType.IPV4_USER:
        if masks.l4_4_bytes or masks.tos or masks.ip_ver:
            raise Refusal(EINVAL)
        if masks.proto:
            raise Refusal(EOPNOTSUPP)
        return _whole(((masks.ip4src, WORD), (masks.ip4dst, WORD)))
    if flow == FlowType.IPV6_USER:
        if masks.l4_4_bytes or masks.tclass or masks.l4_proto:
            raise Refusal(EOPNOTSUPP)
        return _whole(((masks.ip6src, HOST), (masks.ip6dst, HOST)))
    if flow == FlowType.ETHER:
        frame = _whole(((masks.h_source, EVERY_BIT), (masks.h_dest, EVERY_BIT), (masks.h_proto, PORT)))
        return (*frame, *_vlan(rule))
    raise Refusal(EINVAL)


def _whole(fields: tuple[tuple[int | bytes, int | bytes], ...], ignored: int = 0) -> tuple[bool, ...]:
    """ice_set_fdir_ip4_seg() and its like."""
    if all(empty(mask) for mask, _ in fields):
        raise Refusal(EINVAL)
    if ignored or any(not empty(mask) and mask != whole for mask, whole in fields):
        raise Refusal(EOPNOTSUPP)
    return tuple(not empty(mask) for mask, _ in fields)


def _vlan(rule: Rule) -> tuple[bool, bool]:
    """ice_fdir_vlan_valid(), ice_set_fdir_vlan_seg()."""
    values, masks = rule.extra_values, rule.extra_masks
    if not (masks.vlan_etype or masks.vlan_tci):
        return False, False
    if masks.vlan_etype and values.vlan_etype not in VLANS:
        raise Refusal(EINVAL)
    if masks.vlan_tci and (values.vlan_tci >= VLAN_N_VID or (rule.masks.h_proto and not masks.vlan_etype)):
        raise Refusal(EINVAL)
    if any(mask not in (0, PORT) for mask in (masks.vlan_etype, masks.vlan_tci)):
        raise Refusal(EOPNOTSUPP)
    return bool(masks.vlan_etype), bool(masks.vlan_tci)


def compared(rule: Rule) -> tuple[object, ...]:
    """ice_fdir_comp_rules(): by what two rules of a kind are the same. Of any IPv6 ports are compared that are none."""
    values = rule.values
    if rule.flow in OF_IPV4:
        return values.ip4src, values.ip4dst, values.psrc, values.pdst
    if rule.flow in OF_IPV6:
        return values.ip6src, values.ip6dst, values.psrc, values.pdst
    return () if rule.flow == FlowType.IPV6_USER else tuple(values)


def told(rule: Rule) -> Rule:
    """ice_get_ethtool_fdir_entry(): VLANs and words of the packet are kept, and not told."""
    values, masks = rule.values, rule.masks
    if rule.flow == FlowType.IPV4_USER:
        values, masks = values._replace(ip_ver=ETH_RX_NFC_IP4, proto=0), masks._replace(ip_ver=WHOLE)
    elif rule.flow == FlowType.IPV6_USER:
        values = values._replace(l4_proto=NO_PROTOCOL)
    elif rule.flow in OF_IPV4:
        values = values._replace(tos=0)
    cookie = RX_CLS_FLOW_DISC if rule.drops else rule.ring
    return replace(rule, flags=0, context=0, values=values, masks=masks, extra_values=None, extra_masks=None,
                   cookie=cookie)
