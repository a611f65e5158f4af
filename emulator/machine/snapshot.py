"""A machine as it was, and back to it: for tests that share one.

Nothing is copied deeply and nothing pickled, for half of the model are closures and references to sockets. What is kept
of every object that can change is what it held; going back puts that into the same objects again. So whoever has hold
of one, a socket of its namespace, a timer of its device, has hold of the right one afterwards.

Outside stay sockets, with their options and groups, and who listens to what goes over them.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import partial
from operator import is_
from types import CellType, FunctionType, MemberDescriptorType, MethodType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.emulator.machine.machine import Machine, Ports
from nlemu.emulator.machine.tap import Tap
from nlemu.emulator.netlink.multicast import Multicast

OURS = ("nlemu.emulator.kernel.", "nlemu.emulator.machine.", "nlemu.emulator.handlers.", "nlemu.emulator.netlink.")
"""Where classes are whose objects are state."""
OUTSIDE = (Endpoint, Multicast, Ports, Tap, type, Enum)
KEPT = frozenset({
    "endpoints", "multicast", "not_emulated", "ports", "processes", "protocols", "reasons", "refused", "remembered",
    "restart", "tallies", "tap", "watched",
})
"""What of a machine goes on as it is: its sockets, and what people have been told."""
ATOMS = frozenset({int, str, bytes, bool, float, type(None)})
MISSING = object()
"""What an attribute holds that is not there."""

Restore = Callable[[], None]
Visit = Callable[[Any, list[Restore]], Iterable[Any]]
"""Keeps what an object holds, so that it can be put back; returns what there is to go on to."""


class Snapshot:
    """A machine at this moment. roots: what else belongs to it. Requests that wait in sockets are none of it."""

    def __init__(self, machine: Machine, *roots: object) -> None:
        self.machine = machine
        self._sockets = tuple(machine.endpoints)
        self._back: list[Restore] = []
        met: set[int] = set()
        waiting: list[Any] = [machine, *roots]
        self._alive = waiting  # whatever was met stays, so that nothing new has its number
        for found in waiting:
            visit = visitor(type(found))
            if visit is not None:
                for inner in visit(found, self._back):
                    if type(inner) not in ATOMS and id(inner) not in met:
                        met.add(id(inner))
                        waiting.append(inner)

    def restore(self) -> None:
        """Back to it. What waits unread in sockets is thrown away, and dumps that are under way are; sockets stay
        open, but for those in namespaces that there were not: `orphans` tells them."""
        machine = self.machine
        started = set(machine.started)
        for put in self._back:
            put()
        for number in started - machine.started:  # a protocol that has sockets by now
            machine.start(number)
        machine.multicast.disturb = machine.notices.disturb if machine.notices.listed else None
        for endpoint in self._sockets:
            if endpoint.closed:
                machine.released(endpoint)
        for endpoint in tuple(machine.endpoints):
            endpoint.discard()

    def orphans(self) -> Iterator[Endpoint]:
        """Sockets in namespaces that are none any more."""
        yield from (one for one in tuple(self.machine.endpoints) if one.net not in self.machine.alive)


_visitors: dict[type, Visit | None] = {}


def visitor(kind: type) -> Visit | None:
    """How objects of a class are kept; None for those that do not change."""
    if kind not in _visitors:
        _visitors[kind] = _visitor(kind)
    return _visitors[kind]


def _visitor(kind: type) -> Visit | None:
    if issubclass(kind, OUTSIDE):
        return None
    holder = next((visit for base, visit in VISITS.items() if issubclass(kind, base)), None)
    if not kind.__module__.startswith(OURS):
        return holder
    own = partial(visit_object, slots(kind), KEPT if issubclass(kind, Machine) else frozenset())
    if holder is None:
        return own
    both: Visit = holder
    return lambda found, back: (*both(found, back), *own(found, back))


def slots(kind: type) -> tuple[MemberDescriptorType, ...]:
    """The slots of a class and of those that it is derived from."""
    return tuple(
        found for base in kind.__mro__ for found in vars(base).values() if isinstance(found, MemberDescriptorType)
    )


def visit_object(
    places: tuple[MemberDescriptorType, ...], kept: frozenset[str], found: Any, back: list[Restore]
) -> Iterable[Any]:
    """One of ours: its slots, and its other attributes."""
    held: list[Any] = []
    for place in places:
        try:
            held.append(place.__get__(found))
        except AttributeError:
            held.append(MISSING)
    if places:
        back.append(partial(restore_slots, found, places, tuple(held)))
    attributes = getattr(found, "__dict__", None)
    if attributes:
        if kept:
            back.append(partial(restore_all_but, attributes, dict(attributes), kept))
            return (*held, *(value for name, value in attributes.items() if name not in kept))
        held += attributes.values()
        back.append(partial(restore_dict, attributes, tuple(attributes), tuple(attributes.values())))
    return held


def restore_slots(found: Any, places: tuple[MemberDescriptorType, ...], held: tuple[Any, ...]) -> None:
    """Puts back what slots held."""
    for place, before in zip(places, held, strict=True):
        try:
            now = place.__get__(found)
        except AttributeError:
            now = MISSING
        if now is not before:
            if before is MISSING:
                place.__delete__(found)
            else:
                place.__set__(found, before)


def restore_all_but(now: dict[str, Any], before: dict[str, Any], kept: frozenset[str]) -> None:
    """Puts back what attributes held, but for some."""
    for name in [name for name in now if name not in before and name not in kept]:
        del now[name]
    now.update({name: value for name, value in before.items() if name not in kept})


def visit_dict(found: dict[Any, Any], back: list[Restore]) -> Iterable[Any]:
    """A dictionary, with its order."""
    keys, values = tuple(dict.keys(found)), tuple(dict.values(found))
    back.append(partial(restore_dict, found, keys, values))
    return keys + values


def restore_dict(found: dict[Any, Any], keys: tuple[Any, ...], values: tuple[Any, ...]) -> None:
    """Puts back what it held. One that is the same is not touched: another machine may be reading it."""
    same = len(found) == len(keys) and all(map(is_, dict.keys(found), keys))
    if not same or not all(map(is_, dict.values(found), values)):
        dict.clear(found)
        dict.update(found, zip(keys, values, strict=True))


def visit_list(found: list[Any] | deque[Any], back: list[Restore]) -> Iterable[Any]:
    """A list, or what is one."""
    held = tuple(found)
    back.append(partial(restore_list, found, held))
    return held


def restore_list(found: list[Any] | deque[Any], held: tuple[Any, ...]) -> None:
    """Puts back what it held."""
    if len(found) != len(held) or not all(map(is_, found, held)):
        found.clear()
        found.extend(held)


def visit_set(found: set[Any] | WeakSet[Any], back: list[Restore]) -> Iterable[Any]:
    """A set."""
    held = tuple(found)
    back.append(partial(restore_set, found, held))
    return held


def restore_set(found: set[Any] | WeakSet[Any], held: tuple[Any, ...]) -> None:
    """Puts back what it held."""
    if len(found) != len(held) or not all(one in found for one in held):
        found.clear()
        found.update(held)


def visit_weak(found: WeakKeyDictionary[Any, Any], back: list[Restore]) -> Iterable[Any]:
    """A dictionary that does not hold its keys."""
    held = dict(found)

    def restore() -> None:
        found.clear()
        found.update(held)

    back.append(restore)
    return (*held, *held.values())


def visit_bytes(found: bytearray, back: list[Restore]) -> Iterable[Any]:
    """Bytes that can be changed."""
    back.append(partial(found.__setitem__, slice(None), bytes(found)))
    return ()


def visit_random(found: random.Random, back: list[Restore]) -> Iterable[Any]:
    """Where a sequence of random numbers is."""
    back.append(partial(found.setstate, found.getstate()))
    return ()


def visit_function(found: FunctionType, back: list[Restore]) -> Iterable[Any]:
    """A function that was made for an occasion has hold of what it was made for."""
    return found.__closure__ or ()


def visit_cell(found: CellType, back: list[Restore]) -> Iterable[Any]:
    """A variable that such a function may change."""
    try:
        held = found.cell_contents
    except ValueError:
        return ()
    back.append(partial(setattr, found, "cell_contents", held))
    return (held,)


VISITS: dict[type, Visit] = {
    dict: visit_dict, list: visit_list, deque: visit_list, set: visit_set, WeakSet: visit_set,
    WeakKeyDictionary: visit_weak, bytearray: visit_bytes, random.Random: visit_random, FunctionType: visit_function,
    CellType: visit_cell,
    tuple: lambda found, back: found,
    frozenset: lambda found, back: found,
    MethodType: lambda found, back: (found.__self__,),
    partial: lambda found, back: (found.func, *found.args, *found.keywords.values()),
}
"""Those of Python's own that can change, or lead to what can."""
