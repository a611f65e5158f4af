"""io_uring_setup(), io_uring_enter() and io_uring_register(), as far as a ring is wanted that receives without copying.

What goes through a ring of this machine would pass every filter by, sockets and files among it; so programs never have
one. A ring that is set up as zero-copy receive demands (IORING_SETUP_DEFER_TASKRUN, with entries of 32 bytes) is ours
(ring.py); for any other there is no io_uring (ENOSYS), so that programs that would use one for files do without.

What can be registered with a ring is receive queues (receive.py).
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.launch.rings import ring as rings
from nlemu.emulator.launch.rings.receive import receive
from nlemu.emulator.launch.rings.ring import Ring
from nlemu.emulator.launch.trap.call import ANSWERED, Answer, Call
from nlemu.protocol.uapi import io_uring
from nlemu.protocol.uapi.io_uring import Enter, Register, Setup

if TYPE_CHECKING:
    from nlemu.emulator.launch.trap.borrow import Borrowed

WANTED = Setup.DEFER_TASKRUN
LARGE = Setup.CQE32 | Setup.CQE_MIXED
"""What io_register_zcrx() demands of a ring: the one, and one of the others."""
REGISTERED = 1 << 31
"""IORING_REGISTER_USE_REGISTERED_RING: of a ring without a descriptor, of which there are none."""
PROBED = 256
"""How many operations may be asked about."""

PROBE = struct.Struct("=2BH3I")
PROBED_OP = struct.Struct("=2BHI")
EXTENDED = struct.Struct("=Q2IQ")
"""struct io_uring_getevents_arg: signals, their length, least wait, a timespec."""
TIMESPEC = struct.Struct("=2q")


def setup(call: Call) -> Answer:
    """io_uring_setup(). OSError ENOSYS, EFAULT, EINVAL."""
    data = call.read(call.args[1], rings.PARAMS.size)
    params = rings.PARAMS.unpack(data)
    flags = Setup(params[2])
    if not (flags & WANTED and flags & LARGE):
        raise OSError(errno.ENOSYS, "no ring of that kind")
    if any(params[7:10]):
        raise OSError(errno.EINVAL, "reserved")
    shape = rings.shape(call.args[0] & 0xFFFFFFFF, flags, params[1])
    call.write(call.args[1], shape.params(params[6]))
    held = call.supervisor.held
    file = held.make()
    return held.give(call, file, Ring(file, shape, call.tid))


def _ring(call: Call, borrowed: Borrowed) -> Ring:
    found = call.supervisor.held.behind(borrowed)
    if not isinstance(found, Ring):
        raise OSError(errno.EOPNOTSUPP, "not a ring")
    return found


# What is submitted


def enter(call: Call) -> Answer:
    """io_uring_enter(). OSError EINVAL, EBADF, EOPNOTSUPP, EBADFD, EEXIST, ETIME."""
    count, least, flags = call.args[1] & 0xFFFFFFFF, call.args[2] & 0xFFFFFFFF, call.args[3] & 0xFFFFFFFF
    if flags & ~sum(Enter):
        raise OSError(errno.EINVAL, "flags")
    if flags & Enter.REGISTERED_RING:
        raise OSError(errno.EBADF, "no ring is registered")
    with call.borrow(call.cint(0)) as borrowed:
        ring = _ring(call, borrowed)
        if not ring.enabled:
            raise OSError(errno.EBADFD, "the ring is not enabled")
        taken = 0
        if count:
            ring.check_issuer(call.tid)
            taken = ring.submit(count)
        ring.post()
        if not flags & Enter.GETEVENTS or taken < count or ring.completed >= least:
            return taken
        until = _until(call, flags)
        held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)  # the ring's own file is not needed
    # Nothing is under way that could complete, so it is the time that ends it, or a signal.
    late = 0 if taken else errno.ETIME
    call.supervisor.wait(call, ring, partial(_nothing, ring, least, taken), until, held, lambda: taken, late)
    return ANSWERED


def _nothing(ring: Ring, least: int, taken: int) -> Answer | None:
    return taken if ring.completed >= least else None


def _until(call: Call, flags: int) -> float | None:
    """When a wait is over, by the monotonic clock; None where it has no end."""
    if not flags & Enter.EXT_ARG:
        return None
    if flags & Enter.EXT_ARG_REG or call.args[5] != EXTENDED.size:
        raise OSError(errno.EINVAL, "length of what is added")
    place = EXTENDED.unpack(call.read(call.args[4], EXTENDED.size))[3]
    if not place:
        return None
    seconds, nanoseconds = TIMESPEC.unpack(call.read(place, TIMESPEC.size))
    when: float = seconds + nanoseconds / 1e9
    return when if flags & Enter.ABS_TIMER else time.monotonic() + when


# What is registered


def register_with(call: Call) -> Answer:
    """io_uring_register(). OSError, Refusal."""
    operation, place, count = call.args[1] & 0xFFFFFFFF, call.args[2], call.args[3] & 0xFFFFFFFF
    if operation & REGISTERED:
        raise OSError(errno.EBADF, "no ring is registered")
    if operation >= Register.LAST:
        raise OSError(errno.EINVAL, "no such operation")
    with call.borrow(call.cint(0)) as borrowed:
        ring = _ring(call, borrowed)
    ring.check_issuer(call.tid)
    match operation:
        case Register.ZCRX_IFQ if place and count == 1:
            receive(call, ring, place)
        case Register.ENABLE_RINGS if not place and not count:
            ring.enable(call.tid)
        case Register.PROBE if place and count <= PROBED:
            _probe(call, place, count)
        case _:
            raise OSError(errno.EINVAL, "no such operation")
    return 0


def _probe(call: Call, place: int, count: int) -> None:
    """io_probe(): there are no operations but the one that does nothing."""
    size = PROBE.size + count * PROBED_OP.size
    if any(call.read(place, size)):
        raise OSError(errno.EINVAL, "not empty")
    told = min(count, 1)
    answer = PROBE.pack(io_uring.IORING_OP_NOP, told, 0, 0, 0, 0)
    call.write(place, answer + told * PROBED_OP.pack(io_uring.IORING_OP_NOP, 0, io_uring.IO_URING_OP_SUPPORTED, 0))


CALLS = {"io_uring_setup": setup, "io_uring_enter": enter, "io_uring_register": register_with}
