"""Has a call made in another form: with other arguments, or as another call altogether (ptrace).

A supervisor can answer a call or let it through as it stands, no more. A few have to be made by the caller itself and
yet not as they were meant: clone(CLONE_NEWNET) without that flag, chdir() to a directory that is elsewhere. So the call
is told to begin again, as after a signal (ERESTARTNOINTR); the caller stops on its way back, its registers are changed,
and it goes on with the call that they now say. That one must not be handed over again.

It takes what reading the caller's memory takes; it cannot be had where somebody else traces the program already, as
strace does.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from nlemu.emulator.launch.trap.call import ANSWERED, Call, Gone, Verdict
from nlemu.emulator.launch.trap.seccomp import libc

PTRACE_DETACH, PTRACE_GETREGSET, PTRACE_SETREGSET = 17, 0x4204, 0x4205
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
PTRACE_EVENT_STOP = 128
NT_PRSTATUS = 1
WALL = 0x40000000  # __WALL
ERESTARTNOINTR = 513  # include/linux/errno.h: begin the call again, whether or not a handler runs


class Registers(NamedTuple):
    """Where in the registers of an architecture a call stands: of 64-bit words, how many there are, which holds the
    number of the call, which its arguments, and which says that it begins again."""

    size: int
    number: int
    args: tuple[int, ...]
    result: int | None


REGISTERS = {
    # struct user_regs_struct: orig_rax; rdi, rsi, rdx, r10, r8, r9; rax.
    "x86_64": Registers(27, 15, (14, 13, 12, 7, 9, 8), 10),
    # struct user_pt_regs: x8; x0 to x5. When it stops, the call is about to be made again already.
    "aarch64": Registers(34, 8, (0, 1, 2, 3, 4, 5), None),
}


class _Iovec(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def redo(call: Call, name: str, args: Mapping[int, int]) -> Verdict:
    """Has the caller make that call instead, with these arguments in place of its own. Raises Gone; OSError EPERM where
    it cannot be had, and the call is still to be answered."""
    arch = call.supervisor.arch
    registers = REGISTERS[arch.name]
    _ptrace(call, PTRACE_SEIZE, 0)
    signal = 0
    try:
        _ptrace(call, PTRACE_INTERRUPT, 0)
        waits = call.supervisor.listener.fail(call.id, ERESTARTNOINTR)
        signal = _stopped(call.tid)
        if not waits:
            raise Gone
        buffer = ctypes.create_string_buffer(8 * registers.size)
        vector = _Iovec(ctypes.addressof(buffer), len(buffer))
        _ptrace(call, PTRACE_GETREGSET, NT_PRSTATUS, ctypes.addressof(vector))
        words = list(struct.unpack(f"={registers.size}Q", buffer.raw))
        if registers.result is not None and words[registers.result] != -ERESTARTNOINTR & 0xFFFFFFFFFFFFFFFF:
            raise Gone  # it is somewhere else: there is nothing to change
        words[registers.number] = arch.numbers[name]
        for place, value in args.items():
            words[registers.args[place]] = value & 0xFFFFFFFFFFFFFFFF
        struct.pack_into(f"={registers.size}Q", buffer, 0, *words)
        _ptrace(call, PTRACE_SETREGSET, NT_PRSTATUS, ctypes.addressof(vector))
    except OSError as error:
        raise Gone from error  # it has ended meanwhile
    finally:
        with suppress(OSError):
            _ptrace(call, PTRACE_DETACH, 0, signal)
    return ANSWERED


def _ptrace(call: Call, request: int, address: int, data: int = 0) -> None:
    number = call.supervisor.arch.numbers["ptrace"]
    if libc.syscall(number, ctypes.c_long(request), call.tid, ctypes.c_void_p(address), ctypes.c_void_p(data)) < 0:
        raise OSError(errno.EPERM, os.strerror(ctypes.get_errno()))


def _stopped(tid: int) -> int:
    """Waits until the thread has stopped, which is at once. The signal that it stopped for, to be given back to it; 0
    if for us. OSError ECHILD: it has ended, which is left to be heard by whoever waits for that."""
    found = os.waitid(os.P_PID, tid, os.WSTOPPED | WALL)
    assert found is not None
    return 0 if found.si_status >> 8 == PTRACE_EVENT_STOP else found.si_status & 0x7F
