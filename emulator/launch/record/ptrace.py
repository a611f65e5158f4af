"""ptrace(2), as far as it takes to follow programs: to be told of calls, of new threads, of stops and signals.

Programs are seized, not attached to (PTRACE_SEIZE, Linux 3.4): they are not stopped by it, and a stop of theirs can be
left as it is (PTRACE_LISTEN), so that job control works as without us. What a call is about is told by
PTRACE_GET_SYSCALL_INFO (5.3), which is the same on all architectures.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from typing import NamedTuple

from nlemu.emulator.launch.trap.seccomp import libc

PTRACE_CONT, PTRACE_SYSCALL = 7, 24
PTRACE_GETEVENTMSG, PTRACE_SEIZE, PTRACE_LISTEN = 0x4201, 0x4206, 0x4208
PTRACE_GET_SYSCALL_INFO = 0x420E

O_TRACESYSGOOD, O_TRACEFORK, O_TRACEVFORK, O_TRACECLONE, O_TRACEEXEC = 1, 2, 4, 8, 0x10
O_TRACESECCOMP, O_EXITKILL = 0x80, 0x100000
OPTIONS = (
    O_TRACESYSGOOD | O_TRACEFORK | O_TRACEVFORK | O_TRACECLONE | O_TRACEEXEC | O_TRACESECCOMP | O_EXITKILL
)
"""Whom a program makes is followed too; and all of them end, should we."""

EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_SECCOMP, EVENT_STOP = 1, 2, 3, 4, 7, 128
MAKING = (EVENT_FORK, EVENT_VFORK, EVENT_CLONE)
SYSCALL_STOP = signal.SIGTRAP | 0x80
WALL = 0x40000000  # __WALL: of threads too

INFO = struct.Struct("=BxxxIQQ7Q")  # struct ptrace_syscall_info, at the entry of a call
RESULT = struct.Struct("=24xq")  # and where one ends
INFO_SIZE = 88
INFO_EXIT = 2  # PTRACE_SYSCALL_INFO_EXIT

_info = ctypes.create_string_buffer(INFO_SIZE)
_message = ctypes.c_ulong()


class Entered(NamedTuple):
    """A call that is about to be performed. audit: of which architecture it is."""

    audit: int
    number: int
    args: tuple[int, ...]


def _ptrace(request: int, tid: int, address: int = 0, data: int = 0) -> None:
    if libc.ptrace(ctypes.c_long(request), tid, ctypes.c_void_p(address), ctypes.c_void_p(data)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def seize(pid: int) -> None:
    """From now on that process is followed, and whomever it makes. OSError EPERM."""
    _ptrace(PTRACE_SEIZE, pid, 0, OPTIONS)


def go_on(tid: int, number: int = 0, *, to_the_end: bool = False) -> None:
    """It goes on, with that signal. to_the_end: until the call at hand ends. OSError ESRCH: it was killed."""
    _ptrace(PTRACE_SYSCALL if to_the_end else PTRACE_CONT, tid, 0, number)


def stay_stopped(tid: int) -> None:
    """It has stopped for somebody else's sake, and stays so until that one lets it go on. OSError ESRCH."""
    _ptrace(PTRACE_LISTEN, tid)


def made(tid: int) -> int:
    """At an event: whom it has made; of an exec, what number the thread had before. OSError ESRCH."""
    _ptrace(PTRACE_GETEVENTMSG, tid, 0, ctypes.addressof(_message))
    return _message.value


def entered(tid: int) -> Entered:
    """The call that a filter has stopped. OSError ESRCH."""
    _ptrace(PTRACE_GET_SYSCALL_INFO, tid, INFO_SIZE, ctypes.addressof(_info))
    _, audit, _, _, number, *args = INFO.unpack_from(_info)
    return Entered(audit, number, tuple(args))


def result(tid: int) -> int | None:
    """What the call that ends returns, as the kernel says it: below zero an errno. None: none ends. OSError ESRCH."""
    _ptrace(PTRACE_GET_SYSCALL_INFO, tid, INFO_SIZE, ctypes.addressof(_info))
    if _info.raw[0] != INFO_EXIT:
        return None
    value: int = RESULT.unpack_from(_info)[0]
    return value
