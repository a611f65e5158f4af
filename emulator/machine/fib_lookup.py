"""NETLINK_FIB_LOOKUP: a routing table of IPv4 is asked, and the question comes back filled in (nl_fib_input()).

What is sent need not even be a request, and is not acked: its body is struct fib_result_nl, of which the latter part is
written.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.ipv4 import fib as tables
from nlemu.emulator.kernel.ipv4 import netns as ip4
from nlemu.emulator.netlink.protocol import KernelSocket
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.rtnetlink import RT_TABLE

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.endpoint import Endpoint

ASKED = struct.Struct(">I4xBBB")  # address, (mark), type of service, scope, table
ANSWERED = struct.Struct("<BBBBBi")  # table, prefix length, next hop, type, scope, error
ANSWER_AT = HEADER_SIZE + ASKED.size
SIZE = HEADER_SIZE + ASKED.size + ANSWERED.size
KEPT = struct.Struct("<BBBBB")
TOS_MASK = 0xFC  # INET_DSCP_MASK


def receive(endpoint: Endpoint, datagram: bytes) -> None:
    """nl_fib_input(): what is cut short is passed over."""
    if len(datagram) < SIZE:
        return
    length = NLMSGHDR.unpack_from(datagram)[0]
    if length > len(datagram) or length < SIZE:
        return
    address, tos, scope, number = ASKED.unpack_from(datagram, HEADER_SIZE)
    told = list(KEPT.unpack_from(datagram, ANSWER_AT))
    failed = look_up(endpoint.net, address, tos & TOS_MASK, scope, number, told)
    answer = ANSWERED.pack(*told, -failed)
    endpoint.deliver(datagram[:ANSWER_AT] + answer + datagram[ANSWER_AT + ANSWERED.size :])


def look_up(net: Net, address: int, tos: int, scope: int, number: int, told: list[Any]) -> int:
    """nl_fib_lookup(): writes table, prefix length, next hop, type and scope into ``told``. An errno, or 0."""
    fib = ip4.of(net).fib
    number = number or int(RT_TABLE.MAIN)
    if fib.table(number) is None:
        return errno.ENOENT
    told[0] = number
    try:
        found = tables.look_up(fib.searched(number), address, tos=tos, scope=scope)
    except Refusal as refusal:
        return refusal.errno
    if found is None:
        return errno.EAGAIN
    route = found.route
    told[1:] = [route.length, route.info.nexthops.index(found.nexthop), route.type, route.info.scope]
    return 0


KERNEL = KernelSocket(receive_datagram=receive)
