"""Dmabufs as files: what stands for a made-up dmabuf in a real process's table of open files.

A program names a dmabuf by a descriptor, so whoever makes one through the control socket is handed a descriptor, of an
empty memory file that is nothing but a token: when a message of that program names it, its device and inode number
say which dmabuf is meant. The daemon keeps the file open as long as the dmabuf is there, so that no other file can
come to have its number.
"""

from __future__ import annotations

import os

File = tuple[int, int]
"""Device and inode number."""


class Tokens:
    """The files that stand for something, and what for."""

    def __init__(self) -> None:
        self._things: dict[File, object] = {}
        self._files: dict[object, tuple[int, File]] = {}

    def make(self, name: str, thing: object) -> int:
        """A file for that object. The descriptor belongs to this table; whoever wants to keep it duplicates it."""
        descriptor = os.memfd_create(name.encode("ascii", "replace").decode()[:200])
        found = os.fstat(descriptor)
        file = found.st_dev, found.st_ino
        self._things[file] = thing
        self._files[thing] = descriptor, file
        return descriptor

    def get(self, file: File) -> object | None:
        """What a file stands for."""
        return self._things.get(file)

    def forget(self, thing: object) -> None:
        """The object is no more; descriptors that others have of its file stand for nothing."""
        descriptor, file = self._files.pop(thing, (-1, (0, 0)))
        if descriptor >= 0:
            del self._things[file]
            os.close(descriptor)

    def clear(self) -> None:
        """All of them are no more."""
        for thing in list(self._files):
            self.forget(thing)
