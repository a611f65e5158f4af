"""A supervisor in the daemon: programs that a launcher has started see the daemon's machine.

The launcher names the listener by its number; the daemon takes a copy of it, and needs the same right for that as for
looking into the programs: so whoever cannot be supervised is refused at once, and not at the first call.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import checkpoint, notify_closing, wait_readable

from nlemu.emulator.daemon.directory import DirectoryError
from nlemu.emulator.launch.supervisor import Supervisor
from nlemu.emulator.launch.trap.architectures import architecture
from nlemu.emulator.launch.trap.borrow import getfd
from nlemu.emulator.launch.trap.seccomp import Listener
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.trace import Step, step_of

if TYPE_CHECKING:
    from nlemu.emulator.daemon.server import Server
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine


PATIENCE = 8
"""How often it looks again before it sleeps, letting the others run in between (connection.py)."""


class DaemonHost:
    """One supervisor, and its host. Takes the launcher's process, what it asks for, and what is called when it closes:
    the launcher has to be told, since its programs have no kernel then.

    Raises OSError: EPERM when its processes may not be looked into; StepError, DirectoryError as for a namespace."""

    def __init__(self, server: Server, launcher: int, step: Step, on_close: Callable[[], object]) -> None:
        arch = architecture()
        if arch is None or not launcher:
            raise OSError(errno.ENOSYS, "processes of this kind cannot be supervised from here")
        self.server = server
        self.machine: Machine = server.machine
        self.ready = server.ready
        name = step.get("netns", "init")
        if name not in server.steps.nets:
            server.add_namespace(step_of({"netns": name}))
        pidfd = os.pidfd_open(launcher)
        try:
            listener = Listener(getfd(pidfd, step.subject))
        finally:
            os.close(pidfd)
        self._closed = False
        self._on_close = on_close
        self.supervisor = Supervisor(
            self, server.steps.nets[name], arch, listener, root=step.get("root", True), base=step["base"],
            place=os.fspath(server.directory.scratch(step["place"])), parent=launcher,
        )
        server.hosts.add(self)

    async def serve(self) -> None:
        """Answers calls until `close()`."""
        supervisor = self.supervisor
        try:
            while not self._closed:
                timeout = supervisor.timeout()
                with trio.move_on_after(float("inf") if timeout is None else timeout):
                    await wait_readable(supervisor.poll.fileno())
                idle = 0
                while not self._closed and idle < PATIENCE:
                    idle = 0 if supervisor.turn() else idle + 1
                    await checkpoint()
        except trio.ClosedResourceError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """The end; twice does no harm."""
        if not self._closed:
            self._closed = True
            self.server.hosts.discard(self)
            notify_closing(self.supervisor.poll.fileno())
            self.supervisor.close()
            self._on_close()
            self.server.settle()

    # The host

    def settle(self) -> None:
        """Host.settle(): the daemon brings what was announced."""
        self.server.settle()

    def name(self, name: str, net: Net) -> bool:
        """Host.name(), which makes the namespace's directory too."""
        server = self.server
        try:
            server.directory.check_name(name)
        except DirectoryError:
            return False
        try:
            self.machine.name_net(net, name)
        except ValueError:
            return False
        server.steps.nets[name] = net
        try:
            server.arrange()
        except DirectoryError:
            del server.steps.nets[name]
            self.machine.delete_net(name)
            return False
        return True

    def unname(self, name: str) -> None:
        """Host.unname(). OSError EBUSY."""
        try:
            self.server.steps.do(step_of({"netns_del": name}))
        except StepError as error:
            raise OSError(errno.EBUSY, str(error)) from error
        self.server.arrange()

    def timeout(self) -> float | None:
        """Host.timeout(): the daemon looks after that."""
        return None
