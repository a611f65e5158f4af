"""What requests for groups have in common: net/core/rtnetlink.c, net/bridge/br_mdb.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.bridge.mdb import Address
from nlemu.emulator.kernel.vxlan.vxlan import vxlan_of
from nlemu.emulator.netlink import request
from nlemu.emulator.netlink.request import nested
from nlemu.protocol.families.route.mdb import ENTRY, HEADER, Mdba
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.vxlan.vxlan import Vxlan
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.family import Half

BODY = NLMSG_HDRLEN + (HEADER.size or 0)
VLAN_VID_MASK = 4095
LENGTHS = {int(ETH_P.IP): ("IPv4", 4), int(ETH_P.IPV6): ("IPv6", 16)}


def entry_of(attrs: Attrs) -> Any:
    """struct br_mdb_entry: EINVAL, with a text."""
    start, end = attrs.spans[Mdba.entry.number]
    if end - start != ENTRY.size:
        raise Refusal(errno.EINVAL, "Invalid attribute length", at=attrs.offset(Mdba.entry))
    return ENTRY.decode(attrs.message, start, end)


def read(call: Call, half: Half, check: Callable[[Attrs], None]) -> Attrs:
    """The request, whose entry is looked at where it stands (NLA_POLICY_VALIDATE_FN()), before what is wrong behind it.
    EINVAL, with texts."""
    wrong: Refusal | None = None
    end = len(call.message)
    try:
        attrs = request.read(call, half)
    except Refusal as refusal:
        wrong = refusal
        if isinstance(refusal.at, int):
            end = refusal.at
    for number, first, last in walk(call.message, BODY, len(call.message)):
        if number == Mdba.entry.number and last <= end:
            check(Attrs(call.message, {number: (first, last)}, first, last))
    if wrong is not None:
        raise wrong
    return attrs


def device(call: Call) -> Device:
    """EINVAL, ENODEV, with texts."""
    if not call.fixed.ifindex:
        raise Refusal(errno.EINVAL, "Invalid ifindex")
    dev = call.net.device(call.fixed.ifindex)
    if dev is None:
        raise Refusal(errno.ENODEV, "Device doesn't exist")
    return dev


def vxlan(dev: Device, *, bulk: bool = False) -> Vxlan:
    """The VXLAN that a device is that is no bridge: EOPNOTSUPP, with a text."""
    found = vxlan_of(dev)
    if found is None:
        missing = "Device does not support MDB bulk deletion" if bulk else "Device does not support MDB operations"
        raise Refusal(errno.EOPNOTSUPP, missing)
    return found


def address(entry: Any, src: bytes = b"") -> Address:
    """__mdb_entry_to_br_ip()."""
    length = LENGTHS[entry.proto][1] if entry.proto in LENGTHS else 6
    return Address(entry.proto, bytes(entry.addr[:length]), src if any(src) else b"", entry.vid)


def inner(call: Call, attrs: Attrs, policy: Policy) -> Attrs:
    """nla_parse_nested() of MDBA_SET_ENTRY_ATTRS: EINVAL, ERANGE."""
    return nested(call, policy, attrs.spans[Mdba.entry_attrs.number])


def check_source(payload: bytes, proto: int) -> None:
    """is_valid_mdb_source(): EINVAL, with texts."""
    if proto not in LENGTHS:
        raise Refusal(errno.EINVAL, "bridge: Invalid protocol used with source address")
    name, length = LENGTHS[proto]
    if len(payload) != length:
        raise Refusal(errno.EINVAL, f"bridge: {name} invalid source address length")
    if payload[0] == 0xFF if length == 16 else payload[0] >> 4 == 0xE:
        raise Refusal(errno.EINVAL, f"bridge: {name} multicast source address is not allowed")
