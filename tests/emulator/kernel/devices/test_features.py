"""Feature words after registration, against what the recorded machine tells ethtool (trace e03_queries)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fixtures import TRACES
from nlemu.emulator.kernel.core.build import RECORDED_7_2
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.features import (
    ALL_TSO,
    GRO,
    GSO,
    GSO_UDP_L4,
    HW_CSUM,
    IP_CSUM,
    SG,
    TSO,
    fix_features,
    set_xdp_features,
    update_features,
)
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.devices.links import new_link
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.netkit import KIND as NETKIT
from nlemu.emulator.kernel.links.netkit import NetkitParams
from nlemu.emulator.kernel.links.veth import KIND as VETH
from nlemu.protocol.uapi.netdev import XdpAct

HW, WANTED, ACTIVE = 2, 3, 4


def attributes(data: bytes) -> list[tuple[int, bytes]]:
    at, found = 0, []
    while at + 4 <= len(data):
        size, number = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        found.append((number & 0x3FFF, data[at + 4 : at + size]))
        at += (size + 3) & ~3
    return found


def recorded_words(step: int) -> dict[int, int]:
    """The bit sets of ETHTOOL_MSG_FEATURES_GET_REPLY as words. Only the set of what can be switched has a mask, and so
    values."""
    line = (TRACES / "e03_queries.jsonl").read_text(encoding="utf-8").splitlines()[step]
    words = {}
    for number, bitset in attributes(bytes.fromhex(json.loads(line)["got"]["a"][0])[20:]):
        if number not in (HW, WANTED, ACTIVE):
            continue
        word = 0
        for _, bit in attributes(dict(attributes(bitset))[3]):
            fields = dict(attributes(bit))
            if number != HW or 3 in fields:
                word |= 1 << int.from_bytes(fields[1], "little")
        words[number] = word
    return words


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(build=RECORDED_7_2)


def words(dev: Device) -> dict[int, int]:
    return {HW: dev.hw_features, WANTED: dev.wanted_features, ACTIVE: dev.features}


def test_netdevsim(kernel: Kernel) -> None:
    kernel.netdevsim_bus.new_device(10, 1, 2)
    dev = kernel.init_net.by_name("eth0")
    assert dev is not None
    assert words(dev) == recorded_words(24)


def test_netkit(kernel: Kernel) -> None:
    assert words(new_link(kernel.init_net, NETKIT, LinkParams())) == recorded_words(25)


def test_loopback(kernel: Kernel) -> None:
    assert words(kernel.init_net.loopback) == recorded_words(26)


def test_veth_has_no_gro(kernel: Kernel) -> None:
    dev = new_link(kernel.init_net, VETH, LinkParams())
    assert not dev.features & GRO and dev.hw_features & GRO


def test_what_cannot_be_is_taken_away(kernel: Kernel) -> None:
    dev = kernel.init_net.loopback
    assert fix_features(dev, GSO | ALL_TSO | HW_CSUM) == HW_CSUM
    assert fix_features(dev, SG | TSO) == SG
    assert fix_features(dev, SG | TSO | IP_CSUM) == SG | TSO | IP_CSUM
    assert fix_features(dev, HW_CSUM | IP_CSUM) == HW_CSUM
    assert fix_features(dev, GSO_UDP_L4 | IP_CSUM) == IP_CSUM


def listen(kernel: Kernel) -> list[tuple[NetdevEvent, str]]:
    heard: list[tuple[NetdevEvent, str]] = []

    def notifier(event: NetdevEvent, dev: Device, info: Info) -> None:
        heard.append((event, dev.name))

    kernel.register_notifier(Stage.NETDEV, notifier)
    return heard


def test_switching_a_feature_is_an_event(kernel: Kernel) -> None:
    dev = new_link(kernel.init_net, NETKIT, LinkParams())
    heard = listen(kernel)
    update_features(dev)
    assert heard == []
    dev.wanted_features &= ~SG
    revision = dev.revision
    update_features(dev)
    assert heard == [(NetdevEvent.FEAT_CHANGE, dev.name)]
    assert not dev.features & (SG | ALL_TSO | GSO) and dev.revision > revision


def test_xdp_features_are_told_of_registered_devices_only(kernel: Kernel) -> None:
    heard = listen(kernel)
    single: Any = NetkitParams(pairing=1)
    dev = new_link(kernel.init_net, NETKIT, LinkParams(data=single))
    assert dev.xdp_features == XdpAct.BASIC | XdpAct.REDIRECT | XdpAct.XSK_ZEROCOPY
    assert NetdevEvent.XDP_FEAT_CHANGE not in [event for event, _ in heard]
    set_xdp_features(dev, 0)
    set_xdp_features(dev, 0)
    assert [event for event, _ in heard].count(NetdevEvent.XDP_FEAT_CHANGE) == 1


def test_veth_tells_both_ends_xdp_features(kernel: Kernel) -> None:
    heard = listen(kernel)
    new_link(kernel.init_net, VETH, LinkParams(name="v"))
    told = [name for event, name in heard if event == NetdevEvent.XDP_FEAT_CHANGE]
    assert told == ["v", "veth0"]
