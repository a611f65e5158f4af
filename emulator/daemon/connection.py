"""A connection: one Unix socket joined to one netlink endpoint.

The kernel answers a netlink request inside sendmsg(), so here too a request is answered in one go, without giving any
other task a turn: take a datagram, hand it to the endpoint, write what came of it. That, and not going to sleep after
every answer, is most of the daemon's speed:

- a turn takes up to TURN requests, a share of each client, so that one with a deep pipeline does not starve the others;
- no task waits for each client: one looks after all of them (attendant.py).

Writing is never waited for here. When the client does not read, the datagram in hand is kept, a task of its own waits
for room, and the endpoint's queue grows in the meantime. What was written and not read counts as if it still were in
the queue, up to the size of a socket's receive buffer; beyond that the endpoint drops, as the kernel does. (What is
dumped does not count, and while a dump runs nothing does: it goes on as the Unix socket has room, since nobody sees it
read.) Requests go on being
performed: a client that never reads its acks gets its work done all the same.

What cannot be told through a Unix socket is an errno: where the kernel would fail sendmsg() (an empty datagram, one
that is too long) nothing comes of it, and an overrun (ENOBUFS) is only counted. Nor has it netlink's ancillary data:
the namespace's id (NETLINK_LISTEN_ALL_NSID) and the group (NETLINK_PKTINFO) come in a file instead, a line of JSON,
whose descriptor is passed along with the datagram. A reader that does not ask for descriptors never has it.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import json
import logging
import os
import select
import socket
import struct
import termios
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import checkpoint, notify_closing, wait_writable

from nlemu.emulator.daemon.attendant import TURN
from nlemu.emulator.launch.sockets.ahead import Ahead

if TYPE_CHECKING:
    from nlemu.emulator.daemon.server import Server
    from nlemu.emulator.machine.endpoint import Datagram, Endpoint

log = logging.getLogger(__name__)

RECEIVE_SIZE = 32768
"""The buffer that a dump is packed for: the most that netlink_recvmsg() lets a reader have of it."""


class Connection:
    """A client. `endpoint` is its netlink socket; `name` what the control socket calls it, if that made it."""

    __slots__ = ("_ahead", "_busy", "_closed", "_ended", "_held", "_nursery", "_seen", "_unheard", "endpoint", "name",
                 "overruns", "server", "sock")

    def __init__(self, server: Server, sock: socket.socket, endpoint: Endpoint, *, name: str | None = None) -> None:
        sock.setblocking(False)
        self.server = server
        self.sock = sock
        self.endpoint = endpoint
        self.name = name
        self.overruns = 0
        """How many times the client has missed something because it did not read."""
        self._ended = trio.Event()
        self._nursery: trio.Nursery | None = None
        self._ahead = Ahead(endpoint, sock)
        endpoint.on_full = self._ahead.sync
        self._held: Datagram | None = None
        """A datagram that the socket had no room for."""
        self._busy = False
        """Not to be written to now: another task does, or the client is gone."""
        self._unheard = False
        """The client is gone, though it may have left requests behind."""
        self._closed = False
        self._seen = False
        """The endpoint knows how much room the client has for a datagram."""
        endpoint.on_hang_up = self.close
        endpoint.on_readable = functools.partial(server.ready.append, self)
        endpoint.on_datagram = self._hand_over

    async def serve(self) -> None:
        """Answers until the client closes its end, `close()` is called, or the task is cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                if not self._closed:
                    self.flush()  # the endpoint may have been told something before there was one to write it to
                    self.server.attendant.add(self)
                    await self._ended.wait()
            finally:
                self.close()
                nursery.cancel_scope.cancel()

    def close(self) -> None:
        """The end, at once: the endpoint is closed and so is the socket. Closing twice does no harm."""
        if self._closed:
            return
        self._closed = self._busy = self._unheard = True
        self._ended.set()
        self.server.attendant.forget(self)
        notify_closing(self.sock)
        self.sock.close()
        self.endpoint.on_readable = self.endpoint.on_datagram = None
        self.endpoint.on_full = self.endpoint.on_hang_up = None
        self.server.forget(self)
        self.endpoint.close()
        self.server.settle()

    def flush(self) -> None:
        """Writes what the endpoint has queued, or sees to it that it will be written."""
        if not self._busy and not self._write() and self._nursery is not None:
            self._busy = True
            self._nursery.start_soon(self._write_out)

    def attend(self, most: int) -> int:
        """Answers what has come, up to so many datagrams; how many there were."""
        if self._closed:
            return 0
        receive, buffer = self.sock.recv_into, self.server.buffer
        endpoint, server = self.endpoint, self.server  # whose methods are others while somebody looks on
        for taken in range(most):
            try:
                size = receive(buffer)
            except BlockingIOError:
                return taken
            except ConnectionResetError:
                continue  # told once to a peer whose answers were not all read; its requests are still in the queue
            except OSError:  # closed meanwhile, too: by a request, or a fault
                self.close()
                return taken
            if not size:
                if _hung_up(self.sock):
                    self.close()
                    return taken
                continue
            try:
                endpoint.send(bytes(buffer[:size]))
            except OSError:
                pass  # sendmsg() would have failed: there is no way to say so
            except Exception:
                log.exception("a bug in the emulator; the datagram was %s", buffer[:size].hex())
            server.settle()
        return most

    def _hand_over(self, datagram: Datagram) -> bool:
        """Writes a datagram that nothing waits before, when it comes; whether it is written. Nearly all are, and those
        that are not go by `_write()`: what a dump tells, what has a note, what there is no room for, and all that comes
        before the client has been looked at."""
        if self._busy or self._held is not None or not self._seen:
            return False
        if datagram.dumped or datagram.nsid is not None or self.endpoint.pktinfo:
            return False
        try:
            self.sock.send(datagram.data)
        except OSError:  # _write() finds it once more, and sees to it
            return False
        self._ahead.put(datagram)
        return True

    def _write(self) -> bool:
        """Writes up to a turn's worth; whether nothing is left."""
        endpoint, send, ahead = self.endpoint, self.sock.send, self._ahead
        for _ in range(TURN):
            datagram = self._held
            if datagram is None:
                if endpoint.overrun():
                    self.overruns += 1
                datagram = endpoint.take_ahead()
                if datagram is None and endpoint.dumping:  # one that found no room, behind what was handed over
                    ahead.release()
                    endpoint.read(RECEIVE_SIZE)
                    datagram = endpoint.take_ahead()
                if datagram is None:
                    return True
            try:
                if datagram.nsid is None and not self.endpoint.pktinfo:
                    send(datagram.data)
                else:
                    self._send_with_note(datagram)
            except BlockingIOError:
                self._held = datagram
                return False
            except OSError:
                # Nobody reads any more. What was asked before is still to be done: that it ends is for _read() to find.
                self._unheard = self._busy = True
                return True
            self._held = None
            ahead.put(endpoint.uncount(datagram) if datagram.dumped else datagram)
            if endpoint.dumping:
                ahead.release()
            endpoint.read(RECEIVE_SIZE)
            self._seen = True
        return False

    def _send_with_note(self, datagram: Datagram) -> None:
        """Sends it with what netlink would tell in ancillary data, or without when there are too many files."""
        note: dict[str, int] = {}
        if datagram.nsid is not None:
            note["nsid"] = datagram.nsid
        if self.endpoint.pktinfo:
            note["group"] = datagram.group
        try:
            file = os.memfd_create("netlink note")
        except OSError:
            self.sock.send(datagram.data)
            return
        try:
            os.pwrite(file, json.dumps(note).encode() + b"\n", 0)
            socket.send_fds(self.sock, [datagram.data], [file])
        except OSError as error:
            if error.errno != errno.ETOOMANYREFS:
                raise
            self.sock.send(datagram.data)
        finally:
            os.close(file)

    async def _write_out(self) -> None:
        try:
            while not self._closed:
                if self._held is None:
                    await checkpoint()
                else:
                    await wait_writable(self.sock)
                written = self._write()
                self.server.settle()  # a dump that goes on may give a namespace an id, and that is announced
                if written:
                    return
        except trio.ClosedResourceError:
            pass
        finally:
            self._busy = self._unheard


def _hung_up(sock: socket.socket) -> bool:
    """After an empty read: whether that was the end, and not an empty datagram.

    Both look alike to recv(). After the end there may be requests behind an empty datagram: then it is not over yet.
    """
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP)
    if not poll.poll(0):
        return False
    unread: int = struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, b"\0\0\0\0"))[0]
    return unread == 0
