"""The place where a world is made: a machine, its namespaces, a socket in each, and what could not be made so far."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.sysctl import S32_MAX, S32_MIN
from nlemu.emulator.world.sections import LINK_DEVICES, LINK_WORDS
from nlemu.emulator.world.session import Session
from nlemu.emulator.world.world import Entry, Namespace, World, WorldError
from nlemu.protocol.encode.conversation import NlError
from nlemu.protocol.encode.request import BadValue
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.machine.machine import Machine


class Site:
    """Takes the machine, the world, and whether what cannot be made is listed in ``missing`` instead of refused."""

    def __init__(self, machine: Machine, world: World, *, lenient: bool) -> None:
        self.machine, self.world, self.lenient = machine, world, lenient
        self.missing: list[str] = []
        self.stand_ins: set[tuple[str, str]] = set()
        """Names of devices that stand for others, with their namespaces."""
        self.nets: dict[str, Net] = {}
        self.descriptors: dict[int, object] = {}
        """What stands for a namespace in messages."""
        self.sessions: dict[str, Session] = {}

    def enter(self, namespace: Namespace) -> None:
        """Makes a namespace, and a socket in it."""
        net = self.machine.nets.get(namespace.name)
        self.nets[namespace.name] = self.machine.new_net(namespace.name) if net is None else net
        self.sessions[namespace.name] = session = Session(self.machine, self.nets[namespace.name])
        session.endpoint.descriptors = self.descriptors

    def try_to(self, entry: Entry, verb: Any, *arguments: Any) -> Any:
        """Does something for an entry; what is refused is told with its place, or listed."""
        try:
            return verb(*arguments)
        except (NlError, Refusal, BadValue, WorldError) as error:
            wrong = error if isinstance(error, WorldError) else blame(entry, error)
            if not self.lenient:
                raise wrong from None
            self.missing.append(str(wrong))
            return None

    def descriptor(self, net: Net) -> int:
        """The number that stands for a namespace."""
        return next(number for number, one in self.descriptors.items() if one is net)

    def links(self) -> Iterator[tuple[Namespace, Entry]]:
        """Links with their namespaces, in the order of their indices, but none before what it stands on; those without
        an index come last, as they were said."""
        links = [(namespace, entry) for namespace, entry in self.world if entry.section == "link"]
        links.sort(key=lambda one: one[1].fields.get("index", 1 << 31))
        known = {(namespace.name, entry.fields.get("name")): (namespace, entry) for namespace, entry in links}
        done: set[int] = set()

        def walk(namespace: Namespace, entry: Entry) -> Iterator[tuple[Namespace, Entry]]:
            if id(entry) in done:
                return
            done.add(id(entry))
            for word in (*LINK_DEVICES, "physfn"):
                where, _, name = str(entry.fields.get(word, "")).rpartition("/")
                below = known.get((where or namespace.name, name))
                if below is not None:
                    yield from walk(*below)
            yield namespace, entry

        for namespace, entry in links:
            yield from walk(namespace, entry)

    def device(self, namespace: Namespace, name: object) -> Device | None:
        """The device of that name."""
        return self.nets[namespace.name].by_name(str(name))

    def index(self, namespace: Namespace, entry: Entry, word: str) -> int:
        """The index of a device that an entry names: in its namespace, or as NAMESPACE/DEVICE. Raises WorldError."""
        value = entry.fields[word]
        if isinstance(value, int):
            return value
        where, _, name = str(value).rpartition("/")
        net = self.nets.get(where) if where else self.nets[namespace.name]
        dev = None if net is None else net.by_name(name)
        if dev is None:
            raise entry.error(word, f"there is no device {value!r} in {where or namespace.name}")
        return dev.ifindex

    def close(self) -> None:
        """Closes the sockets."""
        for session in self.sessions.values():
            session.close()


def name_of(entry: Entry) -> str:
    """What an entry is called in a message to people."""
    known = (entry.fields.get(word) for word in ("name", "address", "dst", "priority"))
    return next((str(one) for one in known if one is not None), "")


BLAMED = re.compile(r"[\w-]+: ([\w-]+)")
"""Of an error about a value that cannot be written: the operation, the attribute."""


def blame(entry: Entry, error: Exception) -> WorldError:
    """What was refused, with the key that is to blame where that is known, or else what the entry is called."""
    word = None
    if isinstance(error, BadValue) and (found := BLAMED.match(str(error))):
        word = found[1]
    elif isinstance(error, NlError):
        word = str(error.extack.get("bad-attr", "")).lstrip(".").partition(".")[0].partition("(")[0]
    keys = {attribute: key for key, attribute in LINK_WORDS.items()} if entry.section == "link" else {}
    if word and (key := keys.get(word, word)) in entry.fields:
        return entry.error(key, BLAMED.sub("", text_of(error), count=1).removeprefix(": "), name_of(entry))
    return entry.error(name_of(entry), text_of(error))


def text_of(error: Exception) -> str:
    """What was refused, for people."""
    if isinstance(error, Refusal):
        return error.text or os.strerror(error.errno)
    if isinstance(error, NlError):
        said = str(error.extack.get("msg") or os.strerror(error.errno))
        return f"{said} ({error.extack['bad-attr']})" if "bad-attr" in error.extack else said
    return str(error)


def check_setting(entry: Entry, key: str, value: object) -> None:
    """Refuses what is no value of a setting. Raises WorldError."""
    if not isinstance(value, int) or not S32_MIN <= value <= S32_MAX:
        raise entry.error(key, f"a number from {S32_MIN} to {S32_MAX} belongs here, and not {value!r}")
