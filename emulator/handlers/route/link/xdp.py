"""IFLA_XDP: the part of do_setlink() that attaches XDP programs and takes them away."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link.parse import parse_quietly
from nlemu.emulator.kernel.queues.xdp import XdpProgram, change
from nlemu.protocol.families.route.link import TAKEN_XDP, Link, Xdp
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.uapi.if_link import XDP_FLAGS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

FLAGS = sum(XDP_FLAGS)
MODES = int(XDP_FLAGS.SKB_MODE | XDP_FLAGS.DRV_MODE | XDP_FLAGS.HW_MODE)
REPLACE = int(XDP_FLAGS.REPLACE)


def set_xdp(call: Call, dev: Device, attrs: Attrs) -> bool:
    """IFLA_XDP. Returns whether a program was attached or taken away, or would have been had there been one."""
    span = attrs.spans.get(Link.xdp.number)
    if span is None:
        return False
    xdp = parse_quietly(TAKEN_XDP, attrs.message, span)
    if Xdp.attached in xdp or Xdp.prog_id in xdp:
        raise Refusal(errno.EINVAL)
    flags = xdp.get(Xdp.flags, 0)
    if flags & ~FLAGS or (flags & MODES).bit_count() > 1:
        raise Refusal(errno.EINVAL)
    program = xdp.get(Xdp.fd)
    if program is None:
        return False
    expected = -1
    if flags & REPLACE:
        given = xdp.get(Xdp.expected_fd)
        if given is None:
            raise Refusal(errno.EINVAL)
        expected = given
    new, old = _program(call, program), _program(call, expected)
    change(dev, new, old, flags)
    return True


def _program(call: Call, number: int) -> XdpProgram | None:
    """bpf_prog_get_type_dev(): the program that the sender has open under that number; a negative one stands for none.
    EBADF, EINVAL."""
    if number < 0:
        return None
    found = call.endpoint.descriptors.get(number)
    if found is None:
        raise Refusal(errno.EBADF)
    if not isinstance(found, XdpProgram):
        raise Refusal(errno.EINVAL)
    return found
