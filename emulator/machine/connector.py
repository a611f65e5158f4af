"""NETLINK_CONNECTOR: messages to callbacks in the kernel (drivers/connector/connector.c).

A message names its callback by two numbers, and one that names none is dropped without a word. There is one callback in
a distribution's kernel, that of the events of processes (CN_IDX_PROC), and there are no processes here.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nlemu.emulator.netlink.protocol import KernelSocket, want_admin
from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Endpoint

CN_MSG = struct.Struct("<IIIIHH")  # struct cn_msg: index and value of the callback, sequence, ack, length, flags
LONGEST = 16384  # CONNECTOR_MAX_MSG_SIZE
CN_IDX_PROC = CN_VAL_PROC = 1
GROUPS = 11 + 0xF  # CN_NETLINK_USERS + 0xf


def receive(endpoint: Endpoint, datagram: bytes) -> None:
    """cn_rx_skb(): what is cut short or names no callback is passed over, and nothing is acked."""
    if len(datagram) < HEADER_SIZE:
        return
    length = NLMSGHDR.unpack_from(datagram)[0]
    size = length - HEADER_SIZE
    if size < CN_MSG.size or length > len(datagram) or size > LONGEST:
        return
    index, value, *_ = CN_MSG.unpack_from(datagram, HEADER_SIZE)
    if (index, value) == (CN_IDX_PROC, CN_VAL_PROC) and endpoint.machine.build.has("PROC_EVENTS"):
        endpoint.machine.note_not_emulated("connector proc-events")


def may_join(endpoint: Endpoint, group: int) -> None:
    """cn_bind(): the group of the processes' events is free to all. The kernel takes the group's number for a mask of
    groups, so all odd ones are. OSError EPERM."""
    if not group & CN_IDX_PROC:
        want_admin(endpoint, group)


KERNEL = KernelSocket(groups=GROUPS, may_join=may_join, receive_datagram=receive)
