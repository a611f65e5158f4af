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
PAGES = ("faults.md", "leases.md", "nics.md", "page.md", "traces.md", "worlds.md")
ONE_SESSION = ("faults.md", "leases.md")
"""Pages whose blocks are one terminal, from top to bottom."""


RANDOM = (
    r"([0-9a-f]{2}):(?!\1:\1:\1:\1:\1)(?:[0-9a-f]{2}:){4}[0-9a-f]{2}|(?<=\.py:)\d+"
    r"|(?<=http://127\.0\.0\.1:)\d+/[\w-]{32}"
)
"""A hardware address that was drawn (not all of them are), the number of a line, which changes with the source; and a
live page's URL."""


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
    need("curl")
    need("openssl")
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
        told = [re.sub(RANDOM, "ADDRESS", line.rstrip()) for line in done.stdout.splitlines()]
        assert told == [re.sub(RANDOM, "ADDRESS", line) for line in shown]


def quoted(text: str) -> str:
    """A text for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_linked_is_there(page: str) -> None:
    for target in re.findall(r"\]\((?!https:)([^)#]+)[^)]*\)", (ROOT / "docs" / page).read_text()):
        assert (ROOT / "docs" / target).exists(), target


@pytest.mark.parametrize(("page", "name"), [("worlds.md", "worlds/lease.toml"), ("nics.md", "profiles/acme.toml")])
def test_what_the_page_shows_is_the_file(page: str, name: str) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    assert (ROOT / "fixtures" / name).read_text() == shown


@pytest.mark.parametrize(("page", "count"), [("worlds.md", 1), ("faults.md", 3)])
def test_the_tests_of_the_page(page: str, count: int, tmp_path: Path) -> None:
    from tests.nlemu.project import run_tests

    (example,) = re.findall(
        r"```python\n((?:import|@pytest).*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL
    )
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    run = run_tests("import pytest\n" + example, tmp_path)
    assert run.returncode == 0 and f"{count} passed" in run.stdout, run.stdout
