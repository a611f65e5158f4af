"""What is on the links of a world: addresses, routes, rules, neighbours, each by the message that makes it.

What the kernel has added by itself by then (an address of the link, routes of addresses) is not made again; where the
world says all that there is, what it does not say is taken away.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from nlemu.emulator.world.observe import FOREVER, identity, told, values_of
from nlemu.emulator.world.sections import SECTIONS, Section
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.site import Site
from nlemu.emulator.world.world import Entry, Namespace, WorldError
from nlemu.protocol.encode.conversation import NlError, specification
from nlemu.protocol.encode.request import BadValue, fields_of
from nlemu.protocol.uapi.netlink import NLM_F

NEW = int(NLM_F.CREATE | NLM_F.EXCL)
PUT = int(NLM_F.CREATE | NLM_F.REPLACE)
SETTLED = 5.0
"""Seconds after which an address is no longer tentative."""
TOLD_APART = frozenset({"type", "scope", "action", "protocol"})
"""Usual values of which zero is another one, so that they have to be said."""
HEADERS = frozenset(
    name
    for one in SECTIONS.values()
    if (fixed := specification(one.specification).operation(one.operation).fixed) is not None
    for name in fields_of(fixed)
)
"""Fields of the headers of all sections' messages."""


class Contents:
    """Makes what is on links at a site."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def fill(self, namespace: Namespace) -> None:
        """Addresses, routes, rules, neighbours."""
        session = self.site.sessions[namespace.name]
        for name, section in SECTIONS.items():
            entries = list(namespace.of(name))
            there = {identity(name, fields): values for fields, values in self.there(namespace, section)}
            missing = [entry for entry in entries if there.pop(identity(name, entry.fields), None) is None]
            self.put_all(namespace, section, missing)
            if section is SECTIONS["address"]:
                self.site.machine.advance(SETTLED)
                self.put_all(namespace, section, [entry for entry in missing if lives(entry)])
            if name in self.site.world.exact:
                for values in there.values():
                    self.remove(session, section, values)

    def put_all(self, namespace: Namespace, section: Section, entries: list[Entry]) -> None:
        """Makes entries of a section, in whatever order they can be made: a route by a gateway wants the one to it."""
        refused: list[Entry] = []
        for entry in entries:
            try:
                self.put(namespace, section, entry)
            except NlError:
                refused.append(entry)
            except (BadValue, WorldError):
                self.site.try_to(entry, self.put, namespace, section, entry)
        if len(refused) == len(entries):
            for entry in refused:
                self.site.try_to(entry, self.put, namespace, section, entry)
        else:
            self.put_all(namespace, section, refused)

    def there(self, namespace: Namespace, section: Section) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """What a namespace has of a section: as an entry would have it, and as the message."""
        net = self.site.nets[namespace.name]
        names = {dev.ifindex: dev.name for dev in net}
        for message in self.site.sessions[namespace.name].dump(section.specification, section.get):
            values = values_of(message)
            fields = told(section, values, names)
            if fields is not None:
                yield fields, values

    def put(self, namespace: Namespace, section: Section, entry: Entry) -> None:
        """Makes an entry of a section by its message. Raises NlError, WorldError."""
        values = self.values(namespace, section, entry)
        flags = int(NLM_F.CREATE | NLM_F.APPEND) if section is SECTIONS["route"] else PUT
        if section is SECTIONS["rule"]:
            flags = NEW
        try:
            self.site.sessions[namespace.name].ask(section.specification, section.operation, values, flags)
        except NlError as error:
            if error.errno != errno.EEXIST:
                raise

    def values(self, namespace: Namespace, section: Section, entry: Entry) -> dict[str, Any]:
        """The words of the message that makes an entry. Raises WorldError."""
        values: dict[str, Any] = {}
        fields = dict(entry.fields)
        if section is SECTIONS["address"]:
            prepare_address(fields)
        family = fields.pop("family", None) or family_of(fields)
        values[f"{section.prefix}family"] = family
        for word, value in fields.items():
            if word in section.devices:
                values[section.devices[word]] = self.site.index(namespace, entry, word)
            elif word in section.networks:
                network, _, length = str(value).partition("/")
                if network == "default":
                    values[section.networks[word]] = 0
                    continue
                values[word] = network
                values[section.networks[word]] = int(length or (128 if ":" in network else 32))
            else:
                values[self.word(section, word)] = value
        for mine, value in section.usual.items():
            if f"{section.prefix}{mine}" in HEADERS and mine in TOLD_APART:
                values.setdefault(f"{section.prefix}{mine}", value)
        return values

    def word(self, section: Section, mine: str) -> str:
        """The word of the specification for one of an entry: that of an attribute, or of a field of the header."""
        attributes = specification(section.specification).operation(section.operation).set.spec.by_name
        return mine if mine in attributes else f"{section.prefix}{mine}"

    def remove(self, session: Session, section: Section, values: Mapping[str, Any]) -> None:
        """Takes away what an exact world does not have."""
        wanted = {word: value for word, value in values.items() if word not in section.untold}
        # The kernel may have taken it away with something else, or not let it go.
        with suppress(NlError, BadValue):
            session.ask(section.specification, section.operation.replace("new", "del"), wanted)


def lives(entry: Entry) -> bool:
    """Whether an address has its time, which is told once more when it is no longer tentative."""
    return "valid" in entry.fields or "preferred" in entry.fields


def family_of(fields: Mapping[str, Any]) -> str:
    """The protocol family of an entry that does not say it, by its addresses."""
    texts = (fields.get(word) for word in ("address", "local", "dst", "gateway", "src", "prefsrc"))
    return "inet6" if any(":" in str(text) for text in texts if text is not None) else "inet"


def prepare_address(fields: dict[str, Any]) -> None:
    """An address as its message has it: how long it is valid in a structure, and of IPv4 the address twice."""
    times = {word: fields.pop(mine, FOREVER) for mine, word in (("valid", "ifa-valid"), ("preferred", "ifa-prefered"))}
    if set(times.values()) != {FOREVER}:
        fields["cacheinfo"] = times
    address = str(fields.get("address", "")).partition("/")[0]
    if ":" not in address:
        fields.setdefault("local", address)
