"""The kinds of links, a file a kind, found by walking this folder: each file holds a KIND, or several KINDS."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from nlemu.emulator.kernel.devices.kind import Kind


def modelled() -> Iterator[Kind]:
    """Every kind that has a model in this folder."""
    for found in iter_modules(__path__, f"{__name__}."):
        module = import_module(found.name)
        yield from getattr(module, "KINDS", ()) or ((module.KIND,) if hasattr(module, "KIND") else ())


KINDS = tuple(modelled())
