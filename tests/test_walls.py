"""The walls of the house: which package may import which, and where `async` may stand.

docs/architecture.md draws them. Imports are read from the source, not from a running program, so an import inside a
function counts as well. An import for type checkers only does not: it carries no dependency.
"""

import ast
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
STANDARD = {"asyncio", "trio"}

# Each room with the rooms that it may import beside itself, from the bottom up. A module is in the last room that fits.
ROOMS: dict[str, tuple[str, ...]] = {
    "nlemu": ("nlemu",),
    "nlemu.protocol": ("uapi",),  # refusal, frame
    "nlemu.protocol.uapi": (),
    "nlemu.protocol.schema": ("uapi", "protocol"),
    "nlemu.protocol.wire": ("uapi", "protocol", "schema"),
    "nlemu.protocol.families": ("uapi", "protocol", "schema", "wire"),
    "nlemu.protocol.names": ("uapi", "protocol", "schema", "families"),
    "nlemu.protocol.decode": ("uapi", "protocol", "schema", "wire", "families", "names"),
    "nlemu.protocol.encode": ("uapi", "protocol", "schema", "wire", "families", "names", "decode"),
    "nlemu.protocol.captures": ("uapi", "protocol", "schema", "families", "names", "decode"),
    "nlemu.emulator.kernel": ("uapi", "protocol"),
    "nlemu.emulator.netlink": ("uapi", "protocol", "schema", "wire", "kernel"),
    "nlemu.emulator.handlers": ("uapi", "protocol", "schema", "wire", "families", "kernel", "netlink"),
    "nlemu.emulator.machine": ("uapi", "protocol", "schema", "wire", "families", "kernel", "netlink", "handlers"),
    "nlemu.emulator.client": ("uapi", "protocol", "schema", "families", "names", "decode", "encode"),
    "nlemu.emulator.world": (
        "uapi", "protocol", "families", "schema", "names", "decode", "encode", "kernel", "machine",
    ),
    "nlemu.emulator.script": (
        "uapi", "protocol", "schema", "wire", "families", "names", "decode", "encode", "captures", "kernel", "handlers",
        "machine", "world",
    ),
    "nlemu.emulator.coverage": (
        "nlemu", "uapi", "protocol", "schema", "families", "names", "decode", "kernel", "netlink", "handlers",
        "machine", "script",
    ),
    "nlemu.emulator.launch": ("uapi", "protocol", "schema", "families", "kernel", "machine"),
    "nlemu.emulator.daemon": (
        "uapi", "protocol", "names", "kernel", "netlink", "machine", "script", "launch", "world",
    ),
    "nlemu.emulator.bench": ("uapi", "protocol", "schema", "encode", "kernel", "machine", "client"),
    "nlemu.emulator.cli": (
        "nlemu", "uapi", "protocol", "schema", "families", "names", "decode", "encode", "captures", "kernel", "machine",
        "script", "launch", "daemon", "client", "world", "coverage", "bench",
    ),
}
ASYNC_ROOM = "nlemu.emulator.daemon"
ASYNC_CLIENT = "nlemu.client"
"""For programs that are async themselves."""
EDGE = {"nlemu", "nlemu.emulator.daemon", "nlemu.emulator.cli", "nlemu.emulator.client", "nlemu.emulator.launch"}
"""Rooms that may import trio: to start it, or to speak of its exceptions."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    # glob() does not follow links, and the latter two are links.
    for place in ("nlemu", "nlemu/protocol", "nlemu/emulator"):
        for path in sorted((ROOT / place).glob("*.py" if place == "nlemu" else "**/*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(), str(path))


MODULES = dict(modules())
PACKAGES = {name for name in MODULES if (ROOT / name.replace(".", "/")).is_dir()}


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module that the source imports when it runs."""
    for_checkers: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in node.body:
                for_checkers |= set(ast.walk(inner))
    for node in ast.walk(tree):
        if node in for_checkers:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are absolute"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                yield deeper if deeper in MODULES else node.module


def room(name: str) -> str:
    return next(prefix for prefix in reversed(ROOMS) if within(name, prefix))


def word(prefix: str) -> str:
    return prefix.rpartition(".")[2]


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    home = room(name)
    if home == "nlemu":  # the front door: it may import all, and nothing needs it
        return
    for imported in imports(MODULES[name]):
        if within(imported, "nlemu"):
            assert room(imported) == home or word(room(imported)) in ROOMS[home], f"{name} may not import {imported}"


@pytest.mark.parametrize("name", MODULES)
def test_async_stays_at_the_edge(name: str) -> None:
    if within(name, ASYNC_ROOM) or name == ASYNC_CLIENT:
        return
    tree = MODULES[name]
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(tree) if isinstance(node, kinds)]
    if room(name) not in EDGE:
        assert STANDARD.isdisjoint(imported.split(".")[0] for imported in imports(tree))


def folder(name: str) -> str:
    return name if name in PACKAGES else name.rpartition(".")[0]


def circles(graph: dict[str, set[str]]) -> set[str]:
    """The folders that lie on a circle: those that are left when all that import nothing that is left are taken away,
    and then all that nothing that is left imports."""
    left = {name: set(imported) for name, imported in graph.items()}
    while ends := {name for name, imported in left.items() if not imported & left.keys()}:
        left = {name: imported for name, imported in left.items() if name not in ends}
    while starts := left.keys() - {imported for imports in left.values() for imported in imports}:
        left = {name: imported for name, imported in left.items() if name not in starts}
    return set(left)


def test_no_folder_imports_another_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, tree in MODULES.items():
        home = graph.setdefault(folder(name), set())
        home |= {folder(imported) for imported in imports(tree) if imported in MODULES} - {folder(name)}
    del graph["nlemu"]  # the front door imports all; that the command line finds its version there is no circle
    assert circles(graph) == set()


def test_a_circle_would_be_seen() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"d"}}
    assert circles(graph) == {"b", "c"}


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "nlemu.emulator.kernel")])
def test_the_model_sees_no_bytes_on_the_wire(name: str) -> None:
    """State never sees bytes: nothing in the model packs, unpacks or knows a struct or a construct."""
    assert {"struct", "construct", "socket"}.isdisjoint(imports(MODULES[name]))


def test_the_walls_would_be_seen_to_fall() -> None:
    """The test can fail: it finds an import wherever it hides, and not where only a type checker looks."""
    tree = ast.parse(
        "if TYPE_CHECKING:\n    import nlemu.emulator.machine.endpoint\n"
        "def f():\n    from nlemu.emulator.kernel.core import net\n"
        "import nlemu.protocol.refusal\n"
    )
    assert set(imports(tree)) == {"nlemu.emulator.kernel.core.net", "nlemu.protocol.refusal"}
