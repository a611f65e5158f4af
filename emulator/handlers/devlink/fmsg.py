"""What reporters of health tell, as attributes one after the other (devlink_fmsg_prepare_skb()).

Nests begin and end by attributes without a value; they are no nests of netlink, so a message may end inside one and the
next go on.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devlink.health import Fmsg, Item, Mark, Value
from nlemu.emulator.netlink.dump import GOODSIZE
from nlemu.protocol.families.devlink.attributes import Devlink, DlFmsg
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import pack
from nlemu.protocol.uapi.devlink import DevlinkVarAttrType
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call

MULTI, DONE = int(NLM_F.MULTI), int(NlmsgType.DONE)
HEADERS = 16 + 4 + 4
"""Of netlink, of generic netlink, and of the attribute that holds all."""
MARKS = {
    Mark.OBJECT: DlFmsg.fmsg_obj_nest_start, Mark.PAIR: DlFmsg.fmsg_pair_nest_start,
    Mark.ARRAY: DlFmsg.fmsg_arr_nest_start, Mark.END: DlFmsg.fmsg_nest_end,
}
SIZES = {
    DevlinkVarAttrType.FLAG: 1, DevlinkVarAttrType.U8: 1, DevlinkVarAttrType.U32: 4, DevlinkVarAttrType.U64: 8,
}


def payload(value: Value) -> bytes:
    """devlink_fmsg_item_fill_data()."""
    if isinstance(value.value, int):
        return value.value.to_bytes(SIZES[value.type], "little")
    return value.value.encode("utf-8", "surrogateescape") + b"\0" if isinstance(value.value, str) else value.value


def encode(item: Item) -> tuple[bytes, ...]:
    """The attributes of one item."""
    if isinstance(item, Mark):
        return (MARKS[item].encode(True),)
    if isinstance(item, str):
        return (DlFmsg.fmsg_obj_name.encode(item),)
    return (
        Devlink.fmsg_obj_value_type.encode(item.type), pack(Devlink.fmsg_obj_value_data.number, payload(item)),
    )


def pieces(call: Call, fmsg: Fmsg, start: int, room: int) -> tuple[bytes, int]:
    """The body of a message of at most ``room`` bytes, and how many items from ``start`` on are in it whole. Of an item
    that has no room for its value the type stands at the end all the same."""
    parts: list[bytes] = []
    left, count = room - HEADERS, 0
    for item in fmsg.items[start:]:
        for attribute in encode(item):
            left -= len(attribute)
            if left < 0:
                break
            parts.append(attribute)
        if left < 0:
            break
        count += 1
    return call.op.head + pack(Devlink.fmsg.wire_type, b"".join(parts)), count


def whole(call: Call, fmsg: Fmsg) -> None:
    """devlink_fmsg_snd(): all of it, in messages of their own, and that this was all."""
    at = 0
    while True:
        body, count = pieces(call, fmsg, at, GOODSIZE - 4)
        if not count:
            raise Refusal(errno.EMSGSIZE)
        call.endpoint.deliver(call.encode(body, MULTI))
        at += count
        if at == len(fmsg.items):
            break
    call.endpoint.deliver(message(DONE, MULTI, call.seq, call.portid, b""))
