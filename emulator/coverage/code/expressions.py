"""Expressions of a function, looked at for what they are: values of which class, or which function.

Flow is not followed: a local name is everything that is assigned to it anywhere in the function.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from types import FunctionType

from nlemu.emulator.coverage.code import annotated
from nlemu.emulator.coverage.code.known import (
    NOTHING,
    ClassItself,
    Function,
    Instance,
    Known,
    Many,
    Module,
    Parent,
    made_of,
    member,
    of_value,
    ours,
    underlying,
)
from nlemu.emulator.coverage.code.source import in_rooms, lookup, node_of, nodes

ROUNDS = 3
"""How often assignments are gone through: what one learns, another needs."""
CALLABLE = re.compile(r"\b(?:Callable|Get|Put|Notifier)\b")
"""In an annotation: a field that holds a function; which, is told by the objects of that class that modules hold."""
SAME_ITEMS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "deque"})
ONE_OF = frozenset({"next", "min", "max", "deepcopy", "copy", "replace"})
TAKEN = frozenset({"pop", "popleft", "get", "setdefault", "__getitem__"})


class Scope:
    """What the names in a function stand for. on: the class that it stands in; whole: not its parameters alone."""

    def __init__(self, function: FunctionType, on: type | None, *, whole: bool = True) -> None:
        self.module, self.on = function.__module__, on
        self.local: dict[str, Known] = {}
        self._bound: dict[str, list[ast.expr | None]] = {}
        self.closure = {
            name: cell for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
        }
        node = node_of(function)
        if node is None:
            return
        self._parameters(node, function)
        for name, value in _bindings(node):
            self._bound.setdefault(name, []).append(value)
        for _ in range(ROUNDS if whole else 0):
            before = dict(self.local)
            for one in nodes(node):
                self._learn(one)
            if self.local == before:
                break

    # What names are

    def _parameters(self, node: ast.FunctionDef | ast.Lambda, function: FunctionType) -> None:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for number, one in enumerate(every):
            if one.annotation is not None:
                self.local[one.arg] = annotated.of_node(one.annotation, self.module, self.on)
            elif number == 0 and self.on is not None and one.arg in ("self", "cls"):
                made = Instance(self.on) if one.arg == "self" else ClassItself(self.on)
                self.local[one.arg] = frozenset({made})

    def _learn(self, node: ast.AST) -> None:
        match node:
            case ast.FunctionDef() | ast.Lambda():
                for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                    if one.annotation is not None:
                        self._add(one.arg, annotated.of_node(one.annotation, self.module, self.on))
            case ast.Assign(targets=targets, value=value):
                known = self.known(value)
                for target in targets:
                    self._assign(target, known)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                self._add(name, annotated.of_node(annotation, self.module, self.on))
            case ast.NamedExpr(target=target, value=value):
                self._assign(target, self.known(value))
            case ast.For(target=target, iter=source) | ast.comprehension(target=target, iter=source):
                self._bind(target, source)
            case ast.withitem(context_expr=context, optional_vars=ast.Name(id=name)):
                self._add(name, self.known(context))

    def _bind(self, target: ast.expr, source: ast.expr) -> None:
        """The target of a loop: of items(), enumerate() and zip(), each part by itself."""
        match source, target:
            case ast.Call(func=ast.Attribute(value=held, attr="items")), ast.Tuple(elts=[key, value]):
                for one in self.known(held):
                    if isinstance(one, Many):
                        self._assign(key, one.items)
                        self._assign(value, one.values)
            case ast.Call(func=ast.Name(id="enumerate"), args=[first, *_]), ast.Tuple(elts=[_, value]):
                self._assign(value, items(self.known(first)))
            case ast.Call(func=ast.Name(id="zip"), args=several), ast.Tuple(elts=parts):
                for part, one in zip(parts, several, strict=False):
                    self._assign(part, items(self.known(one)))
            case _:
                self._assign(target, items(self.known(source)))

    def _assign(self, target: ast.expr, known: Known) -> None:
        if isinstance(target, ast.Name):
            self._add(target.id, known)
        elif isinstance(target, (ast.Tuple, ast.List)):
            inner = items(known)
            for one in target.elts:
                self._assign(one.value if isinstance(one, ast.Starred) else one, inner)

    def _add(self, name: str, known: Known) -> None:
        if known:
            self.local[name] = self.local.get(name, NOTHING) | known

    # What expressions are

    def known(self, node: ast.expr) -> Known:
        """What is known of an expression."""
        match node:
            case ast.Name(id=name):
                return self.name(name)
            case ast.Attribute(value=value, attr=name):
                return self.attribute(self.known(value), name)
            case ast.Call():
                return self.result(node)
            case ast.Subscript(value=value):
                return frozenset().union(*(
                    one.values or one.items for one in self.known(value) if isinstance(one, Many)
                ))
            case ast.IfExp(body=body, orelse=orelse):
                return self.known(body) | self.known(orelse)
            case ast.BoolOp(values=values):
                return frozenset().union(*(self.known(one) for one in values))
            case ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.known(value)
            case ast.List(elts=elts) | ast.Tuple(elts=elts) | ast.Set(elts=elts):
                return frozenset({Many(frozenset().union(*(self.known(one) for one in elts)))})
            case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
                return frozenset({Many(self.known(elt))})
            case ast.DictComp(key=key, value=value):
                return frozenset({Many(self.known(key), self.known(value))})
            case ast.Dict(keys=keys, values=values):
                told = frozenset().union(*(self.known(one) for one in keys if one is not None)) if keys else NOTHING
                return frozenset({Many(told, frozenset().union(*(self.known(one) for one in values)))})
            case ast.BinOp(left=left, right=right):
                return self.known(left) | self.known(right)
        return NOTHING

    def objects(self, name: str) -> Iterator[object]:
        """The objects that a name of the module stands for, where it is none of the function's own."""
        if name in self.closure:
            try:
                yield self.closure[name].cell_contents
            except ValueError:
                return
        elif name not in self.local:
            yield from lookup(self.module, name)

    def name(self, name: str) -> Known:
        """What a name stands for."""
        if name in self.local:
            return self.local[name]
        return frozenset().union(*(of_value(one) for one in self.objects(name)))

    def bound(self, name: str) -> list[ast.expr | None]:
        """What is assigned to a local name; None among it for what is not known, as of a parameter."""
        return self._bound.get(name, [])

    def attribute(self, of: Known, name: str) -> Known:
        """What an attribute of such a value is."""
        return frozenset().union(*(attribute(one, name) for one in of)) if of else NOTHING

    def result(self, call: ast.Call) -> Known:
        """What a call returns."""
        match call.func:
            case ast.Name(id="super"):
                return frozenset({Parent(self.on)}) if self.on is not None else NOTHING
            case ast.Name(id=name) if call.args and name in SAME_ITEMS:
                return frozenset({Many(items(self.known(call.args[0])))})
            case ast.Name(id=name) if call.args and name in ONE_OF:
                known = self.known(call.args[0])
                return (items(known) or known) | frozenset().union(*(self.known(one) for one in call.args[1:]))
            case ast.Name(id="cast") if len(call.args) == 2:
                return annotated.of_node(call.args[0], self.module, self.on)
            case ast.Attribute(value=value, attr=name):
                held = [one for one in self.known(value) if isinstance(one, Many)]
                if held:
                    return frozenset().union(*(_of_holder(one, name) for one in held))
        return frozenset().union(*(returned(one) for one in self.known(call.func)))


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that a function binds, and to what."""
    for one in nodes(node):
        match one:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield target.id, value
                    else:
                        yield from ((inner.id, None) for inner in ast.walk(target) if isinstance(inner, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                yield name, value
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                yield name, value
            case ast.For(target=target) | ast.comprehension(target=target):
                yield from ((inner.id, None) for inner in ast.walk(target) if isinstance(inner, ast.Name))
            case ast.arg(arg=name):
                yield name, None


def _of_holder(held: Many, name: str) -> Known:
    if name in TAKEN:
        return held.values or held.items
    if name == "values":
        return frozenset({Many(held.values)})
    if name == "items":
        return frozenset({Many(held.items | held.values)})
    return frozenset({held}) if name in ("copy", "keys", "union") else NOTHING


def items(known: Known) -> Known:
    """What there is to iterate over."""
    found = [one.items for one in known if isinstance(one, Many)]
    for one in known:
        if isinstance(one, Instance):
            function = underlying(member(one.of, "__iter__"))
            if function is not None:
                found.append(items(returned(Function(function, one.of))))
    return frozenset().union(*found)


@cache
def returned(one: object) -> Known:
    """What calling it returns."""
    if isinstance(one, ClassItself):
        return frozenset({Instance(one.of)})
    if isinstance(one, Instance):
        function = underlying(member(one.of, "__call__"))
        return NOTHING if function is None else returned(Function(function, one.of))
    if isinstance(one, Function):
        told = one.function.__annotations__.get("return")
        return annotated.read(told, one.function.__module__, one.on) if isinstance(told, str) else NOTHING
    return NOTHING


@cache
def attribute(one: object, name: str) -> Known:
    """What an attribute of it is: a method is a function, a property what it returns."""
    match one:
        case Module(name=module):
            return frozenset().union(*(of_value(found) for found in lookup(module, name)))
        case Parent(of=of):
            function = None
            for base in of.__mro__[1:]:
                if name in vars(base):
                    function = underlying(vars(base)[name])
                    break
            return NOTHING if function is None else frozenset({Function(function, of)})
        case ClassItself(of=of):
            function = underlying(member(of, name))
            if function is not None:
                return frozenset({Function(function, of)})
            found = member(of, name)
            return NOTHING if found is None else of_value(found)
        case Instance(of=of):
            return _of_instance(of, name)
    return NOTHING


def _of_instance(of: type, name: str) -> Known:
    found = member(of, name)
    function = underlying(found)
    if function is not None:
        if isinstance(found, (property,)) or type(found).__name__ == "cached_property":
            return returned(Function(function, of))
        return frozenset({Function(function, of, virtual=True)})
    known: Known = NOTHING
    if CALLABLE.search(_annotation(of, name)):
        return frozenset().union(*(of_value(getattr(one, name, None)) for one in made_of(of)))
    for base in of.__mro__:
        told = vars(base).get("__annotations__", {}).get(name)
        if isinstance(told, str):
            known = annotated.read(told, base.__module__, of)
            break
    known = known or _assigned(of, name)
    if not known and found is not None and not hasattr(found, "__set__"):
        known = of_value(found)
    return known


def _annotation(of: type, name: str) -> str:
    told = (vars(base).get("__annotations__", {}).get(name) for base in of.__mro__)
    return next((str(one) for one in told if one is not None), "")


def _assigned(of: type, name: str) -> Known:
    """What methods of a class put into an attribute of their object."""
    return frozenset().union(*(_of_class(base).get(name, NOTHING) for base in of.__mro__ if ours(base)))


_classes: dict[type, dict[str, Known]] = {}


def _of_class(of: type) -> dict[str, Known]:
    """By attribute. Of a class that is being looked at, nothing but what is found already."""
    if of in _classes:
        return _classes[of]
    found: dict[str, Known] = {}
    _classes[of] = found
    for value in list(vars(of).values()):
        function = underlying(value)
        if function is None or (function.__name__ != "__init__" and not in_rooms(function)):
            continue
        node = node_of(function)
        if not isinstance(node, ast.FunctionDef):
            continue
        sets = [one for one in nodes(node) if isinstance(one, (ast.Assign, ast.AnnAssign))]
        if not any(_own(target) for one in sets for target in targets(one)):
            continue
        scope = Scope(function, of, whole=False)
        for one in sets:
            for target in targets(one):
                name = _own(target)
                if name is None:
                    continue
                known = (
                    annotated.of_node(one.annotation, of.__module__, of) if isinstance(one, ast.AnnAssign)
                    else scope.known(one.value)
                )
                found[name] = found.get(name, NOTHING) | known
    return found


def targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    """What is assigned to."""
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _own(target: ast.expr) -> str | None:
    """The name of an attribute of self."""
    match target:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
    return None
