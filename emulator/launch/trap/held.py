"""Files of ours that programs have in hand, and what each stands for: a ring, a program of BPF, what attaches one.

Such a file is an ordinary one in a directory of ours. A program may have it in several hands (dup(), fork(), a message
of SCM_RIGHTS, mappings). That somebody has closed one of these files, inotify tells, of their directory; whether it was
the last hand, a lock on the file (flock()), which belongs to it as it was opened for the program: once we can have the
lock, nobody has the file, and what it stood for ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING, Protocol

from nlemu.emulator.launch.trap.closings import read_closings, watch_closings

if TYPE_CHECKING:
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.borrow import Borrowed
    from nlemu.emulator.launch.trap.call import Answer, Call


DOUBT = 0.25
"""Seconds for which we look whether a file that somebody has closed is still held."""


class Held(Protocol):
    """What a file stands for."""

    def close(self) -> None:
        """No program has it any more."""


class HeldFile:
    """One of the files. fd: open for us, to be read and written."""

    __slots__ = ("_place", "fd", "identity", "name")

    def __init__(self, place: str) -> None:
        self._place = place
        self.name = os.path.basename(place)
        self.fd = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        found = os.fstat(self.fd)
        self.identity = found.st_dev, found.st_ino

    def open(self) -> int:
        """The file, for a program: to be given to it, and closed."""
        fd = os.open(self._place, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX)
        return fd

    @property
    def closed(self) -> bool:
        """No program has it any more."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """It goes."""
        os.close(self.fd)
        os.unlink(self._place)


class HeldFiles:
    """All of them. place: the directory for them, which is made with the first."""

    def __init__(self, supervisor: Supervisor, place: str) -> None:
        self._supervisor = supervisor
        self._place = place
        self._held: dict[tuple[int, int], tuple[HeldFile, Held]] = {}
        self._doubts: dict[HeldFile, float] = {}
        """Files that somebody has closed, and until when we look whether anybody has them: Linux tells of the end of a
        file a moment before it takes its locks away."""
        self._made = 0
        self._closings: int | None = None

    def make(self) -> HeldFile:
        """A new one, which is to be given."""
        if not self._made:
            os.mkdir(self._place, 0o755)
            self._closings = watch_closings(self._place)
            if self._closings is not None:
                self._supervisor.watch_outside(self._closings, self._hear)
        self._made += 1
        return HeldFile(os.path.join(self._place, str(self._made)))

    def give(self, call: Call, file: HeldFile, thing: Held, *, high: bool = False, flags: int = os.O_CLOEXEC) -> Answer:
        """Answers a call with the file, which stands for that from now on. flags: O_CLOEXEC, O_NONBLOCK. OSError
        EMFILE: there is no number, and the thing is closed."""
        self._held[file.identity] = file, thing
        fd = file.open()
        os.set_blocking(fd, not flags & os.O_NONBLOCK)
        try:
            return call.give(fd, high=high, cloexec=bool(flags & os.O_CLOEXEC))
        except OSError:
            self._drop(file)
            raise
        finally:
            os.close(fd)

    def behind(self, borrowed: Borrowed) -> Held | None:
        """What a descriptor stands for, if it is of one of these."""
        if not self._held:
            return None
        self._look()
        found = self._held.get((borrowed.device, borrowed.inode))
        return None if found is None else found[1]

    @property
    def doubtful(self) -> bool:
        """Whether it is to be looked again in a moment (look_again())."""
        return bool(self._doubts)

    def look_again(self) -> None:
        """A moment later."""
        self._hear()
        now = time.monotonic()
        for file in [file for file, until in self._doubts.items() if until <= now]:
            del self._doubts[file]  # it was opened another time, by /proc/PID/fd

    def _hear(self, _event: int = 0) -> None:
        if self._look():
            self._supervisor.settle()

    def _look(self) -> bool:
        """Ends what nobody has any more. Returns whether there was such a thing."""
        if closed := self._closed():
            self._doubts.update(dict.fromkeys(closed, time.monotonic() + DOUBT))
        gone = [file for file in self._doubts if file.closed]
        for file in gone:
            self._drop(file)
        return bool(gone)

    def _closed(self) -> list[HeldFile]:
        """What somebody has closed since we looked last; all of them where nobody tells."""
        everything = [file for file, _ in self._held.values()]
        if self._closings is None:
            return everything
        names = set(read_closings(self._closings))
        return everything if None in names else [file for file in everything if file.name in names]

    def _drop(self, file: HeldFile) -> None:
        self._doubts.pop(file, None)
        _, thing = self._held.pop(file.identity)
        thing.close()
        file.close()

    def close(self) -> None:
        """The end."""
        for file, _ in list(self._held.values()):
            self._drop(file)
        if self._closings is not None:
            os.close(self._closings)
