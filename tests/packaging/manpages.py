"""Writes docs/man anew, a page a command, from what `--help` tells: python -m tests.packaging.manpages"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from argparse_manpage.manpage import Manpage

from nlemu.emulator.cli import COMMANDS, parsers

PLACE = Path(__file__).resolve().parents[2] / "docs" / "man"
DATE = "2026-11-30"
"""Of the pages: the day on which what they tell changed last."""


def pages() -> Iterator[tuple[str, str]]:
    """The name of each file, and its text."""
    parser, told = parsers(COMMANDS)
    alone, _ = parsers(())
    yield "nlemu.1", page(alone, "nlemu", parser.description or "")
    for name, about in COMMANDS.items():
        yield f"nlemu-{name}.1", page(told[name], f"nlemu {name}", about)


def page(parser: argparse.ArgumentParser, name: str, about: str) -> str:
    """A page of the manual."""
    os.environ["COLUMNS"] = "100"
    data = {
        "prog": name.replace(" ", "-"), "project_name": "nlemu", "manual_title": "nlemu", "date": DATE,
        "description": about, "format": "pretty",
    }
    text = str(Manpage(parser, data)).rstrip() + "\n"
    heading, _, rest = text.partition("\n.SH SYNOPSIS")
    return heading.replace(name, data["prog"]).replace(name.upper(), data["prog"].upper()) + "\n.SH SYNOPSIS" + rest


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    for old in PLACE.glob("*.1"):
        old.unlink()
    for file, text in pages():
        (PLACE / file).write_text(text)
