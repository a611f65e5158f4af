"""NETLINK_KOBJECT_UEVENT towards the kernel: a program sends an uevent of its own (uevent_net_rcv_skb()).

What stands behind the message's header goes to group 1 of the sender's namespace as it is, with the next number
appended. The type of the message does not matter.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.uevent import KERNEL_GROUP, KOBJECT_UEVENT
from nlemu.emulator.netlink.protocol import KernelSocket
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLMSG_HDRLEN

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.emulator.netlink.dump import Dump

BUFFER_SIZE = 2048
"""UEVENT_BUFFER_SIZE: the message, its header included, and the number have to fit."""


def receive(call: Call) -> Dump | None:
    """uevent_net_rcv_skb(), uevent_net_broadcast(). Refusal EPERM, EINVAL."""
    if not call.ns_capable():  # CAP_SYS_ADMIN, really; who has one has the other here
        raise Refusal(errno.EPERM, "missing CAP_SYS_ADMIN capability")
    uevents = call.machine.uevents
    uevents.seqnum += 1
    number = f"SEQNUM={uevents.seqnum}\0".encode()
    if len(call.message) + len(number) > BUFFER_SIZE:
        raise Refusal(errno.EINVAL, "uevent message too big")
    data = call.message[NLMSG_HDRLEN:] + number
    call.machine.multicast.notify(call.net, KOBJECT_UEVENT, KERNEL_GROUP, lambda: data)
    return None


KERNEL = KernelSocket(groups=1, receive=receive)
