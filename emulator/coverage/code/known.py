"""What is known of an expression without running it: of which class its value is, or which function it is.

A set of such facts, since a value can be one or the other; an empty set is a value of which nothing is known.
"""

from __future__ import annotations

import sys
from functools import cache, cached_property, partial
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple


class Instance(NamedTuple):
    """An object of a class of ours, or of one derived from it."""

    of: type


class ClassItself(NamedTuple):
    """A class."""

    of: type


class Function(NamedTuple):
    """A function, which type checkers would take for a method if it were said. on: the class of the object that it is a
    method of; virtual: a derived class may have another."""

    function: Any
    on: type | None = None
    virtual: bool = False


class Module(NamedTuple):
    """A module."""

    name: str


class Many(NamedTuple):
    """Something that holds values: what there is to iterate over, and what a mapping has by its keys."""

    items: frozenset[Any]
    values: frozenset[Any] = frozenset()


class Parent(NamedTuple):
    """super(), in a method of that class."""

    of: type


Known = frozenset[Any]
NOTHING: Known = frozenset()
DEEP = 3
"""How far tables are looked into for functions."""


def ours(found: type) -> bool:
    """Whether a class is the package's."""
    return found.__module__.startswith("nlemu.")


def of_value(value: object, depth: int = DEEP) -> Known:
    """What is known of an object that is there."""
    if isinstance(value, FunctionType):
        return frozenset({Function(value)})
    if isinstance(value, MethodType) and isinstance(value.__func__, FunctionType):
        return frozenset({Function(value.__func__, type(value.__self__))})
    if isinstance(value, partial):
        return of_value(value.func, depth)
    if isinstance(value, type):
        return frozenset({ClassItself(value)}) if ours(value) else NOTHING
    if isinstance(value, ModuleType):
        return frozenset({Module(value.__name__)})
    if ours(type(value)):
        return frozenset({Instance(type(value))})
    if not depth:
        return NOTHING
    if isinstance(value, dict):
        return frozenset({Many(_each(value.keys(), depth), _each(value.values(), depth))})
    if isinstance(value, (list, tuple, set, frozenset)):
        return frozenset({Many(_each(value, depth))})
    return NOTHING


def _each(values: Any, depth: int) -> Known:
    return frozenset().union(*(of_value(one, depth - 1) for one in values)) if values else NOTHING


def functions_in(value: object, depth: int = DEEP) -> Known:
    """The functions that a table holds, directly or in objects of ours that are its rows."""
    if isinstance(value, (FunctionType, MethodType, partial)):
        return of_value(value)
    if not depth or isinstance(value, type):
        return NOTHING
    if isinstance(value, ModuleType):  # that stands in a table, as a driver
        return frozenset(
            Function(one) for one in vars(value).values()
            if depth < DEEP and isinstance(one, FunctionType) and one.__module__ == value.__name__
        )
    inner: list[object] = []
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = list(value)
    elif type(value).__module__.startswith("nlemu.emulator"):
        inner = [getattr(value, name, None) for name in _fields(type(value))]
    return frozenset().union(*(functions_in(one, depth - 1) for one in inner)) if inner else NOTHING


def _fields(found: type) -> list[str]:
    return list(getattr(found, "__dataclass_fields__", getattr(found, "_fields", ())))


@cache
def _held() -> dict[type, list[object]]:
    """The objects of our classes that our modules hold: rows of tables."""
    found: dict[type, list[object]] = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("nlemu.emulator."):
            for value in list(vars(module).values()):
                _collect(value, found, DEEP)
    return found


def _collect(value: object, found: dict[type, list[object]], depth: int) -> None:
    inner: list[object] = []
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = list(value)
    elif type(value).__module__.startswith("nlemu.emulator") and _fields(type(value)):
        rows = found.setdefault(type(value), [])
        if not any(one is value for one in rows):
            rows.append(value)
    for one in inner if depth else ():
        _collect(one, found, depth - 1)


def made_of(found: type) -> list[object]:
    """The objects of a class that modules hold."""
    return _held().get(found, [])


def member(found: type, name: str) -> object | None:
    """What a class has under a name, as it stands in the class: a property is one."""
    for one in found.__mro__:
        if name in vars(one):
            value: object = vars(one)[name]
            return value
    return None


def underlying(value: object) -> FunctionType | None:
    """The function behind what stands in a class."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, cached_property):
        value = value.func
    elif isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    return value if isinstance(value, FunctionType) else None
