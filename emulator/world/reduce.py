"""A world without what goes without saying: what a new machine would have anyhow is left out.

What that is, is not known here but found out: the links alone are made on a machine of the same kernel, and what it
tells then is taken away; the same with the addresses added, for what follows from them. A section of which the new
machine has something that the world does not have stays exact. """

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nlemu.emulator.kernel.core.build import BUILDS, DEFAULT
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.world.export import export
from nlemu.emulator.world.observe import identity
from nlemu.emulator.world.order import coming_up
from nlemu.emulator.world.perform import Performer
from nlemu.emulator.world.sections import LINK_DEVICES, SECTIONS
from nlemu.emulator.world.world import Entry, Namespace, World

STRUCTURE = frozenset(
    {
        "name", "kind", "data", "slave-kind", "peer", "nic", "bus", "at", "port", "numa-node", "vfs", "total-vfs",
        "physfn", "vf", "eswitch", "representor", "rx-queues", "tx-queues", "up", "address", *LINK_DEVICES,
    }
)
"""What makes a link what it is: it is said first, and stays. So does its address, which is drawn otherwise."""
COUNTERS = frozenset({"carrier", "carrier-up-count", "carrier-down-count", "stats64", "promiscuity", "xdp"})
"""What only the past explains."""


def reduced(world: World, *, counters: bool = False) -> World:
    """The same world in fewer words. counters: with what was counted."""
    first = made(only(world, ("link", "id")))
    second = made(only(world, ("link", "id", "address")))
    result = World(kernel=world.kernel, families=dict(world.families), profiles=world.profiles)
    for name in world.namespaces:
        result.namespace(name)
    exact: set[str] = set()
    for namespace, entry in coming_up(world):
        fields = link(entry, first, namespace.name, counters)
        result.namespace(namespace.name).entries.append(Entry("link", fields, entry.place))
    for namespace in world.namespaces.values():
        own = result.namespace(namespace.name)
        for entry in namespace.entries:
            if entry.section == "link":
                continue
            if entry.section == "settings":
                usual = first.namespaces.get(namespace.name, Namespace(namespace.name)).of("settings")
                fields = without(entry.fields, next(usual, entry).fields)
                if fields:
                    own.entries.append(Entry("settings", fields, entry.place))
            elif entry.section not in SECTIONS:
                own.entries.append(entry)
        for section in SECTIONS:
            there = (first if section in ("address", "rule") else second).namespaces.get(namespace.name)
            entries = [entry for entry in namespace.of(section) if entry.fields.get("state") != ["noarp"]]
            left, extra = apart(section, entries, there)
            own.entries += left
            if extra and section in world.exact:
                exact.add(section)
    for section in exact:  # then everything has to be said
        for namespace in world.namespaces.values():
            own = result.namespace(namespace.name)
            own.entries = [entry for entry in own.entries if entry.section != section] + list(namespace.of(section))
    result.exact = frozenset(exact)
    return result


def only(world: World, sections: Iterable[str]) -> World:
    """A part of a world: of links what makes them what they are."""
    part = World(kernel=world.kernel, families=dict(world.families), profiles=world.profiles)
    for namespace in world.namespaces.values():
        own = part.namespace(namespace.name)
        for entry in namespace.entries:
            if entry.section in sections:
                fields = entry.fields
                if entry.section == "link":
                    fields = {word: value for word, value in fields.items() if word in STRUCTURE or word == "index"}
                own.entries.append(Entry(entry.section, fields))
    return part


def missing_of(world: World) -> list[str]:
    """What of a world cannot be made, a line each."""
    machine = Machine(build=BUILDS.get(world.kernel or "", DEFAULT))
    performer = Performer(machine, world, lenient=True)
    performer.perform()
    return performer.missing


def made(world: World) -> World:
    """What a new machine tells on which a world was made, as far as it can be."""
    build = BUILDS.get(world.kernel or "", DEFAULT)
    machine = Machine(build=build)
    Performer(machine, world, lenient=True).perform()
    return export(machine)


def link(entry: Entry, there: World, namespace: str, counters: bool) -> dict[str, Any]:
    """The words of a link that are not as they would be."""
    other = there.namespaces.get(namespace, Namespace(namespace)).link(entry.fields["name"])
    usual = {} if other is None else other.fields
    fields: dict[str, Any] = {}
    for word, value in entry.fields.items():
        if word in COUNTERS and not counters:
            continue
        if word in STRUCTURE or word == "index":
            if not (word == "up" and not value) and not (word == "address" and entry.fields.get("kind") == "loopback"):
                fields[word] = value
        elif isinstance(value, dict):
            changed = without(value, usual.get(word, {}))
            if changed:
                fields[word] = changed
        elif value != usual.get(word):
            fields[word] = value
    for word in ("rx-queues", "tx-queues"):
        if fields.get(word) == 1 and "kind" in fields:  # a NIC's profile would have more
            del fields[word]
    return fields


def without(value: dict[str, Any], usual: object) -> dict[str, Any]:
    """A table without what is usual."""
    known = usual if isinstance(usual, dict) else {}
    result = {}
    for word, one in value.items():
        if isinstance(one, dict):
            inner = without(one, known.get(word))
            if inner:
                result[word] = inner
        elif one != known.get(word):
            result[word] = one
    return result


def apart(section: str, entries: Iterable[Entry], there: Namespace | None) -> tuple[list[Entry], bool]:
    """The entries that are not there anyhow, and whether there is anything that they do not have."""
    usual = {} if there is None else {identity(section, entry.fields): entry.fields for entry in there.of(section)}
    left = []
    for entry in entries:
        known = usual.pop(identity(section, entry.fields), None)
        if known is None or known != entry.fields:
            left.append(entry)
    return left, bool(usual)
