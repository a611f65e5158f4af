"""`pip install -e`, which is how somebody works on the package and on what uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

import nlemu
from tests.packaging.conftest import PROJECT, Venv, make_venv

SHOW = """\
import importlib.util, nlemu.emulator.cli
print(nlemu.emulator.cli.__file__)
print([name for name in ("protocol", "emulator", "tests", "fixtures", "docker") if importlib.util.find_spec(name)])
"""


@pytest.fixture(scope="module")
def editable(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    base = tmp_path_factory.mktemp("editable")
    venv = make_venv(base / "venv", base / "project")
    venv.install("pytest", "-e", tree)
    return venv


def test_it_is_the_checkout_and_brings_nothing_else(editable: Venv, tree: Path) -> None:
    run = editable.run("-c", SHOW)
    assert run.stdout.splitlines() == [str(tree / "nlemu/emulator/cli/__init__.py"), "[]"], run.stderr
    run = editable.run("-m", "nlemu", "--version")
    assert (run.returncode, run.stdout) == (0, f"nlemu {nlemu.__version__}\n")


def test_a_project_with_modules_of_our_folders_names(editable: Venv) -> None:
    for name, text in PROJECT.items():
        (editable.place / name).write_text(text)
    assert "2 passed" in editable.pytest("test_mine.py")
