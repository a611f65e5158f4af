"""setns(), unshare(), clone() with CLONE_NEWNET, and the mounts that come with network namespaces.

A program that enters a namespace as `ip netns exec` does also takes mounts of its own and puts a new /sys in its place.
Nothing of that is done, but /sys tells of the namespace in which it was mounted, as Linux has it. Where the program
really has mounts of its own, which nobody shares, it may mount what it likes; where it only believes so, every other
mount that it then tries is refused.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from typing import TYPE_CHECKING

from nlemu.emulator.launch.namespaces import nsfs
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.emulator.launch.trap.credentials import CAP_SYS_ADMIN
from nlemu.emulator.launch.trap.filter import CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWUSER, CLONE_THREAD
from nlemu.emulator.launch.trap.redo import redo
from nlemu.emulator.launch.trap.task import AT_FDCWD, beneath

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

CLONE_NEWPID = 0x20000000
OTHER_NAMESPACES = 0x02000000 | 0x04000000 | 0x08000000 | CLONE_NEWUSER | CLONE_NEWPID
"""CLONE_NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID."""
KINDS = OTHER_NAMESPACES | CLONE_NEWNET | CLONE_NEWNS
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
    may_enter(call, net)
    supervisor.tasks.move(call.tid, net)
    supervisor.settle()
    return 0


def may_enter(call: Call, net: Net | None = None) -> None:
    """CAP_SYS_ADMIN, of one's own user namespace, and of the namespace to be entered. OSError EPERM."""
    cred = call.supervisor.tasks.cred(call.tid)
    if not cred.able(CAP_SYS_ADMIN):
        raise OSError(errno.EPERM, "CAP_SYS_ADMIN")
    if net is not None and not cred.capable(call.supervisor.namespaces.owner(net), CAP_SYS_ADMIN):
        raise OSError(errno.EPERM, "CAP_SYS_ADMIN there")


def unshare(call: Call) -> Answer:
    """Namespaces of its own. Of networks and users they are the emulator's. Where the program may, the real kernel
    makes those of the other kinds, and user namespaces too, so that the program may do there what it expects; an
    ordinary user may those that come with a user namespace, if this machine lets. Where not, of those that change
    nothing of what we show it is only said that they are there."""
    flags, supervisor = call.args[0] & 0xFFFFFFFF, call.supervisor
    if flags & ~KINDS:
        return PASS
    others = flags & ~(CLONE_NEWNET | CLONE_NEWNS)
    really = supervisor.privileged or bool(flags & CLONE_NEWUSER and supervisor.makes_spaces)
    if others & CLONE_NEWPID and not really:
        raise OSError(errno.EPERM, "no process ids of its own without privileges")
    if flags & CLONE_NEWUSER:
        supervisor.tasks.become(call.tid, supervisor.tasks.cred(call.tid).in_new_space())
    else:
        may_enter(call)
    if flags & CLONE_NEWNET:
        net = supervisor.namespaces.make(supervisor.tasks.cred(call.tid))
        supervisor.tasks.move(call.tid, net)
        net.release()
        supervisor.settle()
    if flags & CLONE_NEWNS:
        supervisor.tasks.meet_descendants(call.process, call.tid)
        supervisor.tasks.alike = False
        call.process.mounts = call.process.mounts.copy(real=really)
    if not really or flags == CLONE_NEWNET:
        return 0
    if flags & CLONE_NEWUSER or not flags & CLONE_NEWNET:
        return PASS  # also what is redone below, if it is handed over again
    try:
        return redo(call, "unshare", {0: others | flags & CLONE_NEWNS})
    except OSError:
        if others:
            raise
        call.process.mounts = call.process.mounts.copy(real=False)
        return 0


def clone(call: Call) -> Answer:
    """clone() of a thread, which is what its maker is; or of a process in namespaces of its own: done without these
    flags, where the real kernel would not have it; what the child is, is said when it is first heard of."""
    flags, process, supervisor = call.args[0], call.process, call.supervisor
    if flags & CLONE_THREAD:
        supervisor.tasks.makes_thread(call.tid)
        return PASS
    others = flags & OTHER_NAMESPACES
    really = supervisor.privileged or bool(flags & CLONE_NEWUSER and supervisor.makes_spaces)
    if others & CLONE_NEWPID and not really:
        raise OSError(errno.EPERM, "no process ids of its own without privileges")
    if not others & CLONE_NEWUSER:
        may_enter(call)
    supervisor.tasks.meet_descendants(process, call.tid)
    supervisor.tasks.alike &= not flags & CLONE_NEWNS
    process.expects_net = bool(flags & CLONE_NEWNET)
    process.expects_space = bool(flags & CLONE_NEWUSER)
    if others & CLONE_NEWUSER and really:
        process.expects_mounts = process.mounts.copy(real=True) if flags & CLONE_NEWNS else None
        return PASS
    kept = flags & (OTHER_NAMESPACES | CLONE_NEWNS) if supervisor.privileged else 0
    process.expects_mounts = process.mounts.copy(real=bool(kept & CLONE_NEWNS)) if flags & CLONE_NEWNS else None
    try:
        return redo(call, "clone", {0: flags & ~KINDS | kept})
    except OSError:
        process.expects_mounts = None
        return PASS


def exit_group(call: Call) -> Answer:
    """exit_group(): whom the process has made is looked for while it is still their parent."""
    call.supervisor.tasks.leaves(call.tid)
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
        where = os.readlink(f"/proc/{call.tid}/cwd") if target[:1] != "/" else ""
        path = posixpath.normpath(posixpath.join(where, target))
        supervisor.namespaces.mount((place.st_dev, place.st_ino), path, net)
        supervisor.settle()
        return 0
    if os.path.normpath(target) == "/sys" and call.args[2] and call.string(call.args[2]) == b"sysfs":
        may_enter(call)
        call.process.mounts.sysfs += (supervisor.tasks.net(call.tid),)
        return 0
    if call.process.mounts.real and owns_mounts(call):
        kind = call.string(call.args[2]) if call.args[2] and not flags & (MS_BIND | PROPAGATION) else b""
        return 0 if kind == b"sysfs" else PASS
    if call.process.mounts.believed or call.process.mounts.real:
        if flags & PROPAGATION and call.process.mounts.real:
            return PASS
        if flags & PROPAGATION or target in ("/sys", "/sys/") or target.startswith("/etc/"):
            return 0
        raise OSError(errno.EPERM, "mounts are not played")
    return PASS


def owns_mounts(call: Call) -> bool:
    """Whether no mount of the caller's is shared with anybody: what it mounts stays its own."""
    try:
        with open(f"/proc/{call.tid}/mountinfo", "rb") as lines:
            return not any(b" shared:" in line for line in lines)
    except OSError:
        return False


def umount(call: Call) -> Answer:
    """umount2(): of a namespace's name takes it away, of /sys brings back what was there before it was mounted last, of
    anything else does nothing."""
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
    if os.path.normpath(target) == "/sys" and call.process.mounts.sysfs:
        may_enter(call)
        call.process.mounts.sysfs = call.process.mounts.sysfs[:-1]
        return 0
    if call.process.mounts.believed or call.process.mounts.real:
        if target in ("/sys", "/sys/"):
            return 0
        if call.process.mounts.real and owns_mounts(call):
            return PASS
        raise OSError(errno.EPERM, "mounts are not played")
    return PASS


CALLS = {
    "setns": setns, "unshare": unshare, "clone": clone, "exit_group": exit_group, "mount": mount, "umount2": umount,
    "fstatfs": nsfs.fstatfs,
}
