"""The parts of do_setlink() for what no device here has: virtual functions, their ports, XDP programs.

Requests are taken apart as the kernel does it, because what is wrong with them earns different errors; what is right
with them is refused in the end, but for taking away an XDP program that is not there.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.link.parse import parse_quietly
from nlemu.emulator.kernel.queues.xdp import XdpProgram, change
from nlemu.protocol.families.route.link import TAKEN_XDP, Link, Xdp
from nlemu.protocol.families.route.link_vf import TAKEN_PORT, TAKEN_VF, Vf
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, walk
from nlemu.protocol.uapi.if_link import XDP_FLAGS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.netlink.call import Call

VF_INFO = 1
VF_VLAN_INFO = 1
VF_VLAN_INFO_SIZE = 16  # struct ifla_vf_vlan_info
MAX_VLAN_LIST_LEN = 1
INT_MAX = 0x7FFFFFFF
WORD = struct.Struct("<I")
IN_ORDER: tuple[Attr[bytes], ...] = (
    Vf.mac, Vf.vlan, Vf.vlan_list, Vf.tx_rate, Vf.rate, Vf.spoofchk, Vf.link_state, Vf.rss_query_en, Vf.trust,
)
"""What do_setvfinfo() looks at; the ids of InfiniBand follow, which no driver here knows."""
FLAGS = sum(XDP_FLAGS)
MODES = int(XDP_FLAGS.SKB_MODE | XDP_FLAGS.DRV_MODE | XDP_FLAGS.HW_MODE)
REPLACE = int(XDP_FLAGS.REPLACE)


def set_vfs(dev: Device, attrs: Attrs) -> None:
    """IFLA_VFINFO_LIST."""
    span = attrs.spans.get(Link.vfinfo_list.number)
    if span is None:
        return
    for number, start, end in walk(attrs.message, *span):
        if number != VF_INFO or end - start < 4:
            raise Refusal(errno.EINVAL)
        raise Refusal(refused_vf(dev, parse_quietly(TAKEN_VF, attrs.message, (start, end))))


def refused_vf(dev: Device, vf: Attrs) -> int:
    """do_setvfinfo(): the errno for the first thing that is said of a virtual function. A driver that can have some has
    none: EINVAL."""
    for attr in IN_ORDER:
        if attr not in vf:
            continue
        payload = vf.payload(attr)
        if attr is Vf.vlan_list:
            return refused_vlans(dev, payload)
        if WORD.unpack_from(payload)[0] >= INT_MAX:
            return errno.EINVAL
        return errno.EINVAL if dev.ops.has_vfs else errno.EOPNOTSUPP
    for attr in (Vf.ib_node_guid, Vf.ib_port_guid):
        if attr in vf and WORD.unpack_from(vf.payload(attr))[0] < INT_MAX:
            return errno.EOPNOTSUPP
    return errno.EINVAL


def refused_vlans(dev: Device, payload: bytes) -> int:
    """IFLA_VF_VLAN_LIST of do_setvfinfo(): the errno with which it is refused."""
    if not dev.ops.has_vfs:
        return errno.EOPNOTSUPP
    for count, (number, start, end) in enumerate(walk(payload, 0, len(payload))):
        if number != VF_VLAN_INFO or end - start < VF_VLAN_INFO_SIZE:
            break
        if count >= MAX_VLAN_LIST_LEN:
            return errno.EOPNOTSUPP
    return errno.EINVAL


def set_ports(attrs: Attrs) -> None:
    """IFLA_VF_PORTS, IFLA_PORT_SELF: no driver has ndo_set_vf_port."""
    if Link.vf_ports in attrs:
        raise Refusal(errno.EOPNOTSUPP)
    span = attrs.spans.get(Link.port_self.number)
    if span is not None:
        parse_quietly(TAKEN_PORT, attrs.message, span)
        raise Refusal(errno.EOPNOTSUPP)


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
