"""Which file a path leads to, however it is spelled: //sys, /proc/self/root/sys, a symbolic link, a directory
descriptor, a sysfs or procfs that is mounted somewhere else.

The names that we play (opened.py) are looked up by their spelling, since most of what is there does not exist on this
machine. What is not found that way is opened here without being used (O_PATH), as the program would come to it, and
asked which file system it is on: so a file that is this machine's own knob for its network is known as what it is. It
is then looked up again by its real name, and what is not played is read-only to programs, as in a container.

Between this look and the program's own call the path may come to lead elsewhere. That is no harm: this keeps
programs from mistakes, and not out.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, AnyStr

from nlemu.emulator.launch.trap.statfs import PROC_SUPER_MAGIC, SYSFS_MAGIC, kind_of
from nlemu.emulator.launch.trap.task import AT_FDCWD
from nlemu.protocol.uapi.nsfs import NSFS_MAGIC

if TYPE_CHECKING:
    from nlemu.emulator.launch.trap.call import Call

TUN, TUN_DEVICE = "/dev/net/tun", os.makedev(10, 200)
NETWORK_DEVICES = frozenset({os.makedev(10, 238), os.makedev(108, 0)})
"""/dev/vhost-net and /dev/ppp: devices that make interfaces, too (Documentation/admin-guide/devices.txt)."""
TELLING = (b"sys", b"proc", b"net", b"ppp")
"""What is in the path of whoever reads one of these files, by whatever way; others are not looked at when they are only
read."""


def is_telling(path: bytes) -> bool:
    """Whether a path may lead to such a file, as far as its letters say."""
    return any(word in path for word in TELLING)


def below(path: AnyStr, top: AnyStr) -> AnyStr | None:
    """What of a path comes after another, with its slash; empty where they are the same, None where it is elsewhere."""
    rest = path[len(top) :]
    slash = "/" if isinstance(path, str) else b"/"
    return rest if path.startswith(top) and (not rest or rest.startswith(slash)) else None


def behind(call: Call, dirfd: int, path: bytes, *, follow: bool = True) -> str | None:
    """The real name below /sys or /proc of what a path leads to, as seen from the caller, or that of the device that
    makes tuns; None for all other files, and where there is none. OSError ENODEV: it is another device that makes
    interfaces, of which there is none here."""
    try:
        fd = os.open(_from_here(call, dirfd, path), os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))
    except (OSError, ValueError):
        return None
    try:
        kind = kind_of(fd)
        if kind == SYSFS_MAGIC:
            return "/sys" + _inside(call, fd)
        if kind == NSFS_MAGIC and follow:
            return behind(call, dirfd, path, follow=False)  # /proc/PID/ns/net leads there
        if kind == PROC_SUPER_MAGIC:
            return _as_seen(call, "/proc" + _inside(call, fd))
        found = os.fstat(fd)
        if stat.S_ISCHR(found.st_mode) and found.st_rdev == TUN_DEVICE:
            return TUN
        if stat.S_ISCHR(found.st_mode) and found.st_rdev in NETWORK_DEVICES:
            raise OSError(errno.ENODEV, os.fsdecode(path))
        return None
    finally:
        os.close(fd)


def _from_here(call: Call, dirfd: int, path: bytes) -> bytes:
    """A path by which we come to where the caller would."""
    at = b"/proc/%d/" % call.tid
    if not path.startswith(b"/"):
        return at + (b"cwd/" if dirfd == AT_FDCWD else b"fd/%d/" % dirfd) + path
    whole = b"/" + path.lstrip(b"/")
    for name, real in ((b"/proc/self", b"/proc/%d" % call.process.pid), (b"/proc/thread-self", at[:-1])):
        if (rest := below(whole, name)) is not None:
            whole = real + rest
    return at + b"root" + whole


def _as_seen(call: Call, name: str) -> str:
    """A name below /proc, where /proc/self and /proc/thread-self were followed here: as the caller would have come."""
    ours, theirs = f"/proc/{os.getpid()}", f"/proc/{call.process.pid}"
    for here, there in ((f"{ours}/task/{os.getpid()}", f"{theirs}/task/{call.tid}"), (ours, theirs)):
        if (rest := below(name, here)) is not None:
            return there + rest
    return name


def _inside(call: Call, fd: int) -> str:
    """The file's path within its file system, wherever that is mounted."""
    path, mount = os.readlink(f"/proc/self/fd/{fd}"), ""
    with suppress(OSError), open(f"/proc/self/fdinfo/{fd}") as lines:
        mount = next((line.split()[1] for line in lines if line.startswith("mnt_id:")), "")
    for where in (f"/proc/{call.tid}/mountinfo", "/proc/self/mountinfo"):
        with suppress(OSError), open(where) as lines:
            for line in lines:
                words = line.split()
                if words[0] == mount and path.startswith(words[4]):
                    return (words[3].rstrip("/") + "/" + path[len(words[4]) :].lstrip("/")).rstrip("/") or "/"
    return path


def is_of_the_network(name: str) -> bool:
    """Whether that file tells of this machine's interfaces, of those below /sys."""
    parts = name.split("/")
    return parts[1] == "sys" and ("net" in parts[2:] or parts[2:4] == ["class", "bonding_masters"])
