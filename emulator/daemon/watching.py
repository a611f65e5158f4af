"""Somebody who watches a daemon: all that goes over its sockets, through a socket of its own (script/live.py).

Each piece is one packet of a SOCK_SEQPACKET socket, which takes it whole or not at all; the daemon never waits.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from nlemu.emulator.script.live import Live

ROOM = 4 << 20
"""Bytes that may be on the way to a watcher, if the system lets a socket have so many (net.core.wmem_max)."""


class Watching:
    """One who watches. `theirs` is the end to give away; `ended` is called when nobody holds it any more."""

    def __init__(self, ended: Callable[[Watching], object]) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.setblocking(False)
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
        self._ended = ended
        self.live = Live(self._take)

    def close(self) -> None:
        """The end. Twice does no harm."""
        self.live.end()
        self.ours.close()
        self._ended(self)

    def _take(self, piece: bytes) -> None:
        try:
            self.ours.send(piece)
        except BlockingIOError:
            raise
        except OSError:
            self.close()
