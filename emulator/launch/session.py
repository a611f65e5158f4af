"""A session: one command under supervision, from its start until nothing is left of it.

The command is our grandchild, in our process group and on our terminal; the process in between sees to it that nothing
outlives us (keeper.py). Signals that people send to us go on to the command; those that the terminal sends reach it
anyhow, so we only take no notice. When it stops for the terminal's sake, so do we. When it ends, what it has left
running ends too, as with the first process of a container: nobody would answer for the kernel any more.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import NoReturn, Protocol

from nlemu.emulator.launch import capabilities
from nlemu.emulator.launch.keeper import TOLD, keep
from nlemu.emulator.launch.place import NoPlace
from nlemu.emulator.launch.signals import signal_descriptor
from nlemu.emulator.launch.trap import filter
from nlemu.emulator.launch.trap.architectures import Architecture, architecture
from nlemu.emulator.launch.trap.borrow import allowed
from nlemu.emulator.launch.trap.instructions import Instruction
from nlemu.emulator.launch.trap.seccomp import install, libc

PR_SET_PDEATHSIG = 1
SIGINFO_SIZE = 128  # struct signalfd_siginfo
SI_KERNEL = 0x80

CANNOT_EXECUTE, NOT_FOUND, KILLED = 126, 127, 128 + signal.SIGKILL
"""As shells have it."""

PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
          signal.SIGWINCH, signal.SIGCONT, signal.SIGALRM, signal.SIGTSTP)
STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

HIGH = 900
"""Where our descriptors begin: beyond what programs use, and below what select() can take (1024)."""

STUBS = ("modprobe", "udevadm")
"""Programs that find nothing to do: there are no modules here, and no device manager."""


class CannotSupervise(Exception):
    """Why no program can be supervised here: one line for people."""


class NobodyThere(Exception):
    """There is no daemon to supervise a program: one line for people."""


def high_numbers() -> int:
    """The lowest number for descriptors of ours. CannotSupervise: the limit leaves no room."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= 1024:
        return HIGH
    if soft < 128:
        raise CannotSupervise(f"at most {soft} files can be open (ulimit -n); at least 128 are needed")
    return soft - 64


class Session:
    """Takes the command, who supervises it, whether it is root on the emulated kernel, and whether to keep copies of
    its sockets even where they can be borrowed."""

    def __init__(
        self, command: Sequence[str], supervision: Supervision, *, root: bool = True, keep: bool = False
    ) -> None:
        self.command = list(command)
        self.supervision = supervision
        self.root = root
        self.keep = keep
        self.status = KILLED
        self._command = 0
        """Its process id, while there is something of that number to be signalled."""

    def run(self) -> int:
        """Runs the command. Its exit status, or 128 and the number of the signal that ended it.

        CannotSupervise: it was not started."""
        arch = architecture()
        if arch is None:
            raise CannotSupervise(f"the system calls of {os.uname().machine} are not known here")
        base = high_numbers()
        copies = self.keep or not allowed()
        program = filter.program(arch, base, root=self.root, keep=copies)
        try:
            place = self.supervision.place()
        except NoPlace as error:
            raise CannotSupervise(str(error)) from error
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*PASSED, signal.SIGCHLD})
        try:
            return self._run(arch, program, base, place, mask, copies)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            shutil.rmtree(place, ignore_errors=True)

    def _run(
        self, arch: Architecture, program: list[Instruction], base: int, place: str, mask: set[int | signal.Signals],
        copies: bool,
    ) -> int:
        stubs = make_stubs(place)
        ours, theirs = socket.socketpair()
        told, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        sys.stderr.flush()
        keeper = os.fork()
        if not keeper:
            ours.close()
            told.close()
            keep(tells, theirs, place, lambda: self._become(arch, program, base, theirs, stubs, mask))
        theirs.close()
        tells.close()
        signals = signal_descriptor(set(PASSED))
        try:
            with ours, told:
                self._command, _ = TOLD.unpack(told.recv(TOLD.size))
                listener = self._meet(ours)
                try:
                    self.supervision.begin(listener, arch, root=self.root, base=base, place=place, keep=copies)
                    ours.sendall(b"!")
                    self.supervision.run(
                        {signals: lambda: self._signals(signals), told.fileno(): lambda: self._hear(told)}
                    )
                finally:
                    told.shutdown(socket.SHUT_WR)  # whereupon the keeper ends everybody, and then itself
                    while self._hear(told):
                        pass
                    self.supervision.end()
        finally:
            os.close(signals)
            os.waitpid(keeper, 0)
        return self.status

    # The child's side

    def _become(
        self, arch: Architecture, program: list[Instruction], base: int, parent: socket.socket, stubs: str,
        mask: set[int | signal.Signals],
    ) -> NoReturn:
        """The child: under the filter, then the command."""
        code = NOT_FOUND
        try:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            capabilities.drop()
            for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            environment = dict(os.environ)
            environment["PATH"] = f"{stubs}:{environment.get('PATH', os.defpath)}"
            door = socket.socket(fileno=os.dup2(parent.fileno(), filter.last_low(base), inheritable=False))
            try:
                listener = install(arch, program)
            except OSError as error:
                parent.send(struct.pack("=i", error.errno or errno.EINVAL))
                os._exit(1)
            socket.send_fds(door, [struct.pack("=i", 0)], [listener])
            door.close()
            os.close(listener)
            parent.recv(1)
            try:
                os.execvpe(self.command[0], self.command, environment)
            except OSError as error:
                code = NOT_FOUND if error.errno == errno.ENOENT else CANNOT_EXECUTE
                os.write(2, f"nlemu run: {self.command[0]}: {error.strerror}\n".encode())
        finally:
            os._exit(code)

    # Ours

    def _meet(self, child: socket.socket) -> int:
        """The listener that the child hands over. CannotSupervise."""
        data, descriptors, _, _ = socket.recv_fds(child, 4, 1)
        number = struct.unpack("=i", data)[0] if len(data) == 4 else errno.ESRCH
        if number or not descriptors:
            raise CannotSupervise(why_not(number))
        return descriptors[0]

    def _signals(self, descriptor: int) -> None:
        """Signals have come for us."""
        while True:
            try:
                info = os.read(descriptor, SIGINFO_SIZE)
            except BlockingIOError:
                return
            number, _, code = struct.unpack_from("=Iii", info)
            if code != SI_KERNEL and self._command:
                with suppress(ProcessLookupError):
                    os.kill(self._command, number)

    def _hear(self, keeper: socket.socket) -> bool:
        """The keeper has something to say of the command. False: it has ended, and with it the command."""
        data = keeper.recv(TOLD.size)
        if not data:
            self._command = 0
            self.supervision.ended = True
            return False
        _, status = TOLD.unpack(data)
        if os.WIFSTOPPED(status):
            if os.WSTOPSIG(status) in STOPS:
                os.kill(os.getpid(), signal.SIGSTOP)
            return True
        self.status = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self._command = 0
        self.supervision.ended = True
        return True


class Supervision(Protocol):
    """Who supervises: see supervision.py."""

    ended: bool
    """Set when the command has ended."""

    def place(self) -> str:
        """A new directory for what belongs to the session. NoPlace, CannotSupervise, NobodyThere."""

    def begin(self, listener: int, arch: Architecture, *, root: bool, base: int, place: str, keep: bool) -> None:
        """Takes the listener. CannotSupervise."""

    def run(self, outside: Mapping[int, Callable[[], object]]) -> None:
        """Until `ended`; when one of these descriptors can be read, what stands beside it is called."""

    def end(self) -> None:
        """Nobody is left to be supervised."""


def why_not(number: int) -> str:
    """What the errno of seccomp() means."""
    return {
        errno.EBUSY: "another supervisor of this kind watches already (is this inside `nlemu run`?)",
        errno.EINVAL: "this kernel is too old: seccomp user notification with a listener came with Linux 5.0",
        errno.ENOSYS: "this kernel has no seccomp, or a sandbox hides it",
        errno.EPERM: "a sandbox forbids seccomp()",
        errno.EACCES: "seccomp() wants no_new_privs, which could not be set",
    }.get(number, f"seccomp() failed: {os.strerror(number)}")


def make_stubs(place: str) -> str:
    """A directory with the programs that find nothing to do, for PATH."""
    directory = os.path.join(place, "bin")
    os.mkdir(directory, 0o755)
    for name in STUBS:
        path = os.path.join(directory, name)
        with open(path, "w") as script:
            script.write("#!/bin/sh\nexit 0\n")
        os.chmod(path, 0o755)
    return directory
