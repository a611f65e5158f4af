"""A channel: a netlink socket's endpoint, joined to the Unix socket that a program holds in its place.

What the program sends arrives at our end and is processed; what the endpoint has to say is written ahead, so that the
program's poll() and receive work without us. A dump is different: it goes on when the reader takes a datagram, and how
much fits into the next one depends on the room the reader has shown. So of a dump only one datagram is ever written
ahead. A reader whose receive is handed over tells its room itself; one whose receive is not has room for everything
(filter.py), and that it has read shows in our end becoming writable, for which its send buffer is made small meanwhile.

The program's end is held by the program alone, so that it is known at once when the last descriptor is closed. To read
from it on the program's behalf it is borrowed for a moment (pidfd_getfd()).

What lies ahead still counts in the endpoint's receive buffer, until it has been read (ahead.py).
"""

from __future__ import annotations

import fcntl
import logging
import os
import select
import socket
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from nlemu.emulator.launch.sockets.ahead import Ahead
from nlemu.emulator.launch.trap.credentials import CAP_NET_ADMIN, UCRED
from nlemu.emulator.launch.trap.filter import LONGEST, ROOM
from nlemu.emulator.machine.endpoint import SNDBUF, Credentials, Datagram, Endpoint
from nlemu.protocol.uapi.socket import So

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.credentials import Cred

log = logging.getLogger(__name__)

TURN = 64
"""How many datagrams are taken before others have their turn."""
TIGHT = 1
"""The kernel makes the least of it that there is: one unread datagram fills it."""

_buffer = bytearray(LONGEST)
_view = memoryview(_buffer)


class Channel:
    """One netlink socket of a program.

    endpoint: the socket. kind: SOCK_RAW or SOCK_DGRAM, as asked for. inode: of the program's end, by which its
    descriptors are known. opener: who opened it (f_cred)."""

    def __init__(self, supervisor: Supervisor, net: Net, protocol: int, kind: int, pid: int, tid: int) -> None:
        self.opener = supervisor.tasks.cred(tid)
        self._judged: Cred | None = None
        credentials = self._credentials(supervisor, net, self.opener)
        # Raises OSError EPROTONOSUPPORT before there is anything to clean up.
        self.endpoint = Endpoint(supervisor.machine, net, protocol, pid=pid, credentials=credentials, bound=False)
        self.supervisor = supervisor
        self.net = net
        self.kind = kind
        self.passcred = False
        self.options = {So.DEBUG: 0, So.PRIORITY: 0, So.MARK: 0, So.PREFER_BUSY_POLL: 0, So.BUSY_POLL_BUDGET: 0}
        """Of SOL_SOCKET, by number, what this machine would refuse the program."""
        self.peer = (0, 0)
        """Port id and groups that connect() set as where to send."""
        self.waiting: list[Callable[[], bool]] = []
        """Receives that wait for something to read; each says whether it is done."""
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.setblocking(False)
        self.inode = self.endpoint.inode = _inode(self.theirs)
        # To a reader whose call is not handed over, the sender's name is as long as netlink's, and its port id is 0.
        self.ours.bind(bytes(6) + _inode(self.ours).to_bytes(4, "little"))
        self._ahead = Ahead(self.endpoint, self.ours)
        self._tight = False
        self._full = False
        self._queued = False
        self._interest = select.EPOLLIN | select.EPOLLRDHUP
        self._asking = False
        if supervisor.tasks.diverse:
            self.ask_senders()
        net.hold()
        self.endpoint.on_readable = self._on_readable
        self.endpoint.on_full = self.sync
        self.endpoint.on_hang_up = self.hang_up
        supervisor.watch(self.ours.fileno(), self.on_event, self._interest)

    def handed_over(self) -> None:
        """The program has its end: we let go of ours to it."""
        self.theirs.close()

    def _on_readable(self) -> None:
        if not self._queued:
            self._queued = True
            self.supervisor.ready.append(self)

    # Who sends

    def _credentials(self, supervisor: Supervisor, net: Net, sender: Cred) -> Credentials:
        """netlink_ns_capable(): what may be done with the socket is what both may who opened it and who sends."""
        opener = self.opener
        namespaces = supervisor.namespaces

        def over(other: Net) -> bool:
            space = namespaces.owner(other)
            return opener.capable(space, CAP_NET_ADMIN) and sender.capable(space, CAP_NET_ADMIN)

        first = supervisor.space
        admin = opener.capable(first, CAP_NET_ADMIN) and sender.capable(first, CAP_NET_ADMIN)
        return Credentials(sender.uids[1], admin, over(net), over)

    def judge(self, sender: Cred) -> None:
        """What comes next is that task's doing."""
        if sender is not self._judged:
            self._judged = sender
            self.endpoint.credentials = self._credentials(self.supervisor, self.net, sender)

    def ask_senders(self) -> None:
        """From now on who sends is told with every datagram."""
        self._asking = True
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)

    def _receive(self) -> int:
        """The next datagram, into the buffer: its length. BlockingIOError."""
        if not self._asking:
            return self.ours.recv_into(_buffer)
        size, ancillary, _, _ = self.ours.recvmsg_into([_buffer], socket.CMSG_SPACE(UCRED.size))
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                pid = UCRED.unpack(data[: UCRED.size])[0]
                with suppress(OSError):
                    self.judge(self.supervisor.tasks.cred(pid))
        return size

    # From the program

    def on_event(self, events: int) -> None:
        """Something has happened at our end."""
        if events & select.EPOLLIN:
            self._take_requests()
        if events & select.EPOLLOUT:
            self.sync()
            if self._tight and self.endpoint.dumping:
                self.endpoint.read(ROOM)
            self._full = False
            self.flush()
            self.supervisor.settle()
        if events & (select.EPOLLHUP | select.EPOLLRDHUP) and not _unread(self.ours):
            self.close()

    def _take_requests(self) -> None:
        for _ in range(TURN):
            try:
                size = self._receive()
            except BlockingIOError:
                return
            except ConnectionResetError:
                continue  # told once, when answers were left unread; requests may still be there
            except OSError:
                return
            if not size:
                return
            try:
                self.request(bytes(_view[:size]))
            except OSError as error:
                log.debug("a request that sendmsg() would have refused: %s", error)

    def request(self, datagram: bytes, portid: int = 0, groups: int = 0) -> None:
        """One sendmsg() of the program, to the kernel or to other programs, and all that comes of it. OSError as
        `Endpoint.send_to()`."""
        try:
            self.endpoint.send_to(datagram, portid, groups)
        finally:
            self.supervisor.settle()

    # To the program

    def flush(self) -> None:
        """Writes ahead what may be."""
        self._queued = False
        endpoint = self.endpoint
        while not self._full:
            if self._tight:
                self._loosen()
            datagram = endpoint.take_ahead()
            if datagram is None:
                break
            try:
                self.ours.send(datagram.data)
            except BlockingIOError:
                endpoint.put_back(datagram)
                self._full = True
                break
            except OSError:
                break  # the program is gone; the end of the channel will be heard of
            self._ahead.put(datagram)
        if endpoint.dumping and not self._full:
            self._tighten()
        wanted = select.EPOLLIN | select.EPOLLRDHUP | (select.EPOLLOUT if self._full or self._tight else 0)
        if wanted != self._interest:
            self._interest = wanted
            self.supervisor.watch_for(self.ours.fileno(), wanted)
        if self.waiting:
            self.wake()

    def _tighten(self) -> None:
        if not self._tight:
            self._tight = True
            self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, TIGHT)

    def _loosen(self) -> None:
        self._tight = False
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SNDBUF)

    def sync(self) -> None:
        """Finds out what of that which was written ahead has been read."""
        self._ahead.sync()

    def taken(self, data: bytes) -> Datagram:
        """The datagram that a reader has found, with what ancillary data would tell of it. Those before it were read
        without our seeing."""
        found = self._ahead.find(data) or Datagram(data)
        self.sync()
        return found

    def wake(self) -> None:
        """Lets those try again that wait for something to read."""
        waiting, self.waiting = self.waiting, []
        self.waiting = [attempt for attempt in waiting if not attempt()]

    def hang_up(self) -> None:
        """A fault: the program reads that its socket has an end, and the channel has with it."""
        with suppress(OSError):
            self.ours.shutdown(socket.SHUT_RDWR)
        self.wake()

    def close(self) -> None:
        """The last descriptor has been closed."""
        self.supervisor.forget(self)
        self.ours.close()
        self.endpoint.on_readable = None
        self.endpoint.close()
        self.net.release()
        self.supervisor.settle()


def _inode(sock: socket.socket) -> int:
    return os.fstat(sock.fileno()).st_ino


def _unread(sock: socket.socket) -> bool:
    return bool(struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, b"\0\0\0\0"))[0])
