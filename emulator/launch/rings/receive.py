"""io_register_zcrx() of IORING_REGISTER_ZCRX_IFQ: a receive queue is registered with a ring.

A program says three things of it, each in a struct of its own: which queue it is and how long the list is to be by
which buffers are given back; where that list is to lie (the region); and the memory to receive into (the area). The
checks are in Linux's order, which was asked of 7.2.13 (programs/rings.py of the tests). Those of the device and its
queue, and what stays of it, are the model's (kernel/queues/zcrx.py).
"""

from __future__ import annotations

import errno
import struct
from functools import partial

from nlemu.emulator.kernel.queues.zcrx import NO_QUEUE, PAGE_SIZE, Registration, check_length, register
from nlemu.emulator.launch.rings.ring import Ring
from nlemu.emulator.launch.trap.call import Call
from nlemu.emulator.launch.trap.mappings import writable
from nlemu.protocol.uapi import io_uring
from nlemu.protocol.uapi.io_uring import Setup, Zcrx

MAX_RQ_ENTRIES = 32768
"""IO_RQ_MAX_ENTRIES"""
MAX_AREA = 1 << 30
"""How long a program's memory may be, in bytes (io_validate_user_buf_range())."""
LONGEST = 1 << 64
RQ_HEAD, RQ_TAIL, RQES, RQE_SIZE = 0, 4, 64, 16
"""Where things are in the ring by which buffers are given back (io_fill_zcrx_offsets()), in bytes."""
REGION_SHIFT = 16  # IORING_OFF_ZCRX_SHIFT

REG = struct.Struct("=4I2Q4I2Q2IQ2Q")
"""struct io_uring_zcrx_ifq_reg: device, queue, entries, flags; area, region; offsets; id, length of a buffer, place of
notices; what is reserved."""
OFFSETS = struct.Struct("=4I2Q2I")
"""Its offsets, its id and the length of a buffer, from byte OFFSETS_AT on."""
ENTRIES_AT, OFFSETS_AT = 8, 32
AREA = struct.Struct("=3Q2I2Q")
"""struct io_uring_zcrx_area_reg: address, length, token, flags, dmabuf; what is reserved."""
REGION = struct.Struct("=2Q2IQ4Q")
"""struct io_uring_region_desc: address, size, flags, id, where to map it; what is reserved."""
MAP_AT = 24


def receive(call: Call, ring: Ring, place: int) -> None:
    """io_register_zcrx(), of a ring that is set up for it. OSError EPERM, EINVAL, EFAULT, E2BIG, EOVERFLOW, EBADF,
    EOPNOTSUPP; Refusal of the device."""
    if not call.supervisor.capable(call.tid):
        raise OSError(errno.EPERM, "CAP_NET_ADMIN")
    index, queue, entries, flags, area_at, region_at, *_, number, length, notices, _r0, _r1 = REG.unpack(
        call.read(place, REG.size)
    )
    if number or _r0 or _r1 or flags & ~Zcrx.NODEV:  # nothing is exported that could be imported
        raise OSError(errno.EINVAL, "reserved")
    if notices:
        call.read(notices, REG.size)
        raise OSError(errno.EINVAL, "no notices")
    region = REGION.unpack(call.read(region_at, REGION.size))
    if queue == NO_QUEUE or not entries or (flags & Zcrx.NODEV and (index or queue)):
        raise OSError(errno.EINVAL, "queue")
    if entries > MAX_RQ_ENTRIES:
        if not ring.shape.flags & Setup.CLAMP:
            raise OSError(errno.EINVAL, "entries")
        entries = MAX_RQ_ENTRIES
    entries = 1 << (entries - 1).bit_length()
    area = AREA.unpack(call.read(area_at, AREA.size))
    _check_region(call, region, RQES + entries * RQE_SIZE)
    memory = partial(_memory, call, area)
    made: Registration | None = None
    if flags & Zcrx.NODEV:
        check_length(length)
        if length > memory():
            raise OSError(errno.EOPNOTSUPP, "length of a buffer")
    else:
        made = register(call.supervisor.tasks.net(call.tid), index, queue, length, contiguous=memory)
    number = len(ring.registered)
    ring.registered.append(made)
    pieces = [
        (place + ENTRIES_AT, struct.pack("=I", entries)),
        (place + OFFSETS_AT, OFFSETS.pack(RQ_HEAD, RQ_TAIL, RQES, 0, 0, 0, number, length or PAGE_SIZE)),
    ]
    if not region[2] & io_uring.IORING_MEM_REGION_TYPE_USER:
        where = io_uring.Off.ZCRX_REGION + (number << REGION_SHIFT)
        pieces.append((region_at + MAP_AT, struct.pack("=Q", where)))
    call.write_all(pieces)
    call.supervisor.settle()


def _check_region(call: Call, region: tuple[int, ...], least: int) -> None:
    """io_create_region(), of at least so many bytes: where the program is to tell which buffers it gives back."""
    address, size, flags, number, where, *reserved = region
    if least > size or flags & ~io_uring.IORING_MEM_REGION_TYPE_USER or any(reserved):
        raise OSError(errno.EINVAL, "region")
    if bool(address) != bool(flags & io_uring.IORING_MEM_REGION_TYPE_USER):
        raise OSError(errno.EFAULT, "region")
    if not size or where or number:
        raise OSError(errno.EINVAL, "region")
    if size // PAGE_SIZE > 0x7FFFFFFF:
        raise OSError(errno.E2BIG, "region")
    if address % PAGE_SIZE or size % PAGE_SIZE:
        raise OSError(errno.EINVAL, "region")
    if address + size >= LONGEST:
        raise OSError(errno.EOVERFLOW, "region")
    if address:
        _pin(call.tid, address, size)


def _memory(call: Call, area: tuple[int, ...]) -> int:
    """io_import_area(): in how large pieces the memory lies in a row, in bytes. OSError."""
    address, length, token, flags, dmabuf, *reserved = area
    if flags & ~io_uring.IORING_ZCRX_AREA_DMABUF or token or any(reserved):
        raise OSError(errno.EINVAL, "memory")
    if flags & io_uring.IORING_ZCRX_AREA_DMABUF:
        if address:
            raise OSError(errno.EINVAL, "memory")
        with call.borrow(dmabuf):  # EBADF
            raise OSError(errno.EINVAL, "no dmabuf")
    if dmabuf:
        raise OSError(errno.EINVAL, "memory")
    if not address or not length or length > MAX_AREA:
        raise OSError(errno.EFAULT, "memory")
    if address + length >= LONGEST:
        raise OSError(errno.EOVERFLOW, "memory")
    if address % PAGE_SIZE or length % PAGE_SIZE:
        raise OSError(errno.EINVAL, "memory")
    return _pin(call.tid, address, length)


def _pin(tid: int, address: int, length: int) -> int:
    """In how large pieces that memory lies in a row, in bytes, as far as the size of its pages says. OSError EFAULT."""
    there, piece = writable(tid, address, length)
    if there < length:
        raise OSError(errno.EFAULT, "memory")
    return piece
