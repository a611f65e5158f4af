"""Annotations as facts: what a parameter, a field or a result is said to be.

All of the package is annotated, and checked by mypy; so this is where most is known from.
"""

from __future__ import annotations

import ast
from functools import cache

from nlemu.emulator.coverage.code.known import NOTHING, ClassItself, Instance, Known, Many, ours
from nlemu.emulator.coverage.code.source import lookup

MAPPINGS = {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict", "WeakKeyDictionary"}
HOLDERS = {
    "list", "set", "frozenset", "tuple", "deque", "Sequence", "Iterable", "Iterator", "Generator", "Collection",
    "KeysView", "ValuesView", "Set",
}
SAME = {"Final", "ClassVar", "Annotated", "Optional"}


@cache
def read(text: str, module: str, within: type | None = None) -> Known:
    """What an annotation in a module says; within: the class that it stands in."""
    try:
        return of_node(ast.parse(text, mode="eval").body, module, within)
    except SyntaxError:
        return NOTHING


def of_node(node: ast.expr, module: str, within: type | None) -> Known:
    """The same of its syntax tree."""
    match node:
        case ast.Constant(value=str(text)):
            return read(text, module, within)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return of_node(left, module, within) | of_node(right, module, within)
        case ast.Name(id="Self") if within is not None:
            return frozenset({Instance(within)})
        case ast.Name(id=name):
            return frozenset().union(*(_of_object(one, module) for one in lookup(module, name)))
        case ast.Attribute(value=ast.Name(id=place), attr=name):
            return frozenset().union(*(
                _of_object(getattr(one, name), module) for one in lookup(module, place) if hasattr(one, name)
            ))
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if name == "type":
                return frozenset(
                    ClassItself(one.of) for one in of_node(parts[0], module, within) if isinstance(one, Instance)
                )
            if name in MAPPINGS and len(parts) == 2:
                return frozenset({Many(of_node(parts[0], module, within), of_node(parts[1], module, within))})
            if name in HOLDERS:
                return frozenset({Many(frozenset().union(*(of_node(part, module, within) for part in parts)))})
            if name in SAME:
                return of_node(parts[0], module, within)
            return of_node(node.value, module, within)
    return NOTHING


def _of_object(found: object, module: str) -> Known:
    """What a name in an annotation stands for: a class, or another name for more."""
    if isinstance(found, type):
        return frozenset({Instance(found)}) if ours(found) else NOTHING
    origin, arguments = getattr(found, "__origin__", None), getattr(found, "__args__", ())
    known = [_of_object(one, module) for one in arguments if not isinstance(one, str)]
    if origin in (dict,) and len(known) == 2:
        return frozenset({Many(known[0], known[1])})
    if isinstance(origin, type) and origin.__name__ in HOLDERS:
        return frozenset({Many(frozenset().union(*known))})
    if origin is not None and getattr(origin, "__name__", "") in {"Mapping", "dict"} and len(known) == 2:
        return frozenset({Many(known[0], known[1])})
    if type(found).__name__ == "UnionType":
        return frozenset().union(*known)
    return NOTHING
