"""The kinds of links that have something to say of themselves, a file a kind.

A file holds a KIND, or several KINDS. Kinds without attributes (dummy) need no file.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from nlemu.protocol.schema.link_kind import LinkKind


def declared() -> Iterator[LinkKind]:
    """Every kind that is declared in this folder."""
    for found in iter_modules(__path__, f"{__name__}."):
        module = import_module(found.name)
        yield from module.KINDS if hasattr(module, "KINDS") else (module.KIND,)


KINDS = {kind.name: kind for kind in declared()}
"""By name."""
