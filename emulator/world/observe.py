"""A world from messages: what a machine tells of itself when it is asked for everything.

The messages may come from anywhere: dumps of a live machine, of ours, or the part of a capture that tells how things
were before it began. A message of the same thing that comes later replaces what was said before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nlemu.emulator.world.sections import LINK_DEVICES, LINK_FLAGS, LINK_WORDS, SECTIONS, TOLD_WHOLE, Section
from nlemu.emulator.world.world import FIRST, Entry, World
from nlemu.protocol.decode.message import Message
from nlemu.protocol.decode.printer import PLAIN
from nlemu.protocol.encode.conversation import specification
from nlemu.protocol.families.route.kinds import KINDS
from nlemu.protocol.names.words import FIELD_VALUES, numbers
from nlemu.protocol.schema.kinds import Structure

SECTION_OF = {specification(one.specification).operation(one.operation).name: name for name, one in SECTIONS.items()}


def values_of(message: Message) -> dict[str, Any]:
    """The fields of a message's header and its attributes, by the specification's words."""
    header = {} if message.fixed is None else PLAIN.value(message.fixed)
    return {**header, **PLAIN.members(message.attributes)}


class Observer:
    """Takes messages, and says what world they are of."""

    def __init__(self, world: World | None = None) -> None:
        self.world = World(exact=TOLD_WHOLE) if world is None else world
        self.links: dict[tuple[str, int], Entry] = {}
        """By namespace and index."""
        self.ids: dict[tuple[str, int], str] = {}
        """Namespaces by the namespace that knows them under an id, and that id."""
        self._leases: list[tuple[str, Mapping[str, Any]]] = []
        self._told: dict[tuple[object, ...], Entry] = {}

    def observe(self, message: Message, namespace: str = FIRST) -> Entry | None:
        """Takes a message of rtnetlink that tells of something, which is or is not yet known; its entry. None if it
        tells of nothing that a world has."""
        name = message.name or ""
        values = values_of(message)
        if name == "newlink" and values.get("ifi-family") in (None, "unspec", 0):
            entry = self.link(values, namespace)
            if entry is not None:
                entry.fields |= settings(message)
            return entry
        section = SECTION_OF.get(name)
        if section is None or values.get(f"{SECTIONS[section].prefix}family") not in FAMILIES:
            return None
        fields = told(SECTIONS[section], values, self.names(namespace))
        if fields is None:
            return None
        key = (namespace, section, *identity(section, fields))
        entry = self._told.get(key)
        if entry is None:
            entry = self._told[key] = Entry(section, fields)
            self.world.namespace(namespace).entries.append(entry)
        else:
            entry.fields = fields
        return entry

    def names(self, namespace: str) -> dict[int, str]:
        """The names of the devices of a namespace by index, as far as they are known."""
        return {index: entry.fields["name"] for (where, index), entry in self.links.items() if where == namespace}

    def link(self, values: Mapping[str, Any], namespace: str) -> Entry | None:
        """A link message."""
        index, name = values.get("ifi-index"), values.get("ifname")
        if not index or not isinstance(name, str):
            return None
        entry = self.links.get((namespace, index))
        if entry is None:
            entry = self.links[namespace, index] = Entry("link", {})
            self.world.namespace(namespace).entries.append(entry)
        entry.fields = link_fields(values)
        return entry

    def ethtool(self, what: str, values: Mapping[str, Any], namespace: str) -> None:
        """A reply of ethtool: what can be set of a device."""
        entry = self.links.get((namespace, values.get("header", {}).get("dev-index", 0)))
        if entry is None:
            return
        if what == "features":
            told: dict[str, Any] = features(values)
        else:
            told = {word: value for word, value in values.items() if word in settable_words(what)}
        if told:
            entry.fields.setdefault("ethtool", {})[what] = told

    def queue(self, values: Mapping[str, Any], namespace: str) -> None:
        """A queue of a NIC, if it is leased: the NIC's side tells to which device."""
        if "lease" in values:
            self._leases.append((namespace, values))

    def lease(self, namespace: str, values: Mapping[str, Any]) -> None:
        """A lease, once all devices are known."""
        lease = values["lease"]
        where = self.ids.get((namespace, lease.get("netns-id", -1)), namespace)
        device = self.links.get((where, lease["ifindex"]))
        if device is None or device.fields.get("kind") != LESSEE:
            return
        nic = self.names(namespace).get(values.get("ifindex", 0), "")
        fields = {
            "device": device.fields["name"], "nic": nic if where == namespace else f"{namespace}/{nic}",
            "queue": values.get("id", 0), "id": lease["queue"].get("id", 0),
        }
        self.world.namespace(where).entries.append(Entry("lease", fields))

    def finish(self) -> World:
        """The world, with indices of other devices replaced by their names."""
        for (namespace, _), entry in self.links.items():
            nsid = entry.fields.pop("parent-netnsid", None)
            for word in LINK_DEVICES:
                index = entry.fields.get(word)
                if not isinstance(index, int):
                    continue
                where = self.ids.get((namespace, nsid)) if word == "parent" and nsid is not None else namespace
                name = None if where is None else self.names(where).get(index)
                if name is not None:
                    entry.fields[word] = name if where == namespace else f"{where}/{name}"
        self.pair()
        for namespace, values in sorted(self._leases, key=lambda one: one[1]["lease"]["queue"].get("id", 0)):
            self.lease(namespace, values)
        self._leases.clear()
        return self.world

    def pair(self) -> None:
        """Devices that are each other's link are a pair: each says so, and has no parent."""
        links = {(namespace, entry.fields["name"]): entry for (namespace, _), entry in self.links.items()}
        for (namespace, name), entry in links.items():
            parent = str(entry.fields.get("parent", ""))
            if entry.fields.get("kind") not in PAIRS or not parent:
                continue
            where, _, called = parent.rpartition("/")
            other = links.get((where or namespace, called))
            if other is None or other is entry:
                continue
            back = str(other.fields.get("parent", ""))
            where_back, _, called_back = back.rpartition("/")
            if called_back == name and (where_back or where or namespace) == namespace:
                entry.fields["peer"], other.fields["peer"] = parent, back
                del entry.fields["parent"], other.fields["parent"]


def told(section: Section, values: Mapping[str, Any], names: Mapping[int, str]) -> dict[str, Any] | None:
    """An entry's fields from those of a message; None for what is of no device that is known."""
    fields: dict[str, Any] = {}
    devices = {word: mine for mine, word in section.devices.items()}
    lengths = set(section.networks.values())
    for word, value in values.items():
        short = word.removeprefix(section.prefix)
        if word in section.untold or word in lengths or section.usual.get(short, object()) == value:
            continue
        if word in devices:
            if value:
                fields[devices[word]] = names.get(value, value)
        elif word in section.networks:
            fields[short] = f"{value}/{values[section.networks[word]]}"
        else:
            fields[short] = value
    for word, length in section.networks.items():
        if values.get(length) and word not in values:
            fields[word] = f"{'::' if values.get('family') == 'inet6' else '0.0.0.0'}/{values[length]}"
    if section is SECTIONS["route"]:
        fields["flags"] = [flag for flag in fields.get("flags", []) if flag in ROUTE_FLAGS]
        if not fields["flags"]:
            del fields["flags"]
    if section is SECTIONS["address"]:
        lifetimes(fields)
        fields["flags"] = [flag for flag in fields.get("flags", []) if flag != "permanent"]
        if not fields["flags"]:
            del fields["flags"]
    return fields


ROUTE_FLAGS = frozenset({"onlink", "pervasive"})
"""Flags of a route that are asked for; the others tell what became of it."""
FOREVER = 0xFFFFFFFF


def lifetimes(fields: dict[str, Any]) -> None:
    """How long an address is valid and preferred, in seconds, where that is not for ever."""
    times = fields.pop("cacheinfo", None) or {}
    for mine, word in (("valid", "ifa-valid"), ("preferred", "ifa-prefered")):
        if times.get(word, FOREVER) != FOREVER:
            fields[mine] = times[word]


def identity(section: str, fields: Mapping[str, Any]) -> tuple[object, ...]:
    """By what one entry of a section is told from another."""
    words = {
        "address": ("family", "device", "address", "local"),
        "route": ("family", "table", "dst", "src", "tos", "priority", "type", "gateway", "via", "device", "multipath"),
        "rule": tuple(sorted(fields)),
        "neighbour": ("family", "device", "dst"),
    }[section]
    return tuple((word, repr(fields.get(word))) for word in words)


def link_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says of a link, from what its message says."""
    flags = values.get("ifi-flags", [])
    fields: dict[str, Any] = {"name": values["ifname"], "index": values["ifi-index"]}
    info = values.get("linkinfo", {})
    if "kind" in info:
        fields["kind"] = info["kind"]
        data = settable(info["kind"], info.get("data", {}))
        if data:
            fields["data"] = data
    elif values.get("ifi-type") == "loopback":
        fields["kind"] = "loopback"
    elif "parent-dev-name" in values:
        fields["bus"] = values.get("parent-dev-bus-name")
        fields["at"] = values["parent-dev-name"]
    if "slave-data" in info:
        fields["slave-kind"] = info.get("slave-kind", "")
        fields["slave"] = settable(fields["slave-kind"], info["slave-data"], slave=True)
    if "phys-port-name" in values:
        fields["port"] = values["phys-port-name"]
    for mine, word in LINK_WORDS.items():
        if word in values:
            fields[mine] = values[word]
    for mine, word in LINK_DEVICES.items():
        if values.get(word):
            fields[mine] = values[word]
    if "link-netnsid" in values:
        fields["parent-netnsid"] = values["link-netnsid"]
    if "prop-list" in values:
        names = values["prop-list"].get("alt-ifname", [])
        fields["altnames"] = names if isinstance(names, list) else [names]
    fields["up"] = "up" in flags
    fields["flags"] = [flag for flag in LINK_FLAGS if flag in flags]
    inet6 = values.get("af-spec", {}).get("inet6", {})
    if "addr-gen-mode" in inet6:
        fields["addr-gen-mode"] = inet6["addr-gen-mode"]
    for word in ("carrier", "carrier-up-count", "carrier-down-count", "promiscuity", "stats64", "xdp"):
        if word in values:
            fields[word] = values[word]
    return fields


def settings(message: Message) -> dict[str, Any]:
    """The settings of IPv4 and IPv6 on a device (`conf`), as many as the kernel has that tells them."""
    found = {}
    spec = next((node for node in message.attributes if node.name == "af-spec"), None)
    for mine, family in SETTINGS.items():
        inside = None if spec is None else spec.child(family)
        conf = None if inside is None else inside.child("conf")
        if conf is not None:
            told = [node for node in conf.children if node.end <= conf.end]
            found[mine] = {node.name: node.value for node in told}
    return found


SETTINGS = {"ipv4": "inet", "ipv6": "inet6"}


def settable(kind: str, data: Mapping[str, Any], *, slave: bool = False) -> dict[str, Any]:
    """Of the attributes of a kind those that a request may have. slave: of the attributes that its ports have."""
    known = KINDS.get(kind)
    attributes = None if known is None else known.slave if slave else known.data
    if known is None or attributes is None:
        return dict(data)
    policy = known.slave_policy if slave else known.policy
    taken = attributes.spec.by_name.values() if policy is None else policy.rules.values()
    refused = {attr.name for attr in known.told_only}
    rules = {attr.name: attr for attr in taken if attr.reject is None and attr.name not in refused}
    asked = {word: known_bits(rules[word].kind, value) for word, value in data.items() if word in rules}
    for word, more in known.asked_along.items():
        if word in asked:
            asked |= {name: int(value) for name, value in more.items()}
    return asked


def known_bits(kind: object, value: Any) -> Any:
    """Flags with a mask are told with all bits of the mask, and asked for with those that there are."""
    if isinstance(kind, Structure) and isinstance(value, dict) and value.get("mask") == FOREVER:
        shown = FIELD_VALUES.get((getattr(kind.codec.record, "__name__", ""), "flags"))
        return {**value, "mask": sum(numbers(shown).values())} if shown else value
    return value


FAMILIES = frozenset({"inet", "inet6"})
"""Of which addresses, routes, rules and neighbours are kept; those of multicast routing, bridges and MPLS are not."""
PAIRS = frozenset({"veth", "netkit"})
LESSEE = "netkit"
"""The kind of device that can have queues of others (netdev_can_create_queue())."""


def observed(messages: Iterable[Message], namespace: str = FIRST) -> World:
    """The world that messages tell of, all of one namespace."""
    observer = Observer()
    for message in messages:
        observer.observe(message, namespace)
    return observer.finish()


def settable_words(what: str) -> frozenset[str]:
    """The words that an operation of ethtool sets."""
    half = specification("ethtool").operation(f"{what}-set").do
    accepts = None if half is None else half.accepts
    return frozenset() if accepts is None else frozenset(attr.name for attr in accepts.rules.values()) - {"header"}


def features(values: Mapping[str, Any]) -> dict[str, bool]:
    """The features that can be set, and whether they are wanted."""
    def names(word: str) -> list[tuple[str, bool]]:
        bits = values.get(word, {}).get("bits", {}).get("bit", [])
        return [(bit["name"], bool(bit.get("value"))) for bit in bits if bit.get("name")]

    wanted = {name for name, _ in names("wanted")}
    return {name: name in wanted for name, changeable in names("hw") if changeable}
