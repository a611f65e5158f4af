"""A system call that has been handed over, as the functions that answer it see it.

A function takes the call and returns what the call is to return, or raises the OSError with which it is to fail; or it
returns PASS (the kernel shall perform it) or ANSWERED (it has been answered, or will be).
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from nlemu.emulator.launch.trap.seccomp import Notification

if TYPE_CHECKING:
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.borrow import Borrowed
    from nlemu.emulator.launch.trap.task import Process


class Gone(Exception):
    """Whoever made the call no longer waits for it."""


class Verdict:
    """What becomes of a call, other than a value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


PASS: Final = Verdict("PASS")
ANSWERED: Final = Verdict("ANSWERED")

Answer = int | Verdict


def signed(value: int) -> int:
    """An argument as a C int."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


class Call:
    """One call. args are unsigned 64-bit numbers; where the kernel takes an int, take `cint()` of the place."""

    __slots__ = ("args", "id", "name", "supervisor", "tid")

    def __init__(self, supervisor: Supervisor, notification: Notification, name: str) -> None:
        self.supervisor = supervisor
        self.id = notification.id
        self.tid = notification.tid
        self.args = notification.args
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}({', '.join(f'{arg:#x}' for arg in self.args)}) of {self.tid}>"

    def cint(self, place: int) -> int:
        """The argument there, as a C int."""
        return signed(self.args[place])

    @property
    def process(self) -> Process:
        """Whose thread has called."""
        return self.supervisor.tasks.process(self.tid)

    def borrow(self, fd: int) -> Borrowed:
        """One of the caller's descriptors. OSError EBADF."""
        return self.supervisor.borrow(self.process, fd)

    def check(self) -> None:
        """Raises Gone unless the caller still waits: then `tid` is still its number."""
        if not self.supervisor.listener.valid(self.id):
            raise Gone

    def read(self, address: int, length: int) -> bytes:
        """From the caller's memory. OSError EFAULT, Gone."""
        data = self.supervisor.memory.read(self.tid, address, length)
        self.check()
        return data

    def write(self, address: int, data: bytes) -> None:
        """Into the caller's memory. OSError EFAULT, Gone."""
        self.check()
        self.supervisor.memory.write(self.tid, (address, data))

    def write_all(self, pieces: Iterable[tuple[int, bytes]]) -> None:
        """Several at once."""
        self.check()
        self.supervisor.memory.write(self.tid, *pieces)

    def string(self, address: int) -> bytes:
        """A string from the caller's memory. OSError EFAULT, ENAMETOOLONG, Gone."""
        data = self.supervisor.memory.string(self.tid, address)
        self.check()
        return data

    def number(self, address: int) -> int:
        """A C int from there."""
        return int.from_bytes(self.read(address, 4), "little", signed=True)

    def give(self, fd: int, *, high: bool, cloexec: bool, least: int = 0, low: bool = False) -> Verdict:
        """Answers the call with a new descriptor, a copy of ours. high: among those that the filter hands over. low:
        or, where these are used up, at any other.

        Raises OSError EMFILE."""
        supervisor = self.supervisor
        try:
            if high:
                at = supervisor.free_number(self.tid, least)
                try:
                    supervisor.listener.add(self.id, fd, at=at, cloexec=cloexec)
                    return ANSWERED
                except OSError as error:
                    if not low or least or error.errno not in (errno.EBADF, errno.EMFILE):
                        raise
            supervisor.listener.add(self.id, fd, cloexec=cloexec)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINPROGRESS):
                raise Gone from None
            if error.errno in (errno.EBADF, errno.EMFILE):
                raise OSError(errno.EMFILE, "no number is free for a descriptor") from None
            raise
        return ANSWERED
