"""System calls by name: their numbers on the architectures that we know (arch/x86/entry/syscalls/syscall_64.tbl,
include/uapi/asm-generic/unistd.h), and how an architecture calls itself in a seccomp filter (linux/audit.h).

aarch64 never had the calls that take no directory descriptor (open, stat, mkdir ...); they are simply absent there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Architecture:
    """audit: AUDIT_ARCH_*. numbers: of system calls, by name. foreign: the lowest number that belongs to another ABI
    of the same architecture (x32), if there is one."""

    name: str
    audit: int
    numbers: dict[str, int]
    foreign: int | None = None


X86_64: Final = Architecture(
    "x86_64",
    0xC000003E,
    {
        "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "lstat": 6, "ioctl": 16, "pwrite64": 18, "readv": 19,
        "writev": 20, "access": 21, "dup": 32, "dup2": 33, "socket": 41, "connect": 42, "accept": 43, "sendto": 44,
        "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "bind": 49, "listen": 50, "getsockname": 51,
        "getpeername": 52, "setsockopt": 54, "getsockopt": 55, "clone": 56, "execve": 59, "fcntl": 72, "getcwd": 79,
        "chdir": 80, "fchdir": 81, "mkdir": 83, "rmdir": 84, "creat": 85, "unlink": 87, "readlink": 89, "ptrace": 101,
        "getuid": 102, "getgid": 104,
        "geteuid": 107, "getegid": 108, "getresuid": 118, "getresgid": 120,
        "setuid": 105, "setgid": 106, "setreuid": 113, "setregid": 114,
        "getgroups": 115, "setgroups": 116, "setresuid": 117, "setresgid": 119, "setfsuid": 122, "setfsgid": 123,
        "capget": 125, "capset": 126, "exit_group": 231, "prctl": 157, "statfs": 137, "fstatfs": 138, "mount": 165,
        "umount2": 166, "bpf": 321, "getxattr": 191, "lgetxattr": 192, "listxattr": 194, "llistxattr": 195,
        "inotify_add_watch": 254, "openat": 257, "mkdirat": 258, "getdents64": 217, "newfstatat": 262, "unlinkat": 263,
        "readlinkat": 267, "faccessat": 269, "unshare": 272, "accept4": 288, "dup3": 292, "pwritev": 296,
        "preadv2": 327, "pwritev2": 328, "recvmmsg": 299, "sendmmsg": 307, "setns": 308, "process_vm_readv": 310,
        "process_vm_writev": 311, "seccomp": 317, "execveat": 322, "statx": 332, "open_tree": 428, "move_mount": 429,
        "fsopen": 430, "fsmount": 432, "fspick": 433, "clone3": 435, "openat2": 437, "pidfd_getfd": 438,
        "faccessat2": 439, "fchmodat2": 452, "chmod": 90, "chown": 92, "lchown": 94,
        "fchownat": 260, "fchmodat": 268, "mount_setattr": 442,
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    },
    foreign=0x40000000,
)

AARCH64: Final = Architecture(
    "aarch64",
    0xC00000B7,
    {
        "getcwd": 17, "getxattr": 8, "lgetxattr": 9, "listxattr": 11, "llistxattr": 12,
        "dup": 23, "dup3": 24, "fcntl": 25, "inotify_add_watch": 27, "ioctl": 29, "mkdirat": 34, "unlinkat": 35,
        "umount2": 39, "mount": 40, "statfs": 43, "fstatfs": 44, "faccessat": 48, "chdir": 49, "fchdir": 50,
        "openat": 56, "close": 57, "getdents64": 61,
        "read": 63, "write": 64, "readv": 65, "writev": 66, "pwrite64": 68, "pwritev": 70,
        "preadv2": 286, "pwritev2": 287,
        "readlinkat": 78, "newfstatat": 79, "exit_group": 94, "unshare": 97, "ptrace": 117,
        "capget": 90, "capset": 91, "setregid": 143, "setgid": 144, "setreuid": 145, "setuid": 146, "setresuid": 147,
        "setresgid": 149, "setfsuid": 151, "setfsgid": 152, "getgroups": 158, "setgroups": 159, "prctl": 167,
        "getresuid": 148, "getresgid": 150, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177,
        "socket": 198, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "getsockname": 204,
        "getpeername": 205, "sendto": 206, "recvfrom": 207, "setsockopt": 208, "getsockopt": 209, "shutdown": 210,
        "sendmsg": 211, "recvmsg": 212, "clone": 220, "execve": 221, "accept4": 242, "recvmmsg": 243, "setns": 268,
        "bpf": 280, "sendmmsg": 269, "process_vm_readv": 270, "process_vm_writev": 271, "seccomp": 277, "execveat": 281,
        "statx": 291, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "fspick": 433,
        "clone3": 435, "openat2": 437, "pidfd_getfd": 438, "faccessat2": 439, "fchmodat2": 452, "fchmodat": 53,
        "fchownat": 54, "mount_setattr": 442,
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    },
)

ARCHITECTURES: Final = {"x86_64": X86_64, "amd64": X86_64, "aarch64": AARCH64, "arm64": AARCH64}
"""By what uname() says."""


def architecture(machine: str | None = None) -> Architecture | None:
    """That of this machine, or of one that calls itself `machine`; None when we do not know its system calls."""
    return ARCHITECTURES.get(os.uname().machine if machine is None else machine)
