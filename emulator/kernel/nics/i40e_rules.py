"""The rules of i40e (drivers/net/ethernet/intel/i40e/i40e_ethtool.c): its Flow Director.

The card looks at the same fields of all packets of a kind (the input set), so that a rule which would have others
looked at is refused as long as there is one of that kind, even the one whose place it would take. A field is looked at
whole or not at all; a word of the packet's data may be one too, at three different places at most. Which those are the
driver forgets when a rule is deleted: it compares words with octets (i40e_prune_flex_pit_list()). What is compared of
two rules are the values alone, of IPv6 only the first half of the source.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from errno import EINVAL, ENOSPC, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices.rules import VF_SHIFT, Rule, empty
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.rules import NicRules, RuleFacts
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import ETH_RX_NFC_IP4, FLOW_EXT, FLOW_MAC_EXT, RX_CLS_FLOW_DISC, FlowType
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ROOM = 8192
"""i40e_get_fd_cnt_all(): what the firmware guarantees and what it shares out; the number is a card's."""
PLACES, LAST_PLACE = 3, 0x1F
"""I40E_FLEX_PIT_TABLE_SIZE, I40E_MAX_FLEX_SRC_OFFSET (i40e.h)"""
FLEX = 0xFFFFFFFF
"""I40E_USERDEF_FLEX_FILTER"""
WORD, PORT, HOST = 0xFFFFFFFF, 0xFFFF, b"\xff" * 16
VF_QUEUES = 4
"""I40E_DEFAULT_QUEUES_PER_VF (i40e_virtchnl_pf.h)"""
OF_PORTS = frozenset((
    FlowType.TCP_V4, FlowType.UDP_V4, FlowType.SCTP_V4, FlowType.TCP_V6, FlowType.UDP_V6, FlowType.SCTP_V6,
))
OF_ANY = frozenset((FlowType.IPV4_USER, FlowType.IPV6_USER))
IPV6 = frozenset((FlowType.TCP_V6, FlowType.UDP_V6, FlowType.SCTP_V6, FlowType.IPV6_USER))
PROTOCOLS = (0, IpProto.TCP, IpProto.UDP, IpProto.SCTP)
"""i40e_add_del_fdir() (i40e_txrx.c)"""
L3_SOURCE, L3_TARGET, L4_SOURCE, L4_TARGET = 0x3 << 47, 0x3 << 35, 1 << 34, 1 << 33
L3_V6_SOURCE, L3_V6_TARGET, VLAN, FIRST_WORD = 0xFF << 43, 0xFF << 35, 1 << 55, 1 << 13
"""What is looked at, as bits of the input set: I40E_L3_SRC_MASK and its like, I40E_FLEX_50_MASK to _57_MASK
(i40e_type.h). Those of IPv4 are among those of IPv6."""
SHOWN = (
    (L3_V6_SOURCE, 0, 16), (L3_V6_TARGET, 16, 16), (L3_SOURCE, 0, 4), (L3_TARGET, 4, 4), (L4_SOURCE, 8, 2),
    (L4_TARGET, 10, 2),
)
"""i40e_get_ethtool_fdir_entry(): which octets of the masks it fills for these, whatever the kind."""
OCTETS_V4 = {
    "ip4src": (0, 4), "ip4dst": (4, 4), "psrc": (8, 2), "pdst": (10, 2), "l4_4_bytes": (8, 4), "tos": (12, 1),
    "ip_ver": (13, 1), "proto": (14, 1),
}
OCTETS_V6 = {
    "ip6src": (0, 16), "ip6dst": (16, 16), "psrc": (32, 2), "pdst": (34, 2), "l4_4_bytes": (32, 4), "tclass": (36, 1),
    "l4_proto": (37, 1),
}
"""Where the fields of union ethtool_flow_union are."""
UNION = 52


@dataclass(slots=True)
class FlowDirector:
    """sets: what is looked at, by kind. l3, l4: the numbers of words by where they stand, in words (flex_pit_list)."""

    sets: dict[int, int] = field(default_factory=dict)
    l3: dict[int, int] = field(default_factory=dict)
    l4: dict[int, int] = field(default_factory=dict)

    def looked_at(self, flow: int) -> int:
        """i40e_read_fd_input_set(). i40e_fdir_filter_exit(): at first it is every field of IPv4."""
        if flow in self.sets:
            return self.sets[flow]
        if flow in OF_ANY:
            return L3_SOURCE | L3_TARGET
        addresses = L3_V6_SOURCE | L3_V6_TARGET if flow in IPV6 else L3_SOURCE | L3_TARGET
        return addresses | L4_SOURCE | L4_TARGET

    def find(self, table: dict[int, int], place: int) -> int | None:
        """i40e_find_flex_offset()."""
        if place not in table and len(table) >= PLACES:
            raise Refusal(ENOSPC)
        return table.get(place)

    def unused(self) -> int:
        """i40e_unused_pit_index()."""
        used = {*self.l3.values(), *self.l4.values()}
        return next(index for index in range(2 * PLACES + 1) if index not in used)


class I40eRules(NicRules):
    """i40e_get_rxnfc(), i40e_set_rxnfc()."""

    rules = RuleFacts(room=ROOM, counts=ROOM, all_at_once=True, missing=EINVAL)

    def get_rule(self, dev: Device, location: int) -> Rule:
        """i40e_get_ethtool_fdir_entry()."""
        rule = super().get_rule(dev, location)
        return told(rule, _director(dev).looked_at(rule.flow), _functions(dev))

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """i40e_add_fdir_ethtool()."""
        if not dev.features & NTUPLE:
            raise Refusal(EOPNOTSUPP)
        word = flexible(rule)
        if rule.flags & FLOW_MAC_EXT:
            raise Refusal(EINVAL)
        if rule.flags & ~FLOW_EXT or not (rule.flow in OF_PORTS or rule.flow in OF_ANY):
            raise Refusal(EOPNOTSUPP)
        look_at(dev, rule, word)
        if rule.location >= ROOM or not (rule.drops or _queue_is_there(dev, rule)):
            raise Refusal(EINVAL)
        if any(location != rule.location for location in dev.priv.rules.matching(rule)):
            raise Refusal(EINVAL)  # i40e_disallow_matching_filters()

    def insert_rule(self, dev: Device, rule: Rule) -> Rule:
        """i40e_add_fdir_ethtool(): what was there goes before the card refuses what it cannot look for."""
        self.check_rule(dev, rule)
        dev.priv.rules.pop(rule.location, None)
        if protocol(rule) not in PROTOCOLS:
            raise Refusal(EINVAL)
        dev.priv.rules[rule.location] = rule
        return rule

    def match(self, rule: Rule) -> Hashable:
        """i40e_match_fdir_filter()."""
        values, (etype, tag) = rule.values, vlan(rule)
        ports = (values.psrc, values.pdst) if rule.flow in OF_PORTS else divmod(values.l4_4_bytes, PORT + 1)
        source, target = (getattr(values, name) for name in _addresses(rule.flow))
        addresses = (source[:8],) if isinstance(source, bytes) else (source, target)
        return rule.flow, addresses, ports, protocol(rule), etype, tag

    def delete_rule(self, dev: Device, location: int) -> None:
        """i40e_del_fdir_entry()."""
        gone = dev.priv.rules.pop(location, None)
        _prune(dev)
        if gone is None:
            raise Refusal(EINVAL)

    def forget_rules(self, dev: Device) -> None:
        """i40e_set_ntuple(), i40e_fdir_filter_exit()."""
        dev.priv.rules.clear()
        dev.priv.own = None


def flexible(rule: Rule) -> tuple[int, int] | None:
    """i40e_parse_rx_flow_user_data(): a word of the packet, and at which octet it stands; None for none."""
    if not rule.flags & FLOW_EXT:
        return None
    value, mask = (record.data[1] for record in (rule.extra_values, rule.extra_masks))
    if not mask:
        return None
    if mask != FLEX:
        raise Refusal(EINVAL)
    return value & PORT, value >> 16


def vlan(rule: Rule) -> tuple[int, int]:
    """i40e_add_fdir_ethtool(): the protocol of a VLAN and its tag, as they are kept."""
    if rule.extra_values is None:
        return 0, 0
    values, masks = rule.extra_values, rule.extra_masks
    etype = ETH_P.VLAN_8021Q if values.vlan_tci and not masks.vlan_etype else values.vlan_etype
    return etype, values.vlan_tci if masks.vlan_tci and etype else 0


def protocol(rule: Rule) -> int:
    """ipl4_proto"""
    if rule.flow == FlowType.IPV4_USER:
        return int(rule.values.proto)
    return int(rule.values.l4_proto) if rule.flow == FlowType.IPV6_USER else 0


def fields(rule: Rule) -> int:
    """i40e_check_fdir_input_set(): which fields it looks at."""
    masks, looked_at = rule.masks, 0
    bits = (L3_V6_SOURCE, L3_V6_TARGET) if rule.flow in IPV6 else (L3_SOURCE, L3_TARGET)
    whole = HOST if rule.flow in IPV6 else WORD
    wholes = [(getattr(masks, name), whole, bit) for name, bit in zip(_addresses(rule.flow), bits, strict=True)]
    if rule.flow in OF_PORTS:
        wholes += [(masks.psrc, PORT, L4_SOURCE), (masks.pdst, PORT, L4_TARGET)]
    for mask, every_bit, bit in wholes:
        if mask == every_bit:
            looked_at |= bit
        elif not empty(mask):
            raise Refusal(EOPNOTSUPP)
    if (rule.flow in OF_ANY and masks.l4_4_bytes) or (masks.tclass if rule.flow in IPV6 else masks.tos):
        raise Refusal(EOPNOTSUPP)
    if rule.flow == FlowType.IPV4_USER and (masks.ip_ver or masks.proto):
        raise Refusal(EINVAL)
    if rule.flow == FlowType.IPV6_USER and masks.l4_proto:
        raise Refusal(EINVAL)
    return looked_at


def look_at(dev: Device, rule: Rule, word: tuple[int, int] | None) -> None:
    """i40e_check_fdir_input_set(): the card is told to look at what the rule looks at, or it does so already."""
    director = _director(dev)
    now = director.looked_at(rule.flow)
    wanted = fields(rule) | now & VLAN
    if rule.flags & FLOW_EXT:
        if rule.extra_values.vlan_etype not in (0, ETH_P.VLAN_8021Q):
            raise Refusal(EOPNOTSUPP)
        wanted = wanted & ~VLAN | (VLAN if rule.extra_masks.vlan_tci == PORT else 0)
    place, index, added = 0, 0, False
    if word is not None:
        place = word[1] >> 1
        if word[1] & 1 or place > LAST_PLACE:
            raise Refusal(EINVAL)
        index, added = _word(director, place, rule.flow in OF_ANY)
        wanted |= FIRST_WORD >> index
    if wanted == now and not added:
        return
    if dev.priv.rules.of_kind(rule.flow) is not None:
        raise Refusal(EOPNOTSUPP)
    director.sets[rule.flow] = wanted
    if added:
        for table in (director.l4, director.l3)[:2 if rule.flow in OF_ANY else 1]:
            if table.setdefault(place, index) != index:
                raise Refusal(EINVAL)  # i40e_add_flex_offset()


def _word(director: FlowDirector, place: int, any_protocol: bool) -> tuple[int, bool]:
    """Which word it is, and whether the card was not told of it."""
    index, added = director.find(director.l4, place), False
    if any_protocol:
        other = director.find(director.l3, place)
        if index is None:
            index = other
        elif other is None:
            added = True
        elif other != index:
            raise Refusal(EINVAL)
    return (director.unused(), True) if index is None else (index, added)


def told(rule: Rule, looked_at: int, functions: int) -> Rule:
    """i40e_get_ethtool_fdir_entry(): masks are those of the kind, and fill what is of IPv4 for IPv6 too, and the other
    way round; of a function that is gone its number is not told."""
    values, mask = rule.values, bytearray(UNION)
    for bits, start, length in SHOWN:
        if looked_at & bits:
            mask[start:start + length] = b"\xff" * length
    if rule.flow == FlowType.IPV4_USER:
        values = values._replace(ip_ver=ETH_RX_NFC_IP4, proto=0, tos=0)
    elif rule.flow == FlowType.IPV6_USER:
        values = values._replace(l4_proto=0, tclass=0)
    else:
        values = values._replace(tclass=0) if rule.flow in IPV6 else values._replace(tos=0)
    extra_values, extra_masks = extra(rule)
    cookie = RX_CLS_FLOW_DISC if rule.drops else rule.ring | (rule.vf << VF_SHIFT if rule.vf <= functions else 0)
    return replace(rule, flags=FLOW_EXT if extra_values else 0, context=0, values=values,
                   masks=filled(rule, bytes(mask)), cookie=cookie, extra_values=extra_values,
                   extra_masks=extra_masks)


def filled(rule: Rule, union: bytes) -> Any:
    """The masks of a kind, of which those are the octets."""
    found: dict[str, int | bytes] = {}
    for name in rule.masks._fields:
        start, length = (OCTETS_V6 if rule.flow in IPV6 else OCTETS_V4)[name]
        octets = union[start:start + length]
        found[name] = octets if name.startswith("ip6") else int.from_bytes(octets, "big")
    return rule.masks._replace(**found)


def extra(rule: Rule) -> tuple[Any, Any]:
    """i40e_fill_rx_flow_user_data(), and the VLAN."""
    (etype, tag), word = vlan(rule), flexible(rule)
    if not tag and word is None:
        return None, None
    said = {"h_dest": bytes(6), "vlan_etype": etype if tag else 0, "vlan_tci": tag, "data": (0, 0)}
    mask = {"h_dest": bytes(6), "vlan_etype": PORT if tag else 0, "vlan_tci": PORT if tag else 0, "data": (0, 0)}
    if word is not None:
        said["data"], mask["data"] = (0, word[1] << 16 | word[0]), (0, FLEX)
    return rule.extra_values._replace(**said), rule.extra_masks._replace(**mask)


def _addresses(flow: int) -> tuple[str, str]:
    return ("ip6src", "ip6dst") if flow in IPV6 else ("ip4src", "ip4dst")


def _director(dev: Device) -> FlowDirector:
    if dev.priv.own is None:
        dev.priv.own = FlowDirector()
    held = dev.priv.own
    assert isinstance(held, FlowDirector)
    return held


def _functions(dev: Device) -> int:
    sriov = dev.priv.function.sriov
    return 0 if sriov is None else len(sriov.vfs)


def _queue_is_there(dev: Device, rule: Rule) -> bool:
    """Of the device, or of a virtual function."""
    if not rule.vf:
        return bool(rule.ring < dev.priv.count)
    return rule.vf <= _functions(dev) and rule.ring < VF_QUEUES


def _prune(dev: Device) -> None:
    """i40e_prune_flex_pit_list(): places stay that are as many words from the front as a rule's are octets."""
    director = _director(dev)
    if not director.l3 and not director.l4:
        return
    held = [(rule.flow == FlowType.IPV4_USER, word[1]) for rule in dev.priv.rules.values()
            if (word := flexible(rule)) is not None]
    for table, any_protocol in ((director.l3, True), (director.l4, False)):
        kept = {octet for is_any, octet in held if is_any is any_protocol}
        for place in [place for place in table if place not in kept]:
            del table[place]
