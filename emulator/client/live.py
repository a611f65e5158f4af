"""The kernel of the machine that this runs on: dumps of it, which anybody may ask for. Nothing is changed there."""

from __future__ import annotations

import socket
from types import TracebackType

from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.encode.conversation import NlError, Specification, specification
from nlemu.protocol.encode.request import encode
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import GENERIC_NETLINK, ROUTE
from nlemu.protocol.uapi.genetlink import GENL_ID_CTRL
from nlemu.protocol.uapi.netlink import NLM_F, NLMSG_MIN_TYPE, NetlinkOpt, NlmsgType

ROOM = 1 << 20
SOL_NETLINK = 270


class Live:
    """Sockets of the real kernel, in the namespace in which this thread is when they are first used. Closed at the end
    of the block."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._numbers: dict[str, int] = {"nlctrl": int(GENL_ID_CTRL)}
        self._seq = 0

    def __enter__(self) -> Live:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._sockets.values():
            one.close()

    def dump(self, family: str, operation: str) -> list[Message]:
        """Everything that an operation of a family tells. Raises NlError where it is refused, LookupError where the
        kernel does not have the family."""
        known = specification(family)
        number = 0 if known.protocol == ROUTE else self.number(family)
        return self._ask(known, number, operation, {}, NLM_F.DUMP)

    def number(self, family: str) -> int:
        """The number of a generic netlink family. Raises LookupError."""
        if family not in self._numbers:
            try:
                wanted: dict[str, object] = {"family-name": family}
                told = self._ask(specification("nlctrl"), int(GENL_ID_CTRL), "getfamily", wanted, NLM_F.ACK)
            except NlError:
                raise LookupError(f"this kernel has no family {family}") from None
            values = {node.name: node.value for node in told[0].attributes}
            self._numbers[family] = values["family-id"]
        return self._numbers[family]

    def _socket(self, protocol: int) -> socket.socket:
        one = self._sockets.get(protocol)
        if one is None:
            one = self._sockets[protocol] = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
            one.bind((0, 0))
            for option in (NetlinkOpt.EXT_ACK, NetlinkOpt.CAP_ACK):
                one.setsockopt(SOL_NETLINK, int(option), 1)
        return one

    def _ask(
        self, known: Specification, number: int, operation: str, values: dict[str, object], flags: int
    ) -> list[Message]:
        self._seq += 1
        op = known.operation(operation)
        request = encode(op, values, number=number, seq=self._seq, flags=int(NLM_F.REQUEST) | flags)
        one = self._socket(GENERIC_NETLINK if known.protocol == GENERIC_NETLINK else ROUTE)
        one.send(request)
        found: list[Message] = []
        while True:
            for header, data in split(one.recv(ROOM)):
                message = read(data, known.protocol, {number: known.family}, request)
                if header.seq != self._seq:
                    continue
                if header.type >= NLMSG_MIN_TYPE:
                    found.append(message)
                elif header.type in (NlmsgType.DONE, NlmsgType.ERROR):
                    if message.errno:
                        raise NlError(message.errno, None, operation)
                    return found
