"""Whether this machine can run programs under supervision: every thing that is needed, tried.

What is tried is the thing itself, in a child that ends at once: a filter with a listener, a look into the child's
memory, a copy of one of its descriptors.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from nlemu.emulator.launch.place import NoPlace, make_place
from nlemu.emulator.launch.session import CannotSupervise, high_numbers, why_not
from nlemu.emulator.launch.trap.architectures import ARCHITECTURES, Architecture, architecture
from nlemu.emulator.launch.trap.borrow import allowed
from nlemu.emulator.launch.trap.instructions import RET_ALLOW, RET_USER_NOTIF, Rule, assemble
from nlemu.emulator.launch.trap.memory import Memory
from nlemu.emulator.launch.trap.seccomp import Listener, install

LINUX = (5, 14)
"""SECCOMP_ADDFD_FLAG_SEND."""
RESTARTS = (5, 19)
"""SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what, how it is, and what to do if it is not good (None: it is good)."""

    what: str
    how: str
    remedy: str | None = None


def release() -> tuple[int, int]:
    """The kernel's version."""
    words = os.uname().release.split(".")
    return int(words[0]), int("".join(digit for digit in words[1] if digit.isdigit()) or 0)


def findings() -> Iterator[Finding]:
    """Everything that is needed, in the order in which it is needed; it ends where nothing more can be tried."""
    arch = architecture()
    machine = os.uname().machine
    if arch is None:
        known = ", ".join(sorted({each.name for each in ARCHITECTURES.values()}))
        yield Finding("architecture", machine, f"only these are known: {known}")
        return
    yield Finding("architecture", machine)
    version = release()
    shown = os.uname().release
    if version < LINUX:
        yield Finding("kernel", shown, "Linux 5.14 or later is needed")
        return
    if version < RESTARTS:
        shown += " (before 5.19 a signal at the wrong moment can make a program repeat a call)"
    yield Finding("kernel", shown)
    try:
        yield Finding("open files", f"our descriptors begin at {high_numbers()}")
    except CannotSupervise as error:
        yield Finding("open files", str(error), "raise the limit: ulimit -n 1024")
        return
    try:
        place = make_place()
    except NoPlace as error:
        yield Finding("temporary files", str(error), "set TMPDIR to a directory that can be written")
        return
    os.rmdir(place)
    yield Finding("temporary files", os.path.dirname(place))
    yield from _supervise(arch)


def _supervise(arch: Architecture) -> Iterator[Finding]:
    """Supervises a child for a moment."""
    ours, theirs = socket.socketpair()
    word = ctypes.create_string_buffer(b"here")
    child = os.fork()
    if not child:
        _be_supervised(arch, theirs)
    try:
        theirs.close()
        data, descriptors, _, _ = socket.recv_fds(ours, 4, 1)
        number = struct.unpack("=i", data)[0] if len(data) == 4 else errno.ESRCH
        if number:
            remedy = {
                errno.EBUSY: "leave the other supervisor (a nested `nlemu run`, or a container engine's)",
                errno.EPERM: "allow seccomp() in the container's profile",
            }.get(number, "run it on a machine where seccomp user notification is allowed")
            yield Finding("supervision", why_not(number), remedy)
            return
        listener = Listener(descriptors[0])
        try:
            notification = listener.receive()
            yield Finding("supervision", "seccomp user notification works")
            yield _try("memory of programs", lambda: Memory().read(child, ctypes.addressof(word), 4),
                       "allow process_vm_readv() and process_vm_writev() in the container's profile")
            how = "can be had" if allowed() else "cannot be had (pidfd_getfd): we keep copies; no --dir then"
            yield Finding("descriptors of programs", how)
            if notification is not None:
                listener.succeed(notification.id)
        finally:
            listener.close()
    finally:
        ours.close()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _try(what: str, attempt: object, remedy: str) -> Finding:
    assert callable(attempt)
    try:
        attempt()
    except OSError as error:
        return Finding(what, f"cannot be had: {error.strerror}", remedy)
    return Finding(what, "can be had")


def _be_supervised(arch: Architecture, parent: socket.socket) -> None:
    try:
        rules = (Rule("setns", action=RET_USER_NOTIF), Rule("socket", action=RET_ALLOW))
        try:
            listener = install(arch, assemble(rules, arch.numbers, arch.audit, arch.foreign))
        except OSError as error:
            parent.send(struct.pack("=i", error.errno or errno.EINVAL))
            os._exit(1)
        socket.send_fds(parent, [struct.pack("=i", 0)], [listener])
        ctypes.CDLL(None).setns(-1, 0)
    finally:
        os._exit(0)
