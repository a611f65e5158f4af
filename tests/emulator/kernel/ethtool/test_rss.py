"""Receive-side scaling where no recording reaches: contexts, symmetry, and drivers that lack something."""

from __future__ import annotations

import dataclasses
from errno import EBUSY, EINVAL, ENOENT, EOPNOTSUPP, ERANGE
from typing import Any

import pytest

from nlemu.emulator.kernel.devices.device import Device
from nlemu.emulator.kernel.ethtool import rss, settings
from nlemu.emulator.kernel.ethtool.rss import Wanted
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.kernel.nics.rss import ADDRESSES, BY_PORTS, PORTS, RssFacts
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, RssHash, Rxh, RxhXfrm

ALL = RssFacts(
    table=8, key=4, functions=(RssHash.TOP, RssHash.XOR), contexts=3, key_per_context=True, fields_per_context=True,
    transforms=int(RxhXfrm.SYM_XOR), fields=dict.fromkeys(BY_PORTS, PORTS),
    settable={flow: frozenset((ADDRESSES, PORTS, int(Rxh.IP_SRC))) for flow in BY_PORTS},
)
XOR = int(RxhXfrm.SYM_XOR)


def plugged(facts: RssFacts | None = ALL, **changes: Any) -> Device:
    kernel = Kernel()
    if facts is not None:
        facts = dataclasses.replace(facts, **changes)
    profile = dataclasses.replace(PROFILES["ice"], rss=facts)
    return kernel.nics.plug("0000:08:00.0", profile, kernel.init_net, queues=4)


def said(dev: Device, **wanted: Any) -> bool:
    """Sets what is said; whether anything is another now."""
    fields = wanted.pop("fields", None)
    asked = Wanted(fields=fields is not None, **wanted)
    rss.check_set(dev, asked)
    return rss.set_(dev, asked, lambda: fields or {}, {})


def refused(errno: int, dev: Device, **wanted: Any) -> str | None:
    """That it is; where."""
    with pytest.raises(Refusal) as refusal:
        said(dev, **wanted)
    assert refusal.value.errno == errno
    return None if refusal.value.at is None else str(refusal.value.at)


def test_a_context_is_made_shown_changed_and_deleted() -> None:
    dev = plugged()
    assert rss.create(dev, Wanted(table=(3,))) == 1
    assert rss.create(dev, Wanted()) == 2
    with pytest.raises(Refusal) as refusal:
        rss.create(dev, Wanted())
    assert (refusal.value.errno, refusal.value.text) == (EBUSY, "error allocating context ID")
    one, two = rss.get(dev, 1).rxfh, rss.get(dev, 2).rxfh
    assert one is not None and two is not None
    assert (one.table, two.table) == ((3,) * 8, (0, 1, 2, 3, 0, 1, 2, 3))
    assert one.key == two.key == dev.priv.rxfh.key
    assert said(dev, context=2, table=(1, 0), key=b"abcd", function=int(RssHash.XOR))
    assert not said(dev, context=2, table=(1, 0), key=b"abcd", function=int(RssHash.XOR))
    kept = dev.spread.contexts[2]
    assert (kept.table, kept.key, kept.function, kept.user_size) == ((1, 0) * 4, b"abcd", RssHash.XOR, 2)
    rss.delete(dev, 1)
    assert rss.create(dev, Wanted()) == 1
    with pytest.raises(Refusal) as refusal:
        rss.get(dev, 9)
    assert refusal.value.errno == ENOENT


@pytest.mark.parametrize(
    ("wanted", "errno", "at"),
    [
        ({"context": 3}, ERANGE, "context"),
        ({"context": 1}, EBUSY, "context"),
        ({"table": (4,)}, EINVAL, "indir"),
        ({"table": (0, 1, 2)}, EINVAL, "indir"),
        ({"key": b"abc"}, EINVAL, "hkey"),
        ({"transform": 2}, EOPNOTSUPP, "input-xfrm"),
        ({"function": 4}, EOPNOTSUPP, None),
    ],
)
def test_contexts_that_are_not_made(wanted: dict[str, Any], errno: int, at: str | None) -> None:
    dev = plugged()
    rss.create(dev, Wanted(context=1))
    with pytest.raises(Refusal) as refusal:
        rss.create(dev, Wanted(**wanted))
    assert (refusal.value.errno, refusal.value.at) == (errno, at)
    assert list(dev.spread.contexts) == [1]


def test_a_table_of_a_context_is_not_reset() -> None:
    dev = plugged()
    rss.create(dev, Wanted())
    assert refused(EINVAL, dev, context=1, table=()) == "indir"
    assert refused(ENOENT, dev, context=2, table=(0,)) is None


def test_a_key_that_belongs_to_all() -> None:
    dev = plugged(key_per_context=False, fields_per_context=False)
    rss.create(dev, Wanted())
    for name, value in (("function", 1), ("key", b"abcd"), ("transform", 0)):
        assert refused(EOPNOTSUPP, dev, context=1, **{name: value}) is not None
    assert refused(EOPNOTSUPP, dev, context=1, fields={FlowType.TCP_V4: PORTS}) == "flow-hash"
    told = rss.get(dev, 1)
    assert told.keyless and not told.fields


def test_what_is_symmetric_stays_so() -> None:
    dev = plugged()
    said(dev, fields={FlowType.TCP_V4: int(Rxh.IP_SRC)})
    assert refused(EINVAL, dev, transform=XOR) == "input-xfrm"
    said(dev, fields={FlowType.TCP_V4: ADDRESSES})
    assert said(dev, transform=XOR)
    with pytest.raises(Refusal) as refusal:
        rss.set_(dev, Wanted(fields=True), lambda: {FlowType.UDP_V4: int(Rxh.IP_SRC)}, {FlowType.UDP_V4: 44})
    assert (refusal.value.errno, refusal.value.text, refusal.value.at) == (EINVAL, "conflict with xfrm-input", 44)
    assert said(dev, fields={FlowType.UDP_V4: ADDRESSES})


def test_without_fields_nothing_is_symmetric() -> None:
    dev = plugged(fields={})
    assert refused(EINVAL, dev, transform=XOR) == "input-xfrm"


def test_a_driver_without() -> None:
    dev = plugged(None)
    for wanted in ({"table": (0,)}, {"function": 1}, {"fields": {FlowType.TCP_V4: PORTS}}):
        refused(EOPNOTSUPP, dev, **wanted)
    assert not said(dev)
    assert rss.highest_queue(dev) == 0


def test_channels_stay_above_every_table() -> None:
    dev = plugged()
    settings.set_channels(dev, {"combined_count": 2})
    assert dev.priv.rxfh.table == (0, 1) * 4
    settings.set_channels(dev, {"combined_count": 4})
    rss.create(dev, Wanted(table=(3,)))
    with pytest.raises(Refusal, match=r"existing indirection table \(3\)"):
        settings.set_channels(dev, {"combined_count": 3})
    rss.delete(dev, 1)
    said(dev, table=(2, 1))
    with pytest.raises(Refusal, match=r"existing indirection table \(2\)"):
        settings.set_channels(dev, {"combined_count": 2})
    settings.set_channels(dev, {"combined_count": 3})
    assert dev.priv.rxfh.table == (2, 1) * 4


def test_all_nics_of_a_machine_have_one_key() -> None:
    kernel = Kernel()
    profile = dataclasses.replace(PROFILES["ice"], rss=ALL)
    one, other = (kernel.nics.plug(f"0000:0{n}:00.0", profile, kernel.init_net) for n in (1, 2))
    assert one.priv.rxfh.key == other.priv.rxfh.key != bytes(4)


def of(profile: str) -> Device:
    kernel = Kernel()
    return kernel.nics.plug("0000:08:00.0", PROFILES[profile], kernel.init_net, queues=4)


def test_gve_tells_nothing_of_what_is_hashed() -> None:
    dev = of("gve")
    told = rss.get(dev, 0)
    assert told.rxfh is not None and (len(told.rxfh.table or ()), len(told.rxfh.key or b"")) == (128, 40)
    assert not told.fields
    assert refused(EOPNOTSUPP, dev, fields={FlowType.TCP_V4: PORTS}) == "flow-hash"
    with pytest.raises(Refusal, match="gve: Fail to configure RSS config"):
        said(dev, function=int(RssHash.XOR))
    assert said(dev, table=(3,))


def test_fbnic_hashes_by_classes() -> None:
    dev = of("fbnic")
    assert said(dev, fields={FlowType.SCTP_V4: int(Rxh.IP_SRC)})
    told = rss.get(dev, 0).fields
    assert told[FlowType.IPV4] == told[FlowType.ESP_V4] == Rxh.IP_SRC and told[FlowType.IPV6] == ADDRESSES
    assert told[FlowType.ETHER] == Rxh.L2DA and FlowType.GTPU_V4 not in told
    for flow, fields in ((FlowType.IPV4, PORTS), (FlowType.ETHER, ADDRESSES), (FlowType.GTPU_V4, 0)):
        refused(EINVAL, dev, fields={flow: fields})
    assert refused(EINVAL, dev, function=int(RssHash.XOR)) is None
    assert rss.create(dev, Wanted()) == 1
    with pytest.raises(Refusal) as refusal:
        rss.create(dev, Wanted())
    assert refusal.value.errno == EBUSY
    assert rss.get(dev, 1).keyless
