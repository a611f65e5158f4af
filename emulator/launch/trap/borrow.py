"""Descriptors of a supervised process: what they are, and a copy of one for a moment (pidfd_getfd(), Linux 5.6).

A copy keeps a file open, so it is closed before the call at hand is answered; otherwise a program could close its
socket without our hearing of it.

Some containers forbid pidfd_getfd(). There the program's end of every socket is kept, and what a descriptor is is told
by its inode alone (`Known`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Mapping
from types import TracebackType

from nlemu.emulator.launch.trap.architectures import architecture
from nlemu.emulator.launch.trap.seccomp import libc

_arch = architecture()
_GETFD = _arch.numbers["pidfd_getfd"] if _arch else -1


def getfd(pidfd: int, fd: int) -> int:
    """A copy of that process's descriptor, among ours. OSError: EBADF; EPERM where it is not allowed."""
    copy: int = libc.syscall(_GETFD, pidfd, ctypes.c_int(fd), ctypes.c_uint(0))
    if copy < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return copy


def allowed() -> bool:
    """Whether copies can be had at all."""
    pidfd = os.pidfd_open(os.getpid())
    try:
        os.close(getfd(pidfd, pidfd))
    except OSError:
        return False
    finally:
        os.close(pidfd)
    return True


class Borrowed:
    """A descriptor of another process, to be used in a `with` block. fd: a copy of it; inode, device, mode: what it is
    of."""

    __slots__ = ("device", "fd", "inode", "mode")

    def __init__(self, pidfd: int, fd: int) -> None:
        if fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self.fd = getfd(pidfd, fd)
        found = os.fstat(self.fd)
        self.inode, self.device, self.mode = found.st_ino, found.st_dev, found.st_mode

    @property
    def is_socket(self) -> bool:
        """Whether it is a socket of any kind."""
        return stat.S_ISSOCK(self.mode)

    def __enter__(self) -> Borrowed:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.fd)


class Known(Borrowed):
    """The same where no copy can be had. kept: our own copies, by device and inode; -1 stands for all else."""

    __slots__ = ()

    def __init__(self, pid: int, fd: int, kept: Mapping[tuple[int, int], int]) -> None:
        try:
            found = os.stat(f"/proc/{pid}/fd/{fd}")
        except OSError:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None
        self.inode, self.device, self.mode = found.st_ino, found.st_dev, found.st_mode
        self.fd = kept.get((found.st_dev, found.st_ino), -1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
