"""Numbers of generic netlink families, as a capture tells them: every machine numbers its own, and nlctrl says how."""

from __future__ import annotations

from nlemu.protocol.decode.message import Message, read
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import GENERIC_NETLINK
from nlemu.protocol.uapi.genetlink import GENL_ID_CTRL, CtrlCmd

TELLING = (CtrlCmd.NEWFAMILY, CtrlCmd.GETFAMILY)
"""Commands of answers and notifications that name a family."""


def told(datagram: bytes) -> dict[str, int]:
    """The families that a datagram of generic netlink names, with their numbers."""
    known: dict[str, int] = {}
    for header, one in split(datagram):
        if header.type != GENL_ID_CTRL:
            continue
        known.update(told_by(read(one, GENERIC_NETLINK)))
    return known


def told_by(message: Message) -> dict[str, int]:
    """The family that a message of generic netlink names, if it is one of nlctrl's that do."""
    if message.header.type != GENL_ID_CTRL or message.command not in TELLING:
        return {}
    values = {node.name: node.value for node in message.attributes}
    name, number = values.get("family-name"), values.get("family-id")
    return {name: number} if isinstance(name, str) and isinstance(number, int) else {}
