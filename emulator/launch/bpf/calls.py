"""bpf(), as far as it is about devices and network namespaces, which are emulated here.

XDP programs are attached to emulated devices, by links and by netlink, and are told of as on Linux (programs.py). Of
what else can be attached to a device or a namespace (TCX, netkit, netfilter, flow dissectors, socket lookup) there is
none, as on a kernel that was built without it: it would be attached to a device of this machine that has the number.
What belongs to control groups, tracing and so on is this machine's, and passes.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.queues.xdp import XdpLink, XdpProgram
from nlemu.emulator.launch.bpf.load import load
from nlemu.emulator.launch.bpf.programs import HeldLink, LoadedProgram, program_behind
from nlemu.emulator.launch.trap.call import PASS, Answer, Call
from nlemu.protocol.uapi.bpf import BPF_F_REPLACE, BPF_F_TEST_XDP_LIVE_FRAMES, BpfAttachType, BpfCmd

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.launch.trap.held import Held

PAGE_SIZE = 4096
ATTRIBUTES = 168
"""sizeof(union bpf_attr)"""
OF_DEVICES = (
    BpfAttachType.TCX_INGRESS, BpfAttachType.TCX_EGRESS, BpfAttachType.NETKIT_PRIMARY, BpfAttachType.NETKIT_PEER,
)
NONE_HERE = (*OF_DEVICES, BpfAttachType.FLOW_DISSECTOR, BpfAttachType.SK_LOOKUP, BpfAttachType.NETFILTER)
QUERY = struct.Struct("=IIIIQI")  # target, type, query flags, attach flags, ids, count
QUERY_ATTACH_FLAGS_AT, QUERY_COUNT_AT = 12, 24
CREATE = struct.Struct("=4I")
"""link_create: program, device, type, flags."""
CREATE_END = 64
UPDATE = struct.Struct("=4I")
"""link_update: link, new program, flags, old program."""
INFO = struct.Struct("=2IQ")
"""info: descriptor, length, place."""
INFO_LENGTH_AT = 4
PROGRAM_INFO_SIZE, LINK_INFO_SIZE = 232, 64
"""sizeof(struct bpf_prog_info), sizeof(struct bpf_link_info)"""
XLATED_LEN_AT, XLATED_AT = 20, 32
TEST_FLAGS_AT = 64
ATTACH_TYPE_AT = 8


def bpf(call: Call) -> Answer:
    """bpf()."""
    function = COMMANDS.get(call.cint(0))
    if function is None:
        return PASS
    return function(call, _zero_tailed(call, call.args[1], call.args[2] & 0xFFFFFFFF, ATTRIBUTES))


def _zero_tailed(call: Call, place: int, size: int, known: int) -> bytes:
    """bpf_check_uarg_tail_zero(): a struct that a program has in its own length, in ours. OSError E2BIG, EFAULT."""
    if size > PAGE_SIZE:
        raise OSError(errno.E2BIG, "longer than a page")
    data = call.read(place, size) if size else b""
    if any(data[known:]):
        raise OSError(errno.E2BIG, "not known")
    return data[:known].ljust(known, b"\0")


def _bare(attributes: bytes, end: int) -> None:
    """CHECK_ATTR(): nothing is said behind the last field."""
    if any(attributes[end:]):
        raise OSError(errno.EINVAL, "behind the last field")


def _query(call: Call, attributes: bytes) -> Answer:
    """bpf_prog_query(): no program is attached to a namespace or a device in these ways. OSError EPERM, ENODEV."""
    target, kind, *_ = QUERY.unpack_from(attributes)
    if kind != BpfAttachType.FLOW_DISSECTOR and kind not in OF_DEVICES:
        return PASS
    if not call.supervisor.capable(call.tid):
        raise OSError(errno.EPERM, "CAP_NET_ADMIN")
    if kind in OF_DEVICES and call.supervisor.tasks.net(call.tid).device(target) is None:
        raise OSError(errno.ENODEV, "no such device")
    place = call.args[1]
    call.write(place + QUERY_ATTACH_FLAGS_AT, struct.pack("=I", 0))
    call.write(place + QUERY_COUNT_AT, struct.pack("=I", 0))
    return 0


def _attach(call: Call, attributes: bytes) -> Answer:
    """bpf_prog_attach(), bpf_prog_detach(). OSError EINVAL."""
    if struct.unpack_from("=I", attributes, ATTACH_TYPE_AT)[0] in NONE_HERE:
        raise OSError(errno.EINVAL, "nothing is attached in this way")
    return PASS


def _test_run(call: Call, attributes: bytes) -> Answer:
    """bpf_prog_test_run(). OSError EINVAL: frames would come out of a device of this machine."""
    if struct.unpack_from("=I", attributes, TEST_FLAGS_AT)[0] & BPF_F_TEST_XDP_LIVE_FRAMES:
        raise OSError(errno.EINVAL, "live frames")
    return PASS


# Links


def _create(call: Call, attributes: bytes) -> Answer:
    """link_create(). OSError EINVAL, EBADF; Refusal of the device."""
    program, target, kind, flags = CREATE.unpack_from(attributes)
    if kind in NONE_HERE:
        raise OSError(errno.EINVAL, "nothing is attached in this way")
    if kind != BpfAttachType.XDP:
        return PASS
    _bare(attributes, CREATE_END)
    supervisor = call.supervisor
    link = XdpLink(supervisor.tasks.net(call.tid), target, _program(call, program), flags)
    answer = supervisor.held.give(call, supervisor.held.make(), HeldLink(link))
    supervisor.settle()
    return answer


def _program(call: Call, number: int) -> XdpProgram:
    """bpf_prog_get(). OSError EBADF, EINVAL."""
    with call.borrow(number) as borrowed:
        found = program_behind(call.supervisor.held, borrowed)
    if found is None:
        raise OSError(errno.EINVAL, "not an XDP program")
    return found


def _held(call: Call, number: int) -> Held | None:
    with call.borrow(number) as borrowed:
        return call.supervisor.held.behind(borrowed)


def _update(call: Call, attributes: bytes) -> Answer:
    """link_update(). OSError EINVAL, EBADF; Refusal: EPERM, ENOLINK, and of the device."""
    number, new, flags, old = UPDATE.unpack_from(attributes)
    held = _held(call, number)
    if not isinstance(held, HeldLink):
        return PASS
    _bare(attributes, UPDATE.size)
    if flags & ~BPF_F_REPLACE:
        raise OSError(errno.EINVAL, "flags")
    program = _program(call, new)
    if old and not flags & BPF_F_REPLACE:
        raise OSError(errno.EINVAL, "an old program is not asked for")
    held.link.update(program, _program(call, old) if flags & BPF_F_REPLACE else None)
    call.supervisor.settle()
    return 0


def _detach(call: Call, attributes: bytes) -> Answer:
    """link_detach(). OSError EBADF, EINVAL."""
    held = _held(call, struct.unpack_from("=I", attributes)[0])
    if not isinstance(held, HeldLink):
        return PASS
    _bare(attributes, 4)
    held.close()
    call.supervisor.settle()
    return 0


# What is told


def _info(call: Call, attributes: bytes) -> Answer:
    """bpf_obj_get_info_by_fd(), of what is ours. OSError EBADFD, E2BIG, EFAULT."""
    number, length, place = INFO.unpack_from(attributes)
    try:
        held = _held(call, number)
    except OSError:
        raise OSError(errno.EBADFD, "no file") from None
    if not isinstance(held, LoadedProgram | HeldLink):
        return PASS
    _bare(attributes, INFO.size)
    size = PROGRAM_INFO_SIZE if isinstance(held, LoadedProgram) else LINK_INFO_SIZE
    asked = _zero_tailed(call, place, length, size)
    told = held.info().ljust(size, b"\0")[: min(length, size)]
    pieces = [(place, told), (call.args[1] + INFO_LENGTH_AT, struct.pack("=I", len(told)))]
    if isinstance(held, LoadedProgram) and (room := struct.unpack_from("=I", asked, XLATED_LEN_AT)[0]):
        pieces.append((struct.unpack_from("=Q", asked, XLATED_AT)[0], held.code[:room]))
    call.write_all(pieces)
    return 0


COMMANDS: dict[int, Callable[[Call, bytes], Answer]] = {
    BpfCmd.PROG_LOAD: load,
    BpfCmd.PROG_ATTACH: _attach,
    BpfCmd.PROG_DETACH: _attach,
    BpfCmd.PROG_TEST_RUN: _test_run,
    BpfCmd.OBJ_GET_INFO_BY_FD: _info,
    BpfCmd.PROG_QUERY: _query,
    BpfCmd.LINK_CREATE: _create,
    BpfCmd.LINK_UPDATE: _update,
    BpfCmd.LINK_DETACH: _detach,
}
