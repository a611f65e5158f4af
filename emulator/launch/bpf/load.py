"""BPF_PROG_LOAD of XDP programs where this machine refuses them: all is checked but the code itself."""

from __future__ import annotations

import ctypes
import errno
import struct
import time
from functools import cache
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.queues.xdp import XdpProgram
from nlemu.emulator.launch.bpf.programs import LoadedProgram
from nlemu.emulator.launch.trap.call import PASS, Answer
from nlemu.emulator.launch.trap.credentials import CAP_BPF, CAP_SYS_ADMIN
from nlemu.emulator.launch.trap.seccomp import libc
from nlemu.protocol.uapi.bpf import BPF_OBJ_NAME_LEN, BPF_PROG_TYPE_XDP, BpfCmd, ProgFlag

if TYPE_CHECKING:
    from nlemu.emulator.launch.trap.call import Call

LOAD = struct.Struct("=2I2Q2IQ2I16s2I")
"""What BPF_PROG_LOAD begins with: type, instructions, where they are, licence; log: level, size, place; version, flags,
name, device, where it is expected to be attached."""
BTF_ID_AT = 108
MAX_INSNS = 1_000_000
"""BPF_COMPLEXITY_LIMIT_INSNS"""
KNOWN = sum(ProgFlag)
LEAST = struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)
"""BPF_MOV64_IMM(BPF_REG_0, XDP_PASS), BPF_EXIT_INSN(): a program."""
INSN = 8
JMP, JMP32, CALL, EXIT = 0x05, 0x06, 0x80, 0x90
"""BPF_JMP, BPF_JMP32, BPF_CALL, BPF_EXIT"""
FREE = (b"GPL", b"GPL v2", b"GPL and additional rights", b"Dual BSD/GPL", b"Dual MIT/GPL", b"Dual MPL/GPL")
"""license_is_gpl_compatible()"""
LICENCE = 128


@cache
def loads_here(number: int) -> bool:
    """Whether this machine lets us load an XDP program. number: bpf()'s, on this architecture."""
    code, licence = ctypes.create_string_buffer(LEAST), ctypes.create_string_buffer(b"GPL")
    count, places = len(LEAST) // INSN, (ctypes.addressof(code), ctypes.addressof(licence))
    attributes = LOAD.pack(BPF_PROG_TYPE_XDP, count, *places, 0, 0, 0, 0, 0, b"", 0, 0)
    data = ctypes.create_string_buffer(attributes)
    fd = libc.syscall(number, BpfCmd.PROG_LOAD, data, ctypes.c_long(len(attributes)))
    if fd < 0:
        return False
    libc.close(fd)
    return True


def load(call: Call, attributes: bytes) -> Answer:
    """bpf_prog_load(). OSError EINVAL, E2BIG, EPERM, EFAULT, EOPNOTSUPP."""
    kind, count, code_at, licence_at, _, _, _, _, flags, name, ifindex, _ = LOAD.unpack_from(attributes)
    if kind != BPF_PROG_TYPE_XDP or loads_here(call.supervisor.arch.numbers["bpf"]):
        return PASS
    if flags & ~KNOWN:
        raise OSError(errno.EINVAL, "flags")
    supervisor = call.supervisor
    admin = supervisor.capable(call.tid, CAP_SYS_ADMIN)
    able = admin or supervisor.capable(call.tid, CAP_BPF)
    if not count or count > MAX_INSNS:
        raise OSError(errno.E2BIG, "instructions")
    if not able or not (admin or supervisor.capable(call.tid)):
        raise OSError(errno.EPERM, "CAP_BPF, CAP_NET_ADMIN")
    if struct.unpack_from("=I", attributes, BTF_ID_AT)[0] or flags & (ProgFlag.SLEEPABLE | ProgFlag.TOKEN_FD):
        raise OSError(errno.EINVAL, "no such program")
    code = call.read(code_at, count * INSN)
    licence = call.string(licence_at)[: LICENCE - 1]
    if ifindex or flags & ProgFlag.XDP_DEV_BOUND_ONLY:
        raise OSError(errno.EOPNOTSUPP, "a program for one device")
    name = name.partition(b"\0")[0]
    if len(name) == BPF_OBJ_NAME_LEN or not all(chr(letter).isalnum() or letter in b"_." for letter in name):
        raise OSError(errno.EINVAL, "name")
    if not _ends(code[-INSN:]):
        raise OSError(errno.EINVAL, "the last instruction neither leaves nor jumps")
    program = XdpProgram(supervisor.machine.xdp.load(), bool(flags & ProgFlag.XDP_HAS_FRAGS))
    uid = supervisor.tasks.cred(call.tid).uids[0]
    loaded = LoadedProgram(program, code, name, uid, time.clock_gettime_ns(time.CLOCK_BOOTTIME), licence in FREE)
    return supervisor.held.give(call, supervisor.held.make(), loaded)


def _ends(last: bytes) -> bool:
    """check_subprogs(): whether nothing can be done after this instruction."""
    code = last[0]
    return code & 0x07 in (JMP, JMP32) and code & 0xF0 != CALL
