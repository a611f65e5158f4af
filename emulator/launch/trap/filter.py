"""Which system calls are handed over: the filter, as data.

What a call is about can be told from its arguments for descriptors (ours have high numbers), families, flags and ioctl
numbers. Paths lie behind a pointer, so a call that takes one is always handed over; that costs a program some ten
microseconds for each file it opens, and nothing for what it does with it afterwards.

A send is always handed over: the kernel has answered when it returns, so have we.

A receive that shows no address, has room for whatever the kernel would send and takes no flags can be left to the Unix
socket, but for read(), by which tuns are read: receive lengths below 32 KiB tell the endpoint how to split a dump, and
with MSG_DONTWAIT a program expects to find the answer to what it has just sent.

A descriptor of ours may have been moved to a low number (dup2()), or come from another program (SCM_RIGHTS). So calls
that only sockets take, with a name or with ancillary data, are handed over at any number, and so are the options of
netlink's level and those by which a Unix socket would give itself away. What is left to the kernel there are send(),
recv(), read() and write(), which every program makes on sockets, pipes and files all the time. And a shell moves a file
that it writes to (`echo 1 > file`) to its standard output, so short writes there are handed over.
"""

from __future__ import annotations

from nlemu.emulator.launch.trap.architectures import Architecture
from nlemu.emulator.launch.trap.credentials import Pr
from nlemu.emulator.launch.trap.instructions import (
    RET_ERRNO,
    Condition,
    Instruction,
    Rule,
    assemble,
    below,
    equals,
    has,
    lacks,
    not_null,
    within,
)
from nlemu.protocol.uapi.bpf import BpfCmd
from nlemu.protocol.uapi.if_tun import TunIoctl
from nlemu.protocol.uapi.nsfs import NsIoctl
from nlemu.protocol.uapi.socket import AF_NETLINK, AF_XDP, SOL_NETLINK, SOL_SOCKET, SOL_XDP, So
from nlemu.protocol.uapi.sockios import Sioc

MSG_TRUNC = 0x20
AT_EMPTY_PATH = 0x1000
F_DUPFD = 0
F_DUPFD_CLOEXEC = 1030
CLONE_THREAD = 0x00010000
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SOCKADDR_NL, SOCKADDR_XDP = 12, 16
"""How long a name of netlink is, and one of AF_XDP, in bytes."""
STDOUT = 1
SHORT = 257
"""Writes of less than this many bytes are: what the files of devices take (IFALIASZ and a newline)."""
ROOM = 32768
"""A reader with this much room takes every datagram whole (netlink_recvmsg() counts no more)."""
LONGEST = 1 << 20
"""More bytes than any datagram has."""
ENOSYS, ENOPROTOOPT, EOPNOTSUPP = 38, 92, 95
SOL_IP, SOL_IPV6 = 0, 41

HIGHEST = 0x7FFFFFFF

PATH_CALLS = (
    "openat", "open", "stat", "lstat", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "statx",
    "openat2", "creat", "mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "statfs", "inotify_add_watch", "chdir",
    "getxattr", "lgetxattr", "listxattr", "llistxattr", "execve", "execveat", "mount", "umount2", "getcwd",
    "chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat",
)
"""Handed over always; of getcwd() a path comes back. newfstatat is too, when it takes a path."""

SOCKET_CALLS = (
    "recvmsg", "recvmmsg", "sendmmsg", "getsockname", "getpeername", "listen", "accept", "accept4", "shutdown",
)
"""Handed over at any number: only sockets take them. So is sendmsg(), but for one number (`last_low()`)."""
UNIX_IOCTLS = (0x541B, 0x5411, 0x8905)
"""FIONREAD, TIOCOUTQ and SIOCATMARK, of which netlink sockets know nothing (asm-generic/ioctls.h, sockios.h)."""
VFS_IOCTLS = (0x5421, 0x5450, 0x5451, 0x5452, 0x5460)
"""FIONBIO, FIONCLEX, FIOCLEX, FIOASYNC and FIOQSIZE, which no file is asked about (do_vfs_ioctl())."""
ASKED = (So.TYPE, So.PROTOCOL, So.DOMAIN, So.ERROR, So.RCVBUF, So.PASSCRED, So.PEERCRED, So.MEMINFO)
TOLD = (So.PASSCRED, So.RCVBUF, So.RCVBUFFORCE, So.SNDBUFFORCE)
"""Options of SOL_SOCKET that are looked at at any number too."""

NEW_MOUNT_CALLS = ("open_tree", "move_mount", "fsopen", "fsmount", "fspick", "mount_setattr")
"""They do not exist: programs then use mount(), which we know how to play."""

RING_CALLS = ("io_uring_setup", "io_uring_enter", "io_uring_register")
"""Handed over always: what goes through a ring of this machine passes every filter by, so programs have none."""
TABLES = (
    (SOL_IP, (64, 69)), (SOL_IP, (96, 99)), (SOL_IP, (128, 133)), (SOL_IP, (200, 212)), (SOL_IP, (1152, 1300)),
    (SOL_IPV6, (64, 65)), (SOL_IPV6, (68, 69)), (SOL_IPV6, (200, 212)),
)
"""Socket options, by level, of iptables, arptables, ebtables, multicast routers and IPVS (IPT_BASE_CTL, ARPT_BASE_CTL,
EBT_BASE_CTL, MRT_BASE, IP_VS_BASE_CTL; IP6T_BASE_CTL, MRT6_BASE): the tables are this machine's, so there are none."""
LAST_SOCKET_IOCTL = 0x89FF
"""Of the range that begins with SIOCADDRT (include/uapi/linux/sockios.h): routes, interfaces, bridges, VLANs, bonds,
address resolution, and what drivers and protocols have for themselves."""
TUN_IOCTLS = (
    (TunIoctl.SETNOCSUM, TunIoctl.SETCARRIER), (TunIoctl.GETFEATURES, TunIoctl.SETFILTEREBPF),
    (TunIoctl.ATTACHFILTER, TunIoctl.DETACHFILTER), (TunIoctl.GETFILTER, TunIoctl.GETFILTER),
    (TunIoctl.GETDEVNETNS, TunIoctl.GETDEVNETNS),
)
"""Ranges of the commands of an open /dev/net/tun."""
WIRELESS_IOCTLS = (0x8B00, 0x8BFF)  # SIOCIWFIRST to SIOCIWLASTPRIV

IDENTITY_CALLS = (
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "setuid", "setgid", "setreuid",
    "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "capget", "capset",
)
"""Handed over for a program that is to think that it is root: who it is, is followed from there (identity.py)."""


def last_low(base: int) -> int:
    """The number of the socket through which a program hands over its listener, when nobody listens yet."""
    return base - 1


def rules(base: int, *, root: bool, keep: bool = False) -> tuple[Rule, ...]:
    """The rules for descriptors of ours that are numbered from `base` on. root: the program sees itself as uid 0; keep:
    its descriptors cannot be borrowed (borrow.py)."""
    ours = within(0, base, HIGHEST)

    def high(*calls: str, when: tuple[Condition, ...] = ()) -> tuple[Rule, ...]:
        return tuple(Rule(call, (ours, *when)) for call in calls)

    return (
        *high("read"),
        *high("write", "writev", "pwrite64", "pwritev", "pwritev2", "readv"),
        Rule("recvfrom", (not_null(4),)),
        *high("recvfrom", when=(below(2, ROOM),)),
        *high("recvfrom", when=(has(3, ~MSG_TRUNC & 0xFFFFFFFF),)),
        *high("sendto"),
        *(Rule(call) for call in SOCKET_CALLS),
        Rule("sendmsg", (within(0, 0, last_low(base) - 1),)),
        *high("sendmsg"),
        *high("bind", "connect", "setsockopt", "getsockopt"),
        *high("ioctl"),
        *high("getdents64"),
        *high("dup", "dup2", "dup3"),
        *high("fcntl", when=(equals(1, F_DUPFD),)),
        *high("fcntl", when=(equals(1, F_DUPFD_CLOEXEC),)),
        *(high("close") if keep else ()),
        Rule("write", (equals(0, STDOUT), below(2, SHORT))),
        *(Rule(call, (equals(1, SOL_NETLINK),)) for call in ("setsockopt", "getsockopt")),
        *(Rule("getsockopt", (equals(1, SOL_SOCKET), equals(2, name))) for name in ASKED),
        *(Rule("setsockopt", (equals(1, SOL_SOCKET), equals(2, name))) for name in TOLD),
        *(Rule(call, (equals(2, SOCKADDR_NL),)) for call in ("bind", "connect")),
        Rule("sendto", (equals(5, SOCKADDR_NL),)),
        Rule("ioctl", (within(1, Sioc.ADDRT, LAST_SOCKET_IOCTL),)),
        *(Rule("ioctl", (within(1, *commands),)) for commands in TUN_IOCTLS),
        Rule("ioctl", (within(1, *WIRELESS_IOCTLS),), action=RET_ERRNO | EOPNOTSUPP),
        *(Rule("socket", (equals(0, family),)) for family in (AF_NETLINK, AF_XDP)),
        *(Rule(call, (equals(1, SOL_XDP),)) for call in ("setsockopt", "getsockopt")),
        Rule("bind", (equals(2, SOCKADDR_XDP),)),
        Rule("newfstatat", (lacks(3, AT_EMPTY_PATH),)),
        *(Rule(call) for call in PATH_CALLS),
        *(Rule("bpf", (equals(0, command),)) for command in BpfCmd),
        *(Rule("ioctl", (equals(1, command),)) for command in (Sioc.GSKNS, *NsIoctl)),
        Rule("getsockopt", (equals(1, SOL_SOCKET), equals(2, So.NETNS_COOKIE))),
        Rule("fstatfs"),
        Rule("setns"),
        Rule("unshare", (has(0, CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUSER),)),
        Rule("clone", (has(0, CLONE_NEWNET | CLONE_THREAD | CLONE_NEWUSER),)),
        Rule("exit_group"),  # the last word of a parent: whose its children are, nobody can tell afterwards
        # Its flags lie behind a pointer; programs fall back to clone().
        Rule("clone3", action=RET_ERRNO | ENOSYS),
        *(Rule(call, action=RET_ERRNO | ENOSYS) for call in NEW_MOUNT_CALLS),
        *(Rule(call) for call in RING_CALLS),
        *(
            Rule(call, (equals(1, level), within(2, *options)), action=RET_ERRNO | ENOPROTOOPT)
            for call in ("setsockopt", "getsockopt") for level, options in TABLES
        ),
        *(Rule(call) for call in IDENTITY_CALLS if root),
        *(Rule("prctl", (equals(0, option),)) for option in Pr if root),
    )


def program(arch: Architecture, base: int, *, root: bool, keep: bool = False) -> list[Instruction]:
    """The filter for that architecture."""
    return assemble(rules(base, root=root, keep=keep), arch.numbers, arch.audit, arch.foreign)
