"""The wheel: what it makes importable, beside a project with modules of those names, and what its plugin costs."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

import nlemu
from tests.packaging.conftest import Venv
from tests.packaging.manpages import PLACE

LOOK = """\
import sys


def of(package):
    return {name for name in sys.modules if name == package or name.startswith(package + ".")}


def rewritten(names):
    return {name for name in names if "pytest" in type(sys.modules[name].__spec__.loader).__module__}
"""
"""What a test can say of its process: which modules of a package are there, and which of them pytest compiled."""

UNUSED = LOOK + """\


def test_what_is_there():
    assert rewritten({__name__, "sys"}) == {__name__}
    assert of("nlemu") == {"nlemu", "nlemu.pytest_plugin"}
    assert not of("trio") | of("construct")
"""

USED = LOOK + """\


def test_what_is_there(nlemu):
    import nlemu.emulator.cli.ynl

    assert len(of("nlemu")) > 150
    assert rewritten(of("nlemu")) <= {"nlemu", "nlemu.pytest_plugin"}
"""

TWICE = """\
import sys
import pytest

before = list(sys.meta_path)
for _ in range(2):
    assert pytest.main(["-q", "-p", "no:cacheprovider", "test_mine.py"]) == 0
    assert sys.meta_path == before, sys.meta_path
"""

RIGHT = """\
import nlemu

with nlemu.Kernel(seed=1) as kernel:
    names: list[object] = [link["ifname"] for link in kernel.family("rt-link").dump("getlink")]
    place = kernel.directory.parent
"""
WRONG = RIGHT.replace("seed=1", "seed='one'").replace(".parent", ".parnet")


def test_nothing_but_nlemu_becomes_importable(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
        recorded = [PurePosixPath(line.split(",")[0]) for line in archive.read(record).decode().splitlines()]
    data = PurePosixPath(record).parts[0].replace(".dist-info", ".data")  # what goes elsewhere: pages of the manual
    pages = {path.name for path in recorded if path.is_relative_to(f"{data}/data/share/man/man1")}
    assert pages == {page.name for page in PLACE.glob("*.1")}
    assert {path.parts[0] for path in recorded} == {"nlemu", PurePosixPath(record).parts[0], data}
    assert {
        "nlemu/protocol/refusal.py", "nlemu/emulator/cli/__init__.py", "nlemu/py.typed",
        "nlemu/protocol/decode/wireshark.lua",
    } <= set(map(str, recorded))


LINK = re.compile(r"\[[^\]]*\]\(([^)]*)\)")


def test_the_description_links_to_nothing_that_an_index_has_not(wheel: Path, sdist: Path) -> None:
    """What README.md links to are files, which an index does not show: it names them then, and an sdist has them."""
    told = metadata.Distribution.at(extracted(wheel, sdist.parent / "wheel")).metadata
    text = str(told.json["description"])
    assert told["Description-Content-Type"] == "text/markdown"
    assert text.startswith("# nlemu\n") and "pip install . && nlemu demo" in text
    assert [link for link in LINK.findall(text) if not link.startswith("https://")] == []
    links = LINK.findall((sdist / "README.md").read_text())
    for link in links:
        path = link.partition("#")[0]
        assert (sdist / path).is_file() and f"`{path}`" in text, link


def test_with_an_address_links_are_absolute(sdist: Path) -> None:
    """And the version's own: a page of docs may be gone from the next one."""
    spec = importlib.util.spec_from_file_location("its_setup", sdist / "setup.py")
    assert spec is not None and spec.loader is not None
    setup = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(setup)
    text = "see [a](docs/a.md), [b](docs/b.md#c-d), [e](https://e.org/f), [g](#h) and `[i]`"
    assert setup.description(text, "https://forge.org/x/", "v0.2.0") == (
        "see [a](https://forge.org/x/blob/v0.2.0/docs/a.md), [b](https://forge.org/x/blob/v0.2.0/docs/b.md#c-d), "
        "[e](https://e.org/f), [g](#h) and `[i]`"
    )
    readme = (sdist / "README.md").read_text()
    whole = setup.description(readme, "https://forge.org/nlemu", "v1")
    assert {link.startswith("https://forge.org/nlemu/blob/v1/") for link in LINK.findall(whole)} == {True}
    assert len(LINK.findall(whole)) == len(LINK.findall(readme))


def extracted(wheel: Path, place: Path) -> Path:
    """Unpacks a wheel; where its metadata is."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    (found,) = place.glob("*.dist-info")
    return found


def test_a_project_with_modules_of_our_folders_names(installed: Venv) -> None:
    assert "2 passed" in installed.pytest("test_mine.py")


def test_the_commands(installed: Venv) -> None:
    run = installed.run("-m", "nlemu", "--version")
    assert (run.returncode, run.stdout) == (0, f"nlemu {nlemu.__version__}\n")
    run = installed.run("-c", "import os; os.execv('../venv/bin/nlemu', ['nlemu', 'demo'])")
    assert (run.returncode, run.stderr) == (0, "")
    run = installed.run("-c", "from importlib.metadata import version; print(version('nlemu'))")
    assert run.stdout == f"{nlemu.__version__}\n"


def test_who_does_not_use_the_plugin_pays_for_two_small_modules(installed: Venv) -> None:
    (installed.place / "test_unused.py").write_text(UNUSED)
    assert "1 passed" in installed.pytest("test_unused.py")


def test_pytest_rewrites_nothing_of_the_package(installed: Venv) -> None:
    """Nor where a conftest.py imports it, before any fixture runs."""
    place = installed.place / "used"
    place.mkdir()
    (place / "conftest.py").write_text("from nlemu.protocol.uapi.netlink import NLM_F  # noqa: F401\n")
    (place / "test_used.py").write_text(USED)
    assert "1 passed" in installed.pytest("used/test_used.py")


def test_the_finder_leaves_with_pytest(installed: Venv) -> None:
    run = installed.run("-c", TWICE)
    assert run.returncode == 0, run.stdout + run.stderr


def test_types_are_seen(installed: Venv) -> None:
    (installed.place / "right.py").write_text(RIGHT)
    (installed.place / "wrong.py").write_text(WRONG)
    run = installed.run("-m", "mypy", "--strict", "--cache-dir", "../mypy", "right.py", "wrong.py")
    found = [line for line in run.stdout.splitlines() if ": error:" in line]
    assert [line.split(" error: ")[0] for line in found] == ["wrong.py:3:", "wrong.py:5:"], run.stdout + run.stderr
    assert '"str"; expected "int"' in found[0] and 'no attribute "parnet"' in found[1]
