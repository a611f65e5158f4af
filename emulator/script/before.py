"""The world in which a capture begins, worked out from what the capture itself tells.

A recording says how the machine was booted; a capture begins in the middle of a life. But its replies and notifications
tell how things were, and what its own requests did before that is known as well: a device that a reply shows, and that no
request of the capture made, was there before. So the capture is read once from the beginning to the end, and what is
told for the first time goes into the world, unless something that the capture did explains it:

- a device that a request made, or that came into the capture with a notification after others were listed;
- what the kernel adds by itself to a device that a request brought up (addresses of the link, routes of addresses);
- what a request added: an address, a route, a rule, a neighbour.

A device that a request changed before it was shown is taken as it was shown, but down if the request brought it up. What
only requests name (a device that is deleted, and never shown) is presupposed. Both are told in ``notes``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nlemu.emulator.world.observe import SECTION_OF, Observer, identity, told, values_of
from nlemu.emulator.world.sections import SECTIONS
from nlemu.emulator.world.world import FIRST, World
from nlemu.protocol.captures.events import Act, Datagram, Event
from nlemu.protocol.captures.families import told as families_told
from nlemu.protocol.captures.pairing import Paired, Pairing
from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE

LINK_LOCAL = "fe80::"
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
    """Devices, by index or name, that requests brought up."""
    touched: set[tuple[str, object]] = field(default_factory=set)
    """Devices, by index or name, that requests changed otherwise."""
    added: set[tuple[object, ...]] = field(default_factory=set)
    """What else requests added."""
    seen: set[tuple[str, int]] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    """Namespaces whose devices were all listed."""

    # -- requests

    def asked(self, message: Message, namespace: str) -> None:
        """A request of rtnetlink: what it makes or changes."""
        values = values_of(message)
        name = message.name
        if name in ("newlink", "setlink"):
            self.link_asked(values, namespace)
        elif name in MAKING:
            self.added.add((namespace, *self.key(name, values, namespace)))

    def link_asked(self, values: dict[str, Any], namespace: str) -> None:
        """NEWLINK or SETLINK."""
        index, name = values.get("ifi-index"), values.get("ifname")
        which: list[object] = [one for one in (index, name if not index else None) if one]
        if "linkinfo" in values and not index and (namespace, name) not in self.known_names():
            self.made.add((namespace, str(name)))
            data = values["linkinfo"].get("data", {})
            for word in ("peer", "peer-info"):
                if isinstance(data, dict) and word in data:
                    self.made.add((namespace, str(data[word].get("ifname", ""))))
        for one in which:
            self.touched.add((namespace, one))
            if "up" in values.get("ifi-flags", []):
                self.raised.add((namespace, one))

    def known_names(self) -> set[tuple[str, str]]:
        """Names of devices that were shown, with their namespaces."""
        return {(namespace, entry.fields["name"]) for (namespace, _), entry in self.observer.links.items()}

    def key(self, name: str, values: dict[str, Any], namespace: str) -> tuple[object, ...]:
        """By what something that was added is found again when it is told of."""
        section = SECTION_OF[name]
        fields = told(SECTIONS[section], values, self.observer.names(namespace)) or {}
        if section == "address":
            return section, fields.get("device"), str(fields.get("local", fields.get("address"))).partition("/")[0]
        if section == "route":
            return section, fields.get("dst"), fields.get("table", "main")
        if section == "neighbour":
            return section, fields.get("device"), fields.get("dst")
        return section, fields.get("priority"), fields.get("table")

    # -- what is told

    def told(self, message: Message, namespace: str, paired: Paired) -> None:
        """A reply or a notification of rtnetlink."""
        name = message.name or ""
        values = values_of(message)
        if name == "newlink":
            self.link_told(message, values, namespace, paired)
        elif name in MAKING:
            self.thing_told(name, message, values, namespace)

    def link_told(self, message: Message, values: dict[str, Any], namespace: str, paired: Paired) -> None:
        """A link message."""
        index, name = values.get("ifi-index", 0), values.get("ifname")
        if (namespace, index) in self.seen or not name:
            return
        self.seen.add((namespace, index))
        came = (namespace, name) in self.made or (paired.notification and namespace in self.listed)
        if came:
            self.next_index[namespace] = min(index, self.next_index.get(namespace, index))
            self.raised.add((namespace, name))
            return
        entry = self.observer.observe(message, namespace)
        if entry is None:
            return
        changed = {(namespace, index), (namespace, name)}
        if changed & self.raised:
            entry.fields.update(up=False)
            self.notes.append(f"{name} is taken to have been down: a request brought it up before it was shown")
        elif changed & self.touched:
            self.notes.append(f"{name} is taken as it was shown, after a request that changed it")

    def thing_told(self, name: str, message: Message, values: dict[str, Any], namespace: str) -> None:
        """An address, a route, a rule, a neighbour."""
        section = SECTION_OF[name]
        names = self.observer.names(namespace)
        fields = told(SECTIONS[section], values, names)
        if fields is None:
            return
        device = fields.get("device")
        if isinstance(device, int):  # of a device that was not there before
            return
        if (namespace, *self.key(name, values, namespace)) in self.added:
            return
        index = next((index for index, one in names.items() if one == device), 0)
        if {(namespace, device), (namespace, index)} & self.raised and follows(section, fields):
            return
        if section == "route" and "cloned" in values.get("rtm-flags", []):
            return
        whole = (namespace, section, *identity(section, fields))
        if whole not in self.added:
            self.added.add(whole)
            self.observer.observe(message, namespace)

    def finish(self) -> World:
        """The world."""
        world = self.observer.finish()
        world.namespace(FIRST)
        return world


def follows(section: str, fields: dict[str, Any]) -> bool:
    """Whether something may have been added by the kernel when its device came up."""
    if section == "address":
        return fields.get("scope") in ("link", "host")
    if section == "route":
        return fields.get("protocol") in ("kernel", "ra")
    return section == "neighbour" and fields.get("state") != ["permanent"]


def work_out(events: Iterable[Event], protocol: int = ROUTE) -> Before:
    """What there was before a capture began. protocol: of datagrams of which the capture does not say it."""
    before, pairing = Before(), Pairing()
    numbers: dict[str, int] = {}
    for event in events:
        if isinstance(event, Act) and event.verb == "families":
            numbers.update(event.fields)
        if not isinstance(event, Datagram):
            continue
        known = protocol if event.protocol is None else event.protocol
        if known == GENERIC_NETLINK:
            numbers.update(families_told(event.data))
        for paired in pairing.messages(event):
            if known != ROUTE or isinstance(paired, bytes):
                continue
            message = read(paired.data, known)
            namespace = event.network or FIRST
            if message.is_request:
                before.asked(message, namespace)
            elif message.errno is None:
                before.told(message, namespace, paired)
            elif paired.request is not None and message.request is not None and message.request.name == "getlink":
                before.listed.add(namespace)
    before.observer.world.families.update(numbers)
    return before
