"""The kinds of links, a file a kind, found by walking this folder: each file holds a KIND, or several KINDS.

A file is imported when a link of its kind is first asked for, as Linux loads the module of a kind. A start that
imported all of them would take a third longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.kind import Kind

REMEMBERED = 256
"""Names of kinds, those that requests make up among them."""


@cache
def files() -> tuple[str, ...]:
    """The names of the files in this folder, in their order."""
    return tuple(found.name for found in iter_modules(__path__))


@cache
def kinds_of(file: str) -> tuple[Kind, ...]:
    """The kinds that a file holds."""
    module = import_module(f"{__name__}.{file}")
    return getattr(module, "KINDS", ()) or ((module.KIND,) if hasattr(module, "KIND") else ())


def modelled() -> Iterator[Kind]:
    """Every kind that has a model in this folder."""
    for file in files():
        yield from kinds_of(file)


@lru_cache(maxsize=REMEMBERED)
def find(name: str) -> Kind | None:
    """The kind of that name, if it has a model in this folder. Mostly its file has the same name; only for another are
    all looked through."""
    likely = kinds_of(name) if name in files() else ()
    return next((kind for kind in chain(likely, modelled()) if kind.name == name), None)


class Kinds(Mapping[str, "Kind"]):
    """The kinds that a kernel of that build has, by name. others: what finds kinds that are not in this folder, by
    their names."""

    def __init__(self, build: Build, others: Mapping[str, Callable[[], Kind]]) -> None:
        self._build = build
        self._others = others

    def __getitem__(self, name: str) -> Kind:
        kind = self._others[name]() if name in self._others else find(name)
        if kind is None or not self._build.has(kind.option):
            raise KeyError(name)
        return kind

    def check(self, setting: str) -> Callable[[Net, int], None] | None:
        """Who is asked before a setting below /proc/sys/net is another number: the kind in whose folder it lies."""
        folder = setting.partition("/")[0]
        kind = self.get(folder) if folder in files() else None
        return None if kind is None else kind.sysctls.get(setting)

    def __iter__(self) -> Iterator[str]:
        names = (*(kind.name for kind in modelled()), *self._others)
        return (name for name in names if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def place(kind: Kind) -> int:
    """Where a kind stands among all, by its file."""
    file = type(kind).__module__.rpartition(".")[2]
    return files().index(file) if file in files() else len(files())
