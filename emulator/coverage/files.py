"""Where coverage is written: data to be added up, a report as JSON, a page for people."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from nlemu.emulator.coverage.seen import CoverageError, Seen

if TYPE_CHECKING:
    from nlemu.emulator.coverage.report import Report

DATA, PAGE = ".json", ".html"


def place(text: str) -> Path:
    """The path that somebody has named: a file that ends as one of ours, or a directory, which is made. CoverageError,
    OSError."""
    path = Path(text)
    if path.suffix in (DATA, PAGE):
        return path
    if not (path.is_dir() or text.endswith("/")):
        raise CoverageError(f"takes FILE.json, FILE.html or a directory (DIR/), and not {text!r}")
    path.mkdir(parents=True, exist_ok=True)
    return path


def save(seen: Seen, path: Path) -> None:
    """Writes what one process has exercised: as data, in a directory under a name of its own, or as a page. OSError."""
    if path.suffix == PAGE:
        from nlemu.emulator.coverage.report import report

        write(seen, report(seen), path)
        return
    if path.is_dir():
        path = path / f"nlemu-{os.getpid()}-{secrets.token_hex(4)}{DATA}"
    replace(path, json.dumps(seen.told(), indent=1) + "\n")


def write(seen: Seen, found: Report, path: Path) -> None:
    """Writes a report, as the file's name ends. OSError."""
    from nlemu.emulator.coverage.page import page
    from nlemu.emulator.coverage.told import told

    if path.suffix == PAGE:
        replace(path, page(found))
    else:
        replace(path, json.dumps({**seen.told(), "report": told(found)}, indent=1) + "\n")


def replace(path: Path, text: str) -> None:
    """Puts a text into a file, whole or not at all."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_text(text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
