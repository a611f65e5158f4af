"""Which threads are under supervision, in which namespace each is, and who.

A namespace belongs to a thread: setns() changes the caller's alone, and whoever is made later inherits its maker's. The
making of a process is not a call that we see, so a thread that is new to us is asked for its parent the first time it
is heard of, which is no later than its first exec. A parent that waits for that exec, as nearly all do (vfork,
posix_spawn, Python's subprocess), is still in the namespace in which it made the child. One that has done nothing yet
that we see, as a shell's copy of itself, is met on the way, with its own parents. Before a thread becomes something
else, those that it has made so far are looked for; and before it ends, since then they are the keeper's children (a
shell's `( ... ) &`, whoever forks twice to be a daemon).

The making of a thread is a call that we see: threads that are new to us are what the last maker was, and before
somebody else makes one they are looked for too.

Who a task is goes the same ways (credentials.py).

A process is watched through a pidfd, so that what was known of it is forgotten before its number is used again.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from nlemu.emulator.launch.trap.mounts import Mounts

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.launch.trap.credentials import Cred


AT_FDCWD = -100
"""In the place of a directory's descriptor: where the task is (include/uapi/linux/fcntl.h)."""


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

    __slots__ = (
        "creds", "expects_mounts", "expects_net", "expects_space", "maker", "mounts", "nets", "pid", "pidfd",
        "standing",
    )

    def __init__(self, pid: int, mounts: Mounts) -> None:
        self.pid = pid
        self.mounts = mounts
        self.pidfd = os.pidfd_open(pid)
        self.nets: dict[int, Net] = {}
        self.creds: dict[int, Cred] = {}
        self.maker: tuple[Net, Cred] | None = None
        """Where, and who, the thread was that made the threads that are new to us; None: the first one."""
        self.expects_space = False
        """The next process that it makes is in a user namespace of its own."""
        self.expects_net = False
        """The next process that it makes is in a namespace of its own."""
        self.standing: int | None = None
        """The descriptor through which it has gone to a directory of ours."""
        self.expects_mounts: Mounts | None = None
        """And has these mounts, its own; None: those of its maker."""


class Tasks:
    """All of them.

    poll: where the pidfds are watched; `ended()` is for their events. init: the namespace of process 1; first, cred:
    that of whoever has no known parent, and who that is; make_net: makes another for somebody, held. on_leave: called
    after a thread has left a namespace; on_become: when for the first time somebody has become somebody else.
    """

    def __init__(
        self, poll: select.epoll, init: Net, first: Net, cred: Cred, make_net: Callable[[Cred], Net],
        on_leave: Callable[[], None], on_become: Callable[[], None],
    ) -> None:
        self._poll = poll
        self._init = init
        self._first = first
        self._make_net = make_net
        self._on_leave = on_leave
        self._on_become = on_become
        self._cred = cred
        self._mounts = Mounts()
        self._own = os.getpid()
        self.diverse = False
        """Not everybody is the same."""
        self.alike = True
        """Everybody has been in the first namespace, with the mounts of the first, so far."""
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

    def sysfs(self, tid: int) -> Net:
        """The network namespace of which a thread's /sys tells."""
        mounted = self.process(tid).mounts.sysfs
        return mounted[-1] if mounted else self._first

    def cred(self, tid: int) -> Cred:
        """Who the thread is. OSError ESRCH: it is gone."""
        return self.process(tid).creds[tid]

    def become(self, tid: int, cred: Cred) -> None:
        """The thread is somebody else from now on."""
        process = self.process(tid)
        if process.creds[tid] == cred:
            return
        self._differ()
        self.meet_descendants(process, tid)
        process.creds[tid] = cred

    def _differ(self) -> None:
        if not self.diverse:
            self.diverse = True
            self._on_become()

    def makes_thread(self, tid: int) -> None:
        """A thread is about to make another."""
        process = self.process(tid)
        maker = process.nets[tid], process.creds[tid]
        if maker != (process.maker or (process.nets[process.pid], process.creds[process.pid])):
            self.meet_threads(process)
            process.maker = maker

    def meet_descendants(self, process: Process, tid: int) -> None:
        """Meets whom the thread has made so far."""
        self.meet_threads(process)
        for child in children(tid, process.pid):
            if child not in self._processes:
                with suppress(OSError):
                    self.process(child)

    def meet_threads(self, process: Process) -> None:
        """Meets all threads of a process."""
        with suppress(OSError):
            for name in os.listdir(f"/proc/{process.pid}/task"):
                if int(name) not in process.nets:
                    self._place(process, int(name), *self._made_by(process))

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
        self.meet_descendants(process, tid)
        self.alike = False
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
            maker = self._maker(parent)
            process = Process(pid, self._mounts if maker is None else maker.expects_mounts or maker.mounts)
            self._processes[pid] = process
            self.by_pidfd[process.pidfd] = process
            self._poll.register(process.pidfd, select.EPOLLIN)
            net, cred = (self._first, self._cred) if maker is None else self._made_in(maker, pid)
            if maker is not None:
                maker.expects_mounts = None
            if maker is not None and maker.expects_space:
                maker.expects_space = False
                self._differ()
                cred = cred.in_new_space()
            self._place(process, pid, net, cred)
            if maker is not None and maker.expects_net:
                maker.expects_net = False
                net = self._make_net(cred)
                self.move(pid, net)
                net.release()
        if tid not in process.nets:
            self._place(process, tid, *self._made_by(process))
        return process

    def _maker(self, pid: int) -> Process | None:
        """The process of that number, met if it is one of ours that has not been heard of; None: it is none of ours."""
        unmet: list[int] = []
        with suppress(OSError):
            while pid not in self._processes:
                if pid <= 1 or pid == self._own:
                    return None
                unmet.append(pid)
                pid = status(pid)[1]
            for one in reversed(unmet):
                self._meet(one)
        return self._processes.get(unmet[0] if unmet else pid)

    def leaves(self, tid: int) -> None:
        """The process of that thread is about to end: meets whom it has made, as far as it matters whose they are."""
        if self.alike and not self.diverse:
            return
        process = self.process(tid)
        for name in os.listdir(f"/proc/{process.pid}/task"):
            self.meet_descendants(process, int(name))

    @staticmethod
    def _made_by(process: Process) -> tuple[Net, Cred]:
        return process.maker or (process.nets[process.pid], process.creds[process.pid])

    def _place(self, process: Process, tid: int, net: Net, cred: Cred) -> None:
        net.hold()
        process.nets[tid] = net
        process.creds[tid] = cred
        self._threads[tid] = process

    def _made_in(self, maker: Process, child: int) -> tuple[Net, Cred]:
        """Where, and who, the thread is that made a process."""
        if len(set(maker.nets.values())) > 1 or len(set(maker.creds.values())) > 1:
            for tid, net in maker.nets.items():
                if child in children(tid, maker.pid):
                    return net, maker.creds[tid]
        return maker.nets[maker.pid], maker.creds[maker.pid]
