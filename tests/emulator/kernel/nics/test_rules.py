"""Rules of NICs: what each driver takes and refuses, and what rules hold."""

from __future__ import annotations

from errno import EAGAIN, EBUSY, EEXIST, EINVAL, ENOENT, ENOSPC, EOPNOTSUPP, EPERM

import pytest

from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool import rss, rules, settings
from nlemu.emulator.kernel.ethtool.rss import Wanted
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    FLOW_EXT,
    FLOW_MAC_EXT,
    FLOW_RSS,
    RX_CLS_FLOW_DISC,
    RX_CLS_LOC_ANY,
    RX_CLS_LOC_SPECIAL,
    FlowType,
)
from tests.emulator.kernel.nics.rules import PORT, anywhere, plugged, refused, rule
from tests.emulator.kernel.world import set_up


def test_mlx5_keeps_a_rule_where_it_is_said_to_stand() -> None:
    dev = plugged("mlx5_core")
    rules.insert(dev, rule(pdst=PORT, location=9, queue=1))
    rules.insert(dev, rule(pdst=PORT, location=3, queue=2))
    rules.insert(dev, rule(psrc=PORT, location=9, queue=3))
    assert dev.ops.rule_count(dev) == (2, None)
    assert dev.ops.rule_locations(dev, 2) == (1024, [3, 9])
    assert dev.ops.get_rule(dev, 9).masks.psrc == PORT
    refused(EINVAL, dev.ops.rule_locations, dev, 3)
    refused(ENOENT, dev.ops.get_rule, dev, 4)
    refused(EINVAL, dev.ops.get_rule, dev, 1024)
    rules.delete(dev, 3)
    refused(ENOENT, rules.delete, dev, 3)
    refused(ENOSPC, rules.delete, dev, 1024)


@pytest.mark.parametrize(
    ("one", "errno"),
    [
        (rule(location=1024), ENOSPC),
        (rule(location=RX_CLS_LOC_ANY), ENOSPC),
        (rule(queue=4), EINVAL),
        (rule(tos=0xFF), EINVAL),
        (rule(FlowType.TCP_V6, tclass=0xFF), EINVAL),
        (rule(FlowType.IPV4_USER, ip4src=1), EINVAL),
        (rule(FlowType.IPV6_USER, l4_4_bytes=1), EINVAL),
        (rule(FlowType.ETHER), EINVAL),
        (rule(FlowType.SCTP_V4), EOPNOTSUPP),
        (rule(77), EOPNOTSUPP),
        (rule(flags=FLOW_EXT, vlan=(5, 0xFFFF)), EINVAL),
        (rule(flags=FLOW_EXT, vlan=(0x1005, 0xFFF)), EINVAL),
        (rule(flags=FLOW_RSS, context=7), EINVAL),
        (rule(flags=FLOW_RSS, queue=1), EINVAL),
    ],
)
def test_what_mlx5_refuses(one: Rule, errno: int) -> None:
    dev = plugged("mlx5_core")
    refused(errno, rules.insert, dev, one)
    assert not dev.priv.rules


@pytest.mark.parametrize(
    "one",
    [
        rule(), rule(queue=RX_CLS_FLOW_DISC), rule(flags=FLOW_EXT, vlan=(5, 0xFFF)), rule(flags=FLOW_MAC_EXT),
        rule(FlowType.IPV4_USER, proto=0xFF, values={"ip_ver": 1}), rule(FlowType.ETHER, h_proto=PORT),
        rule(FlowType.UDP_V6, ip6dst=bytes([255] * 16)), rule(FlowType.IPV6_USER, l4_proto=0xFF),
    ],
)
def test_what_mlx5_takes(one: Rule) -> None:
    dev = plugged("mlx5_core", up=False)
    assert rules.insert(dev, one) == one


def test_bnxt_chooses_where_a_rule_stands() -> None:
    dev = plugged("bnxt_en")
    assert [rules.insert(dev, anywhere(pdst=port)).location for port in (1, 2, 3)] == [0, 1, 2]
    refused(EEXIST, rules.insert, dev, anywhere(pdst=2))
    rules.delete(dev, 1)
    assert rules.insert(dev, anywhere(pdst=4)).location == 1
    assert dev.ops.rule_count(dev) == (3, 5120 | RX_CLS_LOC_SPECIAL)
    assert dev.ops.rule_locations(dev, 9) == (3, [0, 1, 2])
    refused(EINVAL, dev.ops.get_rule, dev, 5)
    refused(ENOENT, rules.delete, dev, 5)
    for errno, one in (
        (EINVAL, rule(pdst=9)), (EINVAL, anywhere(pdst=9, queue=4)), (EOPNOTSUPP, anywhere()),
        (EINVAL, anywhere(pdst=9, flags=FLOW_MAC_EXT)), (EOPNOTSUPP, anywhere(pdst=9, flags=FLOW_EXT)),
        (EOPNOTSUPP, anywhere(FlowType.ETHER, h_proto=PORT)), (EOPNOTSUPP, anywhere(FlowType.SCTP_V4, pdst=1)),
        (EOPNOTSUPP, anywhere(FlowType.IPV4_USER, ip4src=1)),
    ):
        refused(errno, rules.insert, dev, one)
    dev.features &= ~NTUPLE
    refused(EPERM, rules.insert, dev, anywhere(pdst=9))
    set_up(dev, False)
    refused(EAGAIN, rules.insert, dev, anywhere(pdst=9))


def test_rules_hold_channels_and_contexts() -> None:
    dev = plugged("mlx5_core")
    rules.insert(dev, rule(queue=3))
    with pytest.raises(Refusal, match="existing ntuple filter settings"):
        settings.set_channels(dev, {"combined_count": 3})
    rules.insert(dev, rule(queue=1))
    settings.set_channels(dev, {"combined_count": 3})
    number = rss.create(dev, Wanted(table=(2,)))
    rules.insert(dev, rule(location=5, flags=FLOW_RSS, context=number))
    assert rules.highest_queue(dev) == 2
    refused(EBUSY, rss.delete, dev, number)
    rules.delete(dev, 5)
    rss.delete(dev, number)


def test_what_is_dropped_names_no_queue() -> None:
    dev = plugged("mlx5_core")
    rules.insert(dev, rule(queue=RX_CLS_FLOW_DISC))
    assert rules.highest_queue(dev) == 0
    settings.set_channels(dev, {"combined_count": 1})


def test_the_table_of_mlx5_grows_with_its_channels() -> None:
    kernel = Kernel()
    dev = kernel.nics.plug("0000:08:00.0", PROFILES["mlx5_core"], kernel.init_net, queues=64)
    assert rss.table_size(dev) == 256
    rss.set_(dev, Wanted(table=(1, 2)), dict, {})
    settings.set_channels(dev, {"combined_count": 128})
    told = rss.get(dev, 0).rxfh
    assert told is not None and told.table == (1, 2) * 256
    settings.set_channels(dev, {"combined_count": 8})
    told = rss.get(dev, 0).rxfh
    assert told is not None and told.table == (1, 2) * 128


def test_a_driver_without_rules() -> None:
    dev = plugged("virtio_net")
    refused(EOPNOTSUPP, rules.insert, dev, rule())
    refused(EOPNOTSUPP, rules.delete, dev, 0)
    assert (list(rules.every(dev)), rules.highest_queue(dev), rules.holds(dev, 1)) == ([], 0, False)


def test_mlx5_splits_headers_only_while_the_hardware_does_gro() -> None:
    dev = plugged("mlx5_core")
    with pytest.raises(Refusal, match="TCP-data-split is not supported when GRO HW is disabled"):
        settings.set_rings(dev, {"tcp_data_split": 2})
