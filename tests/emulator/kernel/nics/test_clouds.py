"""NICs that clouds hand out: ena, mana, idpf and i40e; and how all hold interrupts back."""

from __future__ import annotations

from errno import EBUSY, EEXIST, EINVAL, EMSGSIZE, ENOENT, EOPNOTSUPP

import pytest

from nlemu.emulator.kernel.devices.features import recompute
from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.ethtool import rss, rules, settings
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE, RXHASH
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.kernel.queues.xdp import XdpLink, XdpProgram
from nlemu.protocol.uapi.ethtool import (
    FLOW_EXT,
    RX_CLS_FLOW_DISC,
    FlowType,
    RssHash,
    Rxh,
    TcpDataSplit,
)
from nlemu.protocol.uapi.netdev import XdpAct
from tests.emulator.kernel.nics.rules import PORT, plugged, refused, rule
from tests.emulator.kernel.world import set_up


def test_ena_pushes_headers() -> None:
    dev = plugged("ena")
    rings = settings.get_rings(dev)
    assert (rings.tx_push, rings.tx_push_buf_len, rings.tx_push_buf_len_max) == (1, 96, 224)
    settings.set_rings(dev, {"rx": 3000, "tx": 100, "tx_push_buf_len": 224})
    rings = settings.get_rings(dev)
    assert (rings.rx, rings.tx, rings.tx_push_buf_len) == (2048, 256, 224)
    assert refused(EINVAL, settings.set_rings, dev, {"tx_push": 0}) == "ena: Push mode state cannot be modified"
    text = refused(EINVAL, settings.set_rings, dev, {"tx_push_buf_len": 128})
    assert text == "ena: Supported tx push buff values: [96, 224]"


def test_ena_has_xdp_while_half_of_its_queues_are_free() -> None:
    dev = plugged("ena")
    settings.set_channels(dev, {"combined_count": 17})
    assert dev.xdp_features == 0
    settings.set_channels(dev, {"combined_count": 16})
    assert dev.xdp_features == XdpAct.BASIC | XdpAct.REDIRECT
    XdpLink(dev.net, dev.ifindex, XdpProgram(1))
    refused(EINVAL, settings.set_channels, dev, {"combined_count": 17})


def test_what_ena_hashes() -> None:
    dev = plugged("ena")
    dev.ops.set_rxfh(dev, Rxfh(function=int(RssHash.CRC32)))
    refused(EOPNOTSUPP, dev.ops.set_rxfh, dev, Rxfh(function=int(RssHash.XOR)))
    refused(EOPNOTSUPP, dev.ops.get_rxfh_fields, dev, FlowType.AH_V4, 0)
    refused(EOPNOTSUPP, dev.ops.set_rxfh_fields, dev, FlowType.AH_V4, 0, 0)
    refused(EINVAL, dev.ops.set_rxfh_fields, dev, FlowType.GTPU_V4, 0, 0)
    refused(EOPNOTSUPP, dev.ops.set_rxfh_fields, dev, FlowType.TCP_V4, 0, int(Rxh.L2DA))
    dev.ops.set_rxfh_fields(dev, FlowType.TCP_V4, 0, int(Rxh.IP_SRC))
    assert dev.ops.get_rxfh_fields(dev, FlowType.TCP_V4, 0) == Rxh.IP_SRC


def test_mana() -> None:
    dev = plugged("mana")
    assert refused(EINVAL, settings.set_rings, dev, {"tx": 64}) == "tx:64 less than the min:128"
    settings.set_rings(dev, {"rx": 1000, "tx": 300})
    rings = settings.get_rings(dev)
    assert (rings.rx, rings.tx) == (1024, 512)
    assert refused(EINVAL, settings.set_coalesce, dev, {"rx_cqe_frames": 3}) == "rx-frames must be 1 or 4, got 3"
    settings.set_coalesce(dev, {"rx_cqe_frames": 4})
    assert rss.set_(dev, rss.Wanted(table=(1,)), dict, {})
    set_up(dev, False)
    refused(EOPNOTSUPP, rss.set_, dev, rss.Wanted(table=(2,)), dict, {})


def test_idpf_splits_unless_it_is_told_not_to() -> None:
    dev = plugged("idpf")
    assert settings.get_rings(dev).tcp_data_split == TcpDataSplit.ENABLED
    settings.set_rings(dev, {"tcp_data_split": TcpDataSplit.DISABLED, "rx": 65, "tx": 65})
    rings = settings.get_rings(dev)
    assert (rings.tcp_data_split, rings.rx, rings.tx) == (TcpDataSplit.DISABLED, 128, 96)
    refused(EINVAL, settings.set_rings, dev, {"rx": 63})
    before = [pool.id for pool in dev.page_pools]
    settings.set_rings(dev, {"rx": 127})
    assert [pool.id for pool in dev.page_pools] == before
    channels = settings.get_channels(dev)
    assert (channels.rx_max, channels.other_count) == (128, 1)
    refused(EINVAL, settings.set_channels, dev, {"rx_count": 1})
    dev.wanted_features &= ~RXHASH
    recompute(dev)
    assert set(dev.ops.get_rxfh(dev).table or ()) == {0}


def test_rules_of_idpf() -> None:
    dev = plugged("idpf")
    for location in (5, 2):
        rules.insert(dev, rule(pdst=PORT, location=location))
    assert (dev.ops.rule_count(dev), dev.ops.rule_locations(dev, 2)) == ((2, 1024), (1024, [2, 5]))
    refused(EMSGSIZE, dev.ops.rule_locations, dev, 1)
    refused(ENOENT, dev.ops.get_rule, dev, 3)
    refused(ENOENT, rules.delete, dev, 3)
    for errno, one in (
        (EEXIST, rule(location=5)), (EINVAL, rule(flags=FLOW_EXT)), (EOPNOTSUPP, rule(FlowType.TCP_V6)),
        (EOPNOTSUPP, rule(queue=RX_CLS_FLOW_DISC)), (EINVAL, rule(queue=4)),
    ):
        refused(errno, rules.insert, dev, one)


def test_i40e() -> None:
    dev = plugged("i40e")
    settings.set_rings(dev, {"rx": 100})
    assert settings.get_rings(dev).rx == 128
    refused(EINVAL, settings.set_rings, dev, {"tx": 63})
    dev.rx[0].pool = object()
    refused(EBUSY, settings.set_rings, dev, {"rx": 512})
    dev.rx[0].pool = None
    refused(EINVAL, settings.set_channels, dev, {"other_count": 0})
    settings.set_channels(dev, {"combined_count": 2})
    dev.wanted_features &= ~NTUPLE
    recompute(dev)
    assert settings.get_channels(dev).other_max == 0


def test_what_i40e_hashes() -> None:
    dev = plugged("i40e")
    dev.ops.set_rxfh(dev, Rxfh(table=(3,) * 512))
    dev.ops.set_rxfh(dev, Rxfh(key=bytes(52)))
    assert (dev.ops.get_rxfh(dev).table or ())[:3] == (0, 1, 2)
    dev.ops.set_rxfh_fields(dev, FlowType.UDP_V4, 0, int(Rxh.IP_SRC))
    assert dev.ops.get_rxfh_fields(dev, FlowType.UDP_V4, 0) == Rxh.IP_SRC
    dev.ops.set_rxfh_fields(dev, FlowType.IPV4, 0, int(Rxh.L4_B_0_1))
    assert dev.ops.get_rxfh_fields(dev, FlowType.IPV4, 0) == Rxh.IP_SRC | Rxh.IP_DST
    refused(EINVAL, dev.ops.set_rxfh_fields, dev, FlowType.AH_V4, 0, int(Rxh.L4_B_0_1))
    refused(EINVAL, dev.ops.set_rxfh_fields, dev, FlowType.TCP_V4, 0, int(Rxh.L2DA))
    refused(EINVAL, dev.ops.set_rxfh_fields, dev, FlowType.ETHER, 0, 0)


@pytest.mark.parametrize("driver", PROFILES)
def test_interrupts_are_held_back_by_what_the_driver_supports(driver: str) -> None:
    dev, facts = plugged(driver, queues=0), PROFILES[driver].coalesce
    told = settings.get_coalesce(dev)
    assert {name: getattr(told, name) for name in facts.first} == facts.first
    assert set(facts.first) <= facts.settable
    text = refused(EINVAL, settings.set_coalesce, dev, {"pkt_rate_low": 1})
    assert text == "cannot modify an unsupported parameter"


def test_limits_of_fbnic() -> None:
    dev = plugged("fbnic")
    settings.set_coalesce(dev, {"rx_usecs": 16383, "tx_usecs": 16383, "rx_max_frames": 16383})
    for name, said in (("rx_usecs", "rx_usecs"), ("tx_usecs", "tx_usecs"), ("rx_max_frames", "rx_frames")):
        assert refused(EINVAL, settings.set_coalesce, dev, {name: 16384}) == f"fbnic: {said} is above device max"


@pytest.mark.parametrize("driver", ["gve", "ena", "mana", "idpf", "virtio_net"])
def test_drivers_that_tell_nothing_of_pause_frames(driver: str) -> None:
    refused(EOPNOTSUPP, settings.get_pause, plugged(driver))
