"""What a program does with an open /dev/net/tun: tun_chr_read_iter(), tun_chr_write_iter(), __tun_chr_ioctl().

A command's argument is a number, or a place in the caller's memory; which, the tables say.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel import tun_file
from nlemu.emulator.kernel.links.tun import TAP, state_of
from nlemu.emulator.launch.ioctls import interface
from nlemu.emulator.launch.ioctls.caller import IFREQ, name_of
from nlemu.emulator.launch.sockets import messages
from nlemu.emulator.launch.sockets.calls import nonblocking
from nlemu.emulator.launch.trap.call import ANSWERED, Answer, Call
from nlemu.emulator.launch.trap.credentials import CAP_NET_ADMIN, UserNamespace
from nlemu.emulator.launch.tun.device import LONGEST, OpenTun
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.if_ether import ETH_ALEN
from nlemu.protocol.uapi.if_tun import TunIff, TunIoctl
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

UINT = struct.Struct("=I")
INT = struct.Struct("=i")
FLAGS = struct.Struct("=H")
FILTER = struct.Struct("=HH")
"""struct tun_filter, without its addresses"""
SOCK_FPROG = 16
FEATURES = int(
    TunIff.TUN | TunIff.TAP | TunIff.NO_CARRIER | TunIff.NO_PI | TunIff.ONE_QUEUE | TunIff.VNET_HDR
    | TunIff.MULTI_QUEUE | TunIff.NAPI | TunIff.NAPI_FRAGS
)
"""What TUNGETFEATURES says."""


def read(call: Call, tun: OpenTun) -> Answer:
    """A packet is waited for, and none comes. EBADFD: there is no device; EFAULT: it goes meanwhile."""
    tun.file.device()
    with call.borrow(call.cint(0)) as borrowed:
        if nonblocking(borrowed.fd):
            raise OSError(errno.EAGAIN, "no packet")
        held = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=os.dup(borrowed.fd))
    call.supervisor.wait(call, tun, partial(_look, tun), None, held, lambda: 0)
    return ANSWERED


def _look(tun: OpenTun) -> Answer | None:
    if tun.file.dev is None:
        raise OSError(errno.EFAULT, "the device is gone")
    return None


def write(call: Call, tun: OpenTun) -> Answer:
    """A packet."""
    tun.file.device()
    if call.name == "write":
        pieces = [(call.args[1], call.args[2])]
    else:
        pieces = messages.vectors(call, call.args[1], call.args[2], errno.EINVAL)
    return tun.file.write(messages.gather(call, pieces, LONGEST))


# Commands


def ioctl(call: Call, tun: OpenTun) -> Answer:
    """One of them. OSError, Refusal: EBADFD for most, before there is a device; EINVAL: there is no such command."""
    try:
        return _answer(call, tun)
    finally:
        call.supervisor.settle()


def _answer(call: Call, tun: OpenTun) -> Answer:
    command, argument = call.args[1] & 0xFFFFFFFF, call.args[2]
    early = EARLY.get(command)
    if early is not None:
        return early(call, tun, argument)
    dev = tun.file.device()
    by_value = BY_VALUE.get(command)
    if by_value is not None:
        by_value(dev, argument)
        return 0
    answer = BY_PLACE.get(command)
    if answer is None:
        raise OSError(errno.EINVAL, "no such command")
    return answer(call, tun, dev, argument)


def _features(call: Call, tun: OpenTun, place: int) -> Answer:
    call.write(place, UINT.pack(FEATURES))
    return 0


def _set_queue(call: Call, tun: OpenTun, place: int) -> Answer:
    tun.file.set_queue(FLAGS.unpack_from(call.read(place, IFREQ), IFNAMSIZ)[0])
    return 0


def _set_iff(call: Call, tun: OpenTun, place: int) -> Answer:
    data = call.read(place, IFREQ)
    name = data[: IFNAMSIZ - 1].split(b"\0")[0].decode("utf-8", "surrogateescape")
    flags = FLAGS.unpack_from(data, IFNAMSIZ)[0]
    name = tun.file.set_iff(name, flags, call.supervisor.tuns.caller(call.tid))
    call.write(place, name_of(name) + data[IFNAMSIZ:])
    return 0


def _set_ifindex(call: Call, tun: OpenTun, place: int) -> Answer:
    if tun.file.dev is not None:
        raise OSError(errno.EPERM, "there is a device")
    tun.file.set_ifindex(INT.unpack(call.read(place, INT.size))[0])
    return 0


def _namespace(call: Call, net: Net) -> Answer:
    supervisor = call.supervisor
    if not supervisor.capable(call.tid, CAP_NET_ADMIN, net):
        raise OSError(errno.EPERM, "CAP_NET_ADMIN")
    fd = supervisor.namespaces.open(net)
    try:
        return call.give(fd, high=False, cloexec=True)
    finally:
        os.close(fd)


def _own_namespace(call: Call, tun: OpenTun, place: int) -> Answer:
    return _namespace(call, tun.file.net)


def _get_iff(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    name, flags = tun.file.get_iff()
    call.write(place, (name_of(name) + FLAGS.pack(flags)).ljust(IFREQ, b"\0"))
    return 0


def _set_owner(call: Call, tun: OpenTun, dev: Device, owner: int) -> Answer:
    """make_kuid(): an id of the caller's user namespace."""
    tun_file.set_owner(dev, _id(call.supervisor.tasks.cred(call.tid).space.users, owner))
    return 0


def _set_group(call: Call, tun: OpenTun, dev: Device, group: int) -> Answer:
    tun_file.set_group(dev, _id(call.supervisor.tasks.cred(call.tid).space.groups, group))
    return 0


def _id(table: tuple[tuple[int, int, int], ...], number: int) -> int:
    found = UserNamespace.outside(table, number & 0xFFFFFFFF)
    return tun_file.NOBODY if found is None else found


def _set_filter(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    _want_tap(dev)
    _flags, count = FILTER.unpack(call.read(place, FILTER.size))
    data = call.read(place + FILTER.size, ETH_ALEN * count) if count else b""
    return tun_file.set_filter(dev, tuple(data[at : at + ETH_ALEN] for at in range(0, len(data), ETH_ALEN)))


def _attach_filter(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    _want_tap(dev)
    tun_file.attach_filter(dev, call.read(place, SOCK_FPROG))
    return 0


def _detach_filter(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    _want_tap(dev)
    tun_file.detach_filter(dev)
    return 0


def _get_filter(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    _want_tap(dev)
    call.write(place, state_of(dev).program)
    return 0


def _want_tap(dev: Device) -> None:
    if not state_of(dev).flags & TAP:
        raise OSError(errno.EINVAL, "not a tap")


def _get_hardware_address(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    """netif_get_mac_address(), into an ifreq that is otherwise empty."""
    call.write(place, (bytes(IFNAMSIZ) + interface.hardware_address(dev)).ljust(IFREQ, b"\0"))
    return 0


def _set_hardware_address(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    """dev_set_mac_address_user()."""
    interface.set_hardware_address(dev, call.read(place, IFREQ)[IFNAMSIZ:])
    return 0


def _number(value: Callable[[OpenTun, Device], int]) -> Command:
    def answer(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
        call.write(place, INT.pack(value(tun, dev)))
        return 0

    return answer


def _take(take: Callable[[Device, int], object]) -> Command:
    def answer(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
        take(dev, INT.unpack(call.read(place, INT.size))[0])
        return 0

    return answer


def _set_little_endian(dev: Device, value: int) -> None:
    """tun_set_vnet_le()."""
    tun = state_of(dev)
    tun.flags = tun.flags | tun_file.VNET_LE if value else tun.flags & ~tun_file.VNET_LE


def _no_program(call: Call, tun: OpenTun, dev: Device, place: int) -> Answer:
    """tun_set_ebpf(): -1 for none is taken, and a program, which would have to be run on contents that no packet here
    has, is taken and forgotten."""
    call.read(place, INT.size)
    return 0


Early = Callable[[Call, "OpenTun", int], Answer]
Command = Callable[[Call, "OpenTun", "Device", int], Answer]

EARLY: dict[int, Early] = {
    TunIoctl.GETFEATURES: _features,
    TunIoctl.SETQUEUE: _set_queue,
    TunIoctl.SETIFF: _set_iff,
    TunIoctl.SETIFINDEX: _set_ifindex,
    Sioc.GSKNS: _own_namespace,
}
"""Those that need no device yet."""

BY_VALUE: dict[int, Callable[[Device, int], object]] = {
    TunIoctl.SETNOCSUM: lambda dev, value: None,
    TunIoctl.SETPERSIST: lambda dev, value: tun_file.set_persist(dev, bool(value)),
    TunIoctl.SETLINK: tun_file.set_link_type,
    TunIoctl.SETDEBUG: lambda dev, value: dev.ops.set_msglevel(dev, value & 0xFFFFFFFF),
    TunIoctl.SETOFFLOAD: tun_file.set_offload,
}
"""Those whose argument is a number."""

BY_PLACE: dict[int, Command] = {
    TunIoctl.GETIFF: _get_iff,
    TunIoctl.SETOWNER: _set_owner,
    TunIoctl.SETGROUP: _set_group,
    TunIoctl.SETTXFILTER: _set_filter,
    TunIoctl.ATTACHFILTER: _attach_filter,
    TunIoctl.DETACHFILTER: _detach_filter,
    TunIoctl.GETFILTER: _get_filter,
    TunIoctl.GETSNDBUF: _number(lambda tun, dev: tun.file.sndbuf),
    TunIoctl.SETSNDBUF: _take(tun_file.set_sndbuf),
    TunIoctl.GETVNETHDRSZ: _number(lambda tun, dev: state_of(dev).vnet_hdr_sz),
    TunIoctl.SETVNETHDRSZ: _take(tun_file.set_vnet_header),
    TunIoctl.GETVNETLE: _number(lambda tun, dev: int(bool(state_of(dev).flags & tun_file.VNET_LE))),
    TunIoctl.SETVNETLE: _take(_set_little_endian),
    TunIoctl.SETCARRIER: _take(lambda dev, value: dev.ops.change_carrier(dev, bool(value))),
    TunIoctl.SETSTEERINGEBPF: _no_program,
    TunIoctl.SETFILTEREBPF: _no_program,
    TunIoctl.GETDEVNETNS: lambda call, tun, dev, place: _namespace(call, dev.net),
    Sioc.GIFHWADDR: _get_hardware_address,
    Sioc.SIFHWADDR: _set_hardware_address,
}
"""Those whose argument is a place, or that need more than the device."""
