"""An open /dev/net/tun of a program: one end of a pair of sockets, known by its inode as netlink sockets are.

Nothing is ever to be read from it (kernel/links/tun.py), so a read waits, and poll() says that it can be written. Reads
and writes on a descriptor with a high number are handed over; what is written to one that has been moved to a low
number arrives at our end instead, too late for an errno.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.tun_file import TunFile
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.launch.tun.tuns import Tuns

LONGEST = 1 << 17
"""More bytes than a packet and its headers have."""


class OpenTun:
    """One of them. file: the model's; waiting: reads that wait, each of which says whether it is done."""

    def __init__(self, tuns: Tuns, net: Net) -> None:
        self.file = TunFile(net)
        self.file.on_gone = self.wake
        self.waiting: list[Callable[[], bool]] = []
        self._tuns = tuns
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.setblocking(False)
        self.inode = os.fstat(self.theirs.fileno()).st_ino

    def on_event(self, events: int) -> None:
        """A packet has come, or the last descriptor has been closed."""
        while True:
            try:
                data = self.ours.recv(LONGEST)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._tuns.closed(self)
                return
            with suppress(Refusal):
                self.file.write(data)

    def wake(self) -> None:
        """Lets those try again that wait."""
        waiting, self.waiting = self.waiting, []
        self.waiting = [attempt for attempt in waiting if not attempt()]
