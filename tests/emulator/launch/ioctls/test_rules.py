"""Rules by ioctl: what the structure says besides the rule."""

from __future__ import annotations

import errno

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import rules
from nlemu.emulator.launch.ioctls.ethtool.rules import RXNFC, SPEC
from nlemu.protocol.uapi.ethtool import EthtoolIoctl
from tests.emulator.kernel.nics.rules import PORT, anywhere
from tests.emulator.kernel.world import set_up
from tests.emulator.launch.ioctls.test_rss import ask, plugged, refused


def two_rules() -> Device:
    dev = plugged("fbnic")
    set_up(dev)
    for port in (1, 2):
        rules.insert(dev, anywhere(pdst=PORT, values={"pdst": port}))
    return dev


def body(location: int = 0, room: int = 0) -> bytes:
    """struct ethtool_rxnfc behind its command."""
    return RXNFC.pack(fs=SPEC.pack(location=location), rule_cnt=room)[4:].ljust(200, b"\0")


def test_how_many_there_can_be_is_told_beside_a_rule() -> None:
    dev = two_rules()
    shown = RXNFC.unpack(b"\0" * 4 + ask(dev, EthtoolIoctl.GRXCLSRULE, body(46)))
    assert (shown.data, SPEC.unpack(shown.fs).location) == (48, 46)
    refused(errno.EINVAL, dev, EthtoolIoctl.GRXCLSRULE, body(45))


def test_without_room_rules_are_counted() -> None:
    dev = two_rules()
    answer = ask(dev, EthtoolIoctl.GRXCLSRLALL, body())
    assert RXNFC.unpack(b"\0" * 4 + answer).rule_cnt == 2 and not any(answer[RXNFC.size - 4 :])
    refused(errno.EMSGSIZE, dev, EthtoolIoctl.GRXCLSRLALL, body(room=1))
    assert RXNFC.unpack(b"\0" * 4 + ask(dev, EthtoolIoctl.GRXCLSRLALL, body(room=2))).rule_cnt == 2
