"""Which files of a directory somebody has closed (inotify)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from nlemu.emulator.launch.trap.seccomp import libc

# include/uapi/linux/inotify.h
IN_CLOSE = 0x08 | 0x10  # IN_CLOSE_WRITE, IN_CLOSE_NOWRITE
IN_Q_OVERFLOW = 0x4000
EVENT = struct.Struct("=iIII")
"""struct inotify_event: of what is watched, what has happened, a number, the length of the name that follows."""


def watch_closings(place: str) -> int | None:
    """A descriptor that can be read when somebody has closed a file of that directory; None where none can be had, as
    too many are in use."""
    fd: int = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        return None
    if libc.inotify_add_watch(fd, os.fsencode(place), IN_CLOSE) < 0:
        os.close(fd)
        return None
    return fd


def read_closings(fd: int) -> Iterator[str | None]:
    """The names that such a descriptor tells now; None: there were more than it could keep."""
    while True:
        try:
            told = os.read(fd, 65536)
        except BlockingIOError:
            return
        at = 0
        while at < len(told):
            _, mask, _, length = EVENT.unpack_from(told, at)
            at += EVENT.size
            yield None if mask & IN_Q_OVERFLOW else os.fsdecode(told[at : at + length].rstrip(b"\0"))
            at += length
