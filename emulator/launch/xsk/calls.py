"""The calls of AF_XDP sockets (net/xdp/xsk.c).

A descriptor has a high number, so that every call on it is handed over. Handed on to another process it may get a low
one: there options are, and binding is, but send() and recv() are this machine's, which finds no socket. To poll() and
stat() it is a regular file everywhere.
"""

from __future__ import annotations

import errno
import os
import struct
from resource import RLIM_INFINITY, RLIMIT_MEMLOCK, prlimit
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.kernel.queues.xsk import Umem, XdpSocket
from nlemu.emulator.launch.namespaces import nsfs
from nlemu.emulator.launch.sockets.calls import nonblocking, put_option
from nlemu.emulator.launch.trap.call import Answer, Call
from nlemu.emulator.launch.trap.credentials import CAP_IPC_LOCK, CAP_NET_RAW
from nlemu.emulator.launch.trap.mappings import writable
from nlemu.emulator.launch.xsk.sock import (
    BATCH,
    CONSUMER,
    DESCRIPTORS,
    FIELDS,
    FLAGS,
    PRODUCER,
    U32,
    XskFile,
)
from nlemu.protocol.uapi.if_xdp import XDP_OPTIONS_ZEROCOPY, XdpOption
from nlemu.protocol.uapi.socket import AF_XDP, SOL_SOCKET, SOL_XDP, So

if TYPE_CHECKING:
    from collections.abc import Callable

SOCK_RAW = 3
SOCK_TYPE_MASK = 0xF
SOCK_NONBLOCK, SOCK_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
MSG_DONTWAIT = 0x40
ADDRESS = struct.Struct("=2H3I")
"""struct sockaddr_xdp: family, flags, device, queue, the socket whose memory is shared."""
UMEM_REG = struct.Struct("=2Q4I")
"""struct xdp_umem_reg: address, length, chunk, headroom, flags, metadata."""
FIRST_UMEM_REG = struct.Struct("=2Q2I")
"""struct xdp_umem_reg_v1"""
RING_OFFSETS = struct.pack("=4Q", PRODUCER, CONSUMER, DESCRIPTORS, FLAGS)
FIRST_RING_OFFSETS = struct.pack("=3Q", PRODUCER, CONSUMER, DESCRIPTORS)
"""struct xdp_ring_offset, struct xdp_ring_offset_v1; every ring has the same."""
STATISTICS, FIRST_STATISTICS = bytes(6 * 8), bytes(3 * 8)
"""struct xdp_statistics, struct xdp_statistics_v1: nothing comes, and nothing is dropped."""


def socket(call: Call) -> Answer:
    """xsk_create(). OSError EPERM, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EINVAL."""
    flags = call.cint(1)
    if flags & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC) or flags < 0:
        raise OSError(errno.EINVAL, "flags")
    supervisor = call.supervisor
    net = supervisor.tasks.net(call.tid)
    if not supervisor.capable(call.tid, CAP_NET_RAW, net):
        raise OSError(errno.EPERM, "CAP_NET_RAW")
    if flags & SOCK_TYPE_MASK != SOCK_RAW:
        raise OSError(errno.ESOCKTNOSUPPORT, "type")
    if call.cint(2):
        raise OSError(errno.EPROTONOSUPPORT, "protocol")
    file = supervisor.held.make()
    return supervisor.held.give(call, file, XskFile(file, net), high=True, flags=flags)


def _sock(call: Call) -> XskFile | None:
    """What the call's descriptor is, if it is one of these. OSError EBADF."""
    with call.borrow(call.cint(0)) as borrowed:
        found = call.supervisor.held.behind(borrowed)
    return found if isinstance(found, XskFile) else None


def answers(name: str, function: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """A call that is of these sockets, and else another one's."""
    ours = CALLS[name]

    def answer(call: Call) -> Answer:
        sock = _sock(call)
        return function(call) if sock is None else ours(call, sock)

    return answer


def _not_supported(call: Call, sock: XskFile) -> Answer:
    """sock_no_getname(), sock_no_listen() and their like."""
    raise OSError(errno.EOPNOTSUPP, call.name)


def _bind(call: Call, sock: XskFile) -> Answer:
    """xsk_bind(). OSError EINVAL, EFAULT; Refusal."""
    length = call.cint(2)
    if length < ADDRESS.size:
        raise OSError(errno.EINVAL, "length of a name")
    family, flags, index, queue, shared = ADDRESS.unpack(call.read(call.args[1], ADDRESS.size))
    if family != AF_XDP:
        raise OSError(errno.EINVAL, "family of a name")
    sock.sock.bind(index, queue, flags, lambda: _shared(call, shared))
    call.supervisor.settle()
    return 0


def _shared(call: Call, number: int) -> XdpSocket:
    """xsk_lookup_xsk_from_fd(). OSError ENOTSOCK, ENOPROTOOPT."""
    try:
        borrowed = call.borrow(number)
    except OSError:
        raise OSError(errno.ENOTSOCK, "no file") from None
    with borrowed:
        found = call.supervisor.held.behind(borrowed)
        if isinstance(found, XskFile):
            return found.sock
        raise OSError(errno.ENOPROTOOPT if borrowed.is_socket else errno.ENOTSOCK, "another file")


# Options


def _setsockopt(call: Call, sock: XskFile) -> Answer:
    """xsk_setsockopt(), and of SOL_SOCKET what is about polling busily. OSError ENOPROTOOPT, EINVAL, EFAULT, EBUSY,
    EACCES, ENOMEM, ENOBUFS; Refusal."""
    level, option, place, length = call.cint(1), call.cint(2), call.args[3], call.args[4] & 0xFFFFFFFF
    if level == SOL_SOCKET and option in sock.options:
        sock.options[option] = _u32(call, place, length)
    elif level != SOL_XDP:
        raise OSError(errno.ENOPROTOOPT, "level")
    elif option == XdpOption.UMEM_REG:
        _set_umem(call, sock, place, length)
    elif option in FIELDS:
        sock.make_ring(XdpOption(option), _u32(call, place, length))
    elif option == XdpOption.MAX_TX_SKB_BUDGET:
        if length != U32.size:
            raise OSError(errno.EINVAL, "length of an option")
        if not BATCH <= _u32(call, place, length) <= sock.rings.tx:
            raise OSError(errno.EACCES, "budget")
    else:
        raise OSError(errno.ENOPROTOOPT, "no such option")
    return 0


def _u32(call: Call, place: int, length: int) -> int:
    if length < U32.size:
        raise OSError(errno.EINVAL, "length of an option")
    value: int = U32.unpack(call.read(place, U32.size))[0]
    return value


def _set_umem(call: Call, sock: XskFile, place: int, length: int) -> None:
    """XDP_UMEM_REG: the memory is pinned, as far as its owner may have memory pinned."""
    if length < FIRST_UMEM_REG.size:
        raise OSError(errno.EINVAL, "length of an option")
    said = call.read(place, UMEM_REG.size if length >= UMEM_REG.size else FIRST_UMEM_REG.size)
    address, size, chunk, headroom, flags, metadata = UMEM_REG.unpack(said.ljust(UMEM_REG.size, b"\0"))
    sock.sock.check_without_umem()
    umem = Umem(chunk, headroom, flags, address=address, size=size, metadata=metadata)
    most = prlimit(call.tid, RLIMIT_MEMLOCK)[0]
    if most != RLIM_INFINITY and size > most and not call.supervisor.capable(call.tid, CAP_IPC_LOCK):
        raise OSError(errno.ENOBUFS, "more than may be pinned")
    there, _ = writable(call.tid, address, size)
    if there < size:
        raise OSError(errno.ENOMEM if there else errno.EFAULT, "memory")
    sock.sock.set_umem(umem)


def _getsockopt(call: Call, sock: XskFile) -> Answer:
    """xsk_getsockopt(), and of SOL_SOCKET what tells what it is. OSError ENOPROTOOPT, EOPNOTSUPP, EINVAL, EFAULT."""
    level, option, place, length_place = call.cint(1), call.cint(2), call.args[3], call.args[4]
    if level == SOL_SOCKET and option == So.NETNS_COOKIE:
        return nsfs.cookie(call, sock.sock.net)
    if level == SOL_SOCKET:
        value = KINDS.get(option, sock.options.get(option))
        if option in SIZES:
            net = sock.sock.net
            value = int(settings(net.kernel.build)[SIZES[option]].read(net))
        if value is None:
            raise OSError(errno.ENOPROTOOPT, "no such option")
        return put_option(call, place, length_place, struct.pack("=i", value))
    if level != SOL_XDP:
        raise OSError(errno.ENOPROTOOPT, "level")
    room = call.number(length_place)
    if room < 0:
        raise OSError(errno.EINVAL, "length of an option")
    forms = FORMS.get(option)
    if option == XdpOption.OPTIONS:
        forms = (U32.pack(XDP_OPTIONS_ZEROCOPY if sock.sock.zero_copy else 0),)
    if forms is None:
        raise OSError(errno.EOPNOTSUPP, "no such option")
    fitting = next((form for form in forms if len(form) <= room), None)
    if fitting is None:
        raise OSError(errno.EINVAL, "length of an option")
    return put_option(call, place, length_place, fitting)


# Packets


def _send(call: Call, sock: XskFile) -> Answer:
    """xsk_sendmsg(): says that there is something in the ring. OSError EOPNOTSUPP (it does not wait), ENOBUFS; Refusal
    ENXIO, ENETDOWN."""
    sock.sock.check_state()
    if _waits(call):
        raise OSError(errno.EOPNOTSUPP, "to wait")
    if not sock.rings.tx:
        raise OSError(errno.ENOBUFS, "no ring")
    sock.send()
    return _count(call)


def _receive(call: Call, sock: XskFile) -> Answer:
    """xsk_recvmsg(): asks to be received. The same errors."""
    sock.sock.check_state()
    if not sock.rings.rx:
        raise OSError(errno.ENOBUFS, "no ring")
    if _waits(call):
        raise OSError(errno.EOPNOTSUPP, "to wait")
    return _count(call)


def _waits(call: Call) -> bool:
    at = FLAGS_AT.get(call.name)
    if at is not None and call.args[at] & MSG_DONTWAIT:
        return False
    with call.borrow(call.cint(0)) as borrowed:
        return borrowed.fd < 0 or not nonblocking(borrowed.fd)


def _count(call: Call) -> int:
    """Bytes, which are none; or messages."""
    return call.cint(2) if call.name in ("sendmmsg", "recvmmsg") else 0


FLAGS_AT = {"sendto": 3, "recvfrom": 3, "sendmsg": 2, "recvmsg": 2, "sendmmsg": 3, "recvmmsg": 3}
KINDS: dict[int, int] = {So.TYPE: SOCK_RAW, So.DOMAIN: AF_XDP, So.PROTOCOL: 0, So.ERROR: 0}
SIZES: dict[int, str] = {So.RCVBUF: "core/rmem_default", So.SNDBUF: "core/wmem_default"}
FORMS: dict[int, tuple[bytes, ...]] = {
    XdpOption.STATISTICS: (STATISTICS, FIRST_STATISTICS),
    XdpOption.MMAP_OFFSETS: (4 * RING_OFFSETS, 4 * FIRST_RING_OFFSETS),
}
"""What an option is answered with, and in the form that there was first."""
CALLS: dict[str, Callable[[Call, XskFile], Answer]] = {
    **dict.fromkeys(
        ("connect", "getsockname", "getpeername", "listen", "accept", "accept4", "shutdown"), _not_supported
    ),
    "bind": _bind,
    "setsockopt": _setsockopt,
    "getsockopt": _getsockopt,
    **dict.fromkeys(("sendto", "sendmsg", "sendmmsg", "write", "writev"), _send),
    **dict.fromkeys(("recvfrom", "recvmsg", "recvmmsg", "read", "readv"), _receive),
}
