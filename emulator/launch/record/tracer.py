"""Runs a command on the real kernel, and reads along what goes over its netlink sockets.

The command's sockets, namespaces, credentials and calls are its own: nothing is answered for it, and nothing of the
machine is changed. A seccomp filter picks the calls that may carry something (filter.py); the thread that makes one
stops at its beginning and at its end, where its memory is read (ptrace(2)), and goes on. So a receive that waits is the
kernel's to wake up, signals come as they come, and a datagram is recorded when, and as far as, the program has it.

What is missed:

- What nobody has read: a notification that was still in a socket's queue, or was lost (ENOBUFS).
- What of a datagram its reader had no room for. It is recorded as cut off, where its length is known.
- What goes through io_uring, splice() and sendfile(), and what 32-bit programs do.
- Programs that cannot be looked into any more: those that an ordinary user may execute and not read.

And what a program notices: somebody traces it, so it can trace nobody whom we follow (strace, gdb: EPERM). Unless we
have CAP_SYS_ADMIN, set-id programs get no privileges (no_new_privs), as sudo says. What the command leaves running ends
with it, as under `nlemu run`; it ends as well, should we.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from nlemu.emulator.launch.keeper import PR_SET_CHILD_SUBREAPER
from nlemu.emulator.launch.record import filter, ptrace
from nlemu.emulator.launch.record.calls import CALLS, Finish, Reading
from nlemu.emulator.launch.record.journal import Heard, Journal
from nlemu.emulator.launch.session import (
    CANNOT_EXECUTE,
    KILLED,
    NOT_FOUND,
    PASSED,
    SI_KERNEL,
    SIGINFO_SIZE,
    STOPS,
    CannotSupervise,
)
from nlemu.emulator.launch.signals import signal_descriptor
from nlemu.emulator.launch.trap.architectures import Architecture, architecture
from nlemu.emulator.launch.trap.instructions import Instruction
from nlemu.emulator.launch.trap.seccomp import install_traced, libc

NUMBER = struct.Struct("=i")
PATIENCE = 20
"""How often the loop looks again before it sleeps."""
BUSY = 64
"""After how many stops it looks for signals, should there always be another: a program may never rest."""


class Tracer:
    """One command, and all that it starts. Takes the command, and who hears what its sockets say."""

    def __init__(self, command: Sequence[str], hear: Callable[[Heard], object]) -> None:
        self.command = list(command)
        self.journal = Journal(hear)
        self.reading = Reading(self.journal)
        self.status = KILLED
        self._command = 0
        """Its process id, until it has ended."""
        self._threads: set[int] = set()
        self._early: set[int] = set()
        """Threads that were heard of before their makers told of them."""
        self._finish: dict[int, Finish] = {}
        """By thread, what is to be done when the call at hand ends."""
        self._names: dict[int, str] = {}

    def run(self) -> int:
        """Runs the command, and ends what it leaves running. Its exit status, or 128 and the number of the signal that
        ended it.

        CannotSupervise: it was not started."""
        arch = architecture()
        if arch is None:
            raise CannotSupervise(f"the system calls of {os.uname().machine} are not known here")
        self._names = {arch.numbers[name]: name for name in CALLS if name in arch.numbers}
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED, signal.SIGCHLD})
        signals = signal_descriptor({*PASSED, signal.SIGCHLD})
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # who is left by its parent is ours to wait for
        try:
            with self._start(arch, mask) as child:
                self._follow(signals)
                if told := child.recv(NUMBER.size):  # else it has become the command
                    why = os.strerror(NUMBER.unpack(told)[0])
                    raise CannotSupervise(f"system calls cannot be filtered here (seccomp: {why})")
        finally:
            self._end_all()
            libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
            os.close(signals)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return self.status

    def _start(self, arch: Architecture, mask: set[int | signal.Signals]) -> socket.socket:
        """Makes the child, and follows it; where it says that it could not become the command. CannotSupervise."""
        program = filter.program(arch)
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if not pid:
            ours.close()
            self._become(theirs, program, mask)
        theirs.close()
        try:
            ptrace.seize(pid)
        except OSError as error:
            ours.close()
            os.waitpid(pid, 0)
            raise CannotSupervise(f"programs cannot be traced here (ptrace: {error.strerror})") from error
        self._command = pid
        self._threads.add(pid)
        ours.sendall(b"!")
        return ours

    # The child's side

    def _become(self, launcher: socket.socket, program: list[Instruction], mask: set[int | signal.Signals]) -> NoReturn:
        """The child: under the filter once it is traced, then the command."""
        code = NOT_FOUND
        try:
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            if not launcher.recv(1):
                os._exit(code)
            try:
                install_traced(program)
            except OSError as error:
                launcher.send(NUMBER.pack(error.errno or errno.EINVAL))
                os._exit(code)
            try:
                os.execvp(self.command[0], self.command)
            except OSError as error:
                code = NOT_FOUND if error.errno == errno.ENOENT else CANNOT_EXECUTE
                os.write(2, f"nlemu record: {self.command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(code)

    # Following

    def _follow(self, signals: int) -> None:
        """Until the command has ended."""
        poll = select.poll()
        poll.register(signals, select.POLLIN)
        idle = busy = 0
        while self._command:
            if self._next():
                idle, busy = 0, busy + 1
                if busy >= BUSY:
                    busy = 0
                    if poll.poll(0):
                        self._signals(signals)
            elif idle < PATIENCE:
                idle += 1
                os.sched_yield()
            else:
                poll.poll()
                self._signals(signals)
                idle = 0

    def _end_all(self) -> None:
        """Whoever is left ends, and is waited for."""
        while self._threads:
            for tid in self._threads:
                with suppress(OSError):
                    os.kill(tid, signal.SIGKILL)
            self._next(block=True)
        while self._next():
            pass

    def _next(self, *, block: bool = False) -> bool:
        """Takes what happened next; whether there was anything."""
        try:
            tid, status = os.waitpid(-1, ptrace.WALL | (0 if block else os.WNOHANG))
        except ChildProcessError:
            self._command = 0
            self._threads.clear()
            return False
        if not tid:
            return False
        if os.WIFSTOPPED(status):
            with suppress(ProcessLookupError):
                self._stopped(tid, os.WSTOPSIG(status), status >> 16)
        else:
            self._ended(tid, status)
        return True

    def _ended(self, tid: int, status: int) -> None:
        self._threads.discard(tid)
        self._give_up(tid)
        if tid == self._command:
            self._command = 0
            self.status = os.waitstatus_to_exitcode(status)
            if self.status < 0:
                self.status = 128 - self.status

    def _give_up(self, tid: int) -> None:
        """The call that the thread was in does not end."""
        finish = self._finish.pop(tid, None)
        if finish is not None:
            finish(-errno.EINTR)

    def _stopped(self, tid: int, number: int, event: int) -> None:
        """A thread has stopped. ProcessLookupError: and was killed meanwhile."""
        if tid not in self._threads:
            self._threads.add(tid)
            self._early.add(tid)
        deliver = 0
        if event == ptrace.EVENT_SECCOMP:
            self._entered(tid)
        elif number == ptrace.SYSCALL_STOP:
            self._left(tid)
        elif event in ptrace.MAKING:
            self._met(ptrace.made(tid))
        elif event == ptrace.EVENT_EXEC:
            self._executed(tid, ptrace.made(tid))
        elif event == ptrace.EVENT_STOP:
            if number != signal.SIGTRAP:
                ptrace.stay_stopped(tid)
                if tid == self._command and number in STOPS:
                    os.kill(os.getpid(), signal.SIGSTOP)
                return
        elif not event:
            deliver = number
        ptrace.go_on(tid, deliver, to_the_end=tid in self._finish)

    def _met(self, tid: int) -> None:
        """A thread's maker tells of it, perhaps later than it does itself."""
        if tid in self._early:
            self._early.remove(tid)
        else:
            self._threads.add(tid)

    def _executed(self, tid: int, before: int) -> None:
        """Another thread of a process has executed something, and goes by the number of the first from now on."""
        if before != tid:
            self._give_up(tid)
            self._threads.discard(before)
        self._give_up(before)

    def _entered(self, tid: int) -> None:
        call = ptrace.entered(tid)
        name = self._names.get(call.number)
        if name is not None:
            finish = self.reading.begin(name, tid, call.args)
            if finish is not None:
                self._finish[tid] = finish

    def _left(self, tid: int) -> None:
        result = ptrace.result(tid)
        if result is not None and (finish := self._finish.pop(tid, None)) is not None:
            try:
                finish(result)
            except OSError:
                self.reading.missed["calls of programs that could not be looked into"] += 1

    # Ours

    def _signals(self, descriptor: int) -> None:
        """Signals have come for us: those that people have sent go on to the command."""
        while True:
            try:
                info = os.read(descriptor, SIGINFO_SIZE)
            except BlockingIOError:
                return
            number, _, code = struct.unpack_from("=Iii", info)
            if number != signal.SIGCHLD and code != SI_KERNEL and self._command:
                with suppress(ProcessLookupError):
                    os.kill(self._command, number)
