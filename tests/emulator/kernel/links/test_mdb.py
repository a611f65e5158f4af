"""Groups of bridges: what ends by time, what sources do to each other, and what goes with a port."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nlemu.emulator.kernel.bridge import mdb, ports
from nlemu.emulator.kernel.bridge.bridge import Bridge, Port, port_of
from nlemu.emulator.kernel.bridge.mdb import EXCLUDE, INCLUDE, Address, Wanted
from nlemu.emulator.kernel.core.build import DISTRIBUTION_7_2
from nlemu.emulator.kernel.devices import flags, links
from nlemu.emulator.kernel.devices.kind import LinkParams
from nlemu.emulator.kernel.kernel import Kernel
from nlemu.emulator.kernel.links.bridge import KIND as BRIDGE
from nlemu.emulator.kernel.links.dummy import KIND as DUMMY
from nlemu.protocol.refusal import Refusal

GROUP = Address(0x800, bytes((239, 1, 1, 1)), b"", 0)
S1, S2 = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


@pytest.fixture
def kernel() -> Kernel:
    return Kernel(build=DISTRIBUTION_7_2)


@pytest.fixture
def br(kernel: Kernel) -> Bridge:
    dev = links.new_link(kernel.init_net, BRIDGE, LinkParams(name="br0"))
    flags.open_device(dev)
    found = dev.priv
    assert isinstance(found, Bridge)
    for name in ("a", "b"):
        port = links.new_link(kernel.init_net, DUMMY, LinkParams(name=name))
        flags.open_device(port)
        ports.add(found, port)
    found.multicast.igmp_version = 3
    return found


def port(br: Bridge, name: str) -> Port:
    dev = br.dev.net.by_name(name)
    found = None if dev is None else port_of(dev)
    assert found is not None
    return found


def want(br: Bridge, name: str, **more: object) -> Wanted:
    plain = Wanted(br, port(br, name) if name else None, GROUP, True, EXCLUDE, 4, (), False)
    return replace(plain, **more)  # type: ignore[arg-type]


def shown(br: Bridge) -> dict[tuple[bytes, str], int]:
    return {
        (group.address.src, one.port.dev.name): one.flags for group in mdb.groups(br) for one in group.ports
    }


def test_a_port_that_wants_all_sources_stands_in_the_group_of_each(br: Bridge) -> None:
    mdb.add(want(br, "a", filter_mode=INCLUDE, sources=(S1, S2)))
    mdb.add(want(br, "b"))
    assert shown(br) == {
        (b"", "a"): mdb.PERMANENT, (b"", "b"): mdb.PERMANENT, (S1, "a"): mdb.PERMANENT, (S2, "a"): mdb.PERMANENT,
        (S1, "b"): mdb.STAR_EXCL, (S2, "b"): mdb.STAR_EXCL,
    }
    mdb.remove(br, port(br, "b"), GROUP)
    assert {name for _, name in shown(br)} == {"a"}


def test_the_group_of_a_source_goes_when_only_they_are_left(br: Bridge) -> None:
    mdb.add(want(br, "a", filter_mode=INCLUDE, sources=(S1,)))
    mdb.add(want(br, "b"))
    mdb.remove(br, port(br, "a"), GROUP)
    assert shown(br) == {(b"", "b"): mdb.PERMANENT}


def test_sources_that_are_excluded_are_blocked(br: Bridge) -> None:
    mdb.add(want(br, "a", sources=(S1,)))
    assert shown(br)[S1, "a"] == mdb.PERMANENT | mdb.BLOCKED


def test_what_is_not_permanent_ends(br: Bridge, kernel: Kernel) -> None:
    br.multicast.membership_interval = 100
    mdb.add(want(br, "a", permanent=False))
    mdb.add(want(br, "", permanent=False))
    mdb.add(want(br, "b"))
    assert br.mdb[GROUP].host_joined and len(br.mdb[GROUP].ports) == 2
    kernel.work.advance(2)
    assert not br.mdb[GROUP].host_joined and [one.port.dev.name for one in br.mdb[GROUP].ports] == ["b"]
    ports.delete(br, port(br, "b").dev)
    kernel.work.advance(1)
    assert GROUP not in br.mdb


def test_a_port_may_be_in_so_many(br: Bridge) -> None:
    port(br, "a").multicast.max_groups = 1
    mdb.add(want(br, "a"))
    with pytest.raises(Refusal, match="already in 1 groups"):
        mdb.add(want(br, "a", address=replace(GROUP, vid=3)))
    br.hash_max = 2
    with pytest.raises(Refusal):
        mdb.add(want(br, "b", address=replace(GROUP, vid=4)))
    assert not br.snooping
