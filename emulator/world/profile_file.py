"""Profiles of one's own in files: the sections `profile` of a world, or of a file that has nothing else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nlemu.emulator.world.lines import Lines, Where, tables
from nlemu.emulator.world.profile import profile_of
from nlemu.emulator.world.values import ProfileError, shown
from nlemu.emulator.world.world import Entry, WorldError

IN_A_LIST = re.compile(r"([a-z-]+)\[(\d+)\]\.?(.*)")
PROFILE = "profile"
"""The section."""


def read(path: str | Path) -> list[Entry]:
    """The profiles in a file, each of which can be. Raises WorldError, which names the line; OSError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise WorldError(f"{path}: not UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise WorldError(f"{path}: {error}") from None
    lines = Lines(text, str(path))
    found = entries(content, lines)
    for key in content:
        raise WorldError(f"{lines.place((), key)}: {key}: in a file of profiles there is nothing but [[{PROFILE}]]")
    check_names(found)
    return found


def read_one(path: str | Path) -> dict[str, Any]:
    """The words of the only profile in a file. Raises WorldError, OSError."""
    found = read(path)
    if len(found) != 1:
        raise WorldError(f"{path}: one [[{PROFILE}]] belongs here, and not {len(found)}")
    return found[0].fields


def named(name: Any, folder: Path, at: str) -> list[Entry]:
    """The profiles in a file that a world names. at: where it does. Raises WorldError."""
    if not isinstance(name, str):
        raise WorldError(f"{at}: profiles: names of files belong here, and not {shown(name)}")
    try:
        return read(folder / name)
    except OSError as error:
        raise WorldError(f"{at}: profiles: {name}: {error.strerror}") from None


def entries(content: dict[str, Any], lines: Lines) -> list[Entry]:
    """The profiles among the sections of a file, from which they are taken. Raises WorldError."""
    found = []
    for number, fields in enumerate(tables(content.pop(PROFILE, []), lines, (), PROFILE)):
        where = ((PROFILE, number),)
        try:
            profile_of(fields)
        except ProfileError as error:
            raise WorldError(f"{place(lines, where, error.key)}: {PROFILE}.{error}") from None
        found.append(Entry(PROFILE, fields, lines.place(where), {"name": lines.place(where, "name")}))
    return found


def place(lines: Lines, where: Where, key: str) -> str:
    """Where a key stands that may be one of a table in a list: statistics[1].names."""
    found = IN_A_LIST.fullmatch(key)
    if found is None:
        return lines.place(where, key)
    inner = (*where, (found[1], int(found[2])))
    return lines.place(inner, found[3]) if (inner, None) in lines.lines else lines.place(where, found[1])


def check_names(profiles: Iterable[Entry]) -> None:
    """Refuses two of the same name. Raises WorldError."""
    seen: set[str] = set()
    for entry in profiles:
        name = entry.fields["name"]
        if name in seen:
            raise entry.error("name", f"there is a profile {name!r} already")
        seen.add(name)
