"""A policy told to user space: net/netlink/policy.c.

CTRL_CMD_GETPOLICY tells whole policies, an error message the limits of one attribute (NLMSGERR_ATTR_POLICY); both say
of an attribute the same things in the same words, so they are said once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nlemu.protocol.schema.attributes import Attr, AttrSet, Values
from nlemu.protocol.schema.kinds import (
    Bitfield32,
    Bytes,
    Integer,
    Nest,
    NestArray,
    Sparse,
    Text,
    Variable,
    s64,
    u32,
    u64,
)
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.netlink import AttrType

U16_MAX = 0xFFFF


class PolicyType(AttrSet):
    """NL_POLICY_TYPE_ATTR_*; the type is written last."""

    type = Attr(1, u32, shown=AttrType)
    min_value_s = Attr(2, s64)
    max_value_s = Attr(3, s64)
    min_value_u = Attr(4, u64)
    max_value_u = Attr(5, u64)
    min_length = Attr(6, u32)
    max_length = Attr(7, u32)
    policy_idx = Attr(8, u32)
    policy_maxtype = Attr(9, u32)
    bitfield32_mask = Attr(10, u32)
    mask = Attr(12, u64)
    order = (
        policy_idx, policy_maxtype, mask, min_value_u, max_value_u, min_value_s, max_value_s, bitfield32_mask,
        min_length, max_length, type,
    )


def advertise(attr: Attr[Any], index: Callable[[Policy], int] | None = None) -> Values | None:
    """What user space is told of one attribute (__netlink_policy_dump_write_attr()).

    ``index`` numbers the policies of nests; without it nothing is told of what a nest holds. None: the attribute is
    not told of at all, because it is refused or has no type.
    """
    kind = attr.kind
    if attr.reject is not None or kind.advertised is None:
        return None
    values: dict[Attr[Any], Any] = {PolicyType.type: kind.advertised}
    if isinstance(kind, Nest):
        inner = kind.member.policy if isinstance(kind, NestArray) and isinstance(kind.member, Nest) else kind.policy
        if index is not None and inner is not None and inner.top:
            values[PolicyType.policy_idx] = index(inner)
            values[PolicyType.policy_maxtype] = inner.top
    elif isinstance(kind, Bitfield32):
        values[PolicyType.bitfield32_mask] = attr.mask or 0
    elif isinstance(kind, Sparse):
        pass  # a function says which, and cannot be told
    elif isinstance(kind, Integer | Variable):
        if attr.mask is not None:
            values[PolicyType.mask] = attr.mask
        else:
            assert kind.bounds is not None
            low = kind.bounds[0] if attr.min is None else attr.min
            high = kind.bounds[1] if attr.max is None else attr.max
            signed = kind.bounds[0] < 0
            values[PolicyType.min_value_s if signed else PolicyType.min_value_u] = low
            values[PolicyType.max_value_s if signed else PolicyType.max_value_u] = high
    elif isinstance(kind, Text | Bytes):
        if attr.min is not None and attr.max is not None:
            values[PolicyType.min_length] = attr.min or None
            values[PolicyType.max_length] = attr.max if attr.max < U16_MAX else None
        else:
            values[PolicyType.max_length] = attr.length or None
    return values
