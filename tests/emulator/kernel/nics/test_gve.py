"""gve: rules that are the device's."""

from __future__ import annotations

from errno import EINVAL, EMSGSIZE, EOPNOTSUPP

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.devices.features import recompute
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool import rules, settings
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FLOW_MAC_EXT, RX_CLS_FLOW_DISC, RX_CLS_LOC_ANY, FlowType
from tests.emulator.kernel.nics.rules import PORT, plugged, refused, rule


def steering(on: bool = True) -> Device:
    dev = plugged("gve")
    switch(dev, on)
    return dev


def switch(dev: Device, on: bool) -> None:
    dev.wanted_features = dev.wanted_features | NTUPLE if on else dev.wanted_features & ~NTUPLE
    recompute(dev)


def test_rules_are_taken_while_ntuple_is_on_and_go_with_it() -> None:
    dev = steering(False)
    refused(EOPNOTSUPP, rules.insert, dev, rule(pdst=PORT))
    refused(EOPNOTSUPP, rules.delete, dev, 0)
    switch(dev, True)
    rules.insert(dev, rule(pdst=PORT, location=5))
    assert dev.ops.rule_count(dev) == (1, 1024)
    switch(dev, False)
    assert dev.ops.rule_count(dev) == (0, 1024)


def test_a_rule_is_told_as_the_device_was_told_of_it() -> None:
    dev = steering()
    whole = rule(pdst=PORT, tos=0xFF, location=7, queue=2, flags=FLOW_MAC_EXT, values={"pdst": 80, "tos": 4})
    assert rules.insert(dev, whole) == whole
    kept = dev.ops.get_rule(dev, 7)
    assert (kept.flags, kept.cookie, kept.values.pdst, kept.values.tos, kept.masks.tos) == (0, 2, 80, 0, 0)
    rules.insert(dev, rule(FlowType.ESP_V6, spi=0xFFFF, tclass=1, location=3, values={"spi": 9}))
    kept = dev.ops.get_rule(dev, 3)
    assert (kept.values.spi, kept.masks.spi, kept.masks.tclass) == (9, 0, 0)
    assert dev.ops.rule_locations(dev, 2) == (1024, [3, 7])
    assert dev.ops.rule_locations(dev, 4) == (1024, [3, 7, 0, 0])
    refused(EMSGSIZE, dev.ops.rule_locations, dev, 1)
    refused(EINVAL, dev.ops.get_rule, dev, 4)
    rules.delete(dev, 7)
    refused(EINVAL, rules.delete, dev, 7)
    with pytest.raises(Refusal, match="existing ntuple filter"):
        rules.insert(dev, rule(queue=3))
        settings.set_channels(dev, {"rx_count": 3, "tx_count": 3})


@pytest.mark.parametrize(
    ("one", "errno"),
    [
        (rule(queue=RX_CLS_FLOW_DISC), EOPNOTSUPP),
        (rule(queue=4), EINVAL),
        (rule(queue=1 << 32), EINVAL),
        (rule(FlowType.IPV4_USER), EINVAL),
        (rule(FlowType.ETHER), EINVAL),
        (rule(4), EINVAL),
        (rule(location=1024), EINVAL),
        (rule(location=RX_CLS_LOC_ANY), EINVAL),
        (rule(location=9), EINVAL),
    ],
)
def test_what_is_refused(one: Rule, errno: int) -> None:
    dev = steering()
    rules.insert(dev, rule(location=9))
    refused(errno, rules.insert, dev, one)
    assert list(dev.priv.rules) == [9]
