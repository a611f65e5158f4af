"""The declarations of the ethtool family against what else is known of its numbers."""

from __future__ import annotations

import json

import pytest

from fixtures import TRACES
from nlemu.protocol.families.ethtool.commands import ethtool
from nlemu.protocol.families.ethtool.strings import FEATURES, STRING_SETS
from nlemu.protocol.schema.attributes import walk
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.uapi.ethtool import (
    ETH_GSTRING_LEN,
    LINK_MODE_MASK_NBITS,
    NETIF_MSG_CLASS_COUNT,
    KernelMsg,
    LinkModeFec,
    StringSet,
    UserMsg,
)
from nlemu.protocol.uapi.link_modes import LINK_MODES
from nlemu.protocol.uapi.netdevice import NETDEV_FEATURE_COUNT


def test_every_command_is_declared_in_order() -> None:
    assert list(ethtool.operations) == [int(cmd) for cmd in UserMsg]


@pytest.mark.parametrize("op", ethtool.operations.values(), ids=repr)
def test_a_reply_is_numbered_as_from_the_kernel(op: Operation) -> None:
    if op.replies is not None:
        assert KernelMsg(op.reply_cmd).name == UserMsg(op.cmd).name + "_REPLY"


@pytest.mark.parametrize("op", ethtool.operations.values(), ids=repr)
def test_policies_are_each_command_s_own(op: Operation) -> None:
    others = [one for one in ethtool.operations.values() if one is not op]
    for half in (op.do, op.dump):
        if half is not None:
            assert all(half.accepts is not other.accepts for one in others for other in (one.do, one.dump) if other)


def test_sizes_of_string_sets() -> None:
    assert len(FEATURES) == NETDEV_FEATURE_COUNT
    assert len(LINK_MODES) == len(set(LINK_MODES)) == LINK_MODE_MASK_NBITS
    assert len(STRING_SETS[StringSet.MSG_CLASSES]) == NETIF_MSG_CLASS_COUNT
    assert all(len(text) < ETH_GSTRING_LEN for strings in STRING_SETS.values() for text in strings)
    assert [LINK_MODES[mode] for mode in LinkModeFec] == ["None", "RS", "BASER", "LLRS"]


def test_string_sets_are_the_recorded_ones() -> None:
    """Trace e07 asks for each set without a device."""
    recorded = {}
    for line in (TRACES / "e07_bitsets.jsonl").read_text().splitlines():
        step = json.loads(line)
        about = step.get("about", "")
        if not about.startswith("strset ") or not about.endswith(" without a device"):
            continue
        reply = bytes.fromhex(step["got"]["a"][0])
        if reply[4] != 0x15:  # refused
            continue
        for number, strings in string_sets(reply):
            recorded[number] = strings
    assert recorded == STRING_SETS


def string_sets(reply: bytes) -> list[tuple[int, tuple[str, ...]]]:
    found = []
    for number, start, end in walk(reply, 20, len(reply)):
        if number != 2:
            continue
        for _, first, last in walk(reply, start, end):
            fields = {kind: (at, to) for kind, at, to in walk(reply, first, last)}
            texts = []
            for _, at, to in walk(reply, *fields[3]):
                string = {kind: reply[here:there] for kind, here, there in walk(reply, at, to)}
                texts.append(string[2].rstrip(b"\0").decode())
            found.append((int.from_bytes(reply[slice(*fields[1])], "little"), tuple(texts)))
    return found
