"""chmod() and chown() of what we play: modes and owners that somebody gave to files of /sys and /proc/net.

sysfs keeps them as long as the file is there (kernfs_iop_setattr()), and asks root as well whether a mode lets a file
be read or written at all (kernfs_fop_open()); /proc/sys takes none (proc_sys_setattr()). What is given to others than
root is kept and told; it lets nobody in who was not let in before.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass

from nlemu.emulator.launch.files.tree import File, Link, NetFile, Node
from nlemu.emulator.launch.trap.call import Call

PERMISSIONS = 0o7777  # S_IALLUGO
NOBODY = 0xFFFFFFFF
"""An id that is not to be changed."""
READERS, WRITERS = 0o444, 0o222
SETTINGS = "/proc/sys/"
DEVICE = re.compile(r"/(?:net|queues|virtual/net)/([^/]+)")
MANY = 4096
"""Files of which something is kept, at most; the oldest are forgotten first."""


@dataclass
class Given:
    """What somebody gave a file; None is as it was."""

    permissions: int | None = None
    uid: int = 0
    gid: int = 0


Key = tuple[object, ...]


class Modes:
    """What was given to which file."""

    def __init__(self) -> None:
        self._given: dict[Key, Given] = {}

    def of(self, call: Call, path: str, node: Node) -> Given | None:
        """What was given to that file, if anything was."""
        return self._given.get(key(call, path, node)) if self._given else None

    def mode(self, call: Call, path: str, node: Node) -> int:
        """The mode of a file."""
        mode: int = node.mode
        given = self.of(call, path, node)
        if given is None or given.permissions is None:
            return mode
        return stat.S_IFMT(mode) | given.permissions

    def allows(self, call: Call, path: str, node: Node, wanted: int) -> bool:
        """Whether a file's mode has any of these bits, which root needs too."""
        return not isinstance(node, File) or bool(self.mode(call, path, node) & wanted)

    def give(self, call: Call, path: str, node: Node) -> Given:
        """What is to be changed of a file. OSError EPERM."""
        from nlemu.emulator.launch.files.calls import root

        if path.startswith(SETTINGS) or isinstance(node, NetFile) or not root(call):
            raise OSError(errno.EPERM, path)
        while len(self._given) >= MANY:
            del self._given[next(iter(self._given))]
        return self._given.setdefault(key(call, path, node), Given())


def key(call: Call, path: str, node: Node) -> Key:
    """By what a file is known: its real path, in the namespace, of the device that is called so now."""
    files = call.supervisor.files
    net = files.net_of(call, path)
    folder, name = os.path.split(path.rstrip("/"))
    where = os.path.join(files.canonical(call, folder), name) if isinstance(node, Link) else files.canonical(call, path)
    named = DEVICE.search(where)
    device = None if named is None else net.by_name(named[1])
    return net.name, where, None if device is None else device.ifindex


def chmod(call: Call, path: str, node: Node, mode: int) -> None:
    """chmod() of that file. OSError EPERM, and EOPNOTSUPP for a symbolic link."""
    if isinstance(node, Link):
        raise OSError(errno.EOPNOTSUPP, path)
    call.supervisor.files.modes.give(call, path, node).permissions = mode & PERMISSIONS


def chown(call: Call, path: str, node: Node, uid: int, gid: int) -> None:
    """chown() of that file. OSError EPERM."""
    given = call.supervisor.files.modes.give(call, path, node)
    given.uid = given.uid if uid == NOBODY else uid
    given.gid = given.gid if gid == NOBODY else gid
