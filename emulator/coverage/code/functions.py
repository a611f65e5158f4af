"""What a function of ours may lead to: the functions that it calls or hands on, and where it refuses.

A function that is named is taken for called. What is put off (deferred work, timers) is not the request's any more;
what is caught and not told does not come out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import FunctionType

from nlemu.emulator.coverage.code.expressions import Scope
from nlemu.emulator.coverage.code.known import (
    ClassItself,
    Function,
    Instance,
    Known,
    functions_in,
    member,
    underlying,
)
from nlemu.emulator.coverage.code.sites import Site, refusals
from nlemu.emulator.coverage.code.source import in_rooms, node_of, nodes
from nlemu.protocol.schema.attributes import Attr

LATER = frozenset({"defer", "call_later", "register_notifier", "at"})
"""Methods that are handed what is not done at once."""
CONSTRUCTED = ("__init__", "__post_init__", "__new__")


@dataclass(frozen=True)
class Reads:
    """What a function was found to hold. calls: what it may lead to; sites: where it refuses; required: attributes
    without which it does, by name."""

    calls: tuple[Function, ...] = ()
    sites: tuple[Site, ...] = ()
    required: tuple[str, ...] = ()


@cache
def read(function: FunctionType, on: type | None) -> Reads:
    """Reads a function. on: the class of the object that it is a method of."""
    node = node_of(function)
    if node is None or not in_rooms(function):
        return Reads()
    scope = Scope(function, _home(function, on))
    hidden = set(_swallowed(node))
    calls = dict.fromkeys(_calls(node, scope, hidden))
    return Reads(tuple(calls), tuple(refusals(node, scope, function, hidden)), tuple(_required(node, scope)))


def _home(function: FunctionType, on: type | None) -> type | None:
    """The class whose names a method's body knows: super() goes by where it stands, self by what it is called on."""
    if on is None:
        return None
    for base in on.__mro__:
        if any(underlying(value) is function for value in vars(base).values()):
            return base
    return on


def _calls(node: ast.AST, scope: Scope, hidden: set[ast.AST]) -> Iterator[Function]:
    for one in nodes(node):
        if one in hidden:
            continue
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Load):
            known = scope.known(one.value)
            yield from _functions(scope.attribute(known, one.attr))
            yield from _properties(known, one.attr)
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id not in scope.local:
            for found in scope.objects(one.id):
                yield from functions_in(found)
        elif isinstance(one, ast.Call):
            for known in scope.known(one.func):
                yield from _made(known)
        elif isinstance(one, ast.Subscript):
            yield from _special(scope.known(one.value), "__getitem__")
        elif isinstance(one, (ast.For, ast.comprehension)):
            yield from _special(scope.known(one.iter), "__iter__")
        elif isinstance(one, ast.withitem):
            for name in ("__enter__", "__exit__"):
                yield from _special(scope.known(one.context_expr), name)


def _required(node: ast.AST, scope: Scope) -> Iterator[str]:
    """The attributes that are named in `attrs.require((Set.one, Set.two))`."""
    for one in nodes(node):
        match one:
            case ast.Call(func=ast.Attribute(attr="require"), args=[ast.Tuple(elts=elts)]):
                for each in elts:
                    match each:
                        case ast.Attribute(value=ast.Name(id=name), attr=attr):
                            for found in scope.objects(name):
                                value = getattr(found, attr, None)
                                if isinstance(value, Attr):
                                    yield value.name


def _functions(known: Known) -> Iterator[Function]:
    yield from (one for one in known if isinstance(one, Function))


def _properties(known: Known, name: str) -> Iterator[Function]:
    for one in known:
        if isinstance(one, Instance):
            found = member(one.of, name)
            function = underlying(found)
            if function is not None and (isinstance(found, property) or type(found).__name__ == "cached_property"):
                yield Function(function, one.of, virtual=True)


def _made(known: object) -> Iterator[Function]:
    """What runs when a class, or an object, is called."""
    if isinstance(known, ClassItself):
        for name in CONSTRUCTED:
            function = underlying(member(known.of, name))
            if function is not None:
                yield Function(function, known.of)
    elif isinstance(known, Instance):
        yield from _special(frozenset({known}), "__call__")


def _special(known: Known, name: str) -> Iterator[Function]:
    for one in known:
        if isinstance(one, Instance):
            function = underlying(member(one.of, name))
            if function is not None:
                yield Function(function, one.of, virtual=True)


def _swallowed(node: ast.AST) -> Iterator[ast.AST]:
    """What stands where no refusal comes out, or where it is not the request's any more."""
    for one in nodes(node):
        match one:
            case ast.FunctionDef(decorator_list=decorators):
                for decorator in decorators:
                    yield from ast.walk(decorator)
            case ast.With(items=items, body=body) if any(_suppresses(item.context_expr) for item in items):
                for statement in body:
                    yield from ast.walk(statement)
            case ast.Try(body=body, handlers=handlers) if any(_forgets(handler) for handler in handlers):
                for statement in body:
                    yield from ast.walk(statement)
            case ast.Call(func=ast.Attribute(attr=name), args=args) if name in LATER:
                for argument in args:
                    yield from ast.walk(argument)
            case ast.Call(func=ast.Attribute(attr="append"), args=[ast.Attribute() | ast.Lambda() as kept]):
                yield from ast.walk(kept)  # a list of who is to be told one day


def _suppresses(context: ast.expr) -> bool:
    match context:
        case ast.Call(func=ast.Name(id="suppress"), args=args):
            return any(isinstance(one, ast.Name) and one.id == "Refusal" for one in args)
    return False


def _forgets(handler: ast.ExceptHandler) -> bool:
    """Whether a refusal is caught there, and nothing made of it that could be told."""
    if not (isinstance(handler.type, ast.Name) and handler.type.id == "Refusal"):
        return False
    for statement in handler.body:
        for one in ast.walk(statement):
            if isinstance(one, ast.Raise) or (isinstance(one, ast.Name) and one.id == handler.name):
                return False
    return True
