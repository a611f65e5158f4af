"""Every public function, class and method says what it is, in a docstring. A method that overrides another need not:
what it does is said there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import nlemu.emulator
import nlemu.protocol

PACKAGES = (nlemu.protocol, nlemu.emulator)
NAMES = [
    "nlemu.kernel",
    "nlemu.pytest_plugin",
    *(
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ),
]


def public(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """What the module defines and does not keep to itself, with its name; what overrides something is left out."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value):
            yield name, value
            for method, function in vars(value).items():
                said_elsewhere = any(hasattr(base, method) for base in value.__mro__[1:])
                if not method.startswith("_") and not said_elsewhere:
                    inner = getattr(function, "__func__", function)
                    if inspect.isfunction(inner) or isinstance(inner, property):
                        yield f"{name}.{method}", inner


def silent(module: ModuleType) -> list[str]:
    """Those without a docstring of their own."""
    return [name for name, value in public(module) if not value.__doc__ or written_by_python(value)]


def written_by_python(value: Any) -> bool:
    """The signature that dataclass() and NamedTuple put where nothing was said, and the docstring of a base."""
    if not inspect.isclass(value):
        return False
    text = vars(value).get("__doc__")
    return not text or text.startswith(f"{value.__name__}(")


@pytest.mark.parametrize("name", NAMES)
def test_everything_public_says_what_it_is(name: str) -> None:
    assert silent(importlib.import_module(name)) == []


def test_silence_would_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("quiet")
    monkeypatch.setitem(sys.modules, "quiet", module)
    exec(
        "import dataclasses\n"
        "class Base:\n    'said'\n    def over(self): 'said'\n    def shy(self): ...\n    def _own(self): ...\n"
        "class Below(Base):\n    def over(self): ...\n    @property\n    def read(self): return 1\n"
        "@dataclasses.dataclass\nclass Data:\n    field: int\n"
        "def quiet(): ...\ndef loud(): 'said'\n",
        vars(module),
    )
    assert silent(module) == ["Base.shy", "Below", "Below.read", "Data", "quiet"]
