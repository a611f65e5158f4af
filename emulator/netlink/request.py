"""Requests of rtnetlink: the structure they begin with and their attributes, read as the operation declares.

rtnetlink reads its requests message by message: liberally, since old clients send what no policy of today would let
pass; strictly, where a socket asks for that (NETLINK_GET_STRICT_CHK); and some dumps do not look at more than the
protocol family. Which it is, which policy holds and which words a refusal has is declared with the operation
(protocol/schema/family.py: Half, Strict); this is the one place that does it. Imitates the nlmsg_parse() family and the
many *_valid_*_req() functions.
"""

from __future__ import annotations

import errno
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import NLATTR, Attrs
from nlemu.protocol.schema.family import Half, Strict, Unread
from nlemu.protocol.schema.policy import DEPRECATED_STRICT, STRICT
from nlemu.protocol.uapi.netlink import NLA_F_NESTED, NLM_F
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.kinds import Structure
    from nlemu.protocol.schema.policy import Policy

HEADER = 16  # struct nlmsghdr
GET, KINDS = 2, 3
"""Message types come in blocks of four, of which the third asks."""
REMEMBERED = 2048
FILTERED = int(NLM_F.DUMP_FILTERED)


def family_of(call: Call) -> int:
    """rtnl_msg_family(): the protocol family that the request names."""
    return call.message[HEADER]


def policy_of(call: Call, half: Half) -> Policy | None:
    """The policy of a half, as it is in this release."""
    accepts = half.accepts
    return accepts.on(call.machine.build.release) if accepts is not None and accepts.dated else accepts


def check_length(call: Call, half: Half) -> None:
    """__nlmsg_parse(): EINVAL for a message that is too short for its header."""
    if _place(call, half)[1]:
        raise Refusal(errno.EINVAL, half.cut)


def nested(call: Call, policy: Policy, span: tuple[int, int]) -> Attrs:
    """nla_parse_nested(): what is in an attribute, whose payload that is. EINVAL where it is not flagged as nested, and
    what the policy refuses."""
    if not NLATTR.unpack_from(call.message, span[0] - NLATTR.size)[1] & NLA_F_NESTED:
        raise Refusal(errno.EINVAL, "NLA_F_NESTED is missing", at=span[0] - NLATTR.size)
    return Attrs(call.message, validate(policy, call.message, *span, STRICT, call.extack), *span)


def read(call: Call, half: Half) -> Attrs:
    """__nlmsg_parse(): reads the request into ``call.fixed`` and ``call.attrs``, which it returns. EINVAL, and what the
    policy refuses.

    A header that is not whole counts as filled up with zeros where that is no fault.
    """
    strict = half.strict
    if strict is not None and (strict.always or call.endpoint.strict):
        return _read_strictly(call, half, strict)
    message, end = call.message, len(call.message)
    header = call.op.fixed
    if half.plain and header is not None and end >= (start := HEADER + (header.size or 0)):  # most requests
        if call.type & KINDS == GET and (
            known := _asked(half, policy_of(call, half), header, message[HEADER:])
        ) is not None:
            call.fixed, call.attrs = known
            return call.attrs
        call.fixed = header.decode(message, HEADER, start)
        start = start + 3 & ~3
        spans = validate(policy_of(call, half), message, start, end, half.level, call.extack)
        attrs = call.attrs = Attrs(message, spans, start, end)
        return attrs
    start, short = _place(call, half)
    call.attrs = Attrs(message, {}, start, end)
    if half.unless_strict is Unread.IGNORED or (half.accepts is None and not short):
        return call.attrs
    try:
        if short:
            raise Refusal(errno.EINVAL, half.cut)
        if half.accepts is not None:
            spans = validate(policy_of(call, half), message, start, end, half.level, call.extack)
            call.attrs = Attrs(message, spans, start, end)
    except Refusal as refused:
        if half.unless_strict is not Unread.FORGIVEN:
            if half.blur is not None:
                refused.text = half.blur
            raise
        call.extack.merge(refused)
    return call.attrs


@lru_cache(maxsize=REMEMBERED)
def _asked(half: Half, accepts: Policy | None, header: Structure, body: bytes) -> tuple[Any, Attrs] | None:
    """The structure and the attributes of a request that asks, remembered by the bytes behind the message's header: the
    answer changes, the reading does not. None where there is more to be told than that; a refusal is not remembered."""
    message, extack = bytes(HEADER) + body, Extack()
    end = len(message)
    start = HEADER + (header.size or 0)
    fixed = header.decode(message, HEADER, start)
    start = start + 3 & ~3
    attrs = Attrs(message, validate(accepts, message, start, end, half.level, extack), start, end)
    return (fixed, attrs) if extack.text is None else None


def _read_strictly(call: Call, half: Half, strict: Strict) -> Attrs:
    message, end = call.message, len(call.message)
    start, _ = _place(call, half)
    assert call.op.fixed is not None
    if end < HEADER + (call.op.fixed.size or 0):
        raise Refusal(errno.EINVAL, half.cut if strict.cut is None else strict.cut)
    header = call.fixed
    if any(getattr(header, field) for field in strict.zero):
        raise Refusal(errno.EINVAL, strict.nonzero)
    if strict.flags is not None and header.flags & ~strict.flags:
        raise Refusal(errno.EINVAL, strict.bad_flags)
    if strict.bare is not None and end > start:
        raise Refusal(errno.EINVAL, strict.bare)
    text = None if strict.check is None else strict.check(header)
    if text is not None:
        raise Refusal(errno.EINVAL, text)
    if strict.filters is not None and getattr(header, strict.filters):
        call.dump.answer_flags |= FILTERED
        call.dump.message_flags |= FILTERED
    if half.accepts is None:
        call.attrs = Attrs(message, {}, start, end)
        return call.attrs
    spans = validate(policy_of(call, half), message, start, end, DEPRECATED_STRICT, call.extack)
    attrs = call.attrs = Attrs(message, spans, start, end)
    attrs.require(half.requires)
    if strict.allowed is not None and not {attr.number for attr in strict.allowed}.issuperset(spans):
        raise Refusal(errno.EINVAL, strict.unsupported)
    return attrs


def _place(call: Call, half: Half) -> tuple[int, bool]:
    """Reads the header. Where the attributes begin, and whether the message ends before the header does."""
    header, message = call.op.fixed, call.message
    assert header is not None and header.size is not None
    size = header.size
    end = HEADER + size
    if len(message) >= end:
        call.fixed = header.decode(message, HEADER, end)
        return HEADER + (size + 3 & ~3), False
    call.fixed = header.decode(message + bytes(end - len(message)), HEADER, end)
    if half.older:
        return HEADER + half.older, False
    return HEADER + (size + 3 & ~3), True
