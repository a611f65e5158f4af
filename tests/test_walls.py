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

# Each room with what it may import of ours, from the bottom up. The first prefix that fits a module is its room.
CALL = ("emulator.kernel", "emulator.netlink.call", "emulator.netlink.dump", "protocol")
ROOMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("protocol.uapi", ("protocol.uapi",)),
    ("protocol.refusal", ()),
    ("protocol", ("protocol",)),
    ("emulator.kernel", ("emulator.kernel", "protocol.uapi", "protocol.refusal")),
    ("emulator.netlink.descriptors", ("emulator.kernel", "protocol")),
    ("emulator.netlink", ("emulator.netlink", "emulator.kernel", "protocol")),
    ("emulator.handlers", ("emulator.handlers", "emulator.netlink", *CALL)),
    ("emulator.machine.answer", ("emulator.handlers", "emulator.netlink", *CALL)),
    ("emulator.machine.generic", ("emulator.machine.answer", *CALL)),
    ("emulator.machine.rtnetlink", ("emulator.machine.answer", "emulator.netlink", *CALL)),
    ("emulator.machine.faults", CALL),
    ("emulator.machine", ("emulator.machine", "emulator.handlers", "emulator.netlink", *CALL)),
)
# Above these: the steps, and the edge. They may import all that is below.
ASYNC_ROOMS = ("emulator.daemon",)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in ("protocol", "emulator"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, ast.parse(path.read_text(), str(path))


MODULES = dict(modules())


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


def room(name: str) -> tuple[str, ...] | None:
    return next((allowed for prefix, allowed in ROOMS if within(name, prefix)), None)


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_one_way(name: str) -> None:
    allowed = room(name)
    if allowed is None:
        return
    for imported in imports(MODULES[name]):
        if imported.split(".")[0] in ("protocol", "emulator"):
            assert any(within(imported, prefix) for prefix in allowed), f"{name} may not import {imported}"


@pytest.mark.parametrize("name", MODULES)
def test_nothing_needs_the_front_door(name: str) -> None:
    """nlemu is made of the two packages, and neither of it."""
    assert not [imported for imported in imports(MODULES[name]) if within(imported, "nlemu")]


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) is not None])
def test_below_the_edge_nothing_waits(name: str) -> None:
    tree = MODULES[name]
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(tree) if isinstance(node, kinds)]
    assert STANDARD.isdisjoint(imported.split(".")[0] for imported in imports(tree))


@pytest.mark.parametrize("name", MODULES)
def test_async_stays_at_the_edge(name: str) -> None:
    if any(isinstance(node, ast.AsyncFunctionDef) for node in ast.walk(MODULES[name])):
        assert any(within(name, edge) for edge in ASYNC_ROOMS), f"{name} is not a room for async"


@pytest.mark.parametrize("name", [name for name in MODULES if within(name, "emulator.kernel")])
def test_the_model_sees_no_bytes_on_the_wire(name: str) -> None:
    """State never sees bytes: nothing in the model packs, unpacks or knows a struct or a construct."""
    assert {"struct", "construct", "socket"}.isdisjoint(imports(MODULES[name]))


def test_the_walls_would_be_seen_to_fall() -> None:
    """The test can fail: it finds an import wherever it hides, and not where only a type checker looks."""
    tree = ast.parse(
        "if TYPE_CHECKING:\n    import emulator.machine.endpoint\n"
        "def f():\n    from emulator.kernel.core import net\n"
        "import protocol.refusal\n"
    )
    assert set(imports(tree)) == {"emulator.kernel.core.net", "protocol.refusal"}
