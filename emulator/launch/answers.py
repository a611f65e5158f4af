"""Who answers which of the calls that the filter hands over.

What most programs do without (tuns, rings, BPF, AF_XDP, ioctls) is imported by the first call that asks for it: every
module more is time that each `nlemu run` takes to start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.launch import identity
from nlemu.emulator.launch.files import calls as path_calls
from nlemu.emulator.launch.namespaces import calls as namespace_calls
from nlemu.emulator.launch.sockets import calls as socket_calls
from nlemu.emulator.launch.sockets import messages
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.filter import RING_CALLS, VFS_IOCTLS
from nlemu.protocol.uapi.socket import AF_XDP

if TYPE_CHECKING:
    from nlemu.emulator.launch.tun.device import OpenTun

Function = Callable[[Call], Answer]


def _ioctl(call: Call) -> Answer:
    command = call.args[1] & 0xFFFFFFFF
    if command in VFS_IOCTLS:
        return PASS
    tun = _tun(call)
    if tun is not None:
        from nlemu.emulator.launch.tun import calls as tun_calls

        return tun_calls.ioctl(call, tun)
    if socket_calls.is_of_unix(call):
        return socket_calls.ioctl(call)
    from nlemu.emulator.launch.ioctls import calls as ioctl_calls

    return ioctl_calls.ioctl(call)


def _read(call: Call) -> Answer:
    tun = _tun(call)
    if tun is None:
        return messages.read(call)
    from nlemu.emulator.launch.tun import calls as tun_calls

    return tun_calls.read(call, tun)


def _write(call: Call) -> Answer:
    tun = _tun(call)
    if tun is None:
        return messages.write(call)
    from nlemu.emulator.launch.tun import calls as tun_calls

    return tun_calls.write(call, tun)


def _tun(call: Call) -> OpenTun | None:
    """The open /dev/net/tun that a call is made on."""
    tuns = call.supervisor.tuns
    if not tuns.by_inode:
        return None
    with call.borrow(call.cint(0)) as borrowed:
        return tuns.behind(borrowed)


def _socket(call: Call) -> Answer:
    """Of netlink or AF_XDP. With the first of these, calls on sockets are asked for them too."""
    if call.cint(0) != AF_XDP:
        return socket_calls.socket(call)
    from nlemu.emulator.launch.xsk import calls as xsk_calls

    call.supervisor.ask_first("AF_XDP", xsk_calls.CALLS, xsk_calls.answers)
    return xsk_calls.socket(call)


def _bpf(call: Call) -> Answer:
    """bpf(), which most programs do without."""
    from nlemu.emulator.launch.bpf import calls as bpf_calls

    return bpf_calls.bpf(call)


def _ring(name: str) -> Function:
    """A call of rings, of which most programs make none."""

    def answer(call: Call) -> Answer:
        from nlemu.emulator.launch.rings import calls as ring_calls

        return ring_calls.CALLS[name](call)

    return answer


CALLS: dict[str, Function] = {
    "socket": _socket,
    "bind": socket_calls.bind,
    "connect": socket_calls.connect,
    "getsockname": socket_calls.getsockname,
    "getpeername": socket_calls.getpeername,
    "setsockopt": socket_calls.setsockopt,
    "getsockopt": socket_calls.getsockopt,
    "listen": socket_calls.not_supported,
    "accept": socket_calls.not_supported,
    "accept4": socket_calls.not_supported,
    "shutdown": socket_calls.not_supported,
    "dup": socket_calls.duplicate,
    "fcntl": socket_calls.duplicate,
    "close": socket_calls.close,
    "sendto": messages.sendto,
    "sendmsg": messages.sendmsg,
    "sendmmsg": messages.sendmmsg,
    "write": _write,
    "writev": _write,
    "pwrite64": messages.write,
    "pwritev": messages.write,
    "pwritev2": messages.write,
    "read": _read,
    "readv": _read,
    "recvfrom": messages.recvfrom,
    "recvmsg": messages.recvmsg,
    "recvmmsg": messages.recvmmsg,
    "bpf": _bpf,
    **identity.CALLS,
    "ioctl": _ioctl,
    **{name: _ring(name) for name in RING_CALLS},
    **namespace_calls.CALLS,
    **path_calls.CALLS,
}
"""Who answers which call."""
