"""Worlds: a machine's world, made again on another machine, is the same world."""

from __future__ import annotations

import pytest

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world.perform import Performer
from nlemu.emulator.world.world import Entry, World, WorldError
from tests.emulator.world.machines import content, observed, populated


def test_a_copy_of_a_machine_tells_the_same() -> None:
    """Down to counters, settings, and the order of dumps; with another seed, so that nothing is equal by chance."""
    machine = populated()
    world = observed(machine)
    copy = Machine(seed=5)
    performer = Performer(copy, world)
    performer.perform()
    assert performer.missing == []
    assert content(observed(copy)) == content(world)
    assert (machine.bugs, copy.bugs) == (0, 0)


def test_what_is_observed() -> None:
    world = observed(populated())
    link = world.namespace().link("d0.5")
    assert link is not None
    assert [link.fields[word] for word in ("kind", "parent", "up")] == ["vlan", "d0", True]
    pair = world.namespace().link("nk0")
    assert pair is not None and pair.fields["peer"] == "nk1" and "parent" not in pair.fields
    port = world.namespace().link("eth1")
    assert port is not None
    assert [port.fields[word] for word in ("bus", "at", "port")] == ["netdevsim", "netdevsim10", "p2"]
    sections = [entry.fields for entry in world.namespace().of("address") if entry.fields["device"] == "d0"]
    assert {"family": "inet", "device": "d0", "address": "10.0.0.1/24", "local": "10.0.0.1", "label": "d0",
            "broadcast": "10.0.0.255"} in sections
    rules = [entry.fields for entry in world.namespace().of("rule")]
    assert {"family": "inet", "priority": 77, "table": 1000} in rules


def small(section: str, **fields: object) -> World:
    world = World()
    world.namespace().entries += [
        Entry("link", {"name": "d0", "kind": "dummy", "index": 7, "up": True}), Entry(section, fields, "w.toml:9"),
    ]
    return world


@pytest.mark.parametrize(
    "section, fields, text",
    [
        ("link", {"name": "x0", "kind": "dummy", "index": 7}, "w.toml:9: link.x0: File exists"),
        ("link", {"kind": "dummy"}, "w.toml:9: link.name: is missing"),
        ("link", {"name": "x0", "kind": "warp"}, "w.toml:9: link.x0: Unknown device type"),
        ("link", {"name": "v", "kind": "vlan", "parent": "no"}, "link.parent: there is no device 'no' in init"),
        ("link", {"name": "e", "nic": "fast"}, "w.toml:9: link.nic: there is no 'fast', but mlx5_core"),
        ("address", {"device": "d1", "address": "10.0.0.1/24"}, "address.device: there is no device 'd1' in init"),
        ("address", {"device": "d0", "address": "10.0.0.1/40"}, "w.toml:9: address.10.0.0.1/40: "),
        ("route", {"dst": "default", "gateway": "10.9.9.9"}, "Nexthop has invalid gateway"),
        ("link", {"name": "x0", "kind": "dummy", "ipv4": {"warp": 1}}, "link.ipv4.warp: there is no such setting"),
    ],
)
def test_what_cannot_be_made_is_told_with_its_place(section: str, fields: dict[str, object], text: str) -> None:
    with pytest.raises(WorldError) as error:
        Performer(Machine(), small(section, **fields)).perform()
    assert text in str(error.value)


def test_as_far_as_it_goes() -> None:
    """A lenient performer lists what is missing; a dummy stands for a link of an unknown kind."""
    machine = Machine()
    performer = Performer(machine, small("link", name="w0", kind="warp", index=9), lenient=True)
    performer.perform()
    assert performer.missing == ["w0: links of kind warp are not emulated; a dummy stands for it"]
    dev = machine.init_net.device(9)
    assert dev is not None and dev.name == "w0"


def test_routes_are_made_in_whatever_order_they_can_be() -> None:
    world = small("route", dst="default", gateway="10.1.0.1", device="d0")
    world.namespace().entries.append(Entry("route", {"dst": "10.1.0.0/16", "device": "d0", "scope": "link"}))
    machine = Machine()
    Performer(machine, world).perform()
    told = [(one[2].get("dst"), one[2].get("gateway")) for one in content(observed(machine)) if one[1] == "route"]
    assert (None, "10.1.0.1") in told and ("10.1.0.0/16", None) in told
