"""Which threads are under supervision, and in which namespace each is.

A namespace belongs to a thread: setns() changes the caller's alone, and whoever is made later inherits its maker's. The
making of a process is not a call that we see, so a thread that is new to us is asked for its parent the first time it
is heard of, which is no later than its first exec. A parent that waits for that exec, as nearly all do (vfork,
posix_spawn, Python's subprocess), is still in the namespace in which it made the child. A new thread of a known
process counts as a child of that process's first thread: a doubt, where threads have gone different ways.

A process is watched through a pidfd, so that what was known of it is forgotten before its number is used again.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net


def status(tid: int) -> tuple[int, int]:
    """The process that a thread belongs to, and the parent of that. OSError ESRCH or ENOENT: it is gone."""
    process = parent = 0
    with open(f"/proc/{tid}/status", "rb") as lines:
        for line in lines:
            if line.startswith(b"Tgid:"):
                process = int(line[5:])
            elif line.startswith(b"PPid:"):
                parent = int(line[5:])
                break
    return process, parent


def children(tid: int, process: int) -> list[int]:
    """The processes that a thread has made and that still live."""
    try:
        with open(f"/proc/{process}/task/{tid}/children", "rb") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []


def beneath(tid: int, dirfd: int, raw: bytes) -> bytes:
    """A program's path, as a path of ours. dirfd: what a relative one begins at; negative: where the program is."""
    if raw.startswith(b"/"):
        return b"/proc/%d/root%b" % (tid, raw)
    return (b"/proc/%d/cwd/%b" % (tid, raw)) if dirfd < 0 else b"/proc/%d/fd/%d/%b" % (tid, dirfd, raw)


def descendants(pid: int) -> Iterator[int]:
    """All processes that come of one, itself left out."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        for child in children(int(thread), pid):
            yield child
            yield from descendants(child)


class Process:
    """A process: its pidfd, and the namespaces of its threads as far as they were heard of."""

    __slots__ = ("expects_mounts", "expects_net", "nets", "pid", "pidfd", "standing", "unshared_mounts")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.nets: dict[int, Net] = {}
        self.unshared_mounts = False
        """It believes that it has mounts of its own."""
        self.expects_net = False
        """The next process that it makes is in a namespace of its own."""
        self.standing: int | None = None
        """The descriptor through which it has gone to a directory of ours."""
        self.expects_mounts = False
        """And believes that it has mounts of its own."""


class Tasks:
    """All of them.

    poll: where the pidfds are watched; `ended()` is for their events. init: the namespace of process 1; first: that of
    whoever has no known parent; make_net: makes another, held. on_leave: called after a thread has left a namespace.
    """

    def __init__(
        self, poll: select.epoll, init: Net, first: Net, make_net: Callable[[], Net], on_leave: Callable[[], None]
    ) -> None:
        self._poll = poll
        self._init = init
        self._first = first
        self._make_net = make_net
        self._on_leave = on_leave
        self._processes: dict[int, Process] = {}
        self._threads: dict[int, Process] = {}
        self.by_pidfd: dict[int, Process] = {}

    def __iter__(self) -> Iterator[Process]:
        return iter(list(self._processes.values()))

    def process(self, tid: int) -> Process:
        """The process of a thread. OSError ESRCH: it is gone."""
        process = self._threads.get(tid)
        if process is None:
            process = self._meet(tid)
        return process

    def net(self, tid: int) -> Net:
        """The thread's namespace."""
        return self.process(tid).nets[tid]

    def known(self, tid: int) -> Net | None:
        """The namespace of any thread: None when it is none of those that we supervise; but process 1, whoever that is,
        is in the machine's first. OSError: there is none."""
        process = self._threads.get(tid)
        if process is not None:
            return process.nets[tid]
        if tid == 1:
            return self._init
        pid, parent = status(tid)
        return self.net(tid) if pid in self._processes or parent in self._processes else None

    def move(self, tid: int, net: Net) -> None:
        """setns(), unshare(): the thread goes into that namespace."""
        process = self.process(tid)
        net.hold()
        left = process.nets[tid]
        process.nets[tid] = net
        left.release()
        self._on_leave()

    def has_ended(self, pidfd: int) -> bool:
        """Whether the process of that pidfd has ended. An event may be of whatever had the number before, in the same
        batch of events: the pidfd itself is asked."""
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def ended(self, pidfd: int) -> None:
        """The process of that pidfd has ended."""
        process = self.by_pidfd.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        del self._processes[process.pid]
        for tid, net in process.nets.items():
            del self._threads[tid]
            net.release()
        self._on_leave()

    def close(self) -> None:
        """Forgets all processes."""
        for pidfd in list(self.by_pidfd):
            self.ended(pidfd)

    def _meet(self, tid: int) -> Process:
        pid, parent = status(tid)
        process = self._processes.get(pid)
        if process is None:
            process = Process(pid)
            self._processes[pid] = process
            self.by_pidfd[process.pidfd] = process
            self._poll.register(process.pidfd, select.EPOLLIN)
            maker = self._processes.get(parent)
            net = self._first if maker is None else self._made_in(maker, pid)
            process.unshared_mounts = maker is not None and maker.unshared_mounts
            self._place(process, pid, net)
            if maker is not None and maker.expects_net:
                process.unshared_mounts |= maker.expects_mounts
                maker.expects_net = maker.expects_mounts = False
                net = self._make_net()
                self.move(pid, net)
                net.release()
        if tid not in process.nets:
            self._place(process, tid, process.nets[pid])
        return process

    def _place(self, process: Process, tid: int, net: Net) -> None:
        net.hold()
        process.nets[tid] = net
        self._threads[tid] = process

    def _made_in(self, maker: Process, child: int) -> Net:
        """The namespace of the thread that made a process."""
        nets = set(maker.nets.values())
        if len(nets) > 1:
            for tid, net in maker.nets.items():
                with suppress(OSError):
                    if child in children(tid, maker.pid):
                        return net
        return maker.nets[maker.pid]
