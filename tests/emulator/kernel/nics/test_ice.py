"""ice: symmetry that nobody asked for, and rules that look at whole fields."""

from __future__ import annotations

from errno import EINVAL, EMSGSIZE, ENOENT, ENOSPC, EOPNOTSUPP

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.features import recompute
from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool import rss, rules, settings
from nlemu.emulator.kernel.ethtool.rss import Wanted
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    FLOW_MAC_EXT,
    FLOW_RSS,
    RX_CLS_FLOW_DISC,
    RX_CLS_LOC_ANY,
    FlowType,
    RssHash,
    Rxh,
    RxhXfrm,
)
from tests.emulator.kernel.nics.rules import EVERY_BIT, HOST, PORT, extra, plugged, refused, rule

MAC = b"\xff" * 6


def told(dev: Device) -> tuple[tuple[int, ...], int]:
    found = rss.get(dev, 0).rxfh
    assert found is not None and found.table is not None
    return found.table[:4], found.transform or 0


def test_a_table_makes_it_symmetric() -> None:
    dev = plugged("ice")
    assert (rss.table_size(dev), rss.key_size(dev), told(dev)) == (2048, 52, ((0, 1, 2, 3), 0))
    assert rss.set_(dev, Wanted(table=(2, 1)), dict, {})
    assert told(dev) == ((2, 1, 2, 1), RxhXfrm.SYM_XOR)
    with pytest.raises(Refusal, match="hash field config is not symmetric"):
        rss.set_(dev, Wanted(table=(1,)), dict, {})


def test_a_key_alone_brings_the_default_table_back() -> None:
    dev = plugged("ice")
    dev.ops.set_rxfh(dev, Rxfh(table=(3,) * 2048, transform=0))
    assert told(dev) == ((3, 3, 3, 3), 0)
    dev.ops.set_rxfh(dev, Rxfh(key=bytes(52), transform=0))
    assert told(dev)[0] == (0, 1, 2, 3)
    refused(EOPNOTSUPP, dev.ops.set_rxfh, dev, Rxfh(function=int(RssHash.XOR)))


def test_what_is_hashed() -> None:
    dev = plugged("ice")
    ops = dev.ops
    assert (ops.get_rxfh_fields(dev, FlowType.ETHER, 0), ops.get_rxfh_fields(dev, FlowType.GTPU_V4, 0)) == (
        0, Rxh.IP_SRC | Rxh.IP_DST | Rxh.GTP_TEID
    )
    ops.set_rxfh_fields(dev, FlowType.TCP_V4, 0, int(Rxh.IP_SRC | Rxh.L2DA))
    assert ops.get_rxfh_fields(dev, FlowType.TCP_V4, 0) == Rxh.IP_SRC
    refused(EINVAL, ops.set_rxfh_fields, dev, FlowType.TCP_V4, 0, 0)
    refused(EINVAL, ops.set_rxfh_fields, dev, FlowType.IPV4, 0, int(Rxh.IP_SRC))


def test_rules_stand_where_they_are_said_to_stand() -> None:
    dev = plugged("ice")
    for location, port in ((9, 1), (3, 2)):
        rules.insert(dev, rule(pdst=PORT, location=location, values={"pdst": port}))
    assert dev.ops.rule_count(dev) == (2, 16384)
    assert dev.ops.rule_locations(dev, 5) == (16384, [3, 9])
    refused(EMSGSIZE, dev.ops.rule_locations, dev, 1)
    rules.insert(dev, rule(pdst=PORT, location=9, queue=2, values={"pdst": 1}))
    assert dev.ops.get_rule(dev, 9).cookie == 2
    refused(EINVAL, dev.ops.get_rule, dev, 4)
    refused(ENOENT, rules.delete, dev, 4)
    refused(EOPNOTSUPP, settings.set_channels, dev, {"combined_count": 3})
    rules.delete(dev, 3)
    dev.wanted_features &= ~NTUPLE
    recompute(dev)
    assert not dev.priv.rules and dev.ops.get_channels(dev).other_max == 0
    refused(EOPNOTSUPP, rules.insert, dev, rule(pdst=PORT))
    refused(EOPNOTSUPP, rules.delete, dev, 3)


def test_channels() -> None:
    dev = plugged("ice")
    channels = dev.ops.get_channels(dev)
    assert (channels.rx_max, channels.combined_count, channels.other_count) == (128, 4, 1)
    refused(EINVAL, settings.set_channels, dev, {"other_count": 0})
    refused(EINVAL, settings.set_channels, dev, {"rx_count": 1})
    settings.set_channels(dev, {"combined_count": 2})
    assert dev.real_num_rx_queues == 2


def test_a_rule_as_it_is_told() -> None:
    dev = plugged("ice")
    rules.insert(dev, rule(FlowType.IPV4_USER, ip4src=EVERY_BIT, values={"proto": 6}))
    shown = dev.ops.get_rule(dev, 0)
    assert (shown.values.ip_ver, shown.values.proto, shown.masks.ip_ver) == (1, 0, 0xFF)
    rules.insert(dev, rule(FlowType.IPV6_USER, ip6src=HOST, location=1))
    assert dev.ops.get_rule(dev, 1).values.l4_proto == 59
    rules.insert(dev, rule(queue=RX_CLS_FLOW_DISC, psrc=PORT, location=2, values={"tos": 3}))
    shown = dev.ops.get_rule(dev, 2)
    assert shown.drops and shown.values.tos == 0


FRAME = rule(FlowType.ETHER, h_dest=MAC)


@pytest.mark.parametrize(
    ("one", "errno"),
    [
        (rule(), EINVAL),
        (rule(ip4src=EVERY_BIT), EINVAL),
        (rule(pdst=1), EOPNOTSUPP),
        (rule(pdst=PORT, tos=1), EOPNOTSUPP),
        (rule(pdst=PORT, queue=4), EINVAL),
        (rule(pdst=PORT, queue=1 << 32), EINVAL),
        (rule(pdst=PORT, location=RX_CLS_LOC_ANY), ENOSPC),
        (rule(pdst=PORT, location=1, flags=FLOW_MAC_EXT), EINVAL),
        (rule(pdst=PORT, location=1, flags=FLOW_RSS), EINVAL),
        (rule(pdst=PORT, location=1), EINVAL),
        (rule(FlowType.AH_V4), EINVAL),
        (rule(FlowType.IPV4_USER, ip4src=EVERY_BIT, ip_ver=1), EINVAL),
        (rule(FlowType.IPV4_USER, ip4src=EVERY_BIT, proto=0xFF), EOPNOTSUPP),
        (rule(FlowType.IPV6_USER, ip6src=HOST, l4_proto=0xFF), EOPNOTSUPP),
        (rule(FlowType.ETHER, h_proto=1), EOPNOTSUPP),
        (extra(FRAME, {"vlan_tci": 4096}, vlan_tci=PORT), EINVAL),
        (extra(FRAME, {"vlan_etype": 0x800}, vlan_etype=PORT), EINVAL),
        (extra(FRAME, {"vlan_tci": 5}, vlan_tci=0xFFF), EOPNOTSUPP),
        (extra(rule(FlowType.ETHER, h_proto=PORT), {"vlan_tci": 5}, vlan_tci=PORT), EINVAL),
        (extra(FRAME, {"data": (0, 0x1FF0000)}, data=(0, 0xFFFFFFFF)), EINVAL),
        (extra(FRAME, {"data": (0, 4)}, data=(0, 0xFFFF)), EINVAL),
        (extra(rule(pdst=PORT, location=1), {"data": (0, 0x40001)}, data=(0, 0xFFFFFFFF)), EINVAL),
    ],
)
def test_what_is_refused(one: Rule, errno: int) -> None:
    dev = plugged("ice")
    rules.insert(dev, rule(pdst=PORT))
    refused(errno, rules.insert, dev, one)
    assert list(dev.priv.rules) == [0]


def test_what_else_is_taken() -> None:
    dev = plugged("ice")
    rules.insert(dev, extra(FRAME, {"vlan_etype": 0x8100, "vlan_tci": 5}, vlan_etype=PORT, vlan_tci=PORT))
    rules.insert(dev, extra(rule(FlowType.UDP_V6, pdst=PORT, location=1), {"data": (0, 0x40001)}, data=(0, 0xFFFFFFFF)))
    assert len(dev.priv.rules) == 2
