"""How far long work is: one line on the terminal, written over and gone at the end. Elsewhere there is none.

It goes to standard error, so that what a command tells can be piped away while it is watched; where that is no terminal
(a file, CI's log) or one that cannot go back in a line (TERM=dumb), nothing is written at all.
"""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TextIO

SELDOM = 0.1
"""Seconds between two times that it is written."""


class Progress:
    """The line, for as long as its block lasts. stream: where, if not standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.on = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self._next = 0.0
        self._there = False

    def show(self, text: str) -> None:
        """That is how far it is; not written if something just was."""
        if not self.on or time.monotonic() < self._next:
            return
        try:
            columns = os.get_terminal_size(self.stream.fileno()).columns or 80
        except (OSError, ValueError):
            columns = 80
        print(f"\r{text[: columns - 1]}\033[K", end="", file=self.stream, flush=True)
        self._next, self._there = time.monotonic() + SELDOM, True

    def clear(self) -> None:
        """Takes it away, so that something else can be written."""
        if self._there:
            print("\r\033[K", end="", file=self.stream, flush=True)
            self._next, self._there = 0.0, False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()
