"""The source of a function of ours: its syntax tree, found by its code object.

Names are looked up in the modules as they are, imported; so tables that decorators fill, and classes that are derived
elsewhere, are there without having to be understood. Only bodies are read.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import CodeType, FunctionType, ModuleType

OURS = "nlemu."
ROOMS = ("nlemu.emulator.kernel", "nlemu.emulator.handlers", "nlemu.emulator.netlink", "nlemu.emulator.machine")
"""Where the functions are that refuse. What declarations refuse is told by the declarations (declared.py)."""
FunctionNode = ast.FunctionDef | ast.Lambda


@cache
def load() -> None:
    """Imports every module of the rooms: until then nobody knows what is derived from a class."""
    for name in ROOMS:
        room = import_module(name)
        for found in walk_packages(room.__path__, f"{name}."):
            import_module(found.name)


@cache
def tree(filename: str) -> ast.Module | None:
    """A module's syntax tree; None where its source is not there."""
    try:
        return ast.parse(Path(filename).read_text())
    except (OSError, SyntaxError):
        return None


@cache
def _functions(filename: str) -> dict[int, FunctionNode]:
    """The functions of a file by the line that their code objects name, which is that of the first decorator."""
    module = tree(filename)
    found: dict[int, FunctionNode] = {}
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.FunctionDef):
            found[min([node.lineno, *(one.lineno for one in node.decorator_list)])] = node
        elif isinstance(node, ast.Lambda):
            found.setdefault(node.lineno, node)
    return found


def node_of(function: FunctionType) -> FunctionNode | None:
    """The syntax tree of a function; None where there is none, as of what dataclasses make."""
    return node_at(function.__code__)


def node_at(code: CodeType) -> FunctionNode | None:
    """The same by the code object."""
    return _functions(code.co_filename).get(code.co_firstlineno)


@cache
def nodes(node: ast.AST) -> tuple[ast.AST, ...]:
    """All that is in a function, which is gone through several times."""
    return tuple(ast.walk(node))


def in_rooms(function: FunctionType) -> bool:
    """Whether a function is one of those that are walked."""
    return function.__module__ is not None and function.__module__.startswith(ROOMS)


@cache
def _imports_for_checkers(filename: str) -> dict[str, tuple[str, str]]:
    """What a file imports for type checkers alone, by name: its module, and what it is called there."""
    module = tree(filename)
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in (ast.walk(module) if module is not None else ())
        if isinstance(node, ast.ImportFrom) for alias in node.names
    }


def lookup(module: str, name: str) -> Iterator[object]:
    """What a name stands for in a module, if anything; what is imported for type checkers alone is found too."""
    found = sys.modules.get(module)
    if found is None:
        return
    if name in vars(found):
        yield vars(found)[name]
        return
    imported = _imports_for_checkers(getattr(found, "__file__", "") or "").get(name)
    if imported is not None and imported[0].startswith(("nlemu", "collections")):
        place = import_module(imported[0])
        if hasattr(place, imported[1]):
            yield getattr(place, imported[1])
        elif isinstance(place, ModuleType) and place.__name__.startswith("nlemu"):
            yield import_module(f"{imported[0]}.{imported[1]}")
