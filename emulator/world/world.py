"""A world: namespaces, and in each what there is, by section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FIRST = "init"
"""The namespace that there always is."""


class WorldError(ValueError):
    """A world that cannot be read or made: one line, with the place that asks for it."""


@dataclass(eq=False)
class Entry:
    """Something that there is: its section (emulator/world/sections.py), what is said of it, and where.

    fields: by the words of the specification of what makes it, but devices by name. place: "FILE:line" or the like, ""
    if it was not read from anywhere.
    """

    section: str
    fields: dict[str, Any]
    place: str = ""
    places: dict[str, str] = field(default_factory=dict)
    """Where each field is said."""

    def error(self, key: str, text: str, called: str = "") -> WorldError:
        """An error about one of its fields, or about what it is called; called: what it is called besides."""
        place = self.places.get(key.partition(".")[0], self.place)
        where = f"{place}: " if place else ""
        what = f"{self.section}.{key}" if key else self.section
        return WorldError(f"{where}{what}{f' of {called}' if called else ''}: {text}")


@dataclass(eq=False)
class Namespace:
    """A namespace: its entries in the order in which they were said."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    place: str = ""

    def of(self, section: str) -> Iterator[Entry]:
        """The entries of one section."""
        return (entry for entry in self.entries if entry.section == section)

    def link(self, name: str) -> Entry | None:
        """The link of that name."""
        return next((entry for entry in self.of("link") if entry.fields.get("name") == name), None)


@dataclass(eq=False)
class World:
    """Namespaces by name, the first one first; which kernel it was on, if that is known.

    families: numbers of generic netlink families by name, where they matter. exact: sections of which all is said, so
    that what is not said is not there either, not even if the kernel adds it by itself. faults: that wait from the
    beginning, in the words of the control socket; who makes the machine sets them (script/beginning.py). profiles: of
    NICs, one's own (world/profile.py).
    """

    namespaces: dict[str, Namespace] = field(default_factory=dict)
    kernel: str | None = None
    families: dict[str, int] = field(default_factory=dict)
    exact: frozenset[str] = frozenset()
    faults: list[Entry] = field(default_factory=list)
    profiles: list[Entry] = field(default_factory=list)

    def namespace(self, name: str = FIRST) -> Namespace:
        """The namespace of that name, which is added if it is not there."""
        return self.namespaces.setdefault(name, Namespace(name))

    def __iter__(self) -> Iterator[tuple[Namespace, Entry]]:
        """All entries with their namespaces."""
        for namespace in self.namespaces.values():
            for entry in namespace.entries:
                yield namespace, entry
