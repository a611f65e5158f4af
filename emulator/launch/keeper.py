"""The keeper: a process between the launcher and its command, so that nothing outlives the launcher.

Whatever a command starts is the keeper's to collect when its parent is gone (PR_SET_CHILD_SUBREAPER), as it would be
the first process's in a container; so it knows everybody, and whoever ends the launcher, with SIGKILL too, closes the
socket between the two. Then the keeper ends all that is left, and removes the launcher's folder.

It says what becomes of the command: its process id, that it has stopped and by which signal, that it has ended and how.
It takes no part in anything else, and no notice of signals.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from nlemu.emulator.launch.signals import signal_descriptor
from nlemu.emulator.launch.trap.seccomp import libc
from nlemu.emulator.launch.trap.task import descendants

PR_SET_CHILD_SUBREAPER = 36
TOLD = struct.Struct("=ii")
"""What it says at a time: a process id, and what waitpid() told of it."""
BEGUN = 0
"""In the latter's place, at the beginning."""


def keep(launcher: socket.socket, meeting: socket.socket, place: str, become: Callable[[], NoReturn]) -> NoReturn:
    """The keeper's life, in a process of its own, which has SIGCHLD blocked. launcher: the socket to it; meeting: the
    one that only the command speaks through; place: the launcher's folder; become: turns another process into the
    command."""
    try:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        command = os.fork()
        if not command:
            launcher.close()
            become()
        meeting.close()
        signals = signal_descriptor({signal.SIGCHLD})
        launcher.send(TOLD.pack(command, BEGUN))
        _watch(launcher, command, signals)
        end_all()
        shutil.rmtree(place, ignore_errors=True)
    finally:
        os._exit(0)


def _watch(launcher: socket.socket, command: int, signals: int) -> None:
    """Tells of the command until the launcher wants to hear no more."""
    poll = select.poll()
    poll.register(launcher, select.POLLIN)
    poll.register(signals, select.POLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd != signals:
                return
            os.read(signals, 4096)
            with suppress(ChildProcessError, OSError):
                while True:
                    pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
                    if not pid:
                        break
                    if pid == command:
                        launcher.send(TOLD.pack(pid, status))


def end_all() -> None:
    """Ends every process that this one is to collect."""
    while True:
        for pid in descendants(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return
