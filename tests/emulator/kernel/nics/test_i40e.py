"""i40e: rules of one kind look at the same fields, and are told as its driver tells them."""

from __future__ import annotations

from errno import EINVAL, EMSGSIZE, ENOSPC, EOPNOTSUPP
from typing import Any

import pytest

from nlemu.emulator.kernel.devices.features import recompute
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool import rules, settings
from nlemu.emulator.kernel.nics import sriov
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.i40e_rules import ROOM
from nlemu.protocol.uapi.ethtool import (
    FLOW_EXT,
    FLOW_MAC_EXT,
    FLOW_RSS,
    RX_CLS_FLOW_DISC,
    RX_CLS_LOC_ANY,
    FlowType,
)
from tests.emulator.kernel.nics.rules import EVERY_BIT, HOST, PORT, extra, plugged, refused, rule

WORD = {"data": (0, 0xFFFFFFFF)}
ONE, OTHER = bytes(15) + b"\x01", bytes(15) + b"\x02"


def word(one: Rule, place: int, value: int = 7) -> Rule:
    """One that looks at a word of the packet too, at that octet."""
    return extra(one, {"data": (0, place << 16 | value)}, **WORD)


def at(location: int, flow: FlowType = FlowType.TCP_V4, port: int | None = None, **said: Any) -> Rule:
    """One for a port of its own."""
    return rule(flow, location=location, pdst=PORT, values={"pdst": location if port is None else port}, **said)


def test_rules_stand_where_they_are_said_to_stand() -> None:
    dev = plugged("i40e")
    for location in (9, 3):
        rules.insert(dev, at(location))
    assert dev.ops.rule_count(dev) == (2, ROOM)
    assert dev.ops.rule_locations(dev, 2) == (ROOM, [3, 9])
    refused(EMSGSIZE, dev.ops.rule_locations, dev, 1)
    rules.insert(dev, at(9, queue=2))
    assert dev.ops.get_rule(dev, 9).cookie == 2
    refused(EINVAL, settings.set_channels, dev, {"combined_count": 2})
    refused(EINVAL, dev.ops.get_rule, dev, 4)
    refused(EINVAL, rules.delete, dev, 4)
    rules.delete(dev, 3)
    assert list(dev.priv.rules) == [9]
    dev.wanted_features &= ~NTUPLE
    recompute(dev)
    assert not dev.priv.rules
    refused(EOPNOTSUPP, rules.insert, dev, at(1))


def test_rules_of_a_kind_look_at_the_same() -> None:
    dev = plugged("i40e")
    rules.insert(dev, at(0))
    refused(EOPNOTSUPP, rules.insert, dev, rule(psrc=PORT, location=1))
    refused(EOPNOTSUPP, rules.insert, dev, rule(psrc=PORT, location=0))
    rules.insert(dev, rule(FlowType.UDP_V4, psrc=PORT, location=1))
    rules.delete(dev, 0)
    rules.insert(dev, rule(psrc=PORT, location=0))


@pytest.mark.parametrize(
    ("one", "errno"),
    [
        (at(1, port=0), EINVAL),
        (rule(pdst=1, location=1), EOPNOTSUPP),
        (at(1, tos=1), EOPNOTSUPP),
        (at(1, queue=4), EINVAL),
        (at(1, queue=1 << 32), EINVAL),
        (at(RX_CLS_LOC_ANY, port=1), EINVAL),
        (at(1, flags=FLOW_MAC_EXT), EINVAL),
        (at(1, flags=FLOW_RSS), EOPNOTSUPP),
        (rule(FlowType.ETHER, h_proto=PORT, location=1), EOPNOTSUPP),
        (rule(FlowType.AH_V4, location=1), EOPNOTSUPP),
        (rule(FlowType.IPV4_USER, ip4src=EVERY_BIT, l4_4_bytes=1, location=1), EOPNOTSUPP),
        (rule(FlowType.IPV4_USER, ip4src=EVERY_BIT, ip_ver=1, location=1), EINVAL),
        (rule(FlowType.IPV4_USER, ip4src=EVERY_BIT, proto=0xFF, location=1), EINVAL),
        (rule(FlowType.IPV4_USER, values={"proto": 1}, location=1), EINVAL),
        (rule(FlowType.IPV6_USER, ip6src=HOST, l4_proto=0xFF, location=1), EINVAL),
        (rule(FlowType.IPV6_USER, ip6src=HOST, tclass=1, location=1), EOPNOTSUPP),
        (extra(at(1), {"vlan_etype": 0x88A8}), EOPNOTSUPP),
        (extra(at(1), {"vlan_tci": 5}, vlan_tci=PORT), EOPNOTSUPP),
        (extra(at(1), {}, data=(0, 0xFFFF)), EINVAL),
        (word(rule(FlowType.UDP_V4, location=1), 3), EINVAL),
        (word(rule(FlowType.UDP_V4, location=1), 64), EINVAL),
    ],
)
def test_what_is_refused(one: Rule, errno: int) -> None:
    dev = plugged("i40e")
    rules.insert(dev, at(0))
    refused(errno, rules.insert, dev, one)
    assert list(dev.priv.rules) == [0]


def test_what_cannot_be_looked_for_takes_away_what_was_there() -> None:
    dev = plugged("i40e")
    rules.insert(dev, rule(FlowType.IPV4_USER, location=1))
    refused(EINVAL, rules.insert, dev, rule(FlowType.IPV4_USER, values={"proto": 1}, location=1))
    assert not dev.priv.rules


def test_of_ipv6_half_of_the_source_is_compared() -> None:
    dev = plugged("i40e")
    rules.insert(dev, rule(FlowType.TCP_V6, ip6dst=HOST, values={"ip6dst": ONE}))
    refused(EINVAL, rules.insert, dev, rule(FlowType.TCP_V6, ip6dst=HOST, values={"ip6dst": OTHER}, location=1))


def test_masks_as_they_are_told() -> None:
    dev = plugged("i40e")
    rules.insert(dev, at(0))
    masks = dev.ops.get_rule(dev, 0).masks
    assert (masks.ip4src, masks.ip4dst, masks.psrc, masks.pdst, masks.tos) == (0, 0, 0, PORT, 0)
    rules.insert(dev, rule(FlowType.UDP_V4, ip4src=EVERY_BIT, location=1))
    masks = dev.ops.get_rule(dev, 1).masks
    assert (masks.ip4src, masks.ip4dst, masks.psrc, masks.pdst, masks.tos) == (EVERY_BIT, EVERY_BIT, PORT, PORT, 0xFF)
    rules.insert(dev, at(2, FlowType.TCP_V6))
    masks = dev.ops.get_rule(dev, 2).masks
    assert (masks.ip6src, masks.pdst) == (bytes(10) + b"\xff\xff" + bytes(4), 0)
    rules.insert(dev, rule(FlowType.IPV4_USER, location=3, queue=RX_CLS_FLOW_DISC, values={"tos": 3}))
    shown = dev.ops.get_rule(dev, 3)
    assert shown.drops and (shown.values.ip_ver, shown.values.tos, shown.masks.proto) == (1, 0, 0)
    rules.insert(dev, rule(FlowType.IPV6_USER, ip6src=HOST, location=4, values={"tclass": 3}))
    assert dev.ops.get_rule(dev, 4).values.tclass == 0


def test_vlans() -> None:
    dev = plugged("i40e")
    rules.insert(dev, extra(at(0), {"vlan_tci": 5}, vlan_tci=PORT))
    shown = dev.ops.get_rule(dev, 0)
    assert shown.flags == FLOW_EXT
    said = shown.extra_values
    assert (said.vlan_etype, said.vlan_tci, shown.extra_masks.vlan_etype) == (0x8100, 5, PORT)
    rules.insert(dev, at(1))
    assert dev.ops.get_rule(dev, 1).flags == 0


def test_words_of_a_packet() -> None:
    dev = plugged("i40e")
    rules.insert(dev, word(at(0), 4))
    shown = dev.ops.get_rule(dev, 0)
    assert (shown.extra_values.data, shown.extra_masks.data) == ((0, 0x40007), (0, 0xFFFFFFFF))
    rules.insert(dev, word(at(1), 4))
    refused(EOPNOTSUPP, rules.insert, dev, word(at(2), 6))
    rules.insert(dev, word(rule(FlowType.IPV4_USER, location=2), 4))
    rules.insert(dev, word(rule(FlowType.UDP_V4, location=3), 6))
    rules.insert(dev, word(rule(FlowType.SCTP_V4, location=4), 8))
    refused(ENOSPC, rules.insert, dev, word(rule(FlowType.UDP_V6, location=5), 10))
    refused(ENOSPC, rules.insert, dev, word(rule(FlowType.IPV6_USER, location=5), 10))
    rules.delete(dev, 4)
    refused(EOPNOTSUPP, rules.insert, dev, word(at(5), 4))
    rules.insert(dev, word(rule(FlowType.UDP_V6, location=5), 10))


def test_words_of_any_protocol_are_the_same_for_both() -> None:
    dev = plugged("i40e")
    rules.insert(dev, word(rule(FlowType.IPV4_USER, location=0), 2))
    rules.insert(dev, word(at(1), 0))
    rules.delete(dev, 1)
    rules.insert(dev, word(rule(FlowType.IPV6_USER, location=2), 2))
    assert len(dev.priv.rules) == 2


def test_queues_of_virtual_functions() -> None:
    dev = plugged("i40e")
    nics, function = dev.kernel.nics, dev.priv.function
    sriov.configure(nics, function, 1)
    rules.insert(dev, at(0, queue=1 << 32 | 3))
    assert dev.ops.get_rule(dev, 0).cookie == 1 << 32 | 3
    refused(EINVAL, rules.insert, dev, at(1, queue=1 << 32 | 4))
    refused(EINVAL, rules.insert, dev, at(1, queue=2 << 32))
    sriov.configure(nics, function, 0)
    assert dev.ops.get_rule(dev, 0).cookie == 3
