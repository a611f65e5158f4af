"""XDP programs as user programs have them in hand, and the links by which they are attached.

Where this machine lets them be loaded, they are, and are real: what one is, is read from where the kernel tells it
(fdinfo). Where it does not (whoever is not root, and most containers), the file that stands for one is ours. Nobody
runs it, so nobody verifies it: what is refused is what can be seen without following the code. A link is ours always,
as it attaches to an emulated device.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.queues.xdp import XdpLink, XdpProgram
from nlemu.protocol.uapi.bpf import BPF_LINK_TYPE_XDP, BPF_PROG_TYPE_XDP, BPF_TAG_SIZE

if TYPE_CHECKING:
    from nlemu.emulator.launch.trap.borrow import Borrowed
    from nlemu.emulator.launch.trap.held import HeldFiles

PROGRAM_FILE = "anon_inode:bpf-prog"
PROGRAM_INFO = struct.Struct("=2I8s2I3Q2IQ16s2I144x")
"""struct bpf_prog_info as far as the licence; the rest is of types, lines and subprograms, of which there are none."""
LINK_INFO = struct.Struct("=3I4xI")
"""struct bpf_link_info of an XDP program: type, number, its program's number, device."""


@dataclass(frozen=True)
class LoadedProgram:
    """One of ours. uid: who loaded it; loaded: when, in nanoseconds since the machine started; free: by its licence it
    may call what only free programs may."""

    program: XdpProgram
    code: bytes
    name: bytes
    uid: int
    loaded: int
    free: bool

    @property
    def tag(self) -> bytes:
        """bpf_prog_calc_tag(), of a program without maps."""
        return sha256(self.code).digest()[:BPF_TAG_SIZE]

    def info(self) -> bytes:
        """bpf_prog_get_info_by_fd(). Nothing of it is compiled, as where net.core.bpf_jit_enable is 0."""
        return PROGRAM_INFO.pack(
            BPF_PROG_TYPE_XDP, self.program.id, self.tag, 0, len(self.code), 0, 0, self.loaded, self.uid, 0, 0,
            self.name, 0, int(self.free),
        )

    def close(self) -> None:
        """What is attached stays, without it."""


@dataclass(frozen=True)
class HeldLink:
    """The file of a link. It ends with it."""

    link: XdpLink

    def info(self) -> bytes:
        """bpf_link_get_info_by_fd()."""
        dev = self.link.dev
        return LINK_INFO.pack(BPF_LINK_TYPE_XDP, self.link.number, self.link.id, 0 if dev is None else dev.ifindex)

    def close(self) -> None:
        """bpf_link_release()."""
        self.link.close()


def program_behind(held: HeldFiles, borrowed: Borrowed) -> XdpProgram | None:
    """The XDP program that a descriptor is of; None for all else. Whether a real one can do with fragments is not
    told."""
    found = held.behind(borrowed)
    if isinstance(found, LoadedProgram):
        return found.program
    return None if found is not None else _real_program(borrowed.fd)


def _real_program(fd: int) -> XdpProgram | None:
    """fd: ours, a copy."""
    try:
        if os.readlink(f"/proc/self/fd/{fd}") != PROGRAM_FILE:
            return None
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as lines:
            told = dict(line.split(":", 1) for line in lines if ":" in line)
        return XdpProgram(int(told["prog_id"])) if int(told["prog_type"]) == BPF_PROG_TYPE_XDP else None
    except (OSError, KeyError, ValueError):
        return None
