"""Where a folder of ours can be: short-lived files, sockets among them.

The path of a socket has room for 107 bytes, and a container may have no place that can be written but one that programs
share memory through. So the usual place is tried first, and then those that nearly every Linux has.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

PREFIX = "nlemu-"
LONGEST = 40
"""How long the path of a place may be, so that a socket of a namespace with a long name still fits below."""


class NoPlace(Exception):
    """There is no directory that could be written: one line for people."""


def candidates() -> Iterator[str]:
    """The places, the best first."""
    for name in ("TMPDIR", "TEMP", "TMP", "XDG_RUNTIME_DIR"):
        if where := os.environ.get(name):
            yield where
    yield from ("/tmp", "/var/tmp", "/dev/shm")


def make_place() -> str:
    """A new directory, which only this user may enter. NoPlace."""
    tried = []
    for where in candidates():
        if len(os.fsencode(where)) > LONGEST:
            tried.append(f"{where} is too long a path for sockets")
            continue
        try:
            return tempfile.mkdtemp(prefix=PREFIX, dir=os.path.abspath(where))
        except OSError as error:
            tried.append(f"{where}: {error.strerror}")
    raise NoPlace(f"there is no place for temporary files ({'; '.join(tried)}); set TMPDIR to one that can be written")
