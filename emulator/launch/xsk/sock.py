"""An AF_XDP socket as a program has it in hand: a file whose parts it maps, its rings (net/xdp/xsk_queue.c).

The file is an ordinary one of ours, mostly holes, with the rings where Linux maps them (XDP_PGOFF_*). What the socket
is bound to, and what stands in the way, is the model's (kernel/queues/xsk.py). No packet comes. What is sent is taken
from its ring and given back as sent, so that a program goes on.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.queues.xsk import Rings, XdpSocket
from nlemu.protocol.uapi.if_xdp import XDP_RING_NEED_WAKEUP, XdpOption, XdpPgoff
from nlemu.protocol.uapi.socket import So

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.launch.trap.held import HeldFile

PRODUCER, CONSUMER, FLAGS, DESCRIPTORS = 0, 128, 196, 320
"""Where things are in a ring (struct xdp_ring), in bytes: every number on a cache line of its own."""
DESC, CHUNK = 16, 8
"""The size of an entry, in bytes: struct xdp_desc of a packet; the address of a chunk."""
SPACING = XdpPgoff.TX_RING
"""How far apart rings are, at the least."""
WHOLE = XdpPgoff.COMPLETION_RING + SPACING
BATCH = 32
"""TX_BATCH_SIZE: how many packets a call sends, unless another budget is set; here all that there are."""
FIELDS = {
    XdpOption.RX_RING: ("rx", XdpPgoff.RX_RING, DESC),
    XdpOption.TX_RING: ("tx", XdpPgoff.TX_RING, DESC),
    XdpOption.UMEM_FILL_RING: ("fill", XdpPgoff.FILL_RING, CHUNK),
    XdpOption.UMEM_COMPLETION_RING: ("completion", XdpPgoff.COMPLETION_RING, CHUNK),
}
"""Which ring an option makes: its name, where it is mapped, the size of an entry."""
U32 = struct.Struct("=I")


class XskFile:
    """One of them, opened in a namespace."""

    def __init__(self, file: HeldFile, net: Net) -> None:
        self.rings = Rings()
        self.sock = XdpSocket(net, self.rings)
        self.options: dict[int, int] = {So.BUSY_POLL: 0, So.PREFER_BUSY_POLL: 0, So.BUSY_POLL_BUDGET: 0}
        """Those of SOL_SOCKET that can be set, and what they are set to."""
        self._fd = file.fd
        self._mapped: dict[str, mmap.mmap] = {}
        os.ftruncate(file.fd, WHOLE)

    def make_ring(self, option: XdpOption, entries: int) -> None:
        """xsk_init_queue(), and what comes before. OSError EBUSY: it is bound; EINVAL: it has that ring, or the number
        is no power of two; ENOMEM."""
        name, at, size = FIELDS[option]
        if not self.sock.ready:
            raise OSError(errno.EBUSY, "bound")
        if not entries or getattr(self.rings, name) or entries & (entries - 1):
            raise OSError(errno.EINVAL, "entries of a ring")
        length = DESCRIPTORS + entries * size
        if length > SPACING:
            raise OSError(errno.ENOMEM, "entries of a ring")
        setattr(self.rings, name, entries)
        self._mapped[name] = mmap.mmap(self._fd, length, offset=at)
        if option is XdpOption.TX_RING:
            U32.pack_into(self._mapped[name], FLAGS, XDP_RING_NEED_WAKEUP)

    def send(self) -> None:
        """xsk_generic_xmit(): what is in the ring is sent, and its chunks are the program's again, as far as there is
        room to tell. A socket that shares another's pool has no ring to tell it in, and there it ends."""
        sent, told = self._mapped["tx"], self._mapped.get("completion")
        taken, end = self._number(sent, CONSUMER), self._number(sent, PRODUCER)
        while taken != end:
            at = DESCRIPTORS + DESC * (taken & (self.rings.tx - 1))
            if told is not None and not self._give_back(told, sent[at : at + CHUNK]):
                break
            taken = (taken + 1) & 0xFFFFFFFF
        U32.pack_into(sent, CONSUMER, taken)

    def _give_back(self, told: mmap.mmap, chunk: bytes) -> bool:
        produced = self._number(told, PRODUCER)
        if (produced - self._number(told, CONSUMER)) & 0xFFFFFFFF >= self.rings.completion:
            return False
        at = DESCRIPTORS + CHUNK * (produced & (self.rings.completion - 1))
        told[at : at + CHUNK] = chunk
        U32.pack_into(told, PRODUCER, (produced + 1) & 0xFFFFFFFF)
        return True

    @staticmethod
    def _number(ring: mmap.mmap, at: int) -> int:
        value: int = U32.unpack_from(ring, at)[0]
        return value

    def close(self) -> None:
        """xsk_release()."""
        self.sock.close()
        for ring in self._mapped.values():
            ring.close()
