"""The files that stand for network namespaces (fs/nsfs.c): what a program opens, and what can be asked of it.

A namespace's file is an empty file in a directory of ours, made when somebody first looks. Its inode number is the
namespace's name for programs: links say it (`net:[N]`), stat() and fstat() agree with them, and by it a descriptor is
known again. The kernel tells us when somebody closes such a file (inotify, of the directory), so that a namespace which
only a descriptor held goes with it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.launch.trap import statfs
from nlemu.emulator.launch.trap.borrow import Borrowed
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.closings import read_closings, watch_closings
from nlemu.emulator.launch.trap.filter import CLONE_NEWNET
from nlemu.protocol.uapi.nsfs import NSFS_MAGIC, NsIoctl
from nlemu.protocol.uapi.sockios import Sioc

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

COMMANDS = frozenset((Sioc.GSKNS, *NsIoctl))
MANY = 64


class NamespaceFiles:
    """The files, by namespace and by inode. place: the directory for them, which is made."""

    def __init__(self, place: str) -> None:
        self.place = place
        os.mkdir(place, 0o755)
        self._found: dict[Net, os.stat_result] = {}
        self._nets: dict[tuple[int, int], Net] = {}
        self._enough = MANY
        """With so many, those of dead namespaces are looked for."""
        self.closings = watch_closings(place)
        """Can be read when somebody has closed a namespace's file; None: what is closed is seen when somebody leaves a
        namespace."""

    def _path(self, net: Net) -> str:
        return os.path.join(self.place, str(net.inum))

    def identity(self, net: Net) -> os.stat_result:
        """What stat() tells of the file."""
        found = self._found.get(net)
        if found is None:
            self._bury()
            fd = os.open(self._path(net), os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o444)
            try:
                found = self._found[net] = os.fstat(fd)
            finally:
                os.close(fd)
            self._nets[found.st_dev, found.st_ino] = net
        return found

    def _bury(self) -> None:
        if len(self._found) >= self._enough:
            for net in [net for net in self._found if net.dying]:
                self.forget(net)
            self._enough = 2 * len(self._found) + MANY

    def link(self, net: Net) -> str:
        """ns_get_name(): what links to it say."""
        return f"net:[{self.identity(net).st_ino}]"

    def open(self, net: Net) -> int:
        """The file, open anew."""
        self.identity(net)
        return os.open(self._path(net), os.O_RDONLY | os.O_CLOEXEC)

    def behind(self, device: int, inode: int) -> Net | None:
        """The namespace that a file stands for."""
        return self._nets.get((device, inode))

    def forget(self, net: Net) -> None:
        """Nobody has the file open, nor will have."""
        found = self._found.pop(net, None)
        if found is not None:
            del self._nets[found.st_dev, found.st_ino]
            os.unlink(self._path(net))

    def heard(self) -> None:
        """Takes what `closings` had to say."""
        assert self.closings is not None
        for _ in read_closings(self.closings):
            pass

    def close(self) -> None:
        """No more is heard of closings."""
        if self.closings is not None:
            os.close(self.closings)


def fstatfs(call: Call) -> Answer:
    """fstatfs() of a namespace's file."""
    with call.borrow(call.cint(0)) as borrowed:
        if call.supervisor.namespaces.behind(borrowed) is None:
            return PASS
    call.write(call.args[1], statfs.empty(NSFS_MAGIC))
    return 0


def ioctl(call: Call) -> Answer:
    """ns_ioctl(), and SIOCGSKNS (sock_ioctl()): the namespace of a socket."""
    command = call.args[1] & 0xFFFFFFFF
    with call.borrow(call.cint(0)) as borrowed:
        if command == Sioc.GSKNS:
            return _of_socket(call, borrowed)
        net = call.supervisor.namespaces.behind(borrowed)
    if net is None:
        return PASS
    match command:
        case NsIoctl.NSTYPE:
            return CLONE_NEWNET
        case NsIoctl.USERNS:
            return _user_namespace(call)
        case NsIoctl.PARENT | NsIoctl.OWNER_UID | NsIoctl.MNTNS_ID:
            raise OSError(errno.EINVAL, "not of a network namespace")
        case NsIoctl.ID:
            call.write(call.args[2], struct.pack("=Q", net.cookie))  # net_cookie is ns_id (net_namespace.c)
            return 0
    raise OSError(errno.ENOTTY, "no such ioctl")


def _user_namespace(call: Call) -> Answer:
    fd = os.open(f"/proc/{call.tid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return call.give(fd, high=False, cloexec=True)
    finally:
        os.close(fd)


def _of_socket(call: Call, borrowed: Borrowed) -> Answer:
    """get_net_ns() of a socket: where it was opened, as far as that is known."""
    supervisor = call.supervisor
    channel = supervisor.channels.get(borrowed.inode)
    if channel is None and not borrowed.is_socket:
        return PASS
    net = supervisor.tasks.net(call.tid) if channel is None else channel.net
    fd = supervisor.namespaces.open(net)
    try:
        return call.give(fd, high=False, cloexec=True)
    finally:
        os.close(fd)


def cookie(call: Call, net: Net) -> int:
    """SO_NETNS_COOKIE (sk_getsockopt()). OSError EINVAL."""
    room_place = call.args[4]
    if call.number(room_place) != ctypes.sizeof(ctypes.c_uint64):
        raise OSError(errno.EINVAL, "length of an option")
    call.write(call.args[3], struct.pack("=Q", net.cookie))
    return 0
