"""Generic netlink: from a message to the operation it asks for (genl_rcv_msg()).

The order of the checks is the kernel's, since the first that fails gives the errno: family, length, reserved fields,
command, capability, attributes, required attributes, and only then the handler.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator import handlers
from nlemu.emulator.handlers.devlink import notify as devlink
from nlemu.emulator.handlers.netdev import notify as netdev
from nlemu.emulator.machine import answer
from nlemu.emulator.netlink.call import Call
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.protocol import KernelSocket, want_admin
from nlemu.emulator.netlink.registry import doits, dumpits
from nlemu.protocol.frame import GENERIC
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.family import Half
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.families import Known
    from nlemu.emulator.machine.machine import Machine

for name in handlers.generic():
    handlers.load(name)

GROUPS = 64  # mc_groups_longs * BITS_PER_LONG, with fewer than that given out
DUMP = int(NLM_F.DUMP)
COMMON = int(NLM_F.REQUEST | NLM_F.ACK | NLM_F.ECHO)
ADMIN_PERM = int(GenlFlag.ADMIN_PERM)
UNS_ADMIN_PERM = int(GenlFlag.UNS_ADMIN_PERM)
BODY = 20  # struct nlmsghdr and struct genlmsghdr
REMEMBERED = 2048


def parse(half: Half, accepts: Policy | None, message: bytes, extack: Extack) -> Attrs:
    """The attributes of a request, validated and all there. accepts: the policy of this release. Raises Refusal."""
    end = len(message)
    spans = {} if accepts is None else validate(accepts, message, BODY, end, half.level, extack)
    attrs = Attrs(message, spans, BODY, end)
    attrs.require(half.requires)
    return attrs


def receive(call: Call) -> Dump | None:
    """One generic netlink request. Replies are queued; a dump is returned. Raises Refusal."""
    families = call.machine.families
    key = call.type, call.flags, call.message[16:]
    known = families.known.get(key)
    if known is None:
        known = _read(call)
        if known[1].level == STRICT:  # a tolerant validator may leave a warning with the call
            if len(families.known) == REMEMBERED:
                families.known.clear()
            families.known[key] = known
    op, half, attrs = known
    if half.flags:
        _check_capable(call, half)
    call.op, call.attrs = op, attrs
    if call.flags & DUMP == DUMP:
        call.endpoint.check_no_dump()
        return answer.dump(call, half, dumpits[op])
    answer.do(call, doits[op])
    return None


def _read(call: Call) -> Known:
    """genl_family_rcv_msg(): what a request asks for. Raises Refusal."""
    family = call.machine.families.by_number.get(call.type)
    if family is None:
        raise Refusal(errno.ENOENT)
    message = call.message
    if len(message) < BODY:
        raise Refusal(errno.EINVAL)
    cmd, _, reserved = GENERIC.unpack_from(message, 16)
    flags = call.flags
    dump = flags & DUMP == DUMP
    if cmd >= family.strict_from:
        if reserved:
            raise Refusal(errno.EINVAL, "genlmsghdr.reserved field is not 0")
        if (flags & ~DUMP if dump else flags) & ~COMMON:
            raise Refusal(errno.EINVAL, "ambiguous or reserved bits set in nlmsg_flags")
    op = family.operations.get(cmd)
    half = None if op is None else op.dump if dump else op.do
    if op is None or half is None:
        raise Refusal(errno.EOPNOTSUPP)
    if half.flags:
        _check_capable(call, half)
    call.op = op
    if dump:
        call.endpoint.check_no_dump()
    accepts = half.accepts
    if accepts is not None and accepts.dated:
        accepts = accepts.on(call.machine.build.release)
    return op, half, parse(half, accepts, message, call.extack)


def _check_capable(call: Call, half: Half) -> None:
    """genl_family_rcv_msg(): EPERM for who lacks the privilege."""
    if half.flags & ADMIN_PERM and not call.capable():
        raise Refusal(errno.EPERM)
    if half.flags & UNS_ADMIN_PERM and not call.ns_capable():
        raise Refusal(errno.EPERM)


def may_join(endpoint: Endpoint, group: int) -> None:
    """genl_bind(): OSError EPERM."""
    if group in endpoint.machine.families.privileged_groups:
        want_admin(endpoint, group)


def start(machine: Machine) -> None:
    """From now on the families that tell of what happens are told of it."""
    netdev.start(machine)
    devlink.start(machine)


KERNEL = KernelSocket(groups=GROUPS, may_join=may_join, receive=receive, start=start)
