"""Calls that take a path. Those to files of ours are answered; all others are the kernel's, and it is no harm if a path
was changed under our eyes: it can only lead to what the program could reach anyhow.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import zlib
from collections.abc import Callable

from nlemu.emulator.launch.files import doors, modes
from nlemu.emulator.launch.files.listing import getdents64
from nlemu.emulator.launch.files.opened import INTERESTING
from nlemu.emulator.launch.files.tree import Character, Directory, File, Link, NetFile, Node
from nlemu.emulator.launch.namespaces.calls import is_netns_directory, netns_name
from nlemu.emulator.launch.trap import statfs as file_systems
from nlemu.emulator.launch.trap.call import ANSWERED, PASS, Answer, Call
from nlemu.emulator.launch.trap.credentials import CAP_DAC_OVERRIDE, CAP_NET_ADMIN
from nlemu.emulator.launch.trap.redo import redo
from nlemu.emulator.launch.trap.seccomp import libc
from nlemu.emulator.launch.trap.task import AT_FDCWD, beneath
from nlemu.protocol.uapi.nsfs import NSFS_MAGIC

AT_SYMLINK_NOFOLLOW, AT_REMOVEDIR = 0x100, 0x200
O_ACCMODE, O_CREAT, O_EXCL, O_TRUNC = os.O_ACCMODE, os.O_CREAT, os.O_EXCL, os.O_TRUNC
O_PATH = os.O_PATH
W_OK = 2
MAGIC = (
    ("/sys/kernel/debug/", file_systems.DEBUGFS_MAGIC), ("/sys/", file_systems.SYSFS_MAGIC),
    ("/proc/", file_systems.PROC_SUPER_MAGIC),
)
"""File systems by where they are mounted."""
PREFIXES = tuple(prefix.encode() for prefix in INTERESTING)
TOWARDS = (b"sys/", b"proc/", b"run/", b"var/", b"../")
"""How a relative path begins that may lead to files of ours from anywhere."""
OPEN_HOW = struct.Struct("=QQQ")
STATX_BASIC_STATS = 0x7FF


def path_of(call: Call, dirfd: int, place: int) -> str | None:
    """The absolute path that a call names, if it may be one of ours. OSError EFAULT, ENAMETOOLONG."""
    return spelled(call, dirfd, call.string(place))


def spelled(call: Call, dirfd: int, raw: bytes) -> str | None:
    """The same by the letters of the path."""
    if raw.startswith(b"/"):
        raw = b"/" + raw.lstrip(b"/")
        if raw.startswith(PREFIXES) or b"/." in raw:
            return os.path.normpath(os.fsdecode(raw)) if raw.strip(b"/") else None
        return None
    if not raw:
        return None
    files = call.supervisor.files
    if dirfd != AT_FDCWD:
        base = files.behind_directory(call.tid, dirfd)
    else:
        base = files.where(call.tid, certain=raw.startswith(TOWARDS))
    return None if base is None else os.path.normpath(os.path.join(base, os.fsdecode(raw)))


def lookup(
    call: Call, dirfd: int, place: int, *, follow: bool = True, writes: bool = False
) -> tuple[str, Node | None] | None:
    """The path and what is there, or None when it is the kernel's to say. writes: it will be written. OSError EROFS: it
    is a file of this machine's /sys, ENODEV: a device that makes interfaces."""
    raw = call.string(place)
    files = call.supervisor.files
    path = spelled(call, dirfd, raw)
    if path is not None:
        node = files.find(call, path, follow=follow)
        if not isinstance(node, bool):
            return path, as_directory(node, path) if raw.endswith((b"/", b"/.")) else node
    if call.supervisor.namespaces.mounted:
        covered = files.covered(call.tid, dirfd, raw)
        if covered is not None:
            return os.fsdecode(raw), NetFile(covered[1])
    if not (writes or doors.is_telling(raw) or (raw[:1] != b"/" and files.is_near(call.tid, dirfd))):
        return None
    name = doors.behind(call, dirfd, raw, follow=follow)
    if name is None:
        return None
    node = files.find(call, name, follow=follow)
    if not isinstance(node, bool):
        return name, node
    if doors.is_of_the_network(name):
        return name, None
    if writes and name.startswith("/sys/"):
        raise OSError(errno.EROFS, name)
    return None


def as_directory(node: Node | None, path: str) -> Node | None:
    """What a path leads to that ends in a slash: links are followed. OSError ENOTDIR."""
    if isinstance(node, Link):
        node = node.follow()
    if node is not None and not isinstance(node, Directory):
        raise OSError(errno.ENOTDIR, path)
    return node


def root(call: Call) -> bool:
    """Whether the caller may write what belongs to root: as that, or with CAP_DAC_OVERRIDE; or, of a sandbox, to the
    files of its own network namespace (net_ctl_permissions(), sysfs's owners)."""
    supervisor = call.supervisor
    cred = supervisor.tasks.cred(call.tid)
    if cred.uids[3] == 0 or cred.able(CAP_DAC_OVERRIDE):
        return cred.space is supervisor.space or cred.capable(
            supervisor.namespaces.owner(supervisor.tasks.net(call.tid)), CAP_NET_ADMIN
        )
    return False


def existing(call: Call, dirfd: int, place: int, *, follow: bool = True) -> tuple[str, Node] | None:
    """The same where something has to be there. OSError ENOENT."""
    found = lookup(call, dirfd, place, follow=follow)
    if found is None:
        return None
    path, node = found
    if node is None:
        raise OSError(errno.ENOENT, path)
    return path, node


# Opening


def openat(call: Call) -> Answer:
    """openat(): a file of ours, or the kernel's."""
    return _open(call, call.cint(0), call.args[1], call.cint(2))


def open_(call: Call) -> Answer:
    """open()."""
    return _open(call, AT_FDCWD, call.args[0], call.cint(1))


def creat(call: Call) -> Answer:
    """creat()."""
    return _open(call, AT_FDCWD, call.args[0], O_CREAT | O_TRUNC | os.O_WRONLY)


def openat2(call: Call) -> Answer:
    """openat2(), whose flags lie in memory."""
    found = lookup(call, call.cint(0), call.args[1])
    if found is None:
        return PASS
    flags, _, _ = OPEN_HOW.unpack(call.read(call.args[2], OPEN_HOW.size))
    return _open(call, call.cint(0), call.args[1], flags & 0x7FFFFFFF)


def _open(call: Call, dirfd: int, place: int, flags: int) -> Answer:
    will_write = flags & O_ACCMODE != os.O_RDONLY or bool(flags & O_TRUNC)
    found = lookup(call, dirfd, place, follow=not flags & os.O_NOFOLLOW, writes=will_write and not flags & O_PATH)
    if found is None:
        return PASS
    path, node = found
    supervisor = call.supervisor
    if node is None:
        name = netns_name(path)
        if not flags & O_CREAT:
            raise OSError(errno.ENOENT, path)
        if name is None or not root(call):
            raise OSError(errno.EACCES, path)
        supervisor.namespaces.create_name(name)
        node = File(lambda: "")
    elif flags & O_CREAT and flags & O_EXCL:
        raise OSError(errno.EEXIST, path)
    if isinstance(node, Link):
        raise OSError(errno.ELOOP, path)
    if flags & os.O_DIRECTORY and not isinstance(node, Directory):
        raise OSError(errno.ENOTDIR, path)
    if isinstance(node, Directory):
        path = supervisor.files.canonical(call, path)
    writes = flags & O_ACCMODE != os.O_RDONLY and not flags & O_PATH
    if writes:
        if isinstance(node, Directory):
            raise OSError(errno.EISDIR, path)
        if not isinstance(node, Character) and (
            not isinstance(node, File) or not node.writable or not (node.anybody or root(call))
            or not supervisor.files.modes.allows(call, path, node, modes.WRITERS)
        ):
            raise OSError(errno.EACCES, path)
    elif isinstance(node, File) and not flags & O_PATH and not (
        node.readable and supervisor.files.modes.allows(call, path, node, modes.READERS)
    ):
        raise OSError(errno.EACCES, path)
    reads = flags & O_ACCMODE != os.O_WRONLY
    fd = supervisor.files.open(node, path, supervisor.files.net_of(call, path), reads=reads, writes=writes)
    try:
        if isinstance(node, Character):
            os.set_blocking(fd, not flags & os.O_NONBLOCK)
        high = writes or isinstance(node, Directory | Character)
        return call.give(fd, high=high, cloexec=bool(flags & os.O_CLOEXEC))
    finally:
        os.close(fd)


def move(call: Call) -> Answer:
    """dup2(), dup3() of one of our descriptors: a file that can be written stays ours, whatever its number."""
    supervisor, to = call.supervisor, call.cint(1)
    if to == call.cint(0) or to < 0 or to >= supervisor.base:
        return PASS
    with call.borrow(call.cint(0)) as borrowed:
        file = supervisor.files.opened(borrowed)
    if file is None:
        return PASS
    cloexec = call.name == "dup3" and bool(call.cint(2) & os.O_CLOEXEC)
    with supervisor.files.writer(file) as theirs:
        supervisor.listener.add(call.id, theirs.fileno(), at=to, cloexec=cloexec)
    return ANSWERED


# Asking


def _stat(call: Call, dirfd: int, place: int, out: int, *, follow: bool) -> Answer:
    found = existing(call, dirfd, place, follow=follow)
    if found is None:
        return PASS
    path, node = found
    call.write(out, pack_stat(call, attributes(call, node, path, follow=follow)))
    return 0


class Attributes:
    """What stat() and statx() tell."""

    def __init__(self, mode: int, inode: int, device: int, size: int, when: float, stands_for: int = 0) -> None:
        self.mode, self.inode, self.device, self.size, self.when = mode, inode, device, size, int(when)
        self.uid = self.gid = 0
        self.stands_for = stands_for
        """st_rdev"""


def attributes(call: Call, node: Node, path: str, *, follow: bool) -> Attributes:
    """What stat() tells of a node at that path. follow: of what a link leads to."""
    supervisor = call.supervisor
    found = supervisor.files.identity(node, path, supervisor.files.net_of(call, path))
    if isinstance(node, NetFile):
        if node.link is not None and not follow:
            return Attributes(stat.S_IFLNK | 0o777, found.st_ino, found.st_dev, 0, found.st_mtime)
        return Attributes(node.mode, found.st_ino, found.st_dev, 0, found.st_mtime)
    if isinstance(node, Character):
        return Attributes(node.mode, zlib.crc32(os.fsencode(path)), found.st_dev, 0, found.st_mtime, node.device)
    size = 0 if isinstance(node, (Directory, Link)) else 4096
    inode = zlib.crc32(os.fsencode(path)) if isinstance(node, Link) else found.st_ino
    told = Attributes(supervisor.files.modes.mode(call, path, node), inode, found.st_dev, size, found.st_mtime)
    given = supervisor.files.modes.of(call, path, node)
    if given is not None:
        told.uid, told.gid = given.uid, given.gid
    return told


def pack_stat(call: Call, told: Attributes) -> bytes:
    """struct stat of the architecture (arch/x86/include/uapi/asm/stat.h, asm-generic/stat.h)."""
    times = (told.when, 0) * 3
    if call.supervisor.arch.name == "x86_64":
        return struct.pack(
            "=QQQIIIxxxxQqqq6q24x", told.device, told.inode, 1, told.mode, told.uid, told.gid, told.stands_for,
            told.size, 4096, 0, *times,
        )
    return struct.pack(
        "=QQIIIIQ8xqi4xq6q8x", told.device, told.inode, told.mode, 1, told.uid, told.gid, told.stands_for, told.size,
        4096, 0, *times,
    )


def stat_(call: Call) -> Answer:
    """stat(), lstat()."""
    return _stat(call, AT_FDCWD, call.args[0], call.args[1], follow=call.name == "stat")


def newfstatat(call: Call) -> Answer:
    """newfstatat()."""
    follow = not call.cint(3) & AT_SYMLINK_NOFOLLOW
    return _stat(call, call.cint(0), call.args[1], call.args[2], follow=follow)


def statx(call: Call) -> Answer:
    """statx(): the basic attributes."""
    follow = not call.cint(2) & AT_SYMLINK_NOFOLLOW
    found = existing(call, call.cint(0), call.args[1], follow=follow)
    if found is None:
        return PASS
    path, node = found
    told = attributes(call, node, path, follow=follow)
    when = struct.pack("=qIxxxx", told.when, 0)
    data = struct.pack(
        "=IIQIIIHxxQQQQ", STATX_BASIC_STATS, 4096, 0, 1, told.uid, told.gid, told.mode, told.inode, told.size, 0, 0
    )
    data += when + bytes(16) + when + when
    for device in (told.stands_for, told.device):
        data += struct.pack("=II", os.major(device), os.minor(device))
    call.write(call.args[4], data.ljust(256, b"\0"))
    return 0


def _change(call: Call, dirfd: int, place: int, change: Callable[[str, Node], None], *, follow: bool = True) -> Answer:
    found = lookup(call, dirfd, place, follow=follow, writes=True)
    if found is None:
        return PASS
    path, node = found
    if node is None:
        raise OSError(errno.ENOENT, path)
    change(path, node)
    return 0


def chmod(call: Call) -> Answer:
    """chmod()."""
    return _change(call, AT_FDCWD, call.args[0], lambda path, node: modes.chmod(call, path, node, call.cint(1)))


def fchmodat(call: Call) -> Answer:
    """fchmodat(), which takes no flags, and fchmodat2()."""
    follow = call.name == "fchmodat" or not call.cint(3) & AT_SYMLINK_NOFOLLOW
    return _change(
        call, call.cint(0), call.args[1], lambda path, node: modes.chmod(call, path, node, call.cint(2)), follow=follow
    )


def chown(call: Call) -> Answer:
    """chown(), lchown()."""
    uid, gid = (call.args[place] & modes.NOBODY for place in (1, 2))
    return _change(
        call, AT_FDCWD, call.args[0], lambda path, node: modes.chown(call, path, node, uid, gid),
        follow=call.name == "chown",
    )


def fchownat(call: Call) -> Answer:
    """fchownat()."""
    uid, gid = (call.args[place] & modes.NOBODY for place in (2, 3))
    return _change(
        call, call.cint(0), call.args[1], lambda path, node: modes.chown(call, path, node, uid, gid),
        follow=not call.cint(4) & AT_SYMLINK_NOFOLLOW,
    )


def _access(call: Call, dirfd: int, place: int, mode: int) -> Answer:
    found = existing(call, dirfd, place)
    if found is None:
        return PASS
    path, node = found
    allows = call.supervisor.files.modes.allows
    if mode & W_OK and isinstance(node, File) and not (
        node.writable and (node.anybody or root(call)) and allows(call, path, node, modes.WRITERS)
    ):
        raise OSError(errno.EACCES, path)
    return 0


def access(call: Call) -> Answer:
    """access()."""
    return _access(call, AT_FDCWD, call.args[0], call.cint(1))


def faccessat(call: Call) -> Answer:
    """faccessat(), faccessat2()."""
    return _access(call, call.cint(0), call.args[1], call.cint(2))


def _readlink(call: Call, dirfd: int, place: int, out: int, room: int) -> Answer:
    found = existing(call, dirfd, place, follow=False)
    if found is None:
        return PASS
    path, node = found
    target = node.target if isinstance(node, Link) else node.link if isinstance(node, NetFile) else None
    if target is None or room <= 0:
        raise OSError(errno.EINVAL, path)
    data = target.encode()[:room]
    call.write(out, data)
    return len(data)


def readlink(call: Call) -> Answer:
    """readlink()."""
    return _readlink(call, AT_FDCWD, call.args[0], call.args[1], call.cint(2))


def readlinkat(call: Call) -> Answer:
    """readlinkat()."""
    return _readlink(call, call.cint(0), call.args[1], call.args[2], call.cint(3))


def statfs(call: Call) -> Answer:
    """statfs(): of a file of ours, by where Linux has it."""
    found = existing(call, AT_FDCWD, call.args[0])
    if found is None:
        return PASS
    path, node = found
    magic = next((number for top, number in MAGIC if path.startswith(top)), file_systems.TMPFS_MAGIC)
    if isinstance(node, NetFile):
        magic = NSFS_MAGIC
    call.write(call.args[1], file_systems.empty(magic))
    return 0


# Changing


def _mkdir(call: Call, dirfd: int, place: int) -> Answer:
    path = path_of(call, dirfd, place)
    if path is None or call.supervisor.files.find(call, path) is False:
        return PASS
    if is_netns_directory(path):
        raise OSError(errno.EEXIST, path)
    raise OSError(errno.EPERM, path)


def mkdir(call: Call) -> Answer:
    """mkdir()."""
    return _mkdir(call, AT_FDCWD, call.args[0])


def mkdirat(call: Call) -> Answer:
    """mkdirat()."""
    return _mkdir(call, call.cint(0), call.args[1])


def _unlink(call: Call, dirfd: int, place: int) -> Answer:
    found = existing(call, dirfd, place, follow=False)
    if found is None:
        return PASS
    path, node = found
    name = netns_name(path)
    if name is None and isinstance(node, NetFile):
        raise OSError(errno.EBUSY, path)
    if name is None or not root(call):
        raise OSError(errno.EPERM, path)
    call.supervisor.namespaces.remove_name(name)
    return 0


def unlink(call: Call) -> Answer:
    """unlink(), rmdir()."""
    return _unlink(call, AT_FDCWD, call.args[0])


def unlinkat(call: Call) -> Answer:
    """unlinkat()."""
    return _unlink(call, call.cint(0), call.args[1])


def inotify_add_watch(call: Call) -> Answer:
    """/run/netns can be watched: the real directory behind it is."""
    path = path_of(call, AT_FDCWD, call.args[1])
    if path is None or call.supervisor.files.find(call, path) is False:
        return PASS
    if not is_netns_directory(path):
        raise OSError(errno.EACCES, path)
    with call.borrow(call.cint(0)) as borrowed:
        if borrowed.fd < 0:
            raise OSError(errno.EACCES, path)
        directory = os.fsencode(call.supervisor.namespaces.directory)
        watch: int = libc.inotify_add_watch(borrowed.fd, directory, call.args[2] & 0xFFFFFFFF)
    if watch < 0:
        raise OSError(errno.EINVAL, path)
    return watch


def chdir(call: Call) -> Answer:
    """Nobody can be where there is nothing: the caller goes to the real directory with the same names, through a
    descriptor, which it keeps until it goes to the next."""
    found = existing(call, AT_FDCWD, call.args[0])
    if found is None:
        call.supervisor.files.entering(call.string(call.args[0]))
        return PASS
    path, node = found
    if not isinstance(node, Directory):
        raise OSError(errno.ENOTDIR, path)
    supervisor, process = call.supervisor, call.process
    path = supervisor.files.canonical(call, path)
    fd = supervisor.files.open(node, path, supervisor.files.net_of(call, path))
    try:
        number = process.standing
        if number is None or supervisor.files.behind_directory(call.tid, number) is None:
            number = process.standing = supervisor.free_number(call.tid)
        supervisor.listener.add(call.id, fd, at=number, cloexec=True, send=False)
    finally:
        os.close(fd)
    try:
        return redo(call, "fchdir", {0: number})
    except OSError:
        raise OSError(errno.EACCES, path) from None


def getcwd(call: Call) -> Answer:
    """Its path, with the zero byte, as long as that."""
    path = call.supervisor.files.where(call.tid, real=False)
    if path is None:
        return PASS
    data = os.fsencode(path) + b"\0"
    if len(data) > call.args[1]:
        raise OSError(errno.ERANGE, path)
    call.write(call.args[0], data)
    return len(data)


def xattr(call: Call) -> Answer:
    """getxattr() and its like: there are none. Nor can a list of none be told from a file without a list."""
    found = existing(call, AT_FDCWD, call.args[0], follow=not call.name.startswith("l"))
    if found is None:
        return PASS
    raise OSError(errno.EOPNOTSUPP, found[0])


def execve(call: Call) -> Answer:
    """The moment at which a new process is sure to be known, with its parent still where it was (task.py)."""
    tasks = call.supervisor.tasks
    cred = tasks.cred(call.tid)
    after = cred.executed()
    if after != cred:
        path, dirfd = (1, call.cint(0)) if call.name == "execveat" else (0, AT_FDCWD)
        if not os.access(beneath(call.tid, dirfd, call.string(call.args[path])), os.X_OK):
            return PASS  # it will be refused: nothing changes
        tasks.become(call.tid, after)
    return PASS


CALLS = {
    "openat": openat, "open": open_, "creat": creat, "openat2": openat2, "dup2": move, "dup3": move,
    "stat": stat_, "lstat": stat_, "newfstatat": newfstatat, "statx": statx,
    "access": access, "faccessat": faccessat, "faccessat2": faccessat,
    "readlink": readlink, "readlinkat": readlinkat, "statfs": statfs,
    "mkdir": mkdir, "mkdirat": mkdirat, "unlink": unlink, "rmdir": unlink, "unlinkat": unlinkat,
    "getdents64": getdents64,
    "inotify_add_watch": inotify_add_watch, "chdir": chdir, "getcwd": getcwd,
    "getxattr": xattr, "lgetxattr": xattr, "listxattr": xattr, "llistxattr": xattr,
    "execve": execve, "execveat": execve,
    "chmod": chmod, "fchmodat": fchmodat, "fchmodat2": fchmodat, "chown": chown, "lchown": chown, "fchownat": fchownat,
}

