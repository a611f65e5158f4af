"""setns(), unshare(), clone() with CLONE_NEWNET, and the mounts that come with network namespaces.

A program that enters a namespace as `ip netns exec` does also takes mounts of its own and puts a new /sys in its place.
Nothing of that is done: /sys/class/net shows the caller's namespace anyhow. It would not be safe to let any mount
through afterwards either, because the program believes that it is alone, so every other mount it then tries is refused.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat

from nlemu.emulator.launch.namespaces import nsfs
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.filter import CLONE_NEWNET, CLONE_NEWNS
from nlemu.emulator.launch.trap.redo import redo
from nlemu.emulator.launch.trap.task import beneath

AT_FDCWD = -100
CLONE_NEWUSER = 0x10000000
OTHER_NAMESPACES = 0x02000000 | 0x04000000 | 0x08000000 | CLONE_NEWUSER | 0x20000000
"""CLONE_NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID."""
MS_REMOUNT, MS_BIND, MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 0x20, 0x1000, 1 << 17, 1 << 18, 1 << 19, 1 << 20
PROPAGATION = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED


def setns(call: Call) -> Answer:
    """Into the namespace of an open file. EINVAL for a file of another kind is the kernel's to say."""
    supervisor, kind = call.supervisor, call.cint(1)
    with call.borrow(call.cint(0)) as borrowed:
        net = supervisor.namespaces.behind(borrowed)
        if net is None:
            net = supervisor.net_behind_pidfd(call.tid, call.cint(0)) if kind == CLONE_NEWNET else None
    if net is None:
        return PASS
    if kind not in (0, CLONE_NEWNET):
        raise OSError(errno.EINVAL, "not a namespace of that kind")
    may_enter(call)
    supervisor.tasks.move(call.tid, net)
    supervisor.settle()
    return 0


def may_enter(call: Call) -> None:
    """CAP_SYS_ADMIN. OSError EPERM."""
    if not call.supervisor.root:
        raise OSError(errno.EPERM, "CAP_SYS_ADMIN")


def unshare(call: Call) -> Answer:
    """A namespace of its own, with nothing but lo. Mounts of its own are only said to be there."""
    flags, supervisor = call.args[0] & 0xFFFFFFFF, call.supervisor
    others = flags & ~(CLONE_NEWNET | CLONE_NEWNS)
    if not flags & CLONE_NEWNET and others:
        return PASS
    if others and not others & CLONE_NEWUSER:
        raise OSError(errno.EPERM, "namespaces of several kinds at once")
    if not others:
        may_enter(call)
    if flags & CLONE_NEWNET:
        net = supervisor.namespaces.make()
        supervisor.tasks.move(call.tid, net)
        net.release()
    if flags & CLONE_NEWNS:
        call.process.unshared_mounts = True
    supervisor.settle()
    # With a user namespace the real thing is allowed, and does no harm: it is all the program's own.
    return PASS if others else 0


def clone(call: Call) -> Answer:
    """clone(CLONE_NEWNET): done without that flag; the child is put into a namespace of its own when it is first heard
    of. With a user namespace, or where it cannot be changed, the kernel does it as it stands, if the program may."""
    flags, process = call.args[0], call.process
    others = flags & OTHER_NAMESPACES
    if others and not others & CLONE_NEWUSER:
        raise OSError(errno.EPERM, "namespaces of several kinds at once")
    if not others:
        may_enter(call)
    process.expects_net = True
    if others:
        return PASS
    process.expects_mounts = bool(flags & CLONE_NEWNS)
    try:
        return redo(call, "clone", {0: flags & ~(CLONE_NEWNET | CLONE_NEWNS)})
    except OSError:
        process.expects_mounts = False
        return PASS


def netns_name(path: str) -> str | None:
    """The name that a path under /run/netns ends in."""
    path = posixpath.normpath(path)
    for prefix in ("/run/netns/", "/var/run/netns/"):
        if path.startswith(prefix) and "/" not in path[len(prefix) :]:
            return path[len(prefix) :]
    return None


def is_netns_directory(path: str) -> bool:
    """Whether `ip netns` keeps its names there."""
    return posixpath.normpath(path) in ("/run/netns", "/var/run/netns")


def mount(call: Call) -> Answer:
    """Binds a namespace to a name; what `ip netns` does to /run/netns, and to /sys, is said to have been done."""
    source = call.string(call.args[0]).decode(errors="surrogateescape") if call.args[0] else ""
    target = call.string(call.args[1]).decode(errors="surrogateescape")
    flags, supervisor = call.args[3], call.supervisor
    name = netns_name(target)
    if name is not None:
        net = supervisor.files.namespace_at(call, source)
        if net is None or not flags & MS_BIND:
            raise OSError(errno.EINVAL, "not a namespace")
        may_enter(call)
        supervisor.namespaces.bind(name, net)
        supervisor.settle()
        return 0
    if is_netns_directory(target):
        may_enter(call)
        return 0
    if flags & MS_BIND and (net := supervisor.files.namespace_at(call, source)) is not None:
        may_enter(call)
        place = os.stat(beneath(call.tid, AT_FDCWD, os.fsencode(target)))
        if stat.S_ISDIR(place.st_mode):
            raise OSError(errno.ENOTDIR, target)
        supervisor.namespaces.mount((place.st_dev, place.st_ino), net)
        supervisor.settle()
        return 0
    if call.process.unshared_mounts:
        if flags & PROPAGATION or target in ("/sys", "/sys/") or target.startswith("/etc/"):
            return 0
        raise OSError(errno.EPERM, "mounts are not played")
    return PASS


def umount(call: Call) -> Answer:
    """umount2(): of a namespace's name takes it away, of anything else does nothing."""
    target = call.string(call.args[0]).decode(errors="surrogateescape")
    name = netns_name(target)
    if name is not None:
        may_enter(call)
        call.supervisor.namespaces.refresh()
        call.supervisor.namespaces.unbind(name)
        call.supervisor.settle()
        return 0
    if is_netns_directory(target):
        raise OSError(errno.EINVAL, "not mounted")
    if (covered := call.supervisor.files.covered(call.tid, AT_FDCWD, os.fsencode(target))) is not None:
        may_enter(call)
        call.supervisor.namespaces.unmount(covered[0])
        call.supervisor.settle()
        return 0
    if call.process.unshared_mounts:
        if target in ("/sys", "/sys/"):
            return 0
        raise OSError(errno.EPERM, "mounts are not played")
    return PASS


CALLS = {"setns": setns, "unshare": unshare, "clone": clone, "mount": mount, "umount2": umount, "fstatfs": nsfs.fstatfs}
