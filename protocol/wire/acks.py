"""Acks, errors and the end of a dump: where a refusal becomes bytes (netlink_ack(), netlink_dump_done()).

An NLMSG_ERROR answers every request that wants an ack or failed; its errno is 0 for an ack. How much it repeats of the
request, and whether it explains itself, depends on two options of the asking socket: CAP_ACK and EXT_ACK.
"""

from __future__ import annotations

import struct
from typing import Any

from nlemu.protocol.frame import HEADER_SIZE, NLMSGHDR, message
from nlemu.protocol.schema.attributes import PADDING, Attr, AttrSet
from nlemu.protocol.schema.kinds import binary, nest, string, u32
from nlemu.protocol.uapi.netlink import NLM_F, NlmsgType
from nlemu.protocol.wire.advertise import PolicyType, advertise
from nlemu.protocol.wire.extack import Extack

ERRNO = struct.Struct("<i")
MULTI = int(NLM_F.MULTI)
CAPPED = int(NLM_F.CAPPED)
ACK_TLVS = int(NLM_F.ACK_TLVS)
ERROR = int(NlmsgType.ERROR)
DONE = int(NlmsgType.DONE)
ALL_IS_WELL = ERRNO.pack(0)
WELL = struct.Struct(f"{NLMSGHDR.format}i{HEADER_SIZE}s")
"""An ack that says nothing else: a header, no errno, and the header of the request."""


class Error(AttrSet):
    """NLMSGERR_ATTR_*, in the order of netlink_ack_tlv_fill()."""

    msg = Attr(1, string)
    offs = Attr(2, u32)
    cookie = Attr(3, binary)
    policy = Attr(4, nest(PolicyType))
    miss_type = Attr(5, u32)
    miss_nest = Attr(6, u32)
    order = (msg, cookie, offs, policy, miss_type, miss_nest)


def explain(errno: int, extack: Extack) -> bytes:
    """The attributes of an error or ack: all of the extack for an error, text and cookie for a success."""
    values: dict[Attr[Any], Any] = {}
    if extack.text is not None:
        values[Error.msg] = extack.text
    if extack.cookie is not None:
        values[Error.cookie] = extack.cookie
    if errno:
        if extack.offset is not None:
            values[Error.offs] = extack.offset
            if extack.policy is not None:
                values[Error.policy] = advertise(extack.policy)
        if extack.missing is not None:
            values[Error.miss_type] = extack.missing
            values[Error.miss_nest] = extack.nest
    return Error.spec.layout.encode(values) if values else b""


def ack(request: bytes, seq: int, portid: int, errno: int, extack: Extack, *, capped: bool, extended: bool) -> bytes:
    """NLMSG_ERROR for one request; ``errno`` is positive, 0 for an ack."""
    if not errno and extack.text is None and extack.cookie is None:  # as nearly all are
        return WELL.pack(WELL.size, ERROR, CAPPED, seq, portid, 0, request[:HEADER_SIZE])
    flags, body = CAPPED, request[:HEADER_SIZE]
    if errno and not capped:
        flags, body = 0, request + PADDING[len(request) & 3]
    told = explain(errno, extack) if extended else b""
    if told:
        flags |= ACK_TLVS
    return message(ERROR, flags, seq, portid, (ERRNO.pack(-errno) if errno else ALL_IS_WELL) + body + told)


def done(seq: int, portid: int, flags: int, errno: int, extack: Extack, *, extended: bool, room: int) -> bytes:
    """NLMSG_DONE; ``room`` is what the datagram has left, in bytes: the explanation is left out if it does not fit."""
    told = explain(errno, extack) if extended else b""
    if told:
        flags |= ACK_TLVS
        if len(told) > room - HEADER_SIZE - ERRNO.size:
            told = b""
    return message(DONE, MULTI | flags, seq, portid, ERRNO.pack(-errno) + told)
