"""Sending and receiving where the call is handed over: with a name, with ancillary data, or with little room
(netlink_sendmsg(), netlink_recvmsg()).

A datagram is read from the program's own Unix socket, and then put where the program wants it, as from netlink: the
sender is port 0, or that of another program, with the group as a mask; SCM_CREDENTIALS are the kernel's;
NETLINK_PKTINFO and the namespace's id are told to whom asked for them.

A receive that finds nothing waits here, unanswered, until there is something, its time is over, or a signal is due to
the program (supervisor.py looks after that).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import time
from functools import partial
from typing import NamedTuple

from nlemu.emulator.launch.sockets.calls import (
    ADDRESS,
    may_send_to_users,
    nonblocking,
    of,
    read_address,
    write_address,
)
from nlemu.emulator.launch.sockets.channel import LONGEST, Channel
from nlemu.emulator.launch.trap.borrow import Borrowed
from nlemu.emulator.launch.trap.call import ANSWERED, PASS, Answer, Call
from nlemu.emulator.launch.trap.seccomp import libc
from nlemu.emulator.machine.endpoint import LONGEST as LONGEST_SENT
from nlemu.emulator.machine.endpoint import Datagram
from nlemu.protocol.uapi.netlink import NetlinkOpt
from nlemu.protocol.uapi.socket import AF_NETLINK, SCM_CREDENTIALS, SOL_NETLINK, SOL_SOCKET

MSG_OOB, MSG_PEEK, MSG_CTRUNC, MSG_TRUNC, MSG_DONTWAIT, MSG_CMSG_CLOEXEC = 1, 2, 8, 0x20, 0x40, 0x40000000
MSG_WAITFORONE = 0x10000
MSGHDR = struct.Struct("=QIxxxxQQQQixxxx")  # struct msghdr
MMSGHDR = 64  # struct mmsghdr
NAMELEN, CONTROLLEN = 8, 40  # where in struct msghdr; the flags come right after the latter
CMSG = struct.Struct("=Qii")
IOVEC = struct.Struct("=QQ")
UIO_MAXIOV = 1024
SSIZE_MAX = 0x7FFFFFFFFFFFFFFF
SO_RCVTIMEO = struct.Struct("=qq")

_buffer = ctypes.create_string_buffer(LONGEST)


class Header(NamedTuple):
    """struct msghdr."""

    name: int
    namelen: int
    iov: int
    iovlen: int
    control: int
    controllen: int
    flags: int


def read_header(call: Call, place: int) -> Header:
    """The struct msghdr at that address."""
    return Header(*MSGHDR.unpack(call.read(place, MSGHDR.size)))


def vectors(call: Call, place: int, count: int) -> list[tuple[int, int]]:
    """import_iovec(): addresses and lengths. OSError EMSGSIZE, EINVAL, EFAULT."""
    if count > UIO_MAXIOV:
        raise OSError(errno.EMSGSIZE, "too many pieces")
    pieces = list(IOVEC.iter_unpack(call.read(place, IOVEC.size * count))) if count else []
    if any(length > SSIZE_MAX for _, length in pieces):
        raise OSError(errno.EINVAL, "length of a piece")
    return pieces


# Sending


def gather(call: Call, pieces: list[tuple[int, int]]) -> bytes:
    """The datagram that is sent. OSError EMSGSIZE, EFAULT."""
    total = sum(length for _, length in pieces)
    if total > LONGEST_SENT:
        raise OSError(errno.EMSGSIZE, "longer than the send buffer")
    return b"".join(call.read(address, length) for address, length in pieces if length)


def transmit(call: Call, channel: Channel, pieces: list[tuple[int, int]], to: tuple[int, int], flags: int) -> int:
    """netlink_sendmsg(): to the kernel, or to another program."""
    if not sum(length for _, length in pieces):
        raise OSError(errno.ENODATA, "an empty datagram")
    if flags & MSG_OOB:
        raise OSError(errno.EOPNOTSUPP, "MSG_OOB")
    port, groups = to
    may_send_to_users(channel, port, groups)
    endpoint = channel.endpoint
    if not endpoint.portid:
        endpoint.bind()
    data = gather(call, pieces)
    call.check()
    endpoint.descriptors = call.supervisor.descriptors(call.process.pid)
    channel.request(data, port, groups)
    return len(data)


def sendto(call: Call) -> Answer:
    """sendto()."""
    channel = of(call)
    if channel is None:
        return PASS
    to = read_address(call, call.args[4], call.cint(5)) if call.args[4] else channel.peer
    return transmit(call, channel, [(call.args[1], call.args[2])], to, call.cint(3))


def sendmsg(call: Call) -> Answer:
    """sendmsg()."""
    channel = of(call)
    return PASS if channel is None else send_header(call, channel, call.args[1], call.cint(2))


def send_header(call: Call, channel: Channel, place: int, flags: int) -> int:
    """Sends what a struct msghdr describes; how many bytes that were."""
    header = read_header(call, place)
    to = channel.peer
    if header.name and header.namelen:
        to = read_address(call, header.name, header.namelen)
    return transmit(call, channel, vectors(call, header.iov, header.iovlen), to, flags)


def sendmmsg(call: Call) -> Answer:
    """sendmmsg()."""
    channel = of(call)
    if channel is None:
        return PASS
    sent = 0
    for index in range(min(call.args[2] & 0xFFFFFFFF, UIO_MAXIOV)):
        place = call.args[1] + index * MMSGHDR
        try:
            length = send_header(call, channel, place, call.cint(3))
            call.write(place + MSGHDR.size, struct.pack("=I", length))
        except OSError:
            if sent:
                break
            raise
        sent += 1
    return sent


def write(call: Call) -> Answer:
    """write() to a netlink socket, or to a file that we play; also where that has become the standard output."""
    if call.cint(0) < call.supervisor.base:
        return _write_moved(call)
    with call.borrow(call.cint(0)) as borrowed:
        channel = call.supervisor.channels.get(borrowed.inode)
        file = None if channel else call.supervisor.files.opened(borrowed)
    if channel is None and file is None:
        return PASS
    if call.name in ("writev", "pwritev"):
        pieces = vectors(call, call.args[1], call.args[2])
    else:
        pieces = [(call.args[1], call.args[2])]
    if channel is not None:
        return transmit(call, channel, pieces, channel.peer, 0)
    assert file is not None
    data = gather(call, pieces)
    call.check()
    file.write(data)
    call.supervisor.settle()
    return len(data)


def _write_moved(call: Call) -> Answer:
    """A short write to the standard output, which nearly always is what it seems to be."""
    file = call.supervisor.files.moved(call.tid, call.cint(0))
    if file is None:
        return PASS
    data = call.read(call.args[1], call.args[2])
    file.write(data)
    call.supervisor.settle()
    return len(data)


# Receiving


class Room(NamedTuple):
    """Where a datagram goes."""

    pieces: list[tuple[int, int]]
    flags: int
    header: Header | None = None
    place: int = 0
    """Of the header, whose lengths and flags are written back."""
    name: int = 0
    namelen_place: int = 0


def recvfrom(call: Call) -> Answer:
    """recvfrom()."""
    channel = of(call)
    if channel is None:
        return PASS
    pieces = [(call.args[1], call.args[2])]
    return receive(call, channel, Room(pieces, call.cint(3), None, 0, call.args[4], call.args[5]))


def read(call: Call) -> Answer:
    """read(), readv()."""
    channel = of(call)
    if channel is None:
        return PASS
    pieces = vectors(call, call.args[1], call.args[2]) if call.name == "readv" else [(call.args[1], call.args[2])]
    return receive(call, channel, Room(pieces, 0))


def recvmsg(call: Call) -> Answer:
    """recvmsg()."""
    channel = of(call)
    if channel is None:
        return PASS
    return receive(call, channel, header_room(call, call.args[1], call.cint(2)))


def header_room(call: Call, place: int, flags: int) -> Room:
    """The room that a struct msghdr describes. OSError EINVAL."""
    header = read_header(call, place)
    if header.name and header.namelen > 0x7FFFFFFF:
        raise OSError(errno.EINVAL, "length of a name")
    return Room(vectors(call, header.iov, header.iovlen), flags, header, place)


def recvmmsg(call: Call) -> Answer:
    """As many as wait; the first is waited for. The timeout is looked at only after one has come, as in the kernel."""
    channel = of(call)
    if channel is None:
        return PASS
    place, count, flags = call.args[1], min(call.args[2] & 0xFFFFFFFF, UIO_MAXIOV), call.cint(3)
    if not count:
        return 0
    return receive(call, channel, header_room(call, place, flags & ~MSG_WAITFORONE), many=(place, count, flags))


Many = tuple[int, int, int]


def receive(call: Call, channel: Channel, room: Room, many: Many | None = None) -> Answer:
    """netlink_recvmsg(), and the waiting for it."""
    if room.flags & MSG_OOB:
        raise OSError(errno.EOPNOTSUPP, "MSG_OOB")
    with call.borrow(call.cint(0)) as borrowed:
        try:
            return obtain(call, channel, borrowed, room, many)
        except BlockingIOError:
            if room.flags & MSG_DONTWAIT or nonblocking(borrowed.fd):
                raise
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=os.dup(borrowed.fd)) as sock:
                limit = sock.getsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, SO_RCVTIMEO.size)
    seconds, micros = SO_RCVTIMEO.unpack(limit)
    until = time.monotonic() + seconds + micros / 1e6 if seconds or micros else None
    call.supervisor.wait(call, channel, partial(attempt, call, channel, room, many), until)
    return ANSWERED


def attempt(call: Call, channel: Channel, room: Room, many: Many | None) -> Answer | None:
    """Another try of a receive that waits; None when there is still nothing."""
    with call.borrow(call.cint(0)) as borrowed:
        if borrowed.inode != channel.inode:
            raise OSError(errno.EBADF, "closed meanwhile")
        try:
            return obtain(call, channel, borrowed, room, many)
        except BlockingIOError:
            return None


def obtain(call: Call, channel: Channel, borrowed: Borrowed, room: Room, many: Many | None) -> int:
    """Receives one datagram, or as many as there are. Raises BlockingIOError when there is none."""
    length = one(call, channel, borrowed, room)
    if many is None:
        return length
    place, count, flags = many
    call.write(place + MSGHDR.size, struct.pack("=I", length))
    got = 1
    while got < count:
        place += MMSGHDR
        try:
            length = one(call, channel, borrowed, header_room(call, place, flags & ~MSG_WAITFORONE))
            call.write(place + MSGHDR.size, struct.pack("=I", length))
        except OSError:
            break
        got += 1
    return got


def one(call: Call, channel: Channel, borrowed: Borrowed, room: Room) -> int:
    """Receives one datagram into the room; its length. OSError ENOBUFS, EAGAIN."""
    endpoint = channel.endpoint
    if endpoint.overrun():
        raise OSError(errno.ENOBUFS, "datagrams were lost")
    call.check()
    size: int = libc.recv(borrowed.fd, _buffer, LONGEST, room.flags & MSG_PEEK | MSG_DONTWAIT)
    if size < 0:
        raise OSError(ctypes.get_errno(), "recv")
    data = ctypes.string_at(_buffer, size)
    datagram = channel.taken(data)
    space = sum(length for _, length in room.pieces)
    try:
        mask = 1 << datagram.group - 1 if 0 < datagram.group <= 32 else 0
        truncated = MSG_TRUNC if size > space else 0
        writes = scatter(data, room.pieces)
        if room.header is not None:
            writes += header_writes(channel, room, datagram, mask, truncated)
        call.write_all(writes)
        if room.name:
            write_address(call, room.name, room.namelen_place, datagram.portid, mask)
    finally:
        endpoint.read(space)
        channel.flush()
        channel.supervisor.settle()
    return size if room.flags & MSG_TRUNC else min(size, space)


def scatter(data: bytes, pieces: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """What is written where."""
    writes, at = [], 0
    for address, length in pieces:
        if at >= len(data):
            break
        writes.append((address, data[at : at + length]))
        at += length
    return writes


def header_writes(
    channel: Channel, room: Room, datagram: Datagram, mask: int, flags: int
) -> list[tuple[int, bytes]]:
    """The name, the ancillary data, and what of struct msghdr tells of them."""
    header, place = room.header, room.place
    assert header is not None
    writes = []
    if header.name:
        writes.append((header.name, ADDRESS.pack(AF_NETLINK, 0, datagram.portid, mask)[: header.namelen]))
        writes.append((place + NAMELEN, struct.pack("=I", ADDRESS.size)))
    control = bytearray()
    endpoint = channel.endpoint
    if endpoint.pktinfo:
        flags |= put(control, header.controllen, SOL_NETLINK, NetlinkOpt.PKTINFO, struct.pack("=I", datagram.group))
    if datagram.nsid is not None and endpoint.all_nsid:
        flags |= put(control, header.controllen, SOL_NETLINK, NetlinkOpt.LISTEN_ALL_NSID,
                     struct.pack("=i", datagram.nsid))
    if channel.passcred:
        flags |= put(control, header.controllen, SOL_SOCKET, SCM_CREDENTIALS, struct.pack("=iII", 0, 0, 0))
    if control:
        writes.append((header.control, bytes(control)))
    if room.flags & MSG_CMSG_CLOEXEC:
        flags |= MSG_CMSG_CLOEXEC
    writes.append((place + CONTROLLEN, struct.pack("=Qi", len(control), flags)))
    return writes


def put(control: bytearray, room: int, level: int, kind: int, data: bytes) -> int:
    """put_cmsg(): one control message, as much of it as fits; MSG_CTRUNC when it does not."""
    left = room - len(control)
    if left < CMSG.size:
        return MSG_CTRUNC
    whole = CMSG.size + len(data)
    length = min(whole, left)
    control += (CMSG.pack(length, level, kind) + data)[:length]
    control += bytes(min(-len(control) % 8, room - len(control)))
    return MSG_CTRUNC if length < whole else 0
