"""bpf(): which programs are attached to a namespace or a device. None are, as far as anybody can tell: an emulated
device has nothing to run them on (kernel/bpf/syscall.c, bpf_prog_query()). Programs are loaded into the real kernel; a
descriptor of one may be given to an emulated device (IFLA_XDP_FD), which then tells of it.
"""

from __future__ import annotations

import errno
import os
import struct

from nlemu.emulator.kernel.queues.xdp import XdpProgram
from nlemu.emulator.launch.trap.call import PASS, Answer, Call

# enum bpf_attach_type of include/uapi/linux/bpf.h: those that belong to the network.
FLOW_DISSECTOR = 17
OF_DEVICES = (46, 47, 54, 55)  # TCX_INGRESS, TCX_EGRESS, NETKIT_PRIMARY, NETKIT_PEER
PROGRAM_FILE = "anon_inode:bpf-prog"
TYPE_XDP = 6
"""BPF_PROG_TYPE_XDP"""
QUERY = struct.Struct("=IIIIQI")  # target, type, query flags, attach flags, ids, count


def bpf(call: Call) -> Answer:
    """BPF_PROG_QUERY. OSError EPERM, ENODEV, EINVAL."""
    place = call.args[1]
    target, kind, *_ = QUERY.unpack(call.read(place, QUERY.size))
    if kind != FLOW_DISSECTOR and kind not in OF_DEVICES:
        return PASS
    if not call.supervisor.capable(call.tid):
        raise OSError(errno.EPERM, "CAP_NET_ADMIN")
    if kind in OF_DEVICES and call.supervisor.tasks.net(call.tid).device(target) is None:
        raise OSError(errno.ENODEV, "no such device")
    call.write(place + 12, struct.pack("=I", 0))
    call.write(place + 24, struct.pack("=I", 0))
    return 0


def program_behind(fd: int) -> XdpProgram | None:
    """The XDP program that a descriptor of this process is of, as the real kernel tells of it; None for all else.
    Whether it can do with fragments is not told."""
    try:
        if os.readlink(f"/proc/self/fd/{fd}") != PROGRAM_FILE:
            return None
        with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as lines:
            told = dict(line.split(":", 1) for line in lines if ":" in line)
        return XdpProgram(int(told["prog_id"])) if int(told["prog_type"]) == TYPE_XDP else None
    except (OSError, KeyError, ValueError):
        return None


CALLS = {"bpf": bpf}
