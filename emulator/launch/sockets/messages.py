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
from typing import TYPE_CHECKING, NamedTuple

from nlemu.emulator.launch.sockets.calls import (
    ADDRESS,
    address_writes,
    may_send_to_users,
    nonblocking,
    of,
    read_address,
)
from nlemu.emulator.launch.trap.call import ANSWERED, PASS, Answer, Call
from nlemu.emulator.launch.trap.credentials import CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN, UCRED, UserNamespace
from nlemu.emulator.launch.trap.filter import LONGEST
from nlemu.emulator.launch.trap.seccomp import libc
from nlemu.protocol.uapi.netlink import NetlinkOpt
from nlemu.protocol.uapi.socket import AF_NETLINK, SCM_CREDENTIALS, SOL_NETLINK, SOL_SOCKET

if TYPE_CHECKING:
    from nlemu.emulator.launch.sockets.channel import Channel
    from nlemu.emulator.machine.endpoint import Datagram

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
TIMESPEC = struct.Struct("=qq")
NSEC_PER_SEC = 1_000_000_000
CONTROL_MAX = 131072  # net.core.optmem_max
VECTORED = ("writev", "pwritev", "pwritev2")
AT_PLACES = ("pwrite64", "pwritev", "pwritev2")
NOWHERE = 0xFFFFFFFFFFFFFFFF
"""The place by which pwritev2() is writev()."""
RWF_KNOWN = 0x1FF  # RWF_SUPPORTED (include/uapi/linux/fs.h)

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


def vectors(call: Call, place: int, count: int, too_many: int = errno.EMSGSIZE) -> list[tuple[int, int]]:
    """import_iovec(): addresses and lengths. OSError `too_many`, EINVAL, EFAULT."""
    if count > UIO_MAXIOV:
        raise OSError(too_many, "too many pieces")
    pieces = list(IOVEC.iter_unpack(call.read(place, IOVEC.size * count))) if count else []
    if any(length > SSIZE_MAX for _, length in pieces):
        raise OSError(errno.EINVAL, "length of a piece")
    return pieces


# Sending


def gather(call: Call, pieces: list[tuple[int, int]], longest: int) -> bytes:
    """The datagram that is sent. OSError EMSGSIZE, EFAULT."""
    total = sum(length for _, length in pieces)
    if total > longest:
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
    data = gather(call, pieces, endpoint.longest)
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
    if header.control and header.controllen:
        check_control(call, call.read(header.control, min(header.controllen, CONTROL_MAX)))
    return transmit(call, channel, vectors(call, header.iov, header.iovlen), to, flags)


def check_control(call: Call, control: bytes) -> None:
    """__scm_send(), of another family than Unix's: only credentials can be sent, and only such as are one's own.
    OSError EINVAL, EPERM."""
    at = 0
    while at + CMSG.size <= len(control):
        length, level, kind = CMSG.unpack_from(control, at)
        if not CMSG.size <= length <= len(control) - at:
            raise OSError(errno.EINVAL, "length of a control message")
        if level == SOL_SOCKET:
            if kind != SCM_CREDENTIALS or length != CMSG.size + UCRED.size:
                raise OSError(errno.EINVAL, "not to be sent")
            check_credentials(call, *UCRED.unpack_from(control, at + CMSG.size))
        at += length + 7 & ~7


def check_credentials(call: Call, pid: int, uid: int, gid: int) -> None:
    """scm_check_creds(). OSError EPERM."""
    cred = call.supervisor.tasks.cred(call.tid)
    user, group = (
        UserNamespace.outside(table, number)
        for table, number in ((cred.space.users, uid), (cred.space.groups, gid))
    )
    if user is None or group is None:
        raise OSError(errno.EINVAL, "no such id here")
    if not (
        (pid == call.process.pid or cred.able(CAP_SYS_ADMIN))
        and (user in cred.uids[:3] or cred.able(CAP_SETUID))
        and (group in cred.gids[:3] or cred.able(CAP_SETGID))
    ):
        raise OSError(errno.EPERM, "credentials of another")


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
    if channel is not None and call.name in AT_PLACES and not (call.name == "pwritev2" and call.args[3] == NOWHERE):
        raise OSError(errno.ESPIPE, "a socket has no places")
    if call.name in VECTORED:
        pieces = vectors(call, call.args[1], call.args[2], errno.EINVAL)
    else:
        pieces = [(call.args[1], call.args[2])]
    if channel is not None:
        if call.name in VECTORED and not sum(length for _, length in pieces):
            return 0  # do_iter_readv_writev(): nobody is asked
        if call.name == "pwritev2" and call.args[5] & ~RWF_KNOWN:
            raise OSError(errno.EOPNOTSUPP, "flags")
        return transmit(call, channel, pieces, channel.peer, 0)
    assert file is not None
    data = gather(call, pieces, LONGEST)
    call.check()
    file.write(data, call.supervisor.tasks.net(call.tid))
    call.supervisor.settle()
    return len(data)


def _write_moved(call: Call) -> Answer:
    """A short write to the standard output, which nearly always is what it seems to be."""
    file = call.supervisor.files.moved(call.tid, call.cint(0))
    if file is None:
        return PASS
    data = call.read(call.args[1], call.args[2])
    file.write(data, call.supervisor.tasks.net(call.tid))
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
    if call.name == "readv":
        pieces = vectors(call, call.args[1], call.args[2], errno.EINVAL)
    else:
        pieces = [(call.args[1], call.args[2])]
    if not sum(length for _, length in pieces):
        return 0  # sock_read_iter(), as System V had it
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


class Many:
    """What recvmmsg() is about: a vector of struct mmsghdr at `place`, filled one by one; how many have been. limit:
    where the time lies that it may take; it is looked at after each, as in the kernel. OSError EINVAL, EFAULT."""

    def __init__(self, call: Call, place: int, count: int, flags: int, limit: int) -> None:
        self.place, self.count, self.flags, self.limit = place, count, flags, limit
        self.got = 0
        self._until: float | None = None
        if limit:
            seconds, nanos = TIMESPEC.unpack(call.read(limit, TIMESPEC.size))
            if seconds < 0 or not 0 <= nanos < NSEC_PER_SEC:
                raise OSError(errno.EINVAL, "a time that is none")
            self._until = time.monotonic() + seconds + nanos / NSEC_PER_SEC

    def room(self, call: Call) -> Room:
        """Where the next one goes. The first is waited for, and without MSG_WAITFORONE the others too."""
        flags = self.flags & ~MSG_WAITFORONE
        if self.got and self.flags & MSG_WAITFORONE:
            flags |= MSG_DONTWAIT
        return header_room(call, self.place + self.got * MMSGHDR, flags)

    def take(self, call: Call, length: int) -> bool:
        """Another has come; whether that was the last."""
        call.write(self.place + self.got * MMSGHDR + MSGHDR.size, struct.pack("=I", length))
        self.got += 1
        if self._until is None:
            return self.got >= self.count
        left = max(self._until - time.monotonic(), 0)
        call.write(self.limit, TIMESPEC.pack(int(left), int(left % 1 * NSEC_PER_SEC)))
        return self.got >= self.count or not left


def recvmmsg(call: Call) -> Answer:
    """do_recvmmsg(): what went wrong after the first is said by the next call."""
    channel = of(call)
    if channel is None:
        return PASS
    place, count, flags = call.args[1], min(call.args[2] & 0xFFFFFFFF, UIO_MAXIOV), call.cint(3)
    many = Many(call, place, count, flags, call.args[4])
    if not count:
        return 0
    return receive(call, channel, many.room(call), many)


def receive(call: Call, channel: Channel, room: Room, many: Many | None = None) -> Answer:
    """netlink_recvmsg(), and the waiting for it. Who waits has the file in hand, so the socket lives on meanwhile, even
    if another thread closes it."""
    if room.flags & MSG_OOB:
        raise OSError(errno.EOPNOTSUPP, "MSG_OOB")
    with call.borrow(call.cint(0)) as borrowed:
        try:
            return obtain(call, channel, borrowed.fd, room, many)
        except BlockingIOError:
            if room.flags & MSG_DONTWAIT or nonblocking(borrowed.fd):
                raise
        held = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=os.dup(borrowed.fd))
    seconds, micros = SO_RCVTIMEO.unpack(held.getsockopt(SOL_SOCKET, socket.SO_RCVTIMEO, SO_RCVTIMEO.size))
    until = time.monotonic() + seconds + micros / 1e6 if seconds or micros else None
    call.supervisor.wait(
        call, channel, partial(attempt, call, channel, held, room, many), until, held,
        lambda: 0 if many is None else many.got,
    )
    return ANSWERED


def attempt(
    call: Call, channel: Channel, held: socket.socket, room: Room, many: Many | None
) -> Answer | None:
    """Another try of a receive that waits; None when there is still nothing."""
    try:
        return obtain(call, channel, held.fileno(), room, many)
    except BlockingIOError:
        return None


def obtain(call: Call, channel: Channel, fd: int, room: Room, many: Many | None) -> int:
    """Receives one datagram, or as many as there are. Raises BlockingIOError when one is still to be waited for."""
    if many is None:
        return one(call, channel, fd, room)
    while True:
        try:
            if many.take(call, one(call, channel, fd, many.room(call))):
                return many.got
        except OSError as error:
            if not many.got:
                raise
            if isinstance(error, BlockingIOError):
                if many.flags & (MSG_WAITFORONE | MSG_DONTWAIT) or nonblocking(fd):
                    return many.got
                raise
            if error.errno == errno.ENOBUFS:
                channel.endpoint.fail_next()
            return many.got


def one(call: Call, channel: Channel, fd: int, room: Room) -> int:
    """Receives one datagram into the room; its length. OSError ENOBUFS, EAGAIN."""
    endpoint = channel.endpoint
    if endpoint.overrun():
        raise OSError(errno.ENOBUFS, "datagrams were lost")
    call.check()
    size: int = libc.recv(fd, _buffer, LONGEST, room.flags & MSG_PEEK | MSG_DONTWAIT)
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
        try:
            if room.name:
                writes += address_writes(call, room.name, room.namelen_place, datagram.portid, mask)
        finally:
            call.write_all(writes)  # at once, and what was received also where there is no room for who sent it
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
