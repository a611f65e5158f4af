"""The daemon: a kernel behind Unix sockets.

For each namespace there is a directory with two listening SOCK_SEQPACKET sockets, `generic` and `route` (directory.py);
who connects has a netlink socket of that protocol in that namespace, with CAP_ACK and EXT_ACK set, every capability,
and its process id as port id. What is not netlink comes in through the control socket (control.py).

Everything happens in one thread and every change of the kernel in one call, so there are no locks. Messages for other
sockets than the one that asked are queued on their endpoints; each such connection puts itself on `ready`, and is
written to before the next request is taken. Then comes the work that the kernel defers (link-watch, a namespace's
end), and what that announces.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import notify_closing, wait_readable

from nlemu.emulator.daemon.attendant import Attendant
from nlemu.emulator.daemon.connection import Connection
from nlemu.emulator.daemon.control import Control
from nlemu.emulator.daemon.directory import PROTOCOLS, Directory, DirectoryError
from nlemu.emulator.daemon.dmabuf_files import Tokens
from nlemu.emulator.daemon.readiness import READY, STOPPING, notify
from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.machine.endpoint import LONGEST, Endpoint
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.netlink.descriptors import PeerDescriptors
from nlemu.emulator.script import trace
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import Steps
from nlemu.emulator.script.trace import Step
from nlemu.protocol.uapi.netlink import NetlinkOpt

if TYPE_CHECKING:
    from nlemu.emulator.daemon.host import DaemonHost
    from nlemu.emulator.daemon.watching import Watching
    from nlemu.emulator.launch.sockets.channel import Channel
    from nlemu.emulator.machine.faults.fault import Fault
    from nlemu.emulator.machine.snapshot import Snapshot

log = logging.getLogger(__name__)

PATH_OPTIONS = ((NetlinkOpt.CAP_ACK, 1), (NetlinkOpt.EXT_ACK, 1))
"""What every modern client sets first, and a client of a path cannot."""

Greet = Callable[[socket.socket], None]

OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
BREATH = 0.1
"""Seconds until connections are accepted again after that."""


class Server:
    """One daemon. `bind()` makes its sockets, `start()` serves, in a nursery whose cancellation is its end.

    make_machine: called for the first machine, and for a fresh one at each `reset()`. real_time: the wall clock pushes
    the machine's; without it time passes only when somebody asks for it (the step `sleep`), and a run can be repeated
    exactly.
    """

    def __init__(
        self, directory: Directory, make_machine: Callable[[], Machine] = Machine, *, real_time: bool = False
    ) -> None:
        self.directory = directory
        self.make_machine = make_machine
        self.machine = make_machine()
        self.machine.restart = self._restart_soon
        self.steps = Steps(self.machine)
        self.connections: set[Connection] = set()
        self.hosts: set[DaemonHost] = set()
        """Supervisors of programs that see this machine."""
        self.named: dict[str, Connection] = {}
        """Connections that the control socket made, by the name it gave them."""
        self.attendant = Attendant(lambda: self.settle())
        """Who looks after the connections."""
        self.ready: list[Connection | Channel] = []
        """Those whose endpoints have something to be written; each puts itself here."""
        self.buffer = memoryview(bytearray(LONGEST + 1))
        """Where every connection receives, one datagram at a time; one byte longer than any may be."""
        self.snapshots: dict[str, Snapshot] = {}
        """The machine as it was, by the names that clients gave."""
        self.watching: set[Watching] = set()
        """Those who watch all that is said."""
        self.tokens = Tokens()
        """Files that stand for dmabufs."""
        self._listeners: dict[str, list[socket.socket]] = {}
        self._homes: dict[tuple[int, int], str] = {}
        """Device and inode number of the namespaces' directories."""
        self._bound: list[tuple[socket.socket, Greet]] = []
        """Sockets that are not served yet, and what to do with who connects."""
        self._nursery: trio.Nursery | None = None
        self._real_time = real_time
        self._now: Callable[[], float] | None = None
        """Trio's clock, while it pushes the machine's."""
        self._told = 0.0
        """When the machine was last told how much time has passed."""
        self._nap = trio.CancelScope()
        """The sleep until the machine has something to do, and, in its nanoseconds, until when."""
        self._due: int | None = None

    # The life of the daemon

    def bind(self) -> None:
        """Makes the sockets. Raises DirectoryError, with none left."""
        try:
            self.arrange()
            control = self.directory.listen(self.directory.control, socket.SOCK_STREAM)
            self._bound.append((control, self._greet_control))
        except DirectoryError:
            for sock, _ in self._bound:
                sock.close()
            raise

    def start(self, nursery: trio.Nursery) -> None:
        """Serves on them, in tasks of that nursery."""
        if self._nursery is None:
            nursery.start_soon(self.attendant.serve)
        self._nursery = nursery
        if self._real_time and self._now is None:
            self._now = trio.lowlevel.current_clock().current_time
            self._told = self._now()
            nursery.start_soon(self._keep_time)
        for sock, greet in self._bound:
            nursery.start_soon(self._listen, sock, greet)
        self._bound.clear()

    def stop(self) -> None:
        """The end of all that start() began, and of the block that serves."""
        assert self._nursery is not None
        self._nursery.cancel_scope.cancel()

    async def _keep_time(self) -> None:
        """Does what the machine has to do when it is due, whether or not somebody asks for something."""
        while True:
            with trio.CancelScope() as self._nap:
                self._due = self.machine.work.next_due()
                if self._due is None:
                    await trio.sleep_forever()
                await trio.sleep((self._due - self.machine.clock.now) / NSEC_PER_SEC)
            self.settle()

    def reset(self) -> None:
        """A fresh machine; whoever was connected to the old one is cut off."""
        for host in list(self.hosts):
            host.close()
        for connection in list(self.connections):
            connection.close()
        self.machine = self.make_machine()
        self.machine.restart = self._restart_soon
        self.steps = Steps(self.machine)
        self.tokens.clear()
        self.snapshots.clear()
        for one in self.watching:
            one.live.begin(self.machine)
        self.arrange()
        self._nap.cancel()

    def _restart_soon(self, fault: Fault) -> None:
        """A fault has the daemon restarted: in a task of its own, for those that it cuts off are at work."""

        async def restart() -> None:
            self.reset()
            self.machine.faults.listed.append(fault)  # which has struck; the others are forgotten

        self._start(restart)

    def snapshot(self, name: str) -> None:
        """Keeps the machine as it is, under a name; what had it before is forgotten."""
        from nlemu.emulator.machine.snapshot import Snapshot

        steps = self.steps
        self.snapshots[name] = Snapshot(self.machine, steps.nets, steps.descriptors, steps.programs.running)

    def restore(self, name: str) -> None:
        """The machine as it was. Sockets stay open, but for those in namespaces that there were not; what waits in them
        is thrown away. Raises StepError."""
        found = self.snapshots.get(name)
        if found is None:
            raise StepError(f"restore: there is no snapshot {name!r}")
        found.restore()
        gone = set(found.orphans())
        for connection in [one for one in self.connections if one.endpoint in gone]:
            connection.close()
        self.arrange()
        self._nap.cancel()

    def arrange(self) -> None:
        """Makes the listening sockets follow the namespaces that there are.

        Connections into a namespace that is gone live on until they are closed. Raises DirectoryError where one has no
        place; it is tried again the next time.
        """
        try:
            self._arrange()
        finally:
            if self._nursery is not None:
                self.start(self._nursery)

    def _arrange(self) -> None:
        for name in [name for name in self._listeners if name not in self.steps.nets]:
            self._leave(name)
        for name in [name for name in self.steps.nets if name not in self._listeners]:
            sockets = self._listeners[name] = []
            try:
                for protocol, number in PROTOCOLS.items():
                    sock = self.directory.listen(self.directory.namespace(name) / protocol, socket.SOCK_SEQPACKET)
                    sockets.append(sock)
                    self._bound.append((sock, self._greeter(name, number)))
            except DirectoryError:
                self._leave(name)
                raise
            home = self.directory.namespace(name).stat()
            self._homes[home.st_dev, home.st_ino] = name

    def _leave(self, name: str) -> None:
        for sock in self._listeners.pop(name):
            notify_closing(sock)
            sock.close()
        self._homes = {home: owner for home, owner in self._homes.items() if owner != name}
        self.directory.remove(name)

    def add_namespace(self, step: Step) -> None:
        """The step `netns`, with a place in the directory. Raises DirectoryError, StepError."""
        self.directory.check_name(step.subject)
        self.steps.do(step)
        try:
            self.arrange()
        except DirectoryError:
            self.steps.do(trace.step_of({"netns_del": step.subject}))
            self.arrange()
            raise

    # The kernel's turn

    def settle(self) -> None:
        """After a request, or a sleep: writes what was queued, does what was deferred or has become due, writes what
        came of that."""
        ready = self.ready
        if ready:
            for connection in ready:  # it may grow as we go
                connection.flush()
            ready.clear()
        machine = self.machine
        try:
            if self._now is not None:
                before, self._told = self._told, self._now()
                machine.work.advance(self._told - before)
            else:
                machine.settle()
        except Exception:
            log.exception("a bug in the emulator, in deferred work")
        if ready:
            self.settle()
        elif self._now is not None:
            due = machine.work.next_due()
            if due is not None and (self._due is None or due < self._due):
                self._nap.cancel()

    def watch(self) -> socket.socket:
        """A socket by which all comes that is said from now on (watching.py)."""
        from nlemu.emulator.daemon.watching import Watching  # a daemon that nobody watches reads no captures

        one = Watching(self.watching.discard)
        self.watching.add(one)
        one.live.begin(self.machine)
        return one.theirs

    def observe(self, turned: Callable[[], object] | None) -> None:
        """From now on that is called after every turn; None: nobody is. There is one observer at a time, and without
        one it costs nothing."""
        vars(self).pop("settle", None)
        if turned is not None:
            settle = self.settle

            def observed() -> None:
                settle()
                turned()

            self.settle = observed  # type: ignore[method-assign]

    # Connections

    def connect(self, sock: socket.socket, endpoint: Endpoint, *, name: str | None = None) -> Connection:
        """Joins a Unix socket to an endpoint, in a task of its own."""
        connection = Connection(self, sock, endpoint, name=name)
        self.connections.add(connection)
        if name is not None:
            self.named[name] = connection
        self._start(connection.serve)
        return connection

    def forget(self, connection: Connection) -> None:
        """Called by a connection when it has been closed."""
        self.connections.discard(connection)
        if connection.name is not None and self.named.get(connection.name) is connection:
            del self.named[connection.name]
            self.steps.sockets.pop(connection.name, None)

    def descriptors(self, pid: int) -> PeerDescriptors:
        """What numbers in the messages of that process stand for."""
        return PeerDescriptors(pid, self._home)

    def _home(self, file: tuple[int, int]) -> object | None:
        name = self._homes.get(file)
        return self.tokens.get(file) if name is None else self.steps.nets.get(name)

    def _greeter(self, name: str, protocol: int) -> Greet:
        def greet(sock: socket.socket) -> None:
            pid = peer_pid(sock)
            net = self.steps.nets[name]
            endpoint = Endpoint(self.machine, net, protocol, pid=pid, options=PATH_OPTIONS)
            endpoint.descriptors = self.descriptors(pid)
            self.connect(sock, endpoint)

        return greet

    def _greet_control(self, sock: socket.socket) -> None:
        self._start(Control(self, sock, peer_pid(sock)).serve)

    # Tasks

    def begin(self, task: Callable[[], Awaitable[None]]) -> None:
        """Runs the task of a supervisor."""
        self._start(task)

    def _start(self, task: Callable[[], Awaitable[None]]) -> None:
        """Runs the task of a client. A bug in it ends that client, not the daemon."""

        async def guarded() -> None:
            try:
                await task()
            except Exception:
                log.exception("a bug in the emulator; a connection ends")

        assert self._nursery is not None, "not started"
        self._nursery.start_soon(guarded)

    async def _listen(self, sock: socket.socket, greet: Greet) -> None:
        with sock:
            while sock.fileno() >= 0:
                try:
                    await wait_readable(sock)
                    client, _ = sock.accept()
                except (BlockingIOError, ConnectionAbortedError):
                    continue
                except trio.ClosedResourceError:
                    return
                except OSError as error:
                    if sock.fileno() < 0:  # its namespace went away between the two
                        return
                    if error.errno not in OUT_OF_DESCRIPTORS:
                        raise
                    log.warning("no connection can be accepted: %s", error.strerror)
                    await trio.sleep(BREATH)
                    continue
                try:
                    greet(client)
                except Exception:
                    log.exception("a connection could not be made")
                    client.close()


Beside = Callable[[Server, trio.Nursery], Awaitable[object]]
"""Begins something else that the daemon is to be."""


@asynccontextmanager
async def serving(
    directory: str | os.PathLike[str], make_machine: Callable[[], Machine] = Machine, *, real_time: bool = False,
    mode: int = 0o700, group: int | None = None,
) -> AsyncIterator[Server]:
    """A daemon on that directory for as long as the block runs; nothing of it is left afterwards.

    Raises DirectoryError when the directory cannot be had: a living daemon owns it, it cannot be written, or its path
    is too long for sockets. real_time: see Server; mode, group: see Directory.
    """
    place = Directory(directory, mode=mode, group=group)
    with place.claim():
        server = Server(place, make_machine, real_time=real_time)
        with closing(server.attendant):
            server.bind()
            async with trio.open_nursery() as nursery:
                server.start(nursery)
                try:
                    yield server
                finally:
                    server.tokens.clear()
                    for one in list(server.watching):
                        one.close()
                    nursery.cancel_scope.cancel()


async def serve(
    directory: str | os.PathLike[str],
    make_machine: Callable[[], Machine] = Machine,
    *,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """`serving()` as a task: runs until it is cancelled. `await nursery.start(serve, directory)` returns the server."""
    async with serving(directory, make_machine) as server:
        task_status.started(server)
        await trio.sleep_forever()


def run(
    directory: str | os.PathLike[str],
    make_machine: Callable[[], Machine] = Machine,
    *,
    ready: Callable[[], object] = lambda: None,
    real_time: bool = True,
    mode: int = 0o700,
    group: int | None = None,
    beside: Beside | None = None,
) -> None:
    """The daemon's whole life: serves until SIGTERM or SIGINT. ready: called when clients can connect, and
    a service manager is told then (readiness.py). beside: begins
    what else there is to be, in tasks of that nursery.

    Raises DirectoryError like `serving()`, and what `beside` raises.
    """

    failed: list[Exception] = []

    async def life() -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with serving(
                directory, make_machine, real_time=real_time, mode=mode, group=group
            ) as server, trio.open_nursery() as nursery:
                if beside is not None:
                    try:
                        await beside(server, nursery)
                    except Exception as error:  # a nursery would make a group of it
                        failed.append(error)
                        return
                ready()
                notify(READY, f"MAINPID={os.getpid()}")
                for number in PROTOCOLS.values():  # before the first client wants them
                    server.machine.start(number)
                async for _ in signals:
                    notify(STOPPING)
                    nursery.cancel_scope.cancel()
                    return

    trio.run(life)
    if failed:
        raise failed[0]


def peer_pid(sock: socket.socket) -> int:
    """The process that connected; 0 when it is in a namespace of processes that cannot be seen from here."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid
