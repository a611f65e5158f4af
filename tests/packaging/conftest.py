"""The package as its users get it: an sdist, the wheel made of it, and environments in which they are installed.

pip fetches what an installation needs. Where it cannot reach an index the tests are skipped, and fail in CI.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
"""What tools leave in a checkout."""

PROJECT = {
    "protocol.py": 'SPOKEN = "gopher"\n',
    "emulator.py": 'PLAYED = "amiga"\n',
    "test_mine.py": """\
import emulator
import protocol


def test_what_is_mine():
    assert (protocol.SPOKEN, emulator.PLAYED) == ("gopher", "amiga")


def test_a_kernel(nlemu):
    nlemu.do(nsim_new=[1, 1, 4])
    assert len(nlemu.family("rt-link").dump("getlink")) == 2
""",
}
"""A project of somebody whose modules have the names of our folders."""


@dataclass(frozen=True)
class Venv:
    """A virtual environment, run in a directory with nothing of the checkout in sight."""

    path: Path
    place: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def run(self, *arguments: str | Path, writes: bool = False) -> subprocess.CompletedProcess[str]:
        """What its Python says, called with those arguments. writes: bytecode is written, as it usually is."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "MYPY"))}
        quiet = {} if writes else {"PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [self.python, *arguments], cwd=self.place, env=kept | quiet, capture_output=True, text=True, timeout=600
        )

    def pytest(self, *arguments: str) -> str:
        """What pytest says of tests that pass."""
        run = self.run("-m", "pytest", "-p", "no:cacheprovider", *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def install(self, *what: str | Path) -> None:
        """pip install, which has the bytecode written."""
        pip("--python", self.python, "install", "-q", *what)


def pip(*arguments: str | Path) -> None:
    fetch("-m", "pip", "--disable-pip-version-check", *arguments)


def fetch(*arguments: str | Path) -> None:
    """Runs a module of the tests' Python that asks an index; the test is skipped where there is none."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run([sys.executable, *arguments], env=kept, capture_output=True, text=True, timeout=600)
    said = run.stdout + run.stderr
    if run.returncode and ("No matching distribution" in said or "Could not fetch URL" in said):
        pytest.skip(f"pip reaches no index here: {said}")
    assert run.returncode == 0, said


def make_venv(path: Path, place: Path) -> Venv:
    place.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True, timeout=60)
    return Venv(path, place)


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout: what builds a package leaves its own files beside the sources."""
    tree = tmp_path_factory.mktemp("tree") / "nlemu"
    shutil.copytree(ROOT, tree, symlinks=True, ignore=shutil.ignore_patterns(".git", *LEFT_OUT))
    return tree


@pytest.fixture(scope="session")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an sdist, and the wheel that was made of it."""
    pytest.importorskip("build")
    place = tmp_path_factory.mktemp("dist")
    fetch("-m", "build", "--outdir", place, tree)
    return place


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (wheel,) = built.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def sdist(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sdist unpacks to."""
    (archive,) = built.glob("*.tar.gz")
    place = tmp_path_factory.mktemp("sdist")
    with tarfile.open(archive) as packed:
        packed.extractall(place, filter="data")
    (unpacked,) = place.iterdir()
    return unpacked


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """A fresh environment with the wheel, pytest and mypy, beside a project that has a protocol.py of its own."""
    base = tmp_path_factory.mktemp("installed")
    venv = make_venv(base / "venv", base / "project")
    for name, text in PROJECT.items():
        (venv.place / name).write_text(text)
    venv.install(wheel, "pytest", "mypy")
    return venv
