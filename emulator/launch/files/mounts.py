"""/proc/PID/mountinfo and mounts: what the real files say, and the files on which the emulator's namespaces are mounted
(show_mountinfo(), show_vfsmnt()).

Such a mount is not there really, so it has a number beyond those that are. Linux has the directory of names mounted on
itself too, and shared, so that other mount namespaces see what is mounted there later; of that nothing is told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from nlemu.emulator.launch.files.tree import File
from nlemu.emulator.launch.namespaces.namespaces import Mount

MANGLED = {ord(sign): f"\\{ord(sign):03o}" for sign in " \t\n\\"}
NAMES = ("mountinfo", "mounts")


def file(real: str, name: str, mounts: Iterable[Mount]) -> File:
    """One of the two, by its name. real: the path of this machine's."""
    return File(lambda: "".join(_told(real, name, mounts)), private=True)


def _told(real: str, name: str, mounts: Iterable[Mount]) -> Iterator[str]:
    with open(real, errors="surrogateescape") as lines:
        found = list(lines)
    yield from found
    if name == "mounts":
        yield from (f"nsfs {mount.path.translate(MANGLED)} nsfs rw 0 0\n" for mount in mounts)
        return
    there = [line.split() for line in found]
    number = max((int(words[0]) for words in there), default=0)
    for mount in mounts:
        path, number = mount.path.translate(MANGLED), number + 1
        above = [words for words in there if _holds(words[4], path)]
        parent = max(above, key=lambda words: len(words[4]))[0] if above else "0"
        device = f"{os.major(mount.device)}:{os.minor(mount.device)}"
        yield f"{number} {parent} {device} {mount.link} {path} rw - nsfs nsfs rw\n"


def _holds(directory: str, path: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")
