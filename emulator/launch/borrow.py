"""Descriptors of a supervised process: what they are, and a copy of one for a moment (pidfd_getfd(), Linux 5.6).

A copy keeps a file open, so it is closed before the call at hand is answered; otherwise a program could close its
socket without our hearing of it.
"""

from __future__ import annotations

import ctypes
import errno
import os
from types import TracebackType

from emulator.launch.calls import architecture
from emulator.launch.seccomp import libc

_arch = architecture()
_GETFD = _arch.numbers["pidfd_getfd"] if _arch else -1


def getfd(pidfd: int, fd: int) -> int:
    """A copy of that process's descriptor, among ours. OSError: EBADF; EPERM where it is not allowed."""
    copy: int = libc.syscall(_GETFD, pidfd, ctypes.c_int(fd), ctypes.c_uint(0))
    if copy < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return copy


class Borrowed:
    """A copy of a descriptor, to be used in a `with` block; `inode` tells whose it is."""

    __slots__ = ("device", "fd", "inode")

    def __init__(self, pidfd: int, fd: int) -> None:
        if fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self.fd = getfd(pidfd, fd)
        found = os.fstat(self.fd)
        self.inode, self.device = found.st_ino, found.st_dev

    def __enter__(self) -> Borrowed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)
