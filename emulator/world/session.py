"""Requests of rtnetlink to a machine in this process, and what it answers: the words of the specifications both
ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nlemu.emulator.machine.endpoint import Endpoint
from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.encode.conversation import Conversation, NlError, specification
from nlemu.protocol.frame import split
from nlemu.protocol.uapi.netlink import NLMSG_MIN_TYPE, NetlinkOpt, NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.machine import Machine

ROOM = 1 << 24
"""Of the receive buffer: dumps are read at once."""


class Session:
    """A socket in a namespace, private. Closed after use."""

    def __init__(self, machine: Machine, net: Net, protocol: int = NetlinkProtocol.ROUTE) -> None:
        self.machine, self.protocol = machine, protocol
        options = [(int(NetlinkOpt.EXT_ACK), 1), (int(NetlinkOpt.CAP_ACK), 1)]
        self.endpoint = Endpoint(machine, net, protocol, options=options, rcvbuf=ROOM, private=True)
        self.conversations: dict[str, Conversation] = {}
        self.seq = 1

    def ask(self, family: str, operation: str, values: Mapping[str, Any], flags: int = 0) -> list[dict[Any, Any]]:
        """Performs an operation; what it replies. Raises NlError, and BadValue for values that are none."""
        number = self.machine.families.numbers.get(specification(family).family, 0)
        conversation = Conversation(specification(family), number, seq=self.seq)
        self.seq += 1
        request = conversation.ask(operation, values, flags=flags)
        self.endpoint.send(request.data)
        for datagram in self.received():
            conversation.hear(datagram)
        self.machine.settle()
        if request.error is not None:
            raise request.error
        return request.replies

    def dump(self, family: str, operation: str, values: Mapping[str, Any] | None = None) -> list[Message]:
        """All that a dump tells, as messages. Raises NlError."""
        number = self.machine.families.numbers.get(specification(family).family, 0)
        conversation = Conversation(specification(family), number, seq=self.seq)
        self.seq += 1
        request = conversation.ask(operation, values or {}, dump=True)
        self.endpoint.send(request.data)
        families = {number: specification(family).family}
        found = []
        for datagram in self.received():
            for header, data in split(datagram):
                message = read(data, self.protocol, families)
                if header.type >= NLMSG_MIN_TYPE:
                    found.append(message)
                elif message.errno:
                    raise NlError(message.errno, None, operation)
        return found

    def received(self) -> list[bytes]:
        """All datagrams that are there to be read."""
        found = []
        while self.endpoint.pending():
            datagram = self.endpoint.receive(1 << 16)
            if datagram is not None:
                found.append(datagram)
        return found

    def close(self) -> None:
        """Closes the socket."""
        self.endpoint.close()
