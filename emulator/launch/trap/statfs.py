"""struct statfs: which file system a file is on, as it is asked of the kernel and as it is told to programs.

The numbers are those of include/uapi/linux/magic.h; nsfs's is in protocol/uapi/nsfs.py.
"""

from __future__ import annotations

import ctypes
import struct

from nlemu.emulator.launch.trap.seccomp import libc

PROC_SUPER_MAGIC, SYSFS_MAGIC, DEBUGFS_MAGIC, TMPFS_MAGIC = 0x9FA0, 0x62656572, 0x64626720, 0x01021994
PAGE_SIZE, NAME_MAX = 4096, 255
STATFS = struct.Struct("=qqqqqqqiiqqq")
SIZE = 120
"""struct statfs of 64-bit architectures (include/uapi/asm-generic/statfs.h): these fields, and four to come."""


def kind_of(fd: int) -> int:
    """f_type of an open file; 0 where it cannot be had."""
    told = ctypes.create_string_buffer(SIZE)
    if libc.fstatfs(fd, told):
        return 0
    return int(STATFS.unpack_from(told)[0])


def empty(magic: int) -> bytes:
    """simple_statfs(): struct statfs of a file system of that kind without blocks."""
    return STATFS.pack(magic, PAGE_SIZE, 0, 0, 0, 0, 0, 0, 0, NAME_MAX, PAGE_SIZE, 0).ljust(SIZE, b"\0")
