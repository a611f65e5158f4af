"""Where in a file things stand: lines by table and key, for what is to be said of a slip."""

from __future__ import annotations

import re
from typing import Any

from nlemu.emulator.world.world import WorldError

TABLE = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\- \"]+?)\s*\]\]?")
KEY = re.compile(r"\s*(?:\"([^\"]+)\"|([A-Za-z0-9_\-]+))\s*(?:\.|=)")

Where = tuple[tuple[str, int], ...]
"""Which table: the name of each list of tables on the way to it, and its number there."""


class Lines:
    """Where in a file things stand: lines by table and key. TOML's own parser does not tell."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.lines: dict[tuple[Where, str | None], int] = {}
        counts: dict[Where | tuple[object, ...], int] = {}
        here: Where = ()
        below: list[str] = []
        for number, line in enumerate(text.splitlines(), 1):
            table = TABLE.match(line)
            if table:
                path = [part.strip().strip('"') for part in table[2].split(".")]
                here, below = (), []
                for depth, part in enumerate(path):
                    last = depth == len(path) - 1
                    if last and table[1] == "[[":
                        counts[(here, part)] = counts.get((here, part), -1) + 1
                    if (here, part) not in counts:  # a table in a table: its keys are those of the outer one's key
                        below = path[depth:]
                        break
                    here = (*here, (part, counts[(here, part)]))
                for depth in range(len(below) + 1):
                    self.lines.setdefault((here, ".".join(below[:depth]) or None), number)
            elif key := KEY.match(line):
                self.lines.setdefault((here, ".".join((*below, key[1] or key[2]))), number)

    def place(self, where: Where, key: str | None = None) -> str:
        """The file and the line of a key in a table, with its inner keys behind dots; or else of what it is in."""
        if key and ((*where, (key, 0)), None) in self.lines:
            where, key = (*where, (key, 0)), None
        while key and (where, key) not in self.lines:
            key = key.rpartition(".")[0]
        line = self.lines.get((where, key or None)) or self.lines.get((where, None)) or 1
        return f"{self.name}:{line}"


def tables(value: Any, lines: Lines, where: Where, section: str) -> list[dict[str, Any]]:
    """The tables of a section. Raises WorldError if it has none."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise WorldError(f"{lines.place(where, section)}: {section}: begins with [[{section}]], once for each")
    return value
