"""The attendant: one task that looks after every connection, so that a request costs no task a turn of its own.

It asks which sockets can be read, all in one system call, and lets each of them answer its share of a turn
(`Connection.attend()`). While only one is in a conversation it is asked first, and the others after TURN requests. With
nothing to read the attendant lets the others run PATIENCE times, other tasks and other processes, before it sleeps: a
client in the middle of a conversation has sent its next request by then, be it on another processor or on this one, and
neither side pays for a sleep in epoll.
"""

from __future__ import annotations

import logging
import select
from collections.abc import Callable
from os import sched_yield
from typing import TYPE_CHECKING

from trio.lowlevel import checkpoint, wait_readable

if TYPE_CHECKING:
    from nlemu.emulator.daemon.connection import Connection

log = logging.getLogger(__name__)

TURN = 32
"""How many datagrams are taken, by all connections that have any together, before other tasks have their turn; and how
many one connection writes."""

PATIENCE = 8
"""How often there is nothing to read before it sleeps. Measured: half of the round trips are lost below 4, and from 8
on it makes no difference."""


class Attendant:
    """Of one daemon. settle: lets the machine know how late it is, after a sleep."""

    def __init__(self, settle: Callable[[], object]) -> None:
        self._settle = settle
        self._poll = select.epoll()
        self._connections: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """Looks after one more."""
        number = connection.sock.fileno()
        self._connections[number] = connection
        self._poll.register(number, select.EPOLLIN | select.EPOLLRDHUP)

    def forget(self, connection: Connection) -> None:
        """It is about to be closed; one that was never added is none of ours."""
        number = connection.sock.fileno()
        if self._connections.get(number) is connection:
            del self._connections[number]
            self._poll.unregister(number)

    def close(self) -> None:
        """The end."""
        self._poll.close()

    async def serve(self) -> None:
        """For ever."""
        poll, connections = self._poll.poll, self._connections
        favourite: Connection | None = None
        idle = taken = 0
        while True:
            if favourite is not None:
                sched_yield()
                if done := self._attend(favourite, TURN - taken):
                    taken += done
                    if taken < TURN:
                        continue
            favourite = None
            if taken >= TURN:
                await checkpoint()
                taken = 0
            events = poll(0)
            share = max(1, TURN // len(events)) if events else 0
            for number, _ in events:
                connection = connections.get(number)
                if connection is not None:
                    done = self._attend(connection, share)
                    taken += done
                    if len(events) == 1 and done < share:
                        favourite = connection
            connection = None  # it may be closed by now, and a whole machine hangs on it
            if events:
                idle = 0
            elif idle < PATIENCE:
                idle += 1
                sched_yield()
                await checkpoint()
                taken = 0
            else:
                await wait_readable(self._poll.fileno())
                self._settle()  # it may have been long: a request is to find the time of its arrival
                taken = 0

    @staticmethod
    def _attend(connection: Connection, most: int) -> int:
        """How many datagrams it has taken. A bug ends the connection, and nothing else."""
        try:
            return connection.attend(most)
        except Exception:
            log.exception("a bug in the emulator; a connection ends")
            connection.close()
            return 0
