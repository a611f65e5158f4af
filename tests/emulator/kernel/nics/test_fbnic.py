"""fbnic: rules in the lines of a table, whose addresses stand in tables of their own."""

from __future__ import annotations

from errno import EBUSY, EINVAL, EMSGSIZE, ENOSPC
from typing import Any

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool import rss, rules
from nlemu.protocol.uapi.ethtool import (
    FLOW_EXT,
    FLOW_MAC_EXT,
    FLOW_RSS,
    RX_CLS_FLOW_DISC,
    RX_CLS_LOC_SPECIAL,
    FlowType,
)
from tests.emulator.kernel.nics.rules import EVERY_BIT, HOST, PORT, anywhere, plugged, refused, rule
from tests.emulator.kernel.world import set_up

MAC = b"\xff" * 6


def kept(dev: Device, one: Rule) -> Rule:
    """As it is shown."""
    return dev.ops.get_rule(dev, rules.insert(dev, one).location)


def test_the_driver_chooses_from_the_last_upwards() -> None:
    dev = plugged("fbnic")
    assert [rules.insert(dev, anywhere(pdst=port)).location for port in (1, 2, 3)] == [47, 46, 45]
    rules.delete(dev, 46)
    refused(EINVAL, rules.delete, dev, 46)
    refused(EINVAL, rules.delete, dev, 48)
    assert rules.insert(dev, anywhere(pdst=2)).location == 46
    assert dev.ops.rule_count(dev) == (3, 48 | RX_CLS_LOC_SPECIAL)
    assert dev.ops.rule_locations(dev, 3) == dev.ops.rule_locations(dev, 0) == (48, [45, 46, 47])
    refused(EMSGSIZE, dev.ops.rule_locations, dev, 2)
    refused(EINVAL, dev.ops.get_rule, dev, 44)
    assert dev.ops.shown_data == 48
    for _ in range(45):
        rules.insert(dev, anywhere())
    refused(ENOSPC, rules.insert, dev, anywhere())


def test_rules_are_not_in_use_while_the_device_is_down() -> None:
    dev = plugged("fbnic")
    rules.insert(dev, anywhere(pdst=PORT, queue=3))
    set_up(dev, False)
    assert dev.ops.rule_count(dev)[0] == rules.highest_queue(dev) == 0
    refused(EINVAL, dev.ops.get_rule, dev, 47)
    refused(EINVAL, rules.delete, dev, 47)
    refused(EBUSY, rules.insert, dev, anywhere())
    set_up(dev)
    assert dev.ops.get_rule(dev, 47).cookie == 3


def test_a_rule_is_told_by_its_line() -> None:
    dev = plugged("fbnic")
    udp = kept(dev, anywhere(FlowType.IPV4_USER, proto=0xFF, l4_4_bytes=0xFFFF, ip4src=EVERY_BIT, tos=1, flags=FLOW_EXT,
                             values={"proto": 17, "l4_4_bytes": 80, "ip4src": 5, "ip4dst": 6}))
    assert (udp.flow, udp.flags, udp.values, udp.masks) == (
        FlowType.UDP_V4, 0, (5, 0, 0, 80, 0), (EVERY_BIT, 0, 0, PORT, 0)
    )
    plain = kept(dev, anywhere(FlowType.IPV4_USER, ip4dst=EVERY_BIT, values={"ip4dst": 6}))
    assert plain.flow == FlowType.IPV4_USER
    assert (plain.values, plain.masks) == ((0, 6, 0, 0, 1, 0), (0, EVERY_BIT, 0, 0, 0, 0))
    whole = {"l4_proto": 41, "ip6src": HOST}
    tunnel = kept(dev, anywhere(FlowType.IPV6_USER, l4_proto=0xFF, ip6src=HOST, values=whole))
    assert (tunnel.flow, tunnel.values.l4_proto, tunnel.masks.l4_proto, tunnel.values.source) == (
        FlowType.IPV6_USER, 41, 0xFF, HOST
    )
    assert kept(dev, anywhere(FlowType.IPV6_USER, l4_proto=0xFF, values={"l4_proto": 6})).flow == FlowType.TCP_V6
    frame = kept(dev, anywhere(FlowType.ETHER, h_dest=MAC, h_proto=PORT, values={"h_dest": b"\2" * 6, "h_proto": 1}))
    assert (frame.values, frame.masks) == ((b"\2" * 6, bytes(6), 0), (MAC, bytes(6), 0))
    assert kept(dev, anywhere(queue=RX_CLS_FLOW_DISC)).drops
    rss.create(dev, rss.Wanted())
    spread = kept(dev, anywhere(flags=FLOW_RSS, context=1))
    assert (spread.spread, spread.context, spread.cookie) == (True, 1, 0)


@pytest.mark.parametrize(
    "one",
    [
        rule(), anywhere(queue=4), anywhere(flags=FLOW_MAC_EXT), anywhere(FlowType.SCTP_V4),
        anywhere(FlowType.IPV4_USER, proto=1), anywhere(FlowType.IPV4_USER, proto=0xFF, values={"proto": 1}),
        anywhere(FlowType.IPV4_USER, proto=0xFF, values={"proto": 41}),
        anywhere(FlowType.IPV6_USER, l4_proto=0xFF, values={"l4_proto": 58}), anywhere(FlowType.ETHER, h_dest=MAC),
        anywhere(FlowType.ETHER, h_dest=b"\1" * 6, values={"h_dest": MAC}),
    ],
)
def test_what_is_refused(one: Rule) -> None:
    dev = plugged("fbnic")
    refused(EINVAL, rules.insert, dev, one)
    assert not dev.priv.rules


def by_source(address: int, bits: int = 32, **said: Any) -> Rule:
    return anywhere(ip4src=EVERY_BIT << 32 - bits & EVERY_BIT, values={"ip4src": address}, **said)


def test_rules_share_the_entries_of_addresses() -> None:
    dev = plugged("fbnic")
    for address in range(8):
        rules.insert(dev, by_source(address))
    rules.insert(dev, by_source(3, psrc=PORT))
    refused(ENOSPC, rules.insert, dev, by_source(8))
    rules.delete(dev, 47)
    rules.insert(dev, by_source(8))
    assert len(dev.priv.rules) == 9


def test_a_longer_prefix_stands_in_front() -> None:
    dev = plugged("fbnic")
    for address in range(7):
        rules.insert(dev, by_source(address << 8, 24))
    rules.insert(dev, by_source(1))
    rules.delete(dev, 47)
    refused(ENOSPC, rules.insert, dev, by_source(2))
    rules.insert(dev, by_source(9 << 8, 24))


def test_a_rule_that_finds_no_room_leaves_nothing() -> None:
    dev = plugged("fbnic")
    for address in range(8):
        rules.insert(dev, anywhere(ip4dst=EVERY_BIT, values={"ip4dst": address}))
    both = anywhere(ip4src=EVERY_BIT, ip4dst=EVERY_BIT, values={"ip4src": 1, "ip4dst": 9})
    refused(ENOSPC, rules.insert, dev, both)
    assert dev.priv.own.inner[0] == [None] * 8


def test_addresses_of_ethernet() -> None:
    dev = plugged("fbnic")
    for number in range(7):
        rules.insert(dev, anywhere(FlowType.ETHER, h_dest=MAC, values={"h_dest": bytes([2, 0, 0, 0, 0, number])}))
    rules.insert(dev, anywhere(FlowType.ETHER, h_dest=MAC, values={"h_dest": bytes([2, 0, 0, 0, 0, 1])}))
    refused(ENOSPC, rules.insert, dev, anywhere(FlowType.ETHER, h_dest=MAC, values={"h_dest": b"\4" * 6}))
    rules.insert(dev, anywhere(FlowType.ETHER, h_dest=MAC, values={"h_dest": b"\1" * 6}))
