"""What these pages of docs show is what happens: their commands are run, and print that."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.launch.nobody import need

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("leases.md", "nics.md", "traces.md", "worlds.md")
ONE_SESSION = ("leases.md",)
"""Pages whose blocks are one terminal, from top to bottom."""


def sessions(page: str) -> Iterator[list[str]]:
    """The blocks of a page that show a terminal."""
    text = (ROOT / "docs" / page).read_text()
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for block in ["".join(blocks)] if page in ONE_SESSION else blocks:
        yield block.splitlines()


@pytest.mark.parametrize("page", PAGES)
def test_the_page_shows_what_happens(page: str, tmp_path: Path) -> None:
    need("ip")
    need("ethtool")
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    for lines in sessions(page):
        shown: list[str] = []
        script = [f'nlemu() {{ "{sys.executable}" -m nlemu "$@"; }}', "exec 2>&1"]
        for line in lines:
            shown.append(line.rstrip())
            if line.startswith("$ "):
                script += [f"echo {quoted(line)}", line[2:]]
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert [line.rstrip() for line in done.stdout.splitlines()] == shown


def quoted(text: str) -> str:
    """A text for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_linked_is_there(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / "docs" / page).read_text()):
        assert (ROOT / "docs" / target).exists(), target


def test_the_world_of_the_page_is_the_file() -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "worlds.md").read_text(), re.DOTALL)
    assert (ROOT / "fixtures" / "worlds" / "lease.toml").read_text() == shown


def test_the_test_of_the_page(tmp_path: Path) -> None:
    from tests.nlemu.project import run_tests

    (example,) = re.findall(r"```python\n(@pytest.*?)```", (ROOT / "docs" / "worlds.md").read_text(), re.DOTALL)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    run = run_tests("import pytest\n" + example, tmp_path)
    assert run.returncode == 0 and "1 passed" in run.stdout, run.stdout
