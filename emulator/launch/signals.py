"""Signals that are read and not handled (signalfd(2))."""

from __future__ import annotations

import ctypes
import os
import signal

from nlemu.emulator.launch.trap.seccomp import libc

SFD_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK
SIGSET_SIZE = 128  # glibc's sigset_t


def signal_descriptor(signals: set[signal.Signals]) -> int:
    """signalfd(): unlike Python's handlers, it tells where a signal comes from."""
    mask = bytearray(SIGSET_SIZE)
    for number in signals:
        mask[number - 1 >> 3] |= 1 << (number - 1 & 7)
    descriptor: int = libc.signalfd(-1, ctypes.c_char_p(bytes(mask)), SFD_FLAGS)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "signalfd")
    return descriptor
