"""Which descriptors of programs are netlink sockets of the real kernel, and what is known of these.

A socket is known by its inode, whoever has it under whatever number. Those that programs open are heard of; one that
was open before, or was handed over by somebody else, is borrowed for a moment and asked (trap/borrow.py).
"""

from __future__ import annotations

import os
import socket as sockets
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass

from nlemu.emulator.launch.trap.borrow import Borrowed
from nlemu.emulator.launch.trap.task import status
from nlemu.protocol.uapi.socket import AF_NETLINK, SOL_SOCKET, So

FIRST = "init"
"""What the namespace is called in which the recording begins, as in a world."""
NAMED = "run/netns"


@dataclass
class Netlink:
    """A netlink socket: its protocol, its namespace's name, its port id once it has one."""

    protocol: int
    network: str
    port: int | None = None


class Sockets:
    """All that were heard of."""

    def __init__(self) -> None:
        self._by_inode: dict[int, Netlink | None] = {}
        self._names: dict[int, str] = {}
        """Of namespaces, by their cookies, or inode numbers where these cannot be asked for."""
        inode = os.stat("/proc/self/ns/net").st_ino
        self._names[inode] = FIRST
        with sockets.socket(sockets.AF_UNIX) as one, suppress(OSError):
            self._names[_cookie(one)] = FIRST

    def opened(self, tid: int, fd: int, protocol: int) -> None:
        """A thread has opened a netlink socket. OSError: it is gone."""
        inode = os.stat(f"/proc/{tid}/fd/{fd}").st_ino
        cookie = None
        with suppress(OSError), borrowed(tid, fd) as one, _socket_of(one) as copy:
            cookie = _cookie(copy)
        self._by_inode[inode] = self._new(tid, protocol, cookie)

    def find(self, tid: int, fd: int) -> Netlink | None:
        """The netlink socket that a descriptor of a thread's is; None for anything else."""
        try:
            found = os.stat(f"/proc/{tid}/fd/{fd}")
        except OSError:
            return None
        if not stat.S_ISSOCK(found.st_mode):
            return None
        if found.st_ino not in self._by_inode:
            self._by_inode[found.st_ino] = self._ask(tid, fd)
        return self._by_inode[found.st_ino]

    def ends(self, tid: int, fd: int, found: Netlink) -> int:
        """The port id to which the socket is connected, 0 for the kernel; learns its own."""
        try:
            with borrowed(tid, fd) as one, _socket_of(one) as copy:
                found.port = copy.getsockname()[0] or None
                peer: int = copy.getpeername()[0]
                return peer
        except OSError:
            return 0

    def _new(self, tid: int, protocol: int, cookie: int | None) -> Netlink:
        return Netlink(protocol, self._network(tid, cookie))

    def _ask(self, tid: int, fd: int) -> Netlink | None:
        with suppress(OSError), borrowed(tid, fd) as one, _socket_of(one) as copy:
            if copy.family == AF_NETLINK:
                return self._new(tid, copy.proto, _cookie(copy))
        return None

    def _network(self, tid: int, cookie: int | None) -> str:
        """The name of a socket's network namespace, which is that of the thread that has it: as /run/netns has it where
        the thread is, or its inode number. That of one that is gone may be used again; a cookie is not."""
        if cookie in self._names:
            return self._names[cookie]
        try:
            inode = os.stat(f"/proc/{tid}/ns/net").st_ino
        except OSError:
            return FIRST
        key = inode if cookie is None else cookie
        if key not in self._names:
            self._names[key] = _name_of(inode, tid) or self._unused(str(inode))
        return self._names[key]

    def _unused(self, name: str) -> str:
        """That name, or with a number behind it if another namespace had it."""
        taken, number, free = set(self._names.values()), 1, name
        while free in taken:
            number += 1
            free = f"{name}-{number}"
        return free


def borrowed(tid: int, fd: int) -> Borrowed:
    """A descriptor of a thread's process. OSError."""
    pid, _ = status(tid)
    pidfd = os.pidfd_open(pid)
    try:
        return Borrowed(pidfd, fd)
    finally:
        os.close(pidfd)


def _socket_of(one: Borrowed) -> sockets.socket:
    return sockets.socket(fileno=os.dup(one.fd))


def _cookie(one: sockets.socket) -> int:
    """What no other network namespace has had since the machine was booted (Linux 5.14). OSError."""
    return int.from_bytes(one.getsockopt(SOL_SOCKET, So.NETNS_COOKIE, 8), sys.byteorder)


def _name_of(inode: int, tid: int) -> str | None:
    for place in (f"/proc/{tid}/root/{NAMED}", f"/{NAMED}"):
        with suppress(OSError):
            for name in sorted(os.listdir(place)):
                with suppress(OSError):
                    if os.stat(f"{place}/{name}").st_ino == inode:
                        return name
    return None
