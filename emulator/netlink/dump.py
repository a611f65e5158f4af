"""Dumps: many messages packed into few datagrams, made as the reader takes them (netlink_dump()).

A dump begins with the request and goes on whenever the reader takes a datagram, so the world may change in between:
messages are filled when there is room for them, and one that does not fit is filled again later. The first datagram
has room for NLMSG_GOODSIZE, later ones for as much as the reader has shown to take, up to 32 KiB less overhead.

What goes wrong after the dump began is told in its NLMSG_DONE, which stands behind the last message if it fits.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.truesize import SHARED_INFO
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.wire.acks import done
from nlemu.protocol.wire.extack import Extack

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Fill, Messages

GOODSIZE = 4096 - SHARED_INFO  # NLMSG_GOODSIZE with pages of 4 KiB (include/linux/netlink.h)
LARGEST = 32768 - SHARED_INFO  # the most that netlink_recvmsg() remembers of a reader's room
DONE_SIZE = 20  # nlmsg_total_size(sizeof(int))
DUMP_INTR = int(NLM_F.DUMP_INTR)


class Dump:
    """One dump under way on one socket (struct netlink_callback).

    ``generation`` tells whether the set that is dumped has changed (cb->seq): where it has, NLM_F_DUMP_INTR says so.
    ``answer_flags`` stand in every message and in the DONE (NLM_F_DUMP_FILTERED); ``least`` is what the first datagram
    has room for where one message may want more than usual (min_dump_alloc). Without ``multi`` the messages lack
    NLM_F_MULTI, as those of some commands do that write their headers themselves. ``split``: where the DONE is apart,
    the dump's function is not called for it, and does not read the request again (RTNL_FLAG_DUMP_SPLIT_NLM_DONE).
    """

    def __init__(
        self,
        call: Call,
        messages: Messages,
        *,
        done_apart: bool = False,
        split: bool = False,
        generation: Callable[[], int] | None = None,
        least: int = 0,
        answer_flags: int = 0,
        multi: bool = True,
    ) -> None:
        call.dump = self
        self.call, self.messages, self.done_apart, self.generation = call, messages, done_apart, generation
        self.least, self.answer_flags, self.split = least, answer_flags, split
        self.dump_flags = call.op.family.dump_flags if multi else 0
        self.message_flags = 0  # flags of the messages alone: a fill may set them before the first
        self.waiting: Fill | None = None  # what did not fit
        self.prepare: Callable[[], object] | None = None  # done before the first message is asked for; may refuse
        self.exhausted = False
        self.errno = 0
        self.said: Extack | None = None  # what reading the request said without refusing it: said whenever it is read
        self.seen = 0
        self.interrupted = False  # the next datagram says so whatever `generation` tells
        self.left = 0  # how much room the message at hand has, for a fill that goes by it
        self.full = False  # set by a fill: the datagram ends behind its message
        self.fresh = 0  # messages in the datagram at hand since it, or the set that is dumped, began

    def room(self, shown: int) -> int:
        """How large the next datagram may become, in bytes, for a reader that has shown ``shown`` bytes of room."""
        return max(self.least, GOODSIZE, shown)

    def turn(self, generation: Callable[[], int] | None) -> None:
        """The next messages are of another set: what was to be said of the last one in this datagram is kept, and the
        new one is looked at for the first time (rtnl_dump_all())."""
        if self.fresh:
            self.interrupted = self._changed()
        self.generation, self.seen, self.fresh = generation, 0, 0

    def fill(self, size: int) -> tuple[bytes, bool]:
        """The next datagram, of at most ``size`` bytes.

        Returns the datagram and whether the dump is over.
        """
        extack = Extack() if self.said is None else self.said.copy()
        parts: list[bytes] = []
        left = size
        self.fresh = 0
        if not self.exhausted:
            left = self._pack(parts, left, extack)
        else:
            self.generation = None  # nobody looks again: the dump's function is not called any more
            if self.split or not self.done_apart:
                extack = Extack()
        flags = self._interrupted(parts)
        if not self.exhausted or left < DONE_SIZE or (self.done_apart and parts and not self.errno):
            return b"".join(parts), False
        call = self.call
        parts.append(
            done(
                call.seq, call.portid, self.answer_flags | (flags if not parts else 0), self.errno, extack,
                extended=call.endpoint.ext_ack, room=left,
            )
        )
        return b"".join(parts), True

    def _pack(self, parts: list[bytes], left: int, extack: Extack) -> int:
        encode, flags, room = self.call.encode, self.dump_flags | self.answer_flags, left
        fill = self.waiting
        self.call.extack = extack
        try:
            if self.prepare is not None:
                prepare, self.prepare = self.prepare, None
                prepare()
            while True:
                if fill is None:
                    fill = next(self.messages, None)
                    if self.said is None:
                        self.said = extack.copy()
                    if fill is None:
                        self.exhausted = True
                        break
                self.left = left
                body = fill()
                if body is not None:
                    encoded = encode(body, flags | self.message_flags)
                    if len(encoded) > left:
                        if left == room:  # it would not fit next time either
                            self._too_large()
                        break
                    parts.append(encoded)
                    left -= len(encoded)
                    self.fresh += 1
                fill = None
                if self.full:
                    self.full = False
                    break
        except Refusal as refusal:
            refused = self.call.machine.refused
            if refused is not None and not self.call.endpoint.private:
                refused(self.call, refusal)
            extack.merge(refusal)
            self.errno, self.exhausted, fill = refusal.errno, True, None
        self.waiting = fill
        return left

    def _too_large(self) -> None:
        """One message is larger than a datagram: EMSGSIZE ends the dump, unless rtnl_dumpit() is there to forget it."""
        self.exhausted = True
        self.errno = 0 if self.done_apart else errno.EMSGSIZE

    def _interrupted(self, parts: list[bytes]) -> int:
        """nl_dump_check_consistent(): marks the first message of the datagram if the set has changed since the last."""
        changed, self.interrupted = self._changed(), False
        if not changed:
            return 0
        if parts:
            first = bytearray(parts[0])
            first[6] |= DUMP_INTR
            parts[0] = bytes(first)
        return DUMP_INTR

    def _changed(self) -> bool:
        """Whether something has changed since this was asked last, or is to be said to have."""
        if self.generation is None:
            return self.interrupted
        now, before = self.generation(), self.seen
        self.seen = now
        return self.interrupted or (bool(before) and now != before)
