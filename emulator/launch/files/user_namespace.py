"""/proc/PID/uid_map, gid_map and setgroups: how ids are called in a user namespace (kernel/user_namespace.c).

Where the program is in a real user namespace too, the real files are written as well, as far as the real ids go.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress

from nlemu.emulator.launch.files.tree import File
from nlemu.emulator.launch.trap.credentials import (
    CAP_SETGID,
    CAP_SETUID,
    CAP_SYS_ADMIN,
    Cred,
    Map,
    UserNamespace,
)

EXTENTS_MAX = 340
"""UID_GID_MAP_MAX_EXTENTS"""


def file(writer: Cred, owner: Cred, pid: int, name: str) -> File:
    """The file of that name of a process. writer: who opens it; owner: who the process is."""
    space = owner.space
    if name == "setgroups":
        return File(
            lambda: "allow\n" if space.setgroups else "deny\n", lambda text: _set_setgroups(space, pid, text),
            anybody=True, private=True,
        )
    users = name == "uid_map"
    return File(
        lambda: _told(space, writer.space, users), lambda text: _set_map(writer, space, pid, users, text), anybody=True,
        private=True,
    )


def _told(space: UserNamespace, reader: UserNamespace, users: bool) -> str:
    """uid_m_show(): with the ids as the reader, or the parent of its own namespace, calls them."""
    seen_from = reader if reader is not space or reader.parent is None else reader.parent
    table, outer = (space.users, seen_from.users) if users else (space.groups, seen_from.groups)
    return "".join(
        f"{inside:>10} {UserNamespace.inside(outer, outside):>10} {count:>10}\n" for inside, outside, count in table
    )


def _set_setgroups(space: UserNamespace, pid: int, text: str) -> None:
    """proc_setgroups_write(). OSError EINVAL, EPERM."""
    wanted = text.strip()
    if wanted not in ("allow", "deny"):
        raise OSError(errno.EINVAL, text)
    if space.parent is None or ((wanted == "allow") != space.setgroups and (space.groups or wanted == "allow")):
        raise OSError(errno.EPERM, "setgroups is settled")
    space.setgroups = wanted == "allow"
    with suppress(OSError):
        _really(pid, "setgroups", wanted)


def _set_map(writer: Cred, space: UserNamespace, pid: int, users: bool, text: str) -> None:
    """map_write(): once. OSError EPERM, EINVAL."""
    parent = space.parent
    if parent is None or (space.users if users else space.groups):
        raise OSError(errno.EPERM, "the map is set")
    if not writer.capable(space, CAP_SYS_ADMIN):
        raise OSError(errno.EPERM, "CAP_SYS_ADMIN")
    lines = [[int(word) for word in line.split()] for line in text.splitlines() if line.strip()]
    if not 0 < len(lines) <= EXTENTS_MAX or any(len(line) != 3 or line[2] < 1 for line in lines):
        raise OSError(errno.EINVAL, "not a map")
    capability = CAP_SETUID if users else CAP_SETGID
    table: list[tuple[int, int, int]] = []
    for inside, outside, count in lines:
        known = UserNamespace.outside(parent.users if users else parent.groups, outside)
        if known is None:
            raise OSError(errno.EPERM, "ids that the parent does not know")
        table.append((inside, known, count))
    if not (_own_id(writer, space, users, tuple(table)) or writer.capable(parent, capability)):
        raise OSError(errno.EPERM, "other ids than one's own")
    if users:
        space.users = tuple(table)
    else:
        space.groups = tuple(table)
    privileged = os.geteuid() == 0
    with suppress(OSError):
        if not privileged:
            first = table[0][0]
            if not users:
                with suppress(OSError):
                    _really(pid, "setgroups", "deny")  # without which an ordinary user may set no map of groups
            _really(pid, "uid_map" if users else "gid_map", f"{first} {os.geteuid() if users else os.getegid()} 1")
        else:
            _really(pid, "uid_map" if users else "gid_map", "".join(f"{a} {b} {c}\n" for a, b, c in table))


def _own_id(writer: Cred, space: UserNamespace, users: bool, table: Map) -> bool:
    """new_idmap_permitted(): one id, the writer's own."""
    if len(table) != 1 or table[0][2] != 1 or space.owner != writer.uids[1]:
        return False
    return table[0][1] == (writer.uids[1] if users else writer.gids[1]) and (users or not space.setgroups)


def _really(pid: int, name: str, text: str) -> None:
    """The same to the real kernel. OSError."""
    if os.stat(f"/proc/{pid}/ns/user").st_ino == os.stat("/proc/self/ns/user").st_ino:
        return  # it is in no real user namespace of its own
    fd = os.open(f"/proc/{pid}/{name}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
