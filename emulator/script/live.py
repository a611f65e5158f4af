"""What a machine's sockets say, given away as it happens: a pcapng in pieces, which somebody takes whole or not at all.

The stream is one that Wireshark opens and `nlemu dissect` reads, so that nothing here decodes: whoever looks pays for
that. What was not taken is counted, and the next packet that is taken tells how much that was (epb_dropcount).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from nlemu.emulator.script.recording import Recording
from nlemu.protocol.captures import pcapng

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine
    from nlemu.protocol.captures.events import Datagram


class Live:
    """A stream. take: called with each piece; it raises BlockingIOError for one that it has no room for, and another
    OSError when there is nobody any more, which is the end. What a file begins with has to be taken."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self.lost = 0
        self._take = take
        self._stream = io.BytesIO()
        self._writer = pcapng.Writer(self._stream)
        self._recording = Recording(self._write, commented=False)
        self._machine: Machine | None = None
        self._give()

    def begin(self, machine: Machine) -> None:
        """From now on it is that machine's, and no other's."""
        self.end()
        self._machine = self._recording.begin(machine)

    def end(self) -> None:
        """Nothing more comes. Twice does no harm."""
        if self._machine is not None:
            self._machine.leave(self._recording.hear)
            self._machine = None

    def _write(self, datagram: Datagram) -> None:
        known = len(self._writer.interfaces)
        self._writer.write(replace(datagram, lost=self.lost))
        try:
            self._give()
            self.lost = 0
        except BlockingIOError:
            self.lost += 1
            if len(self._writer.interfaces) > known:  # it was to be told of with this packet
                self._writer.interfaces.popitem()
        except OSError:
            self.end()

    def _give(self) -> None:
        piece = self._stream.getvalue()
        self._stream = self._writer.stream = io.BytesIO()
        self._take(piece)
