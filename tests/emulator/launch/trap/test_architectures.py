"""What differs between architectures, checked without one: the numbers of system calls, and struct stat."""

from __future__ import annotations

import ctypes
import stat
from types import SimpleNamespace
from typing import cast

import pytest

from nlemu.emulator.launch.answers import CALLS
from nlemu.emulator.launch.files.calls import Attributes, pack_stat
from nlemu.emulator.launch.trap.architectures import AARCH64, X86_64, Architecture
from nlemu.emulator.launch.trap.call import Call
from nlemu.emulator.launch.trap.filter import rules

# Each call, its number on x86_64 and on aarch64, "-" where there is none: taken by a program from what Debian's
# linux-libc-dev (6.1) has of asm/unistd_64.h and asm-generic/unistd.h, not from the tables that are checked. fchmodat2,
# which came with 6.6, has one number everywhere.
HEADERS = """
    capget 125 90, capset 126 91, getgroups 115 158, prctl 157 167, setfsgid 123 152, setfsuid 122 151, setgid 106 144,
    setgroups 116 159, setregid 114 143, setresgid 119 149, setresuid 117 147, setreuid 113 145, setuid 105 146,
    accept 43 202, accept4 288 242, access 21 -, bind 49 200, bpf 321 280, chdir 80 49, chmod 90 -,
    chown 92 -, fchmodat 268 53, fchmodat2 452 452, fchownat 260 54, lchown 94 -, clone 56 220, clone3 435 435,
    close 3 57, connect 42 203, creat 85 -, dup 32 23, dup2 33 -, dup3 292 24, execve 59 221, execveat 322 281,
    exit_group 231 94,
    faccessat 269 48, faccessat2 439 439, fchdir 81 50, fcntl 72 25, fsmount 432 432, fsopen 430 430, fspick 433 433,
    fstatfs 138 44, getcwd 79 17, getdents64 217 61, getegid 108 177, geteuid 107 175, getgid 104 176,
    getpeername 52 205, getresgid 120 150, getresuid 118 148, getsockname 51 204, getsockopt 55 209, getuid 102 174,
    getxattr 191 8, inotify_add_watch 254 27, io_uring_enter 426 426, io_uring_register 427 427,
    io_uring_setup 425 425, ioctl 16 29, lgetxattr 192 9, listen 50 201, listxattr 194 11, llistxattr 195 12,
    lstat 6 -, mkdir 83 -, mkdirat 258 34, mount 165 40, mount_setattr 442 442, move_mount 429 429, newfstatat 262 79,
    open 2 -, open_tree 428 428, openat 257 56, openat2 437 437, pidfd_getfd 438 438, process_vm_readv 310 270,
    process_vm_writev 311 271, preadv2 327 286, ptrace 101 117, pwrite64 18 68, pwritev 296 70,
    pwritev2 328 287, read 0 63,
    readlink 89 -, readlinkat 267 78, readv 19 65, recvfrom 45 207, recvmmsg 299 243, recvmsg 47 212, rmdir 84 -,
    seccomp 317 277, sendmmsg 307 269, sendmsg 46 211, sendto 44 206, setns 308 268, setsockopt 54 208, shutdown 48 210,
    socket 41 198, stat 4 -,
    statfs 137 43, statx 332 291, umount2 166 39, unlink 87 -, unlinkat 263 35, unshare 272 97, write 1 64,
    writev 20 66
"""
NUMBERS = [
    {
        words[0]: int(words[place])
        for words in (entry.split() for entry in HEADERS.replace("\n", " ").split(","))
        if words[place] != "-"
    }
    for place in (1, 2)
]
BOTH = pytest.mark.parametrize(("arch", "known"), [(X86_64, NUMBERS[0]), (AARCH64, NUMBERS[1])], ids=["x86", "arm"])


@BOTH
def test_the_numbers_of_calls(arch: Architecture, known: dict[str, int]) -> None:
    assert arch.numbers == known


def test_no_rule_is_left_out_for_want_of_a_number() -> None:
    """A call without one has no rule either, and would reach the real kernel."""
    assert {rule.call for rule in rules(900, root=True, keep=True)} <= NUMBERS[0].keys()


def test_what_has_no_directory_descriptor_has_another_form() -> None:
    """aarch64 lacks only calls whose other form is answered there."""
    missing = NUMBERS[0].keys() - NUMBERS[1].keys()
    assert missing == {
        "access", "chmod", "chown", "creat", "dup2", "lchown", "lstat", "mkdir", "open", "readlink", "rmdir", "stat",
        "unlink",
    }
    assert {
        "faccessat", "openat", "dup3", "newfstatat", "mkdirat", "readlinkat", "unlinkat", "fchmodat", "fchownat",
    } <= CALLS.keys()


class StatAarch64(ctypes.Structure):
    """struct stat of aarch64 (asm-generic/stat.h)."""

    _fields_ = [
        ("st_dev", ctypes.c_uint64), ("st_ino", ctypes.c_uint64), ("st_mode", ctypes.c_uint32),
        ("st_nlink", ctypes.c_uint32), ("st_uid", ctypes.c_uint32), ("st_gid", ctypes.c_uint32),
        ("st_rdev", ctypes.c_uint64), ("pad1", ctypes.c_uint64), ("st_size", ctypes.c_int64),
        ("st_blksize", ctypes.c_int32), ("pad2", ctypes.c_int32), ("st_blocks", ctypes.c_int64),
        ("st_atime", ctypes.c_int64), ("st_atime_nsec", ctypes.c_uint64), ("st_mtime", ctypes.c_int64),
        ("st_mtime_nsec", ctypes.c_uint64), ("st_ctime", ctypes.c_int64), ("st_ctime_nsec", ctypes.c_uint64),
        ("unused", ctypes.c_uint32 * 2),
    ]


class StatX8664(ctypes.Structure):
    """struct stat of x86_64 (asm/stat.h)."""

    _fields_ = [
        ("st_dev", ctypes.c_uint64), ("st_ino", ctypes.c_uint64), ("st_nlink", ctypes.c_uint64),
        ("st_mode", ctypes.c_uint32), ("st_uid", ctypes.c_uint32), ("st_gid", ctypes.c_uint32),
        ("pad0", ctypes.c_uint32), ("st_rdev", ctypes.c_uint64), ("st_size", ctypes.c_int64),
        ("st_blksize", ctypes.c_int64), ("st_blocks", ctypes.c_int64),
        ("st_atime", ctypes.c_int64), ("st_atime_nsec", ctypes.c_uint64), ("st_mtime", ctypes.c_int64),
        ("st_mtime_nsec", ctypes.c_uint64), ("st_ctime", ctypes.c_int64), ("st_ctime_nsec", ctypes.c_uint64),
        ("unused", ctypes.c_int64 * 3),
    ]


@pytest.mark.parametrize(("arch", "kind"), [(X86_64, StatX8664), (AARCH64, StatAarch64)], ids=["x86", "arm"])
def test_struct_stat(arch: Architecture, kind: type[StatX8664] | type[StatAarch64]) -> None:
    call = cast(Call, SimpleNamespace(supervisor=SimpleNamespace(arch=arch)))
    packed = pack_stat(call, Attributes(stat.S_IFREG | 0o644, 0x1234567890, 0x801, 4096, 1700000000.5))
    assert len(packed) == ctypes.sizeof(kind)
    told = kind.from_buffer_copy(packed)
    values = {name: getattr(told, name) for name, _ in kind._fields_ if name.startswith("st_")}  # type: ignore[misc]
    assert values == {
        "st_dev": 0x801, "st_ino": 0x1234567890, "st_mode": stat.S_IFREG | 0o644, "st_nlink": 1, "st_uid": 0,
        "st_gid": 0, "st_rdev": 0, "st_size": 4096, "st_blksize": 4096, "st_blocks": 0, "st_atime": 1700000000,
        "st_mtime": 1700000000, "st_ctime": 1700000000, "st_atime_nsec": 0, "st_mtime_nsec": 0, "st_ctime_nsec": 0,
    }
