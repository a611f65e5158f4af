"""The validator: __nla_validate_parse() and validate_nla() of lib/nlattr.c.

One walk over the attributes in wire order. The first fault ends it, as a Refusal with the kernel's errno and text, the
offset of the attribute, and the attribute's limits where the kernel tells them (NLMSGERR_ATTR_POLICY). What the walk
leaves is where each attribute's payload stands; values are decoded later, by whoever wants them.

How much is a fault depends on the level (protocol/schema/policy.py). Leftover bytes are told in the ack even where
they are tolerated: the text is set, the request goes on, and the ack of a success carries it as a warning.
"""

from __future__ import annotations

import errno
from typing import Any

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import NLATTR, Attr
from nlemu.protocol.schema.kinds import WRONG_LENGTH, Bitfield32, Bytes, Nest, NestArray
from nlemu.protocol.schema.policy import MAXTYPE, NESTED, STRICT, STRICT_ATTRS, TRAILING, UNSPEC, Policy
from nlemu.protocol.uapi.netlink import NLA_F_NESTED, NLA_TYPE_MASK
from nlemu.protocol.wire.extack import Extack

DEPTH = 10  # MAX_POLICY_RECURSION_DEPTH

Spans = dict[int, tuple[int, int]]


def validate(
    policy: Policy | None, data: bytes, start: int, end: int, level: int, extack: Extack, depth: int = 0
) -> Spans:
    """__nla_validate_parse(): validates the attributes of ``data`` between ``start`` and ``end``.

    Returns number -> (start, end) of each attribute's payload, the last where it repeats. Raises Refusal.
    Offsets count from the start of ``data``, which is the netlink message.
    """
    if depth >= DEPTH:
        raise Refusal(errno.EINVAL, "allowed policy recursion depth exceeded")
    spans: Spans = {}
    if policy is None:
        rules, top, strict_from = {}, NLA_TYPE_MASK, 0
    else:
        rules, top, strict_from = policy.rules, policy.top, policy.strict_from
    while end - start >= 4:
        length, wire_type = NLATTR.unpack_from(data, start)
        if length < 4 or length > end - start:
            break
        number = wire_type & NLA_TYPE_MASK
        if number == 0 or number > top:
            if level & MAXTYPE:
                raise Refusal(errno.EINVAL, "Unknown attribute type", at=start)
        else:
            if policy is not None:
                wanted = level | STRICT if strict_from and number >= strict_from else level
                rule = rules.get(number)
                if rule is not None:
                    check(rule, data, start, start + length, wire_type, wanted, extack, depth)
                elif wanted & UNSPEC:
                    raise Refusal(errno.EINVAL, "Unsupported attribute", at=start)
            spans[number] = (start + 4, start + length)
        start += length + 3 & ~3
    if start < end:
        extack.text = "bytes leftover after parsing attributes"
        if level & TRAILING:
            raise Refusal(errno.EINVAL, extack.text)
    return spans


def check(
    rule: Attr[Any], data: bytes, at: int, end: int, wire_type: int, level: int, extack: Extack, depth: int
) -> None:
    """One attribute against its rule, in the order of validate_nla(); raises Refusal."""
    kind, start = rule.kind, at + 4
    if kind.exact and end - start != kind.exact and level & STRICT_ATTRS and rule.reject is None:
        raise Refusal(errno.EINVAL, WRONG_LENGTH, at=at, policy=rule)
    if level & NESTED and not kind.free:
        nested = kind.nested and rule.reject is None
        if nested and not wire_type & NLA_F_NESTED:
            raise Refusal(errno.EINVAL, "NLA_F_NESTED is missing", at=at, policy=rule)
        if not nested and wire_type & NLA_F_NESTED:
            raise Refusal(errno.EINVAL, "NLA_F_NESTED not expected", at=at, policy=rule)
    if rule.reject is not None:
        if rule.reject:
            raise Refusal(errno.EINVAL, rule.reject, at=at)
        raise Refusal(errno.EINVAL, "Attribute failed policy validation", at=at, policy=rule)
    if kind.free and level & UNSPEC:
        raise Refusal(errno.EINVAL, "Unsupported attribute", at=at)
    kind.check(rule, data, start, end)
    if kind.nested:
        if end > start:
            check_inside(kind, data, start, end, level, extack, depth)  # type: ignore[arg-type]
    elif rule.bounded or rule.mask is not None:
        check_value(rule, data, at, end, level)


def check_inside(kind: Nest, data: bytes, start: int, end: int, level: int, extack: Extack, depth: int) -> None:
    """What a nest holds: attributes under its policy, or an array of such nests (nla_validate_array())."""
    if not isinstance(kind, NestArray):
        if kind.policy is not None:
            validate(kind.policy, data, start, end, level, extack, depth + 1)
        return
    member = kind.member
    if not isinstance(member, Nest) or member.policy is None:
        return
    while end - start >= 4:
        length, _ = NLATTR.unpack_from(data, start)
        if length < 4 or length > end - start:
            return
        if 4 < length < 8:
            raise Refusal(errno.ERANGE, "Array element too short", at=start)
        if length > 4:
            validate(member.policy, data, start + 4, start + length, level, extack, depth + 1)
        start += length + 3 & ~3


def check_value(rule: Attr[Any], data: bytes, at: int, end: int, level: int) -> None:
    """An integer against its bounds or its mask; of bytes, the length (nla_validate_int_range(), _mask())."""
    kind = rule.kind
    if isinstance(kind, Bitfield32):
        return
    if isinstance(kind, Bytes):
        size = end - at - 4
        if size < (rule.min or 0) or (rule.max is not None and size > rule.max):
            raise Refusal(errno.ERANGE, "binary attribute size out of range", at=at, policy=rule)
        return
    value = kind.decode(data, at + 4, end)
    if rule.mask is not None:
        if value & ~rule.mask:
            raise Refusal(errno.EINVAL, "reserved bit set", at=at)
    elif (rule.min is not None and value < rule.min) or (rule.max is not None and value > rule.max):
        raise Refusal(errno.ERANGE, "integer out of range", at=at, policy=rule)
