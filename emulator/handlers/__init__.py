"""The handlers: a function a command, a fill a message; a folder a family, a file a group of commands.

Each file registers its functions with emulator/netlink/registry.py as it is imported, and is imported when the first
socket of its protocol opens: `load()` finds those that there are, so a new file needs to be named nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules, walk_packages

OTHERS = ("announcements", "common", "netfilter", "route", "sock_diag", "uevent", "xfrm")
"""What is here beside the families of generic netlink."""


def load(name: str) -> None:
    """Imports the handlers of a protocol: a module or a folder of this one."""
    module = import_module(f"{__name__}.{name}")
    for inside in walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
        import_module(inside.name)


def generic() -> Iterator[str]:
    """The names of those that are generic netlink's."""
    return (found.name for found in iter_modules(__path__) if found.name not in OTHERS)
