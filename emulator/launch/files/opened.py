"""The files that programs read about interfaces, as descriptors.

A file that is only read becomes a real one, in a place of ours, with what it holds; so stat() of its path and fstat()
of the descriptor tell of the same file, and who has it open reads what was there when it was opened last. A directory
becomes a real one too, with empty entries of the right names, for those who go there; whoever lists it by a high
number is told the names in order (listing.py). A file that can be written becomes a memfd with a high number: what is
written to it comes to us, and its errno goes back. When such a descriptor is moved to a low number (a shell's `echo 1
> file`), a socket takes its place there. What is written to that comes to us later, too late for an errno, unless the
write itself is handed over, as short ones to the standard output are.
"""

from __future__ import annotations

import logging
import os
import posixpath
import select
import shutil
import socket
from collections import OrderedDict
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.launch.files import doors, modes, mounts
from nlemu.emulator.launch.files.tree import Character, Directory, File, Link, NetFile, Node, walk
from nlemu.emulator.launch.trap.borrow import Borrowed
from nlemu.emulator.launch.trap.task import AT_FDCWD, beneath

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.launch.supervisor import Supervisor
    from nlemu.emulator.launch.trap.call import Call

log = logging.getLogger(__name__)

REMEMBERED = 1024
"""Files open for writing, at most; the oldest are forgotten first."""
INTERESTING = ("/sys/", "/run/netns", "/var/run/netns", "/proc/", doors.TUN)
"""How every path begins that we may have to do with; "." and ".." in it aside."""
SLASH = "\x01"
"""Stands for a slash in the names of our directories."""
NETNS_PLACES = ("/run/netns", "/var/run/netns")


class Files:
    """The tree, and what of it is open for writing."""

    def __init__(self, supervisor: Supervisor, place: str) -> None:
        self.supervisor = supervisor
        self.modes = modes.Modes()
        self.shadow = os.path.join(place, "tree")
        os.mkdir(self.shadow, 0o755)
        self._open: OrderedDict[tuple[int, int], File] = OrderedDict()
        self._writers: dict[int, socket.socket] = {}
        self._moved: dict[tuple[int, int], File] = {}
        """By what stands for them at low numbers."""
        self._entered = False
        """A program may be in a directory from which relative paths lead to ours."""
        with suppress(OSError):
            self.entering(os.fsencode(os.readlink(f"/proc/{supervisor.parent}/cwd")))

    # Looking up

    def find(self, call: Call, path: str, *, follow: bool = True) -> Node | bool | None:
        """The node of an absolute path, for the caller; False when the path is none of ours, None when there is nothing
        by that name. OSError ENOTDIR."""
        if not path.startswith(INTERESTING):
            return False
        parts = [part for part in posixpath.normpath(path).split("/") if part]
        return self._below_sys(call, parts[1:], follow=follow) if parts[0] == "sys" else self._elsewhere(
            call, parts, follow=follow
        )

    # What tells of a part of the tree is imported when a program first looks there: most never do.

    def _below_sys(self, call: Call, parts: list[str], *, follow: bool) -> Node | bool | None:
        tasks, machine = self.supervisor.tasks, self.supervisor.machine
        match parts:
            case ["class", "net", *rest]:
                from nlemu.emulator.launch.files import sysfs

                return walk(sysfs.class_net(tasks.sysfs(call.tid)), rest, follow=follow)
            case ["class", "macvtap" | "ipvtap" as kind, *rest] if kind in machine.kinds:
                from nlemu.emulator.launch.files import sysfs

                return walk(sysfs.class_tap(tasks.sysfs(call.tid), kind), rest, follow=follow)
            case ["devices", "virtual", "net", *rest]:
                from nlemu.emulator.launch.files import sysfs

                return walk(sysfs.virtual_net(tasks.sysfs(call.tid)), rest, follow=follow)
            case ["bus", "netdevsim", *rest]:
                from nlemu.emulator.launch.files import netdevsim

                descriptor = self.supervisor.descriptors(call.process.pid).get
                return walk(netdevsim.bus(machine, tasks.net(call.tid), descriptor), rest, follow=follow)
            case ["devices", name, *rest] if name.startswith("netdevsim"):
                from nlemu.emulator.launch.files import netdevsim

                net = tasks.net(call.tid)
                for device in machine.netdevsim_bus.devices.values():
                    if device.name == name:
                        return walk(netdevsim.bus_device(device, net), rest, follow=follow)
                return None
            case ["kernel", "debug", "netdevsim", *rest]:
                from nlemu.emulator.launch.files import netdevsim

                return walk(netdevsim.debug_folder(machine), rest, follow=follow)
            case ["devices", "system", *_]:  # processors, which every second program counts
                return False
            case ["bus" | "devices" | "kernel" | "module", *_]:
                from nlemu.emulator.launch.files import cards

                return cards.find(machine, tasks.sysfs(call.tid), parts, follow=follow)
        return False

    def _elsewhere(self, call: Call, parts: list[str], *, follow: bool) -> Node | bool | None:
        tasks = self.supervisor.tasks
        match parts:
            case ["run", "netns", *rest] | ["var", "run", "netns", *rest]:
                return walk(self.names(), rest, follow=follow)
            case ["dev", "net", "tun"] if self.supervisor.machine.build.has("TUN"):
                return Character(doors.TUN_DEVICE)
            case ["proc", "sys", "net", *rest]:
                from nlemu.emulator.launch.files import sysctl

                return walk(sysctl.sys_net(tasks.net(call.tid)), rest, follow=follow)
            case ["proc", "net", *rest] if rest or follow:  # a link to self/net
                return self._proc_net(tasks.net(call.process.pid), rest)
            case ["proc", ("mounts" as name)] if follow:  # a link to self/mounts
                return self._mounts(call, "self", name)
            case ["proc", who, name] | ["proc", _, "task", who, name] if name in mounts.NAMES:
                return self._mounts(call, who, name)
            case ["proc", who, ("uid_map" | "gid_map" | "setgroups") as name]:
                return self._map(call, who, name)
            case ["proc", who, "fd", number] | ["proc", who, "task", _, "fd", number] if number.isdecimal():
                return self._descriptor(call, who, number, follow=follow)
            case ["proc", who, *rest] if _of_interest(rest):
                return self._of_thread(call, who, rest)
            case ["proc", who, "task", thread, *rest] if _of_interest(rest):
                return self._of_thread(call, thread, rest)
        return False

    def canonical(self, call: Call, path: str) -> str:
        """The path of a directory of ours, without links on the way: where a program is that goes there."""
        done, pending = "/", path.strip("/").split("/")
        while pending:
            part = pending.pop(0)
            step = posixpath.normpath(posixpath.join(done, part))
            node = self.find(call, step, follow=False)
            if isinstance(node, Link):
                whole = posixpath.normpath(posixpath.join(done, node.target))
                done, pending = "/", [*whole.strip("/").split("/"), *pending]
            else:
                done = step
        return done

    def _of_thread(self, call: Call, who: str, rest: list[str]) -> Node | bool | None:
        tasks = self.supervisor.tasks
        tid = self._thread(call, who)
        if tid is None:
            return False
        try:
            net = tasks.net(tid) if tid in (call.tid, call.process.pid) else tasks.known(tid)
        except OSError:
            return None
        if net is None:
            return False  # a process that is not ours to tell of
        if rest[0] == "ns":
            return NetFile(net, self.supervisor.namespaces.files.link(net))
        if rest[0] == "status":
            return self._status(call, tid)
        return self._proc_net(net, rest[1:])

    @staticmethod
    def _thread(call: Call, who: str) -> int | None:
        """The number of a thread, by its name below /proc."""
        if who in ("self", "thread-self"):
            return call.process.pid if who == "self" else call.tid
        return int(who) if who.isdecimal() else None

    def _status(self, call: Call, tid: int) -> Node | bool:
        """Of programs that are who the emulated kernel says."""
        tasks = self.supervisor.tasks
        if not self.supervisor.root:
            return False
        from nlemu.emulator.launch.files import status

        pid = tasks.process(tid).pid
        return status.file(f"/proc/{pid}/task/{tid}/status", tasks.cred(tid), tasks.cred(call.tid))

    def _mounts(self, call: Call, who: str, name: str) -> Node | bool:
        """What is mounted, where a thread of ours is; this machine's to say where nothing of ours is."""
        namespaces, thread = self.supervisor.namespaces, self._thread(call, who)
        namespaces.refresh()
        try:
            if thread is None or not (namespaces.bound or namespaces.mounted):
                return False
            if thread != call.tid and self.supervisor.tasks.known(thread) is None:
                return False
        except OSError:
            return False
        return mounts.file(f"/proc/{thread}/{name}", name, list(namespaces.mounts()))

    def _map(self, call: Call, who: str, name: str) -> Node | bool:
        """A map of a process's user namespace."""
        if not self.supervisor.root or not (who == "self" or who.isdecimal()):
            return False
        from nlemu.emulator.launch.files import user_namespace

        tasks, pid = self.supervisor.tasks, call.process.pid if who == "self" else int(who)
        try:
            if pid != call.process.pid and tasks.known(pid) is None:
                return False
            return user_namespace.file(tasks.cred(call.tid), tasks.cred(pid), pid, name)
        except (OSError, KeyError):
            return False

    def _descriptor(self, call: Call, who: str, number: str, *, follow: bool) -> Node | bool:
        """/proc/PID/fd/N, where that is a namespace's file, or one of ours that is read."""
        pid = str(call.tid) if who in ("self", "thread-self") else who
        try:
            found = os.stat(f"/proc/{pid}/fd/{number}")
        except OSError:
            return False
        namespaces = self.supervisor.namespaces
        net = namespaces.files.behind(found.st_dev, found.st_ino)
        return False if net is None else NetFile(net, namespaces.files.link(net))

    def _proc_net(self, net: Net, rest: list[str]) -> Node | None:
        from nlemu.emulator.launch.files import procfs

        return walk(procfs.proc_net(net, self.supervisor.machine), rest)

    def net_of(self, call: Call, path: str) -> Net:
        """The namespace of which a file tells, for the caller."""
        tasks = self.supervisor.tasks
        if path.startswith("/sys/"):
            return tasks.sysfs(call.tid)
        return tasks.net(call.process.pid if path.startswith("/proc/net") else call.tid)

    def names(self) -> Directory:
        """/run/netns."""
        namespaces = self.supervisor.namespaces
        namespaces.refresh()
        return Directory(
            {
                name: partial(NetFile, namespaces.bound[name]) if name in namespaces.bound else _empty
                for name in os.listdir(namespaces.directory)
            }
        )

    def covered(self, tid: int, dirfd: int, raw: bytes) -> tuple[tuple[int, int], Net] | None:
        """Where a program's own file has a namespace mounted on it: the file's device and inode, and the namespace."""
        mounted = self.supervisor.namespaces.mounted
        if not mounted or not raw:
            return None
        try:
            found = os.stat(beneath(tid, dirfd, raw))
        except OSError:
            return None
        net = mounted.get((found.st_dev, found.st_ino))
        return None if net is None else ((found.st_dev, found.st_ino), net)

    def namespace_at(self, call: Call, path: str) -> Net | None:
        """The namespace whose file is at that path, as the caller sees it."""
        node = self.find(call, posixpath.normpath(path)) if path.startswith("/") else False
        if isinstance(node, NetFile):
            return node.net
        covered = self.covered(call.tid, -1, os.fsencode(path))
        return None if covered is None else covered[1]

    # As descriptors

    def open(self, node: Node, path: str, net: Net, *, reads: bool = True, writes: bool = False) -> int:
        """A descriptor for a node, to be given to a program and closed. reads: what is in it will be read; writes: it
        will be written. OSError as from reading it."""
        if isinstance(node, NetFile):
            return self.supervisor.namespaces.open(node.net)
        if isinstance(node, Directory):
            return os.open(self.directory(node, path, net), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if isinstance(node, Character):
            return self.supervisor.tuns.open(net)
        assert isinstance(node, File)
        if reads and not writes and not node.private:
            content = node.read()
            fd = os.open(self._real(path, net), os.O_RDWR | os.O_CLOEXEC)
            try:
                if os.pread(fd, len(content) + 1, 0) != content:
                    os.pwrite(fd, content, 0)
                    os.ftruncate(fd, len(content))
                return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            finally:
                os.close(fd)
        fd = os.memfd_create(os.path.basename(path), os.MFD_CLOEXEC)
        if reads and node.readable:
            os.write(fd, node.read())
            os.lseek(fd, 0, os.SEEK_SET)
        if not writes:
            try:
                return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            finally:
                os.close(fd)
        if node.writable:
            self.supervisor.keep(fd)
            found = os.fstat(fd)
            self._open[found.st_dev, found.st_ino] = node
            if len(self._open) > REMEMBERED:
                self._open.popitem(last=False)
        return fd

    def opened(self, borrowed: Borrowed) -> File | None:
        """The file that a program has open for writing there."""
        return self._open.get((borrowed.device, borrowed.inode))

    def writer(self, file: File) -> socket.socket:
        """A socket that stands for a file that is written to; the caller closes it."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._writers[ours.fileno()] = ours
        found = os.fstat(theirs.fileno())
        place = found.st_dev, found.st_ino
        self._moved[place] = file
        self.supervisor.watch(ours.fileno(), partial(self._written, ours, place), select.EPOLLIN)
        return theirs

    def moved(self, tid: int, fd: int) -> File | None:
        """The file that is written to at a low number."""
        if not self._moved:
            return None
        try:
            found = os.stat(f"/proc/{tid}/fd/{fd}")
        except OSError:
            return None
        return self._moved.get((found.st_dev, found.st_ino))

    def _written(self, ours: socket.socket, place: tuple[int, int], _: int) -> None:
        while True:
            try:
                data = ours.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.supervisor.unwatch(ours.fileno())
                del self._writers[ours.fileno()], self._moved[place]
                ours.close()
                return
            try:
                self._moved[place].write(data)
            except OSError as error:
                log.warning("a write was refused, which the program cannot be told: %s", error)
            self.supervisor.settle()

    def directory(self, node: Directory, path: str, net: Net) -> str:
        """A real directory with the same names in it. From now on a program may be in it."""
        self._entered = True
        if posixpath.normpath(path) in NETNS_PLACES:
            return self.supervisor.namespaces.directory
        place = self._real_directory(path, net)
        there = set(os.listdir(place))
        wanted = set(node)
        for name in there - wanted:
            target = os.path.join(place, name)
            if os.path.isdir(target) and not os.path.islink(target):
                shutil.rmtree(target, ignore_errors=True)
            else:
                os.unlink(target)
        for name in wanted - there:
            child = node.child(name)
            target = os.path.join(place, name)
            if isinstance(child, Link):
                os.symlink(child.target, target)
            elif isinstance(child, Directory):
                os.mkdir(target)
            else:
                os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        return place

    def is_near(self, tid: int, dirfd: int) -> bool:
        """Whether relative paths from there may lead to files of /sys or /proc."""
        try:
            path = os.readlink(f"/proc/{tid}/cwd" if dirfd == AT_FDCWD else f"/proc/{tid}/fd/{dirfd}")
        except OSError:
            return False
        return doors.is_telling(os.fsencode(path))

    def _place(self, path: str, net: Net) -> str:
        # Side by side, not one in another: a name may be a link in one, and a directory by itself.
        return os.path.join(self.shadow, str(net.inum), posixpath.normpath(path).replace("/", SLASH))

    def _real_directory(self, path: str, net: Net) -> str:
        """The real directory that stands for one; not filled."""
        place = self._place(path, net)
        with suppress(NotADirectoryError, FileNotFoundError):
            os.unlink(place) if os.path.isfile(place) else None
        os.makedirs(place, exist_ok=True)
        return place

    def _real(self, path: str, net: Net) -> str:
        """The real file that stands for one."""
        place = self._place(path, net)
        if not os.path.isfile(place):
            if os.path.isdir(place):
                shutil.rmtree(place)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            os.close(os.open(place, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o644))
        return place

    def behind_directory(self, tid: int, fd: int) -> str | None:
        """The path of ours that a program's directory descriptor stands for; None when it is a directory of its own."""
        return self._behind(f"/proc/{tid}/fd/{fd}")

    def entering(self, path: bytes) -> None:
        """A program goes to a directory that is not ours; it may come near ours."""
        self._entered = self._entered or any(name in path for name in (b"sys", b"proc", b"run"))

    def where(self, tid: int, *, certain: bool = False, real: bool = True) -> str | None:
        """The path of ours that a program is in, or, if `real`, the directory of its own from which relative paths may
        lead to one of ours; None when they do not. certain: it is looked at even if nobody has come near."""
        if not certain and not self._entered:
            return None
        try:
            path = os.readlink(f"/proc/{tid}/cwd")
        except OSError:
            return None
        return self._known(path) or (path if real else None)

    def _behind(self, link: str) -> str | None:
        try:
            return self._known(os.readlink(link))
        except OSError:
            return None

    def _known(self, path: str) -> str | None:
        """The path of ours for which that directory stands."""
        if path == self.supervisor.namespaces.directory:
            return "/run/netns"
        below = doors.below(path, self.shadow)
        if below:
            _, _, rest = below[1:].partition("/")
            return rest.replace(SLASH, "/")
        return None

    def identity(self, node: Node, path: str, net: Net) -> os.stat_result:
        """stat() of what stands for the node, as fstat() of its descriptor would have it."""
        if isinstance(node, NetFile):
            return self.supervisor.namespaces.files.identity(node.net)
        if isinstance(node, Link | Character):
            return os.stat(self.shadow)
        if posixpath.normpath(path) in NETNS_PLACES:
            return os.stat(self.supervisor.namespaces.directory)
        if isinstance(node, Directory):
            return os.stat(self._real_directory(path, net))
        return os.stat(self._real(path, net))

    def close(self) -> None:
        """Closes what is kept of files that are being written."""
        for ours in self._writers.values():
            with suppress(OSError):
                ours.close()
        self._writers.clear()


def _of_interest(rest: list[str]) -> bool:
    """Whether that is a file of ours below a process's directory."""
    return rest in (["ns", "net"], ["status"]) or rest[:1] == ["net"]


def _empty() -> File:
    return File(lambda: "")


