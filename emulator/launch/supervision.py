"""Who supervises a session: the launcher itself, with a machine of the command's own, or a daemon that has one.

A daemon is given the listener. It then looks into the memory of the command's processes, as the launcher would; so it
has to be allowed to: the same user, in sight of the same processes, and not where only a parent may (Yama).
"""

from __future__ import annotations

import json
import os
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nlemu.emulator.launch.host import LauncherHost
from nlemu.emulator.launch.session import CannotSupervise, NobodyThere
from nlemu.emulator.launch.supervisor import Supervisor
from nlemu.emulator.launch.trap.architectures import Architecture
from nlemu.emulator.launch.trap.seccomp import Listener

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine

YAMA = Path("/proc/sys/kernel/yama/ptrace_scope")


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

    def run(self, signals: int, on_signals: Callable[[], None]) -> None:
        """Supervises until the command has ended; calls back when the descriptor of signals can be read."""
        supervisor = self._supervisor
        assert supervisor is not None
        supervisor.watch_outside(signals, lambda _: on_signals())
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

    def begin(self, listener: int, arch: Architecture, *, root: bool, base: int, place: str, keep: bool) -> None:
        """Hands the listener to the daemon. CannotSupervise where it may not look into our processes."""
        self._listener = listener
        if keep:
            raise CannotSupervise("here no process may have a copy of another's descriptor (pidfd_getfd): no --dir")
        if YAMA.exists() and YAMA.read_text().strip() != "0":
            raise CannotSupervise("here only a parent may look into a process (kernel.yama.ptrace_scope): no --dir")
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._sock.connect(os.fspath(self.control))
        except OSError as error:
            where = self.control.parent
            advice = "" if isinstance(error, PermissionError) else f"; start one: nlemu serve --dir {where}"
            raise NobodyThere(f"no daemon serves {where} ({error.strerror}){advice}") from error
        request = {"supervise": listener, "netns": self.netns or "init", "root": root, "base": base, "place": place}
        self._sock.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(self._sock.makefile("rb").readline() or b"{}")
        if "ok" not in answer:
            raise CannotSupervise(f"the daemon does not supervise: {answer.get('error', 'it is gone')}")

    def run(self, signals: int, on_signals: Callable[[], None]) -> None:
        """Waits until the command has ended; calls back when the descriptor of signals can be read."""
        assert self._sock is not None
        poll = select.poll()
        poll.register(signals, select.POLLIN)
        poll.register(self._sock, select.POLLIN)
        while not self.ended:
            for fd, _ in poll.poll():
                if fd == signals:
                    on_signals()
                elif not self._sock.recv(4096):
                    return  # the daemon has ended, and with it the command's kernel

    def end(self) -> None:
        """Closes the connection, and with it the daemon's supervisor."""
        if self._sock is not None:
            self._sock.close()
        os.close(self._listener)
