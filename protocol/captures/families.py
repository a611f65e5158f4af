"""Numbers of generic netlink families, as a capture tells them: every machine numbers its own, and nlctrl says how."""

from __future__ import annotations

from nlemu.protocol.decode.message import read
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
        message = read(one, GENERIC_NETLINK)
        values = {node.name: node.value for node in message.attributes}
        name, number = values.get("family-name"), values.get("family-id")
        if message.command in TELLING and isinstance(name, str) and isinstance(number, int):
            known[name] = number
    return known
