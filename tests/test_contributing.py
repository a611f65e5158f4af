"""CONTRIBUTING.md shows code that there is: each example stands in the file that it names, and links lead somewhere."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
EXAMPLES = re.findall(r"`([\w/]+\.py)`[^`]*:\n\n( *)```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("path, indent, code", EXAMPLES, ids=[path for path, _, _ in EXAMPLES])
def test_an_example_stands_in_the_file_that_it_names(path: str, indent: str, code: str) -> None:
    place = ROOT / path if (ROOT / path).exists() else ROOT / "nlemu" / path  # an sdist has the package there alone
    there = textwrap.dedent(place.read_text())
    shown = textwrap.dedent(code).rstrip().splitlines()
    lines = [line.strip() for line in there.splitlines()]
    wanted = [line.strip() for line in shown]
    assert any(lines[at : at + len(wanted)] == wanted for at in range(len(lines))), "\n".join(shown)


def test_all_examples_were_found() -> None:
    assert PAGE.count("```python") == len(EXAMPLES) > 5


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/releasing.md"])
def test_what_is_linked_is_there(page: str) -> None:
    place = ROOT / page
    for target in re.findall(r"\]\(((?!https:)[^)#]+)[^)]*\)", place.read_text()):
        assert (place.parent / target).exists(), target
