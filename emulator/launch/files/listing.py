"""What is in a directory of ours, for a program that lists it by a high number (fs/readdir.c).

The kernel's directories of devices begin with "." and "..", and some programs leave out the first two entries without a
look. A real file system need not, and its order changes while names come and go; so the names are told here, sorted,
each once. How far a program has read is the position of its descriptor, which counts entries.
"""

from __future__ import annotations

import errno
import os
import stat
import struct

from nlemu.emulator.launch.trap.call import PASS, Answer, Call

HEAD = struct.Struct("=QqHB")  # struct linux_dirent64, up to the name
BLOCK = 65536


def entries(place: str) -> list[tuple[int, int, bytes]]:
    """Of a real directory: inode, kind (DT_*), and name."""
    found = os.stat(place)
    told = [(found.st_ino, stat.S_IFDIR >> 12, name) for name in (b".", b"..")]
    with os.scandir(os.fsencode(place)) as scanned:
        for entry in sorted(scanned, key=lambda one: one.name):
            kind = stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode) >> 12  # DT_* are S_IF* so
            told.append((entry.inode(), kind, entry.name))
    return told


def getdents64(call: Call) -> Answer:
    """getdents64(): as many entries as there is room for; 0 at the end. OSError EINVAL: not even one."""
    supervisor = call.supervisor
    if supervisor.files.behind_directory(call.tid, call.cint(0)) is None:
        return PASS
    room = min(call.args[2] & 0xFFFFFFFF, BLOCK)
    with call.borrow(call.cint(0)) as borrowed:
        if borrowed.fd < 0:
            return PASS
        told = entries(os.readlink(f"/proc/self/fd/{borrowed.fd}"))
        at = os.lseek(borrowed.fd, 0, os.SEEK_CUR)
        data = b""
        for place in range(at, len(told)):
            inode, kind, name = told[place]
            length = HEAD.size + len(name) + 1 + 7 & ~7
            if len(data) + length > room:
                if not data:
                    raise OSError(errno.EINVAL, "no room for a name")
                break
            data += (HEAD.pack(inode, place + 1, length, kind) + name).ljust(length, b"\0")
            at = place + 1
        call.write(call.args[1], data)
        os.lseek(borrowed.fd, at, os.SEEK_SET)
    return len(data)
