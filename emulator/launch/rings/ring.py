"""A ring of io_uring as programs have it in hand: a file whose parts they map into their memory.

The file is an ordinary one of ours, mostly holes, with the queues where Linux maps them (IORING_OFF_*) and their heads
and tails where Linux keeps them (struct io_rings). Nothing of it reaches this machine's io_uring: whatever is submitted
is looked at here, and a no-op succeeds, while all else completes with EINVAL, as an operation does that a kernel is too
old to know. There is one thing that it is good for: receive queues can be registered with it (zcrx.py of the model).

How long programs have it, and what they have it in, is told in trap/held.py.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from nlemu.emulator.kernel.queues.zcrx import Registration
from nlemu.emulator.launch.trap.held import HeldFile
from nlemu.protocol.uapi.io_uring import IORING_OP_NOP, Off, Setup

MAX_ENTRIES = 32768
"""IORING_MAX_ENTRIES"""
MAX_CQ_ENTRIES = 2 * MAX_ENTRIES
FEATURES = 0x3FFFF
"""IORING_FEAT_*, all of 7.2."""
PARAMS = struct.Struct("=10I8IQ8IQ")
"""struct io_uring_params"""
SQ_HEAD, SQ_TAIL, CQ_HEAD, CQ_TAIL, SQ_MASK, CQ_MASK, SQ_ENTRIES, CQ_ENTRIES = range(0, 32, 4)
SQ_DROPPED, SQ_FLAGS, CQ_FLAGS, CQ_OVERFLOW = range(32, 48, 4)
CQES = 64
"""Where things are in struct io_rings, in bytes."""
CACHE_LINE = 64
PLAYED = (
    Setup.IOPOLL | Setup.CQSIZE | Setup.CLAMP | Setup.R_DISABLED | Setup.SUBMIT_ALL | Setup.COOP_TASKRUN
    | Setup.TASKRUN_FLAG | Setup.SQE128 | Setup.CQE32 | Setup.SINGLE_ISSUER | Setup.DEFER_TASKRUN | Setup.NO_SQARRAY
    | Setup.CQE_MIXED | Setup.SQE_MIXED
)
"""The ways of setting one up that are known; any other is EINVAL, as on a kernel that does not know it."""
WHOLE = 0x40000000
"""How long the file is, in bytes; next to nothing of it is ever written."""

U32 = struct.Struct("=I")
CQE = struct.Struct("=QiI")
USER_DATA = 32
"""Where that is in an entry that is submitted."""


@dataclass(frozen=True)
class Shape:
    """How a ring is laid out."""

    flags: Setup
    sq_entries: int
    cq_entries: int

    @property
    def cqe_size(self) -> int:
        """Bytes of an entry that completes."""
        return 32 if self.flags & Setup.CQE32 else 16

    @property
    def sqe_size(self) -> int:
        """Bytes of one that is submitted."""
        return 128 if self.flags & Setup.SQE128 else 64

    @property
    def array(self) -> int | None:
        """rings_size(): where the order of submission is, in bytes; None where there is none."""
        if self.flags & Setup.NO_SQARRAY:
            return None
        return -(-self._completing // CACHE_LINE) * CACHE_LINE

    @property
    def size(self) -> int:
        """Bytes of the queues' heads, what completes and the order."""
        if self.array is None:
            return self._completing
        return self.array + 4 * self.sq_entries

    @property
    def _completing(self) -> int:
        """Bytes of the heads and what completes; with large entries Linux takes both twice."""
        return (CQES + self.cq_entries * 16) * (2 if self.flags & Setup.CQE32 else 1)

    def params(self, wq_fd: int) -> bytes:
        """io_uring_fill_params()."""
        return PARAMS.pack(
            self.sq_entries, self.cq_entries, self.flags, 0, 0, FEATURES, wq_fd, 0, 0, 0,
            SQ_HEAD, SQ_TAIL, SQ_MASK, SQ_ENTRIES, SQ_FLAGS, SQ_DROPPED, self.array or 0, 0, 0,
            CQ_HEAD, CQ_TAIL, CQ_MASK, CQ_ENTRIES, CQ_OVERFLOW, CQES, CQ_FLAGS, 0, 0,
        )


def shape(entries: int, flags: Setup, cq_entries: int) -> Shape:
    """io_prepare_config(): of a ring of so many entries. OSError EINVAL."""
    if flags & ~PLAYED or (flags & Setup.DEFER_TASKRUN and not flags & Setup.SINGLE_ISSUER):
        raise OSError(errno.EINVAL, "flags of a ring")
    if (flags & Setup.CQE32 and flags & Setup.CQE_MIXED) or (flags & Setup.SQE128 and flags & Setup.SQE_MIXED):
        raise OSError(errno.EINVAL, "entries of two sizes, and of one")
    entries = _power(_fitting(entries, MAX_ENTRIES, flags))
    if not flags & Setup.CQSIZE:
        return Shape(flags, entries, 2 * entries)
    cq_entries = _power(_fitting(cq_entries, MAX_CQ_ENTRIES, flags))
    if cq_entries < entries:
        raise OSError(errno.EINVAL, "fewer can complete than be submitted")
    return Shape(flags, entries, cq_entries)


def _fitting(entries: int, most: int, flags: Setup) -> int:
    if not entries or (entries > most and not flags & Setup.CLAMP):
        raise OSError(errno.EINVAL, "number of entries")
    return min(entries, most)


def _power(number: int) -> int:
    """roundup_pow_of_two()"""
    return 1 << (number - 1).bit_length()


class Ring:
    """One of them. file: what programs will have of it; issuer: the thread that made it, and may use it alone, unless
    it has still to be enabled."""

    def __init__(self, file: HeldFile, made: Shape, issuer: int) -> None:
        self.shape = made
        self.enabled = not made.flags & Setup.R_DISABLED
        self.issuer = issuer if self.enabled else None
        self.registered: list[Registration | None] = []
        """Receive queues; None for one that has no device."""
        self.waiting: list[Callable[[], bool]] = []
        """Calls that wait; nothing is ever under way, so it is their time that ends them."""
        self._unposted: deque[bytes] = deque()
        os.ftruncate(file.fd, WHOLE)
        self._rings = mmap.mmap(file.fd, made.size, offset=Off.SQ_RING)
        self._sqes = mmap.mmap(file.fd, made.sq_entries * made.sqe_size, offset=Off.SQES)
        for at, value in (
            (SQ_MASK, made.sq_entries - 1), (CQ_MASK, made.cq_entries - 1), (SQ_ENTRIES, made.sq_entries),
            (CQ_ENTRIES, made.cq_entries),
        ):
            self._put(at, value)

    def check_issuer(self, tid: int) -> None:
        """OSError EEXIST: another thread than the one that made it."""
        if self.issuer is not None and self.issuer != tid:
            raise OSError(errno.EEXIST, "a ring of another thread")

    def enable(self, tid: int) -> None:
        """io_register_enable_rings(). OSError EBADFD: it is enabled."""
        if self.enabled:
            raise OSError(errno.EBADFD, "the ring is enabled")
        self.enabled = True
        if self.shape.flags & Setup.SINGLE_ISSUER:
            self.issuer = tid

    # What is submitted and completes

    def _get(self, at: int) -> int:
        value: int = U32.unpack_from(self._rings, at)[0]
        return value

    def _put(self, at: int, value: int) -> None:
        U32.pack_into(self._rings, at, value & 0xFFFFFFFF)

    def submit(self, count: int) -> int:
        """io_submit_sqes(): takes so many entries, or as many as there are, and completes them. Returns how many."""
        taken = 0
        while taken < count and self._get(SQ_HEAD) != self._get(SQ_TAIL):
            head = self._get(SQ_HEAD)
            self._put(SQ_HEAD, head + 1)
            at = head & (self.shape.sq_entries - 1)
            if self.shape.array is not None:
                at = self._get(self.shape.array + 4 * at)
            if at >= self.shape.sq_entries:
                self._put(SQ_DROPPED, self._get(SQ_DROPPED) + 1)
                break
            entry = at * self.shape.sqe_size
            (data,) = struct.unpack_from("=Q", self._sqes, entry + USER_DATA)
            self._unposted.append(CQE.pack(data, 0 if self._sqes[entry] == IORING_OP_NOP else -errno.EINVAL, 0))
            taken += 1
        self.post()
        return taken

    def post(self) -> None:
        """Tells what has completed, as far as there is room."""
        while self._unposted and self.completed < self.shape.cq_entries:
            tail = self._get(CQ_TAIL)
            at = CQES + (tail & (self.shape.cq_entries - 1)) * self.shape.cqe_size
            self._rings[at : at + self.shape.cqe_size] = self._unposted.popleft().ljust(self.shape.cqe_size, b"\0")
            self._put(CQ_TAIL, tail + 1)

    @property
    def completed(self) -> int:
        """How many have completed that the program has not looked at."""
        return (self._get(CQ_TAIL) - self._get(CQ_HEAD)) & 0xFFFFFFFF

    def close(self) -> None:
        """io_ring_ctx_free(): queues go on without it."""
        for registration in self.registered:
            if registration is not None:
                registration.close()
        self._rings.close()
        self._sqes.close()
