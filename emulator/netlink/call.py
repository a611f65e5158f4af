"""A call: one request on its way through the machine.

It carries who asks, in which namespace, the message, and what has been read from it so far. Handlers take it and
return what to reply; they never touch the socket it came from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nlemu.protocol.frame import message
from nlemu.protocol.schema.attributes import Attrs, Values
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.wire.extack import Extack

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.dump import Dump
    from nlemu.protocol.schema.family import Operation

ECHO = int(NLM_F.ECHO)

Body = Values | bytes
"""What a fill returns: values for the operation's layout, or a body that is encoded already."""
Fill = Callable[[], Body | None]
"""Fills one message of a dump, now; called again if the message did not fit. None: there is nothing to tell."""
Messages = Iterator[Fill]


class Call:
    """One request (struct genl_info; struct nlmsghdr and sk_buff for rtnetlink)."""

    __slots__ = (
        "attrs", "dump", "endpoint", "extack", "fixed", "flags", "machine", "message", "net", "op", "portid", "seq",
        "type",
    )

    attrs: Attrs
    op: Operation
    fixed: Any  # the structure that an rtnetlink request begins with
    dump: Dump  # the dump that this request began

    def __init__(self, endpoint: Endpoint, message: bytes, type: int, flags: int, seq: int) -> None:
        self.endpoint = endpoint
        self.machine: Machine = endpoint.machine
        self.net: Net = endpoint.net
        self.message, self.type, self.flags, self.seq = message, type, flags, seq
        self.portid = endpoint.portid
        self.extack = Extack()

    def rewrite(self, at: int, data: bytes) -> None:
        """The kernel writes into the request that it reads, and an error that repeats it shows so. at: where, from the
        beginning of the message."""
        self.message = self.message[:at] + data + self.message[at + len(data) :]

    @property
    def echo(self) -> bool:
        """Whether the asker wants its own notification (nlmsg_report())."""
        return bool(self.flags & ECHO)

    def capable(self) -> bool:
        """netlink_capable(CAP_NET_ADMIN): in the first user namespace."""
        return self.endpoint.credentials.admin

    def ns_capable(self) -> bool:
        """netlink_net_capable(CAP_NET_ADMIN): in the user namespace of the network namespace."""
        return self.endpoint.credentials.net_admin

    def encode(self, body: Body, flags: int = 0) -> bytes:
        """One reply message, from what a fill returned."""
        op = self.op
        encoded = body if isinstance(body, bytes) else op.body(body)
        return message(self.machine.number(op), flags, self.seq, self.portid, encoded)
