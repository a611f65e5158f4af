"""What a program may not do to this machine, whoever runs it.

A program that runs on the emulator needs no right to this machine's network: where it is root it is so to the emulator.
So it loses the capabilities with which it could change the network that it does not see: by whatever call, on whatever
socket, through io_uring or a module, the kernel itself then refuses. What is left are files that belong to root
(emulator/launch/files/doors.py). They cannot be had again: they leave the bounding set too, which every program that is
executed is limited to (capabilities(7)).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from nlemu.emulator.launch.trap.credentials import CAP_NET_ADMIN, Pr
from nlemu.emulator.launch.trap.seccomp import libc

CAP_SYS_MODULE = 16  # include/uapi/linux/capability.h
TAKEN = (CAP_NET_ADMIN, CAP_SYS_MODULE)

VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3
HEADER = struct.Struct("=Ii")
DATA = struct.Struct("=6I")
"""struct __user_cap_data_struct, twice: effective, permitted and inheritable, first their lower 32 bits."""


def has(task: int | str, wanted: int) -> bool:
    """Whether a task of this machine really has all capabilities of that mask, now. task: its number, or "self"."""
    try:
        with open(f"/proc/{task}/status", "rb") as lines:
            return any(line.startswith(b"CapEff:") and int(line[7:], 16) & wanted == wanted for line in lines)
    except OSError:
        return False


def drop(capabilities: tuple[int, ...] = TAKEN) -> None:
    """This process, and all that it starts, is without them for good. OSError."""
    for number in capabilities:
        if libc.prctl(Pr.CAPBSET_DROP, number, 0, 0, 0) and ctypes.get_errno() not in (errno.EPERM, errno.EINVAL):
            raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")
    header = ctypes.create_string_buffer(HEADER.pack(VERSION_3, 0), HEADER.size)
    data = ctypes.create_string_buffer(DATA.size)
    _check(libc.capget(header, data), "capget")
    mask = ~sum(1 << number for number in capabilities) & 0xFFFFFFFF
    low, high = DATA.unpack(data.raw)[:3], DATA.unpack(data.raw)[3:]
    kept = DATA.pack(*(word & mask for word in low), *high)
    _check(libc.capset(header, ctypes.create_string_buffer(kept, DATA.size)), "capset")


def _check(result: int, call: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")
