"""The world in which a capture begins, worked out from what the capture itself tells.

A recording says how the machine was booted; a capture begins in the middle of a life. But its replies and
notifications tell how things were, and what its own requests did before that is known as well: a device that a reply
shows, and that no request of the capture made, was there before. So the capture is read once from the beginning to the
end, and what is told for the first time goes into the world, unless something that the capture did explains it:

- a device that a request made, or that came into the capture with a notification after others were listed;
- what the kernel adds by itself to a device that a request brought up (addresses of the link, routes of addresses);
- what a request added: an address, a route, a rule, a neighbour.

A device that a request changed before it was shown is taken as it was shown, but down if the request brought it up.
What only requests name (a device that is deleted, and never shown) is presupposed. Both are told in ``notes``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nlemu.emulator.world.observe import SECTION_OF, Observer, values_of
from nlemu.emulator.world.world import FIRST, Entry, World
from nlemu.protocol.captures.pairing import Paired
from nlemu.protocol.decode.devices import named as devices_of
from nlemu.protocol.decode.message import Message
from nlemu.protocol.frame import HEADER_SIZE

MAKING = ("newaddr", "newroute", "newrule", "newneigh")


@dataclass
class Before:
    """What is known so far. ``next_index``: the lowest index that a device of the capture's own making got."""

    observer: Observer = field(default_factory=Observer)
    notes: list[str] = field(default_factory=list)
    next_index: dict[str, int] = field(default_factory=dict)
    made: set[tuple[str, str]] = field(default_factory=set)
    """Names of devices that requests made, with their namespaces."""
    raised: set[tuple[str, object]] = field(default_factory=set)
    """Devices, by namespace and index or name, that requests brought up."""
    touched: set[tuple[str, object]] = field(default_factory=set)
    """Those that requests changed otherwise."""
    added: set[tuple[object, ...]] = field(default_factory=set)
    """What else requests added."""
    seen: dict[tuple[str, int], str] = field(default_factory=dict)
    """The names of devices that were shown, by namespace and index."""
    came: set[tuple[str, object]] = field(default_factory=set)
    """Those of them that came during the capture."""
    things: dict[tuple[object, ...], tuple[Message, dict[str, Any], str]] = field(default_factory=dict)
    """Addresses, routes, rules and neighbours that were told of, with their namespaces."""
    wanted: dict[tuple[str, object], str] = field(default_factory=dict)
    """Devices that something names, by namespace and index or name, and what they are called."""
    drivers: set[tuple[str, object]] = field(default_factory=set)
    """Those of which ethtool told something, so that they have a driver that answers."""
    listed: set[str] = field(default_factory=set)
    """Namespaces whose devices were all listed."""
    dumped: set[str] = field(default_factory=set)
    """Names of messages of which all were listed."""

    # -- requests

    def asked(self, name: str, values: dict[str, Any], namespace: str) -> None:
        """A request of rtnetlink: what it makes or changes."""
        if name in ("newlink", "setlink", "dellink"):
            self.link_asked(name, values, namespace)
        elif name in MAKING:
            self.added.add((namespace, *key(name, values)))

    def link_asked(self, name: str, values: dict[str, Any], namespace: str) -> None:
        """NEWLINK, SETLINK or DELLINK."""
        index, ifname = values.get("ifi-index"), values.get("ifname")
        if name == "newlink" and "linkinfo" in values and not index and not self.known(namespace, ifname):
            self.made.add((namespace, str(ifname)))
            data = values["linkinfo"].get("data", {})
            for word in ("peer", "peer-info"):
                if isinstance(data, dict) and isinstance(data.get(word), dict):
                    self.made.add((namespace, str(data[word].get("ifname", ""))))
            return
        which = (namespace, index or str(ifname))
        self.touched.add(which)
        if name == "dellink":
            self.wanted.setdefault(which, "a request deletes it")
        elif "up" in values.get("ifi-flags", []):
            self.raised.add(which)

    def known(self, namespace: str, name: object) -> bool:
        """Whether a device of that name was shown."""
        return any(
            where == namespace and entry.fields["name"] == name
            for (where, _), entry in self.observer.links.items()
        )

    # -- what is told

    def told(self, message: Message, namespace: str, paired: Paired) -> None:
        """A reply or a notification of rtnetlink."""
        name = message.name or ""
        values = values_of(message)
        if name == "newlink":
            self.link_told(message, values, namespace, paired)
        elif name in MAKING and "cloned" not in values.get("rtm-flags", []):
            whole = (namespace, name, repr({word: one for word, one in values.items() if word not in PASSING}))
            if (namespace, *key(name, values)) not in self.added:
                self.things.setdefault(whole, (message, values, namespace))

    def link_told(self, message: Message, values: dict[str, Any], namespace: str, paired: Paired) -> None:
        """A link message."""
        index, name = values.get("ifi-index", 0), values.get("ifname")
        if (namespace, index) in self.seen or not name or values.get("ifi-family") not in (None, "unspec", 0):
            return
        if "mtu" not in values:  # an event of a wireless NIC, which tells nothing of the device but its name
            self.wanted.setdefault((namespace, index), name)
            return
        if self.comes(index, name, namespace, paired):
            return
        self.seen[namespace, index] = name
        entry = self.observer.observe(message, namespace)
        if entry is None:
            return
        changed = {(namespace, index), (namespace, name)}
        if changed & self.raised:
            entry.fields.update(up=False)
            self.notes.append(f"{name} is taken to have been down: a request brought it up before it was shown")
        elif changed & self.touched:
            self.notes.append(f"{name} is taken as it was shown, after a request that changed it")

    def comes(self, index: int, name: str, namespace: str, paired: Paired) -> bool:
        """Whether a device that is shown for the first time came during the capture: a request made it, or it is told
        of after all were listed. Then it has been shown."""
        if (namespace, name) not in self.made and not (paired.notification and namespace in self.listed):
            return False
        self.seen[namespace, index] = name
        self.next_index[namespace] = min(index, self.next_index.get(namespace, index))
        self.came.add((namespace, index))
        return True

    def shows_again(self, paired: Paired, namespace: str) -> bool:
        """Whether a link message shows a device that was shown before, which tells nothing new, by its first bytes."""
        index = int.from_bytes(paired.data[HEADER_SIZE + 4 : HEADER_SIZE + 8], "little")
        return (namespace, index) in self.seen

    def named(self, message: Message, namespace: str) -> None:
        """A message of another family: the devices that it names were there."""
        indices, names = devices_of(message)
        if len(indices) == 1 and len(names) == 1 and message.family is not None:
            self.wanted[namespace, next(iter(indices))] = next(iter(names))
            self.drivers |= {(namespace, index) for index in indices if message.family.name == "ethtool"}
            return
        for index in indices:
            self.wanted.setdefault((namespace, index), "")

    def finish(self) -> World:
        """The world."""
        for (namespace, which), why in self.wanted.items():
            self.presuppose(namespace, which, why)
        for message, values, namespace in self.things.values():
            index = next((values[word] for word in DEVICES if values.get(word)), 0)
            if (namespace, index) in self.came:
                continue
            if index and not any(one == (namespace, index) for one in self.observer.links):
                self.presuppose(namespace, index, "")
            name = self.observer.names(namespace).get(index)
            if {(namespace, index), (namespace, name)} & self.raised and follows(message.name or "", values):
                continue
            self.observer.observe(message, namespace)
            self.presuppose_address(message.name or "", values, namespace)
        world = self.observer.finish()
        world.namespace(FIRST)
        world.exact = frozenset(SECTION_OF[name] for name in self.dumped if name in SECTION_OF)
        return world

    def presuppose_address(self, name: str, values: dict[str, Any], namespace: str) -> None:
        """The address that a route to a connected network tells of, where addresses were not listed: the kernel made
        the one for the other, and none of the routes through that network can be without it."""
        if name != "newroute" or "newaddr" in self.dumped or "prefsrc" not in values:
            return
        if values.get("rtm-protocol") != "kernel" or values.get("rtm-scope") != "link" or not values.get("oif"):
            return
        local, length, device = values["prefsrc"], values["rtm-dst-len"], self.observer.names(namespace)[values["oif"]]
        there = self.observer.world.namespace(namespace).entries
        if any(one.section == "address" and one.fields.get("local") == local for one in there):
            return
        fields = {"family": values["rtm-family"], "device": device, "address": local, "local": local}
        there.append(Entry("address", {**fields, "prefixlen": length}))
        self.notes.append(f"{local}/{length} on {device} is presupposed: a route to its network is shown")

    def presuppose(self, namespace: str, which: object, why: str) -> None:
        """A device that was never shown: the loopback device, or a dummy of that index or name."""
        if which == 0 or which in (entry.fields["name"] for entry in self.observer.links.values()):
            return
        if isinstance(which, int) and ((namespace, which) in self.seen or (namespace, which) in self.observer.links):
            return
        if (namespace, str(which)) in self.made:
            return
        fields: dict[str, Any] = {"up": True}
        if which == LOOPBACK:
            fields |= {"name": "lo", "index": LOOPBACK, "kind": "loopback"}
        elif isinstance(which, int):
            fields |= {"name": why or f"if{which}", "index": which}
            fields |= PHYSICAL if (namespace, which) in self.drivers else {"kind": "dummy"}
        else:
            fields |= {"name": str(which), "kind": "dummy"}
        number = which if isinstance(which, int) else -len(self.observer.links) - 1
        entry = self.observer.links[namespace, number] = Entry("link", fields)
        self.observer.world.namespace(namespace).entries.append(entry)
        self.notes.append(f"{fields['name']} is presupposed: it is named and never shown")


LOOPBACK = 1
PHYSICAL = {"bus": "netdevsim", "at": "netdevsim0"}
"""What stands for a device with a driver of which nothing else is known."""
DEVICES = ("ifa-index", "oif", "ndm-ifindex")
"""Words of messages that say which device something is on."""
PASSING = frozenset({"cacheinfo", "probes", "ndm-state", "ifa-flags", "flags", "rtm-flags", "uid"})
"""What changes about a thing while it is the same thing."""


def key(name: str, values: dict[str, Any]) -> tuple[object, ...]:
    """By what something that a request added is found again when it is told of."""
    if name == "newaddr":
        return name, values.get("ifa-index"), values.get("local", values.get("address"))
    if name == "newroute":
        return name, values.get("rtm-family"), values.get("dst"), values.get("rtm-dst-len")
    if name == "newneigh":
        return name, values.get("ndm-ifindex"), values.get("dst")
    return name, values.get("family"), values.get("priority"), values.get("table")


def follows(name: str, values: dict[str, Any]) -> bool:
    """Whether something may have been added by the kernel when its device came up."""
    if name == "newaddr":
        return values.get("ifa-scope") in ("link", "host")
    if name == "newroute":
        return values.get("rtm-protocol") in ("kernel", "ra")
    return name == "newneigh" and values.get("ndm-state") != ["permanent"]
