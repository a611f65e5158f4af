"""asm-generic/socket.h and linux/socket.h: what a program says to socket(), getsockopt() and sendmsg()."""

from enum import IntEnum

AF_UNSPEC = 0
AF_INET = 2
AF_BRIDGE = 7
AF_INET6 = 10
AF_NETLINK = 16
AF_PACKET = 17
AF_MPLS = 28
AF_XDP = 44
SOL_SOCKET = 1
SOL_NETLINK = 270
SOL_XDP = 283
SCM_RIGHTS = 1
SCM_CREDENTIALS = 2


class So(IntEnum):
    """Options of SOL_SOCKET: SO_*."""

    DEBUG = 1
    TYPE = 3
    ERROR = 4
    SNDBUF = 7
    RCVBUF = 8
    PRIORITY = 12
    PASSCRED = 16
    PEERCRED = 17
    PEERNAME = 28
    SNDBUFFORCE = 32
    RCVBUFFORCE = 33
    MARK = 36
    PROTOCOL = 38
    DOMAIN = 39
    PEEK_OFF = 42
    BUSY_POLL = 46
    MEMINFO = 55
    PREFER_BUSY_POLL = 69
    BUSY_POLL_BUDGET = 70
    NETNS_COOKIE = 71
    PASSPIDFD = 76
    PASSRIGHTS = 83
