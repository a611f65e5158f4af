"""seccomp user notification, through ctypes and ioctl (linux/seccomp.h).

The filter is installed by the process that is to be supervised, which then hands the listener, a descriptor, to its
supervisor. With WAIT_KILLABLE_RECV (5.19) a call that has been taken can only be interrupted by a fatal signal, so it
is never performed twice; without it, a signal at the wrong moment can make a program repeat one. With SYNC_WAKE_UP
(6.6) the two processes take turns on one processor, which halves the cost of a call.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from nlemu.emulator.launch.trap.architectures import Architecture
from nlemu.emulator.launch.trap.instructions import Instruction, pack

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SECCOMP_SET_MODE_FILTER = 1
SECCOMP_GET_ACTION_AVAIL = 2
SECCOMP_GET_NOTIF_SIZES = 3
FILTER_FLAG_NEW_LISTENER = 1 << 3
FILTER_FLAG_TSYNC_ESRCH = 1 << 4
FILTER_FLAG_WAIT_KILLABLE_RECV = 1 << 5

NOTIF_RECV = 0xC0502100
NOTIF_SEND = 0xC0182101
NOTIF_ID_VALID = 0x40082102
NOTIF_ADDFD = 0x40182103
NOTIF_SET_FLAGS = 0x40082104
FD_SYNC_WAKE_UP = 1

FLAG_CONTINUE = 1
ADDFD_SETFD = 1
ADDFD_SEND = 2

NOTIFICATION = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif
RESPONSE = struct.Struct("=QqiI")  # struct seccomp_notif_resp
ADDFD = struct.Struct("=QIIII")  # struct seccomp_notif_addfd
ID = struct.Struct("=Q")

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Notification(NamedTuple):
    """A call that waits for us: who makes it (a thread's id), its number, its arguments as unsigned 64-bit numbers."""

    id: int
    tid: int
    number: int
    args: tuple[int, ...]


def install(arch: Architecture, program: Sequence[Instruction]) -> int:
    """Puts this process, and all that come of it, under the filter. Returns the listener.

    Raises OSError: EBUSY when this process has a supervisor of the kind already, EACCES, EINVAL, ENOSYS when the
    kernel lacks it.
    """
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise _error("no_new_privs")
    raw = ctypes.create_string_buffer(pack(program))
    fprog = _Program(len(program), ctypes.addressof(raw))
    for flags in (FILTER_FLAG_NEW_LISTENER | FILTER_FLAG_WAIT_KILLABLE_RECV, FILTER_FLAG_NEW_LISTENER):
        listener: int = libc.syscall(
            arch.numbers["seccomp"], SECCOMP_SET_MODE_FILTER, flags, ctypes.byref(fprog)
        )
        if listener >= 0:
            return listener
        error = _error("seccomp")
        if error.errno != errno.EINVAL:
            raise error
    raise error


def install_traced(program: Sequence[Instruction]) -> None:
    """Puts this process, and all that come of it, under a filter without a listener: what it hands over (RET_TRACE) is
    told to who traces them. Who has CAP_SYS_ADMIN needs no no_new_privs for that, and is left without.

    Raises OSError: EACCES, EINVAL when the kernel lacks it.
    """
    raw = ctypes.create_string_buffer(pack(program))
    fprog = _Program(len(program), ctypes.addressof(raw))
    for privileged in (True, False):
        if not privileged and libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise _error("no_new_privs")
        if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(fprog), 0, 0) == 0:
            return
        error = _error("seccomp")
        if error.errno != errno.EACCES:
            raise error
    raise error


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


class Listener:
    """The supervisor's end. Takes the descriptor, and owns it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        with suppress(OSError):  # before 6.6
            fcntl.ioctl(fd, NOTIF_SET_FLAGS, FD_SYNC_WAKE_UP)

    def close(self) -> None:
        """Closes it; calls that wait fail with ENOSYS."""
        os.close(self.fd)

    def receive(self) -> Notification | None:
        """The next call; None when there is none after all (its process has been killed)."""
        buffer = bytearray(NOTIFICATION.size)
        try:
            fcntl.ioctl(self.fd, NOTIF_RECV, buffer, True)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                return None
            raise
        unpacked = NOTIFICATION.unpack(buffer)
        return Notification(unpacked[0], unpacked[1], unpacked[3], unpacked[6:])

    def _send(self, id: int, value: int, error: int, flags: int) -> bool:
        try:
            fcntl.ioctl(self.fd, NOTIF_SEND, RESPONSE.pack(id, value, error, flags))
        except OSError as failure:
            if failure.errno in (errno.ENOENT, errno.EINPROGRESS):
                return False
            raise
        return True

    def succeed(self, id: int, value: int = 0) -> bool:
        """The call returns that; whether anybody was still waiting for it."""
        return self._send(id, value, 0, 0)

    def fail(self, id: int, number: int) -> bool:
        """The call fails with that errno."""
        return self._send(id, 0, -number, 0)

    def pass_on(self, id: int) -> bool:
        """The kernel performs the call as it stands. Never for one that we have judged by what it points to, unless it
        does no harm when that has been changed meanwhile."""
        return self._send(id, 0, 0, FLAG_CONTINUE)

    def valid(self, id: int) -> bool:
        """Whether the caller still waits: that the process by its id is still the one that made the call."""
        try:
            fcntl.ioctl(self.fd, NOTIF_ID_VALID, ID.pack(id))
        except OSError:
            return False
        return True

    def add(self, id: int, fd: int, *, at: int | None = None, cloexec: bool = False, send: bool = True) -> int:
        """Gives the caller a copy of our descriptor: the number it has there, `at` if that is given. send: and the
        call returns that number. Raises OSError: EMFILE, EBADF (beyond the limit), ENOENT (nobody waits)."""
        flags = (0 if at is None else ADDFD_SETFD) | (ADDFD_SEND if send else 0)
        request = bytearray(ADDFD.pack(id, flags, fd, at or 0, os.O_CLOEXEC if cloexec else 0))
        number: int = fcntl.ioctl(self.fd, NOTIF_ADDFD, request, True)
        return number
