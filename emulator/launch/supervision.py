"""Who supervises a session: the launcher itself, with a machine of the command's own, or a daemon that has one.

A daemon is given the listener. It then looks into the memory of the command's processes, as the launcher would; so it
has to be allowed to: the same user, in sight of the same processes, and where only ancestors may (Yama) one of those,
as is a daemon in the Python program that starts the launcher. It finds out by taking its copy of the listener.
"""

from __future__ import annotations

import json
import logging
import os
import select
import socket
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nlemu.emulator.launch.host import LauncherHost
from nlemu.emulator.launch.place import make_place
from nlemu.emulator.launch.session import CannotSupervise, NobodyThere
from nlemu.emulator.launch.supervisor import Supervisor
from nlemu.emulator.launch.trap.architectures import Architecture
from nlemu.emulator.launch.trap.seccomp import Listener

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine

log = logging.getLogger(__name__)

SCRATCH = ".run-"
"""How the names of sessions' directories begin in that of a daemon."""
YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


def scope() -> int:
    """kernel.yama.ptrace_scope: 0 where whoever is the same user may look into a process, 1 where only its ancestors
    may, 2 and 3 where nobody without privileges may."""
    try:
        return int(YAMA.read_text())
    except (OSError, ValueError):
        return 0


class LauncherSupervision:
    """The launcher itself. Takes the machine, and the name of the namespace to begin in, which is made if need be."""

    def __init__(self, machine: Machine, netns: str | None = None) -> None:
        self.machine = machine
        self.netns = netns
        self._supervisor: Supervisor | None = None
        self._ended = False

    @property
    def ended(self) -> bool:
        """Set when the command has ended."""
        return self._ended

    @ended.setter
    def ended(self, value: bool) -> None:
        self._ended = value
        if self._supervisor is not None:
            self._supervisor.ended = value

    def place(self) -> str:
        """Where there are temporary files. NoPlace."""
        return make_place()

    def begin(self, listener: int, arch: Architecture, *, root: bool, base: int, place: str, keep: bool) -> None:
        """Makes the machine's namespace, and a supervisor in this process."""
        machine, name = self.machine, self.netns
        net = machine.init_net
        if name is not None and name != net.name:
            net = machine.nets.get(name) or machine.new_net(name)
        self._supervisor = Supervisor(
            LauncherHost(machine), net, arch, Listener(listener), root=root, base=base, place=place, parent=os.getpid(),
            keep=keep,
        )

    def run(self, outside: Mapping[int, Callable[[], object]]) -> None:
        """Supervises until the command has ended; calls what stands beside a descriptor when that can be read."""
        supervisor = self._supervisor
        assert supervisor is not None
        for fd, on_readable in outside.items():
            supervisor.watch_outside(fd, partial(_call, on_readable))
        supervisor.run()
        supervisor.drain()

    def end(self) -> None:
        """Closes what is left."""
        if self._supervisor is not None:
            self._supervisor.close()


class DaemonSupervision:
    """A daemon, by the path of its control socket. Takes the namespace to begin in."""

    def __init__(self, control: Path, netns: str | None = None) -> None:
        self.control = control
        self.netns = netns
        self.ended = False
        self._sock: socket.socket | None = None
        self._listener = -1

    def place(self) -> str:
        """Below the daemon's directory, which it and the command can see, though they may be in two containers.
        NobodyThere."""
        where = os.fspath(self.control.parent)
        try:
            return tempfile.mkdtemp(prefix=SCRATCH, dir=where)
        except OSError as error:
            raise self._nobody(error) from error

    def _nobody(self, error: OSError) -> NobodyThere:
        where = self.control.parent
        advice = "" if isinstance(error, PermissionError) else f"; start one: nlemu serve --dir {where}"
        return NobodyThere(f"no daemon serves {where} ({error.strerror}){advice}")

    def begin(self, listener: int, arch: Architecture, *, root: bool, base: int, place: str, keep: bool) -> None:
        """Hands the listener to the daemon. CannotSupervise where it may not look into our processes."""
        self._listener = listener
        if keep:
            raise CannotSupervise("here no process may have a copy of another's descriptor (pidfd_getfd): no --dir")
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._sock.connect(os.fspath(self.control))
        except OSError as error:
            raise self._nobody(error) from error
        scratch = os.path.basename(place)
        request = {"supervise": listener, "netns": self.netns or "init", "root": root, "base": base, "place": scratch}
        self._sock.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self._sock.makefile("rb").readline() or b"{}")
        if "ok" not in answer:
            why = answer.get("error", "it is gone")
            if answer.get("errno") == "EPERM" and scope() != 0:
                why = (
                    "here only those may look into a process who have started it (kernel.yama.ptrace_scope), and the "
                    "daemon has not; start both from one Python program (nlemu.Kernel), or leave --dir out"
                )
            raise CannotSupervise(f"the daemon does not supervise: {why}")

    def run(self, outside: Mapping[int, Callable[[], object]]) -> None:
        """Waits until the command has ended; calls what stands beside a descriptor when that can be read."""
        assert self._sock is not None
        poll = select.poll()
        for fd in (*outside, self._sock.fileno()):
            poll.register(fd, select.POLLIN)
        while not self.ended:
            for fd, _ in poll.poll():
                if fd in outside:
                    outside[fd]()
                elif not self._sock.recv(4096) and not self.ended:
                    log.warning("the daemon has ended or was reset, and with it the kernel of %s", self.control.parent)
                    return

    def end(self) -> None:
        """Closes the connection, and with it the daemon's supervisor."""
        if self._sock is not None:
            self._sock.close()
        os.close(self._listener)


def _call(on_readable: Callable[[], object], _event: int) -> None:
    on_readable()
