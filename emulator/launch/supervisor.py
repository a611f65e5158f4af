"""The supervisor: takes the calls that the filter hands over, and answers them from a machine.

It has one loop, which watches the listener, our ends of the programs' sockets, the processes, and whoever adds to it.
Before a call is looked at, everything that has been sent is processed; so to a program its own sends have taken effect
by the time of its next call.

A receive that waits is not answered until there is something to read. The kernel does not tell us when a signal arrives
for whoever makes a call that we hold (and must not: it might be half done). So while a receive waits, the caller is
looked at twenty times a second, and with a signal due to it, its call ends as every call does that a signal interrupts.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import socket
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from nlemu.emulator.launch import capabilities
from nlemu.emulator.launch.answers import CALLS, Function
from nlemu.emulator.launch.descriptors import SenderDescriptors
from nlemu.emulator.launch.files import firmware
from nlemu.emulator.launch.files.opened import Files
from nlemu.emulator.launch.host import Host
from nlemu.emulator.launch.namespaces.namespaces import Namespaces
from nlemu.emulator.launch.trap.architectures import Architecture
from nlemu.emulator.launch.trap.borrow import Borrowed, Known
from nlemu.emulator.launch.trap.call import PASS, Answer, Call, Gone, Verdict
from nlemu.emulator.launch.trap.credentials import (
    CAP_NET_ADMIN,
    CAP_SYS_ADMIN,
    CAP_SYS_PTRACE,
    Cred,
    UserNamespace,
)
from nlemu.emulator.launch.trap.filter import CLONE_NEWUSER
from nlemu.emulator.launch.trap.held import HeldFiles
from nlemu.emulator.launch.trap.memory import Memory
from nlemu.emulator.launch.trap.seccomp import Listener, libc
from nlemu.emulator.launch.trap.task import Process, Tasks, descendants
from nlemu.emulator.launch.tun.tuns import Tuns
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.launch.rings.ring import Ring
    from nlemu.emulator.launch.sockets.channel import Channel
    from nlemu.emulator.launch.tun.device import OpenTun

log = logging.getLogger(__name__)

NOBODY = 65534
"""Who a program is that does not take itself for root."""
PULSE = 0.05
"""Seconds between looks at a caller that waits."""
ERESTARTSYS = 512  # include/linux/errno.h: repeat the call after the signal's handler, or fail with EINTR
PATIENCE = 20
"""How often the loop looks again before it sleeps."""

SUSPICION = 0.01
"""Seconds until we look whether a program still has what it may have closed."""
ROUNDS = 64
"""How often we look whether there is more."""

class Waiting:
    """A call that waits. until: when its time is over, by the monotonic clock; held: the file that it is about; got:
    what it returns if it ends before its time; 0: an error; late: which one, when its time is over."""

    __slots__ = ("attempt", "call", "done", "got", "held", "late", "until")

    def __init__(
        self, call: Call, attempt: Callable[[], Answer | None], until: float | None, held: socket.socket,
        got: Callable[[], int], late: int,
    ) -> None:
        self.call, self.attempt, self.until, self.held, self.got = call, attempt, until, held, got
        self.late = late
        self.done = False

    def end(self) -> None:
        """It waits no longer."""
        self.done = True
        self.held.close()


class Supervisor:
    """Everything about one command that runs on the emulator.

    host: whose machine it sees; net: the namespace it begins in; root: it has all capabilities there; base: from which
    number on its descriptors are ours; place: a directory of our own; parent: the process that it is a child of;
    keep: its descriptors cannot be borrowed.
    """

    def __init__(
        self, host: Host, net: Net, arch: Architecture, listener: Listener, *, root: bool, base: int, place: str,
        parent: int, keep: bool = False,
    ) -> None:
        self.host = host
        self.machine = host.machine
        self.machine.firmware_elsewhere = firmware.there
        self.ready = host.ready
        self.settle = host.settle
        self.arch = arch
        self.root = root
        self.base = base
        self.listener = listener
        self.parent = parent
        self.memory = Memory()
        self.poll = select.epoll()
        self._data = select.epoll()
        self._watched: dict[int, Callable[[int], None]] = {}
        self._outside: dict[int, Callable[[int], None]] = {}
        self.channels: dict[int, Channel] = {}
        self._waiting: list[Waiting] = []
        self._functions = {
            arch.numbers[name]: (name, function) for name, function in CALLS.items() if name in arch.numbers
        }
        self._asked_first: set[str] = set()
        self.namespaces = Namespaces(self, place)
        self.space = UserNamespace()
        cred = Cred.root(self.space) if root else Cred.user(self.space, NOBODY, NOBODY)
        self.tasks = Tasks(
            self.poll, self.machine.init_net, net, cred, self.namespaces.make, self.namespaces.sweep, self._diverse
        )
        self.tuns = Tuns(self)
        self.held = HeldFiles(self, os.path.join(place, "held"))
        self.files = Files(self, place)
        if (closings := self.namespaces.files.closings) is not None:
            self.watch_outside(closings, self.namespaces.closed)
        self.machine.processes.append(self.process_net)
        self.kept: dict[tuple[int, int], int] | None = {} if keep else None
        """By device and inode, the files that programs have of us; None where they can be borrowed."""
        self._suspicion: float | None = None
        """When to look whether they still have them."""
        self.ended = False
        self.poll.register(listener.fd, select.EPOLLIN)
        self.poll.register(self._data.fileno(), select.EPOLLIN)

    @cached_property
    def makes_spaces(self) -> bool:
        """Programs that run as we do can make real user namespaces, and we, who own them, can look into these."""
        return may_make_spaces()

    @cached_property
    def privileged(self) -> bool:
        """We can look into programs that are in real user namespaces of their own, and those can make them."""
        return may_trace()

    # What is watched

    def watch(self, fd: int, on_event: Callable[[int], None], events: int) -> None:
        """Our end of something that a program writes to: looked at before every call."""
        self._watched[fd] = on_event
        self._data.register(fd, events)

    def watch_for(self, fd: int, events: int) -> None:
        """Waits for other events of a descriptor that is watched."""
        self._data.modify(fd, events)

    def unwatch(self, fd: int) -> None:
        """Waits for a descriptor no longer."""
        del self._watched[fd]
        self._data.unregister(fd)

    def watch_outside(self, fd: int, on_event: Callable[[int], None]) -> None:
        """Something that has nothing to do with the programs' order of doing things."""
        self._outside[fd] = on_event
        self.poll.register(fd, select.EPOLLIN)

    def forget(self, channel: Channel) -> None:
        """The program has closed that socket."""
        self.unwatch(channel.ours.fileno())
        self.channels.pop(channel.inode, None)

    # The loop

    def run(self) -> None:
        """Until `ended` is set."""
        idle = PATIENCE
        while not self.ended:
            timeout = self.timeout()
            if self.turn(0.0 if idle < PATIENCE else -1 if timeout is None else timeout):
                idle = 0
            else:
                idle += 1
                if idle < PATIENCE:
                    os.sched_yield()
                elif self.host.timeout() is not None:
                    self.settle()

    def turn(self, timeout: float = 0.0) -> bool:
        """Does what there is to do, and waits for something if there is nothing; whether there was."""
        events = self.poll.poll(timeout)
        for fd, event in events:
            if fd == self._data.fileno():
                self.drain()
            elif fd == self.listener.fd:
                if event & select.EPOLLIN:
                    self._next_call()
                elif event & select.EPOLLHUP:
                    self.poll.unregister(fd)  # nobody is left under the filter
            elif fd in self._outside:
                self._outside[fd](event)
            elif fd in self.tasks.by_pidfd and self.tasks.has_ended(fd):
                self._drop_gone()
                self.drain()
                self.tasks.ended(fd)
                if self.kept:
                    self.suspect()
                self.settle()
        if self._waiting:
            self._look_after_waiting()
        if self._suspicion is not None and time.monotonic() >= self._suspicion:
            self._suspicion = None
            self._drop_kept()
        if self.held.doubtful:
            self.held.look_again()
        return bool(events)

    def timeout(self) -> float | None:
        """Seconds until a turn is due though nothing has happened; None when none is."""
        due = self.host.timeout()
        if self._waiting or self._suspicion is not None or self.held.doubtful:
            return PULSE if due is None else min(PULSE, due)
        return due

    def drain(self) -> None:
        """Everything that programs have sent is processed; of one that goes on sending, as much as its socket holds."""
        for _ in range(ROUNDS):
            events = self._data.poll(0)
            if not events:
                return
            for fd, event in events:
                on_event = self._watched.get(fd)
                if on_event is not None:
                    try:
                        on_event(event)
                    except Exception:
                        log.exception("a request failed")

    # Calls

    def _next_call(self) -> None:
        notification = self.listener.receive()
        if notification is None:
            return
        if self._waiting:
            self._drop_gone()
        self.drain()
        name, function = self._functions.get(notification.number, ("?", _unknown))
        call = Call(self, notification, name)
        try:
            self.answer(call, function(call))
        except Gone:
            pass
        except OSError as error:
            self._refuse(call, error)
        except Refusal as refusal:
            self.listener.fail(call.id, refusal.errno)
        except Exception:
            log.exception("a bug in the launcher; the call was %r", call)
            self.listener.fail(call.id, errno.EIO)

    def answer(self, call: Call, answer: Answer) -> None:
        """Lets a call return."""
        if answer is PASS:
            self.listener.pass_on(call.id)
        elif not isinstance(answer, Verdict):
            self.listener.succeed(call.id, answer)

    def _refuse(self, call: Call, error: OSError) -> None:
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%r fails: %s", call, error)
        self.listener.fail(call.id, error.errno or errno.EIO)

    # Waiting

    def wait(
        self, call: Call, channel: Channel | OpenTun | Ring, attempt: Callable[[], Answer | None],
        until: float | None, held: socket.socket, got: Callable[[], int], late: int = errno.EAGAIN,
    ) -> None:
        """Leaves a call unanswered until `attempt` has an answer (tried when the channel has something), or `until`.
        held: the file that the caller has in hand; it is closed then. got: what has been done so far; late: the error
        when the time is over."""
        waiting = Waiting(call, attempt, until, held, got, late)
        self._waiting.append(waiting)
        channel.waiting.append(lambda: self._try(waiting))

    def _try(self, waiting: Waiting) -> bool:
        if waiting.done:
            return True
        call = waiting.call
        try:
            call.check()
            answer = waiting.attempt()
            if answer is None:
                return False
            self.answer(call, answer)
        except Gone:
            pass
        except OSError as error:
            self._refuse(call, error)
        except Exception:
            log.exception("a bug in the launcher; the call was %r", call)
            self.listener.fail(call.id, errno.EIO)
        waiting.end()
        return True

    def _look_after_waiting(self) -> None:
        """Those whose time is over, who are gone, or to whom a signal is due, need not wait any longer."""
        self._drop_gone()
        now = time.monotonic()
        for waiting in self._waiting:
            if waiting.until is not None and now >= waiting.until:
                self._end(waiting, waiting.late)
            elif signal_due(waiting.call.tid):
                # sock_intr_errno(): who waits for so long only does not begin again.
                self._end(waiting, ERESTARTSYS if waiting.until is None else errno.EINTR)
        self._waiting = [waiting for waiting in self._waiting if not waiting.done]

    def _end(self, waiting: Waiting, number: int) -> None:
        waiting.end()
        if got := waiting.got():
            self.listener.succeed(waiting.call.id, got)
        else:
            self.listener.fail(waiting.call.id, number)

    def _drop_gone(self) -> None:
        """Who has ended does not wait any more, nor has the file in hand."""
        for waiting in self._waiting:
            if not waiting.done and not self.listener.valid(waiting.call.id):
                waiting.end()
        self._waiting = [waiting for waiting in self._waiting if not waiting.done]

    # For the functions that answer

    def borrow(self, process: Process, fd: int) -> Borrowed:
        """A descriptor of a process. OSError EBADF."""
        return Borrowed(process.pidfd, fd) if self.kept is None else Known(process.pid, fd, self.kept)

    def keep(self, fd: int) -> None:
        """A file has been given to a program: where it could not be borrowed again, we need a copy of our own."""
        if self.kept is not None:
            found = os.fstat(fd)
            self.kept[found.st_dev, found.st_ino] = os.dup(fd)

    def suspect(self) -> None:
        """Somebody may have closed the last descriptor of a socket, of which we have a copy."""
        self._suspicion = time.monotonic() + SUSPICION

    def confirm(self) -> None:
        """Looks at once, for a call to which it matters. What another thread is just closing may be seen later."""
        if self._suspicion is not None:
            self._drop_kept()

    def _drop_kept(self) -> None:
        """Closes our copies of what nobody else has open any more."""
        assert self.kept is not None
        left = dict(self.kept)
        for pid in descendants(self.parent):
            with suppress(OSError):
                for number in os.listdir(f"/proc/{pid}/fd"):
                    with suppress(OSError):
                        found = os.stat(f"/proc/{pid}/fd/{number}")
                        left.pop((found.st_dev, found.st_ino), None)
        for place, fd in left.items():
            del self.kept[place]
            os.close(fd)
        if left:
            self.drain()

    def free_number(self, tid: int, least: int = 0) -> int:
        """The lowest number from `base` on that is free in that process."""
        number = max(self.base, least)
        while os.path.lexists(f"/proc/{tid}/fd/{number}"):
            number += 1
        return number

    def ask_first(
        self, kind: str, names: Iterable[str], answers: Callable[[str, Function], Function]
    ) -> None:
        """From now on these calls are answered by what `answers()` makes of a call's name and of what has answered it
        so far. kind: for what; once is enough."""
        if kind not in self._asked_first:
            self._asked_first.add(kind)
            for name in self.arch.numbers.keys() & set(names):
                before = self._functions[self.arch.numbers[name]][1]
                self._functions[self.arch.numbers[name]] = name, answers(name, before)

    def is_ours(self, borrowed: Borrowed) -> bool:
        """Whether a descriptor is a socket of netlink or AF_XDP, an open /dev/net/tun, or a file that we play and that
        can be written."""
        return (
            borrowed.inode in self.channels or self.tuns.behind(borrowed) is not None
            or self.files.opened(borrowed) is not None or self.held.behind(borrowed) is not None
        )

    def capable(self, tid: int, capability: int = CAP_NET_ADMIN, net: Net | None = None) -> bool:
        """Whether a thread has a capability: over a network namespace, or in the first user namespace."""
        space = self.space if net is None else self.namespaces.owner(net)
        return self.tasks.cred(tid).capable(space, capability)

    def _diverse(self) -> None:
        """From now on it matters who sends."""
        self.drain()
        for channel in self.channels.values():
            channel.ask_senders()

    def net_behind_pidfd(self, tid: int, fd: int) -> Net | None:
        """The namespace of the process that a pidfd stands for."""
        try:
            with open(f"/proc/{tid}/fdinfo/{fd}") as lines:
                for line in lines:
                    if line.startswith("Pid:"):
                        return self.tasks.known(int(line[4:]))
        except (OSError, ValueError):
            pass
        return None

    def process_net(self, pid: int) -> Net | None:
        """The namespace of one of our processes."""
        try:
            return self.tasks.known(pid)
        except OSError:
            return None

    def descriptors(self, pid: int) -> SenderDescriptors:
        """What numbers in the messages of that process stand for."""
        return SenderDescriptors(self, pid)

    def close(self) -> None:
        """The end: nothing is left of it. The listener goes first, so that whoever still waits is told ENOSYS."""
        self.listener.close()
        for waiting in self._waiting:
            waiting.end()
        self.machine.processes.remove(self.process_net)
        for channel in list(self.channels.values()):
            channel.close()
        self.tuns.close()
        self.held.close()
        for fd in (self.kept or {}).values():
            os.close(fd)
        self.tasks.close()
        self.files.close()
        self.namespaces.close()
        self._data.close()
        self.poll.close()


def may_trace() -> bool:
    """Whether we have CAP_SYS_PTRACE and CAP_SYS_ADMIN, really."""
    return capabilities.has("self", 1 << CAP_SYS_PTRACE | 1 << CAP_SYS_ADMIN)


def may_make_spaces() -> bool:
    """Whether whoever runs us may make real user namespaces, and see into programs that are in them, as their owner."""
    pid = os.fork()
    if not pid:
        try:
            os._exit(0 if libc.unshare(CLONE_NEWUSER) == 0 else 1)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def signal_due(tid: int) -> bool:
    """Whether a signal waits for that thread, and is not blocked."""
    pending = blocked = 0
    try:
        with open(f"/proc/{tid}/status", "rb") as lines:
            for line in lines:
                if line.startswith((b"SigPnd:", b"ShdPnd:")):
                    pending |= int(line[7:], 16)
                elif line.startswith(b"SigBlk:"):
                    blocked = int(line[7:], 16)
                    break
    except OSError:
        return False
    return bool(pending & ~blocked)


def _unknown(call: Call) -> Answer:
    return PASS
