"""Tables and colours for a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Columns as wide as what is in them; numbers to the right. A column that is empty everywhere is left out.

    Without rows there is no table.
    """
    if not rows:
        return []
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    kept = [at for at in range(len(head)) if any(row[at] for row in texts)]
    right = {at for at in kept if all(isinstance(row[at], int) or row[at] is None for row in rows)}
    widths = {at: max(len(head[at]), *(len(row[at]) for row in texts)) for at in kept}
    return [
        "  ".join(
            row[at].rjust(widths[at]) if at in right else row[at].ljust(widths[at]) for at in kept
        ).rstrip()
        for row in [list(head), *texts]
    ]


class Paint:
    """Colours, where they are seen and wanted: on a terminal, unless NO_COLOR is set (no-color.org)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = stream or sys.stdout
        self.on = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.on and text else text

    def bold(self, text: str) -> str:
        """The text, bold."""
        return self._paint("1", text)

    def dim(self, text: str) -> str:
        """The text, dim."""
        return self._paint("2", text)

    def red(self, text: str) -> str:
        """The text, red."""
        return self._paint("31", text)

    def green(self, text: str) -> str:
        """The text, green."""
        return self._paint("32", text)

    def cyan(self, text: str) -> str:
        """The text, cyan."""
        return self._paint("36", text)
