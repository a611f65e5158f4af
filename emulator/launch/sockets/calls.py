"""The calls that make and configure a netlink socket (net/netlink/af_netlink.c, net/socket.c).

Each answers as the kernel does for AF_NETLINK, so a program finds family 16 and twelve bytes of name wherever it asks.
A descriptor with a high number that is not ours is none of our business: the kernel answers.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable
from resource import RLIMIT_NOFILE, prlimit
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.sysctl import settings
from nlemu.emulator.launch.namespaces import nsfs
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.filter import F_DUPFD_CLOEXEC, UNIX_IOCTLS
from nlemu.protocol.uapi.netlink import NetlinkOpt
from nlemu.protocol.uapi.socket import AF_NETLINK, SOL_NETLINK, SOL_SOCKET, So

if TYPE_CHECKING:
    from nlemu.emulator.launch.sockets.channel import Channel
    from nlemu.emulator.machine.endpoint import Endpoint

SOCK_DGRAM, SOCK_RAW = 2, 3
SOCK_TYPE_MASK = 0xF
SOCK_NONBLOCK = os.O_NONBLOCK
SOCK_CLOEXEC = os.O_CLOEXEC
MAX_LINKS = 32
NOBODY = struct.pack("=iii", 0, -1, -1)  # struct ucred of a socket without a peer
ADDRESS = struct.Struct("=HHII")  # struct sockaddr_nl
LENGTH = struct.Struct("=i")
ADDRESS_STORAGE = 128
INT_MAX = 0x7FFFFFFF
MIN_SNDBUF = 4608  # SOCK_MIN_SNDBUF (include/net/sock.h)
HIGHEST_PRIORITY = 6
"""TC_PRIO_INTERACTIVE: beyond it wants a capability."""
UNIX_OPTIONS = (So.PEEK_OFF, So.PASSPIDFD, So.PASSRIGHTS)


def socket(call: Call) -> Answer:
    """socket(AF_NETLINK, ...): netlink_create()."""
    flags = call.cint(1)
    kind, protocol = flags & SOCK_TYPE_MASK, call.cint(2)
    if flags & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC) or flags < 0:
        raise OSError(errno.EINVAL, "flags")
    if kind not in (SOCK_RAW, SOCK_DGRAM):
        raise OSError(errno.ESOCKTNOSUPPORT, "type")
    if not 0 <= protocol < MAX_LINKS:
        raise OSError(errno.EPROTONOSUPPORT, "protocol")
    # Most programs open no netlink socket, and what answers is more than all that is imported for them.
    from nlemu.emulator.launch.sockets.channel import Channel

    supervisor = call.supervisor
    supervisor.confirm()
    channel = Channel(supervisor, supervisor.tasks.net(call.tid), protocol, kind, call.process.pid, call.tid)
    supervisor.channels[channel.inode] = channel
    channel.endpoint.descriptors = supervisor.descriptors(call.process.pid)
    supervisor.keep(channel.theirs.fileno())
    try:
        if flags & SOCK_NONBLOCK:
            channel.theirs.setblocking(False)
        return call.give(channel.theirs.fileno(), high=True, cloexec=bool(flags & SOCK_CLOEXEC), low=True)
    finally:
        channel.handed_over()


def of(call: Call) -> Channel | None:
    """The channel that the call's descriptor is; None when it is something else. OSError EBADF."""
    if not call.supervisor.channels:
        return None
    with call.borrow(call.cint(0)) as borrowed:
        channel = call.supervisor.channels.get(borrowed.inode)
    if channel is not None and call.supervisor.tasks.diverse:
        channel.judge(call.supervisor.tasks.cred(call.tid))
    return channel


def read_address(call: Call, address: int, length: int) -> tuple[int, int]:
    """Port id and groups of a sockaddr_nl in the caller's memory. OSError EINVAL, EFAULT."""
    if not 0 <= length <= ADDRESS_STORAGE:
        raise OSError(errno.EINVAL, "length of a name")
    if length < ADDRESS.size:
        call.read(address, max(length, 0))
        raise OSError(errno.EINVAL, "length of a name")
    family, _, port, groups = ADDRESS.unpack_from(call.read(address, length))
    if family != AF_NETLINK:
        raise OSError(errno.EINVAL, "family of a name")
    return port, groups


def write_address(call: Call, place: int, length_place: int, port: int, groups: int) -> None:
    """move_addr_to_user(): as much of the name as there is room for, and how long it is."""
    call.write_all(address_writes(call, place, length_place, port, groups))


def address_writes(call: Call, place: int, length_place: int, port: int, groups: int) -> list[tuple[int, bytes]]:
    """What that writes where. OSError EINVAL, EFAULT."""
    room = call.number(length_place)
    if room < 0:
        raise OSError(errno.EINVAL, "length of a name")
    return [(place, ADDRESS.pack(AF_NETLINK, 0, port, groups)[:room]), (length_place, LENGTH.pack(ADDRESS.size))]


def bind(call: Call) -> Answer:
    """netlink_bind(): the port id, and the first 32 groups as a mask."""
    channel = of(call)
    if channel is None:
        return PASS
    port, groups = read_address(call, call.args[1], call.cint(2))
    call.supervisor.confirm()
    channel.endpoint.bind(port)
    channel.endpoint.set_groups(groups)
    return 0


def connect(call: Call) -> Answer:
    """netlink_connect(): where to send, if nothing else is said. AF_UNSPEC undoes it."""
    channel = of(call)
    if channel is None:
        return PASS
    length = call.cint(2)
    if not 0 <= length <= ADDRESS_STORAGE:
        raise OSError(errno.EINVAL, "length of a name")
    raw = call.read(call.args[1], length)
    if length < 2:
        raise OSError(errno.EINVAL, "length of a name")
    family = int.from_bytes(raw[:2], "little")
    if family == 0:
        channel.peer, channel.endpoint.peer = (0, 0), None
        return 0
    if family != AF_NETLINK or length < ADDRESS.size:
        raise OSError(errno.EINVAL, "a name")
    _, _, port, groups = ADDRESS.unpack_from(raw)
    may_send_to_users(channel, port, groups)
    if not channel.endpoint.portid:
        channel.endpoint.bind()
    channel.peer, channel.endpoint.peer = (port, groups & -groups), port
    return 0


def may_send_to_users(channel: Channel, port: int, groups: int) -> None:
    """Of most protocols, only the kernel may be sent to by everybody (netlink_allowed(NL_CFG_F_NONROOT_SEND)).
    OSError EPERM."""
    endpoint = channel.endpoint
    if (port or groups) and not (endpoint.spec.nonroot_send or endpoint.credentials.net_admin):
        raise OSError(errno.EPERM, "sending to other programs wants CAP_NET_ADMIN")


def getsockname(call: Call) -> Answer:
    """netlink_getname()."""
    channel = of(call)
    if channel is None:
        return PASS
    write_address(call, call.args[1], call.args[2], *channel.endpoint.name())
    return 0


def getpeername(call: Call) -> Answer:
    """netlink_getname(peer)."""
    channel = of(call)
    if channel is None:
        return PASS
    write_address(call, call.args[1], call.args[2], *channel.peer)
    return 0


def not_supported(call: Call) -> Answer:
    """listen, accept: sock_no_listen() and its like."""
    if of(call) is None:
        return PASS
    raise OSError(errno.EOPNOTSUPP, call.name)


def is_of_unix(call: Call) -> bool:
    """Whether an ioctl() is of those that Unix sockets answer and netlink sockets do not."""
    return call.args[1] & 0xFFFFFFFF in UNIX_IOCTLS


def ioctl(call: Call) -> Answer:
    """netlink_ioctl(): it knows none. OSError ENOTTY."""
    if of(call) is None:
        return PASS
    raise OSError(errno.ENOTTY, "no such ioctl")


def setsockopt(call: Call) -> Answer:
    """netlink_setsockopt(), and of SOL_SOCKET what has to do with more than the Unix socket."""
    level, name, place, length = call.cint(1), call.cint(2), call.args[3], call.cint(4)
    channel = of(call)
    if channel is None:
        return PASS
    if length < 0:
        raise OSError(errno.EINVAL, "length of an option")
    endpoint = channel.endpoint
    if level == SOL_NETLINK:
        value = call.number(place) & 0xFFFFFFFF if length >= 4 else 0
        if length < 4 and name in (NetlinkOpt.ADD_MEMBERSHIP, NetlinkOpt.DROP_MEMBERSHIP):
            value = 0
        endpoint.setsockopt(name, value)
        return 0
    if level != SOL_SOCKET:
        raise OSError(errno.ENOPROTOOPT, "level")
    if name not in SETTERS and name not in UNIX_OPTIONS:
        return PASS
    if length < 4:
        raise OSError(errno.EINVAL, "length of an option")
    if name in UNIX_OPTIONS:
        raise OSError(errno.EOPNOTSUPP, "an option of Unix sockets")
    SETTERS[So(name)](channel, call.number(place))
    return 0


# Options of SOL_SOCKET


def _set_passcred(channel: Channel, value: int) -> None:
    channel.passcred = bool(value)


def _set_rcvbuf(channel: Channel, value: int) -> None:
    endpoint = channel.endpoint
    endpoint.set_rcvbuf(min(value & 0xFFFFFFFF, most(endpoint, "core/rmem_max")) * 2)


def _force_rcvbuf(channel: Channel, value: int) -> None:
    _want_admin(channel)
    channel.endpoint.set_rcvbuf(min(max(value, 0), INT_MAX // 2) * 2)


def _set_sndbuf(channel: Channel, value: int) -> None:
    endpoint = channel.endpoint
    endpoint.sndbuf = max(min(value & 0xFFFFFFFF, most(endpoint, "core/wmem_max")) * 2, MIN_SNDBUF)


def _force_sndbuf(channel: Channel, value: int) -> None:
    _want_admin(channel)
    channel.endpoint.sndbuf = max(min(max(value, 0), INT_MAX // 2) * 2, MIN_SNDBUF)


def _set_debug(channel: Channel, value: int) -> None:
    if value:
        _want_admin(channel, errno.EACCES)
    channel.options[So.DEBUG] = int(bool(value))


def _set_priority(channel: Channel, value: int) -> None:
    if not 0 <= value <= HIGHEST_PRIORITY:
        _want_admin(channel)
    channel.options[So.PRIORITY] = value


def _set_mark(channel: Channel, value: int) -> None:
    _want_admin(channel)
    channel.options[So.MARK] = value


def _set_prefer_busy_poll(channel: Channel, value: int) -> None:
    if value:
        _want_admin(channel)
    channel.options[So.PREFER_BUSY_POLL] = int(bool(value))


def _set_busy_poll_budget(channel: Channel, value: int) -> None:
    if value > channel.options[So.BUSY_POLL_BUDGET]:
        _want_admin(channel)
    if not 0 <= value <= 0xFFFF:
        raise OSError(errno.EINVAL, "not a budget")
    channel.options[So.BUSY_POLL_BUDGET] = value


def _want_admin(channel: Channel, refusal: int = errno.EPERM) -> None:
    """sockopt_capable(). OSError `refusal`."""
    if not channel.endpoint.credentials.admin:
        raise OSError(refusal, "CAP_NET_ADMIN")


SETTERS: dict[So, Callable[[Channel, int], None]] = {
    So.PASSCRED: _set_passcred, So.RCVBUF: _set_rcvbuf, So.RCVBUFFORCE: _force_rcvbuf,
    So.SNDBUF: _set_sndbuf, So.SNDBUFFORCE: _force_sndbuf,
    So.DEBUG: _set_debug, So.PRIORITY: _set_priority, So.MARK: _set_mark,
    So.PREFER_BUSY_POLL: _set_prefer_busy_poll, So.BUSY_POLL_BUDGET: _set_busy_poll_budget,
}
"""sk_setsockopt(): what is the endpoint's, and what wants capabilities that the program has on the emulated kernel
alone. Everything else is kept by the Unix socket."""


def most(endpoint: Endpoint, setting: str) -> int:
    """net.core.rmem_max, net.core.wmem_max: the most that SO_RCVBUF and SO_SNDBUF take, in bytes."""
    net = endpoint.net
    return int(settings(net.kernel.build)[setting].read(net))


def getsockopt(call: Call) -> Answer:
    """netlink_getsockopt(), and of SOL_SOCKET what would tell a Unix socket from a netlink one."""
    level, name, place, length_place = call.cint(1), call.cint(2), call.args[3], call.args[4]
    channel = of(call)
    if level == SOL_SOCKET and name == So.NETNS_COOKIE:
        return netns_cookie(call, channel)
    if channel is None:
        return PASS
    endpoint = channel.endpoint
    if level == SOL_NETLINK:
        room = call.number(length_place)
        if room < 0:
            raise OSError(errno.EINVAL, "length of an option")
        if name == NetlinkOpt.LIST_MEMBERSHIPS:
            groups = endpoint.memberships()
            call.write(place, groups[: room & ~3])
            call.write(length_place, struct.pack("=i", len(groups)))
            return 0
        value = endpoint.getsockopt(name)
        if room < 4:
            raise OSError(errno.EINVAL, "length of an option")
        call.write(length_place, struct.pack("=i", 4))
        call.write(place, struct.pack("=i", value))
        return 0
    if level != SOL_SOCKET:
        raise OSError(errno.ENOPROTOOPT, "level")
    match name:
        case So.TYPE:
            value = channel.kind
        case So.PROTOCOL:
            value = endpoint.protocol
        case So.DOMAIN:
            value = AF_NETLINK
        case So.ERROR:
            value = errno.ENOBUFS if endpoint.overrun() else 0
        case So.RCVBUF:
            value = endpoint.rcvbuf
        case So.SNDBUF:
            value = endpoint.sndbuf
        case So.PASSCRED:
            value = int(channel.passcred)
        case So.PEERCRED:
            return put_option(call, place, length_place, NOBODY)
        case So.PEERNAME:
            return peername(call, channel)
        case So.MEMINFO:
            return put_option(call, place, length_place, meminfo(endpoint))
        case _ if name in UNIX_OPTIONS:
            raise OSError(errno.EOPNOTSUPP, "an option of Unix sockets")
        case So.BUSY_POLL_BUDGET:
            raise OSError(errno.ENOPROTOOPT, "it is only set")
        case _ if name in channel.options:
            value = channel.options[So(name)]
        case _:
            return PASS
    return put_option(call, place, length_place, struct.pack("=i", value))


def put_option(call: Call, place: int, length_place: int, value: bytes) -> int:
    """sk_getsockopt(): as much of a value as there is room for, and how much that was. OSError EINVAL."""
    room = call.number(length_place)
    if room < 0:
        raise OSError(errno.EINVAL, "length of an option")
    call.write(place, value[:room])
    call.write(length_place, struct.pack("=i", min(room, len(value))))
    return 0


def meminfo(endpoint: Endpoint) -> bytes:
    """sk_get_meminfo(): what is received, the room for it, and how much was lost; nothing waits to be sent."""
    return struct.pack("=9I", endpoint.queued, endpoint.rcvbuf, 0, endpoint.sndbuf, 0, 0, 0, 0, endpoint.drops)


def peername(call: Call, channel: Channel) -> int:
    """SO_PEERNAME: getpeername(), cut to the room. OSError EINVAL."""
    room = call.number(call.args[4])
    if room > ADDRESS.size:
        raise OSError(errno.EINVAL, "room for more than the name")
    call.write(call.args[3], ADDRESS.pack(AF_NETLINK, 0, *channel.peer)[: max(room, 0)])
    return 0


def netns_cookie(call: Call, channel: Channel | None) -> Answer:
    """SO_NETNS_COOKIE of any socket: where it was opened, as far as that is known."""
    if channel is not None:
        return nsfs.cookie(call, channel.net)
    with call.borrow(call.cint(0)) as borrowed:
        return nsfs.cookie(call, call.supervisor.tasks.net(call.tid)) if borrowed.is_socket else PASS


def duplicate(call: Call) -> Answer:
    """dup(), fcntl(F_DUPFD): a copy of one of our descriptors has to have a high number too."""
    supervisor = call.supervisor
    fcntl_call = call.name == "fcntl"
    least = call.cint(2) if fcntl_call else 0
    if least < 0:
        raise OSError(errno.EINVAL, "number of a descriptor")
    with call.borrow(call.cint(0)) as borrowed:
        if not supervisor.is_ours(borrowed):
            return PASS
        if fcntl_call and least >= prlimit(call.process.pid, RLIMIT_NOFILE)[0]:
            raise OSError(errno.EINVAL, "number of a descriptor")
        cloexec = fcntl_call and call.cint(1) == F_DUPFD_CLOEXEC
        low = borrowed.inode in supervisor.channels
        return call.give(borrowed.fd, high=True, cloexec=cloexec, least=least, low=low)


def close(call: Call) -> Answer:
    """Only handed over where we have a copy of the program's end, and do not hear of it by ourselves."""
    call.supervisor.suspect()
    return PASS


def nonblocking(fd: int) -> bool:
    """Whether the file is in that mode."""
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK)
