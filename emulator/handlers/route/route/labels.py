"""Labels of MPLS on the wire: nla_get_labels(), nla_put_labels() of net/mpls/af_mpls.c.

A label stands in four bytes: 20 bits of it, three of a traffic class, one for the last of all, eight of a time to live.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Sequence

from nlemu.protocol.refusal import Refusal

MAX_NEW_LABELS = 30
LABEL, TC, BOS, TTL = 12, 9, 8, 0
"""MPLS_LS_*_SHIFT"""
LAST = 1 << BOS
IMPLICIT_NULL = 3
"""MPLS_LABEL_IMPLNULL"""


def read(payload: bytes, at: int | None, most: int = MAX_NEW_LABELS) -> tuple[int, ...]:
    """nla_get_labels(): looked at from the last one on. at: where the attribute is; most: how many there may be.
    EINVAL, with texts."""
    if not whole(payload):
        raise Refusal(errno.EINVAL, "Invalid length for labels attribute", at=at)
    if len(payload) // 4 > most:
        raise Refusal(errno.EINVAL, "Too many labels")
    labels: list[int] = []
    for (entry,) in reversed(list(struct.iter_unpack(">I", payload))):
        fault = _fault(entry, last=not labels)
        if fault:
            raise Refusal(errno.EINVAL, fault, at=at)
        labels.append(entry >> LABEL)
    return tuple(reversed(labels))


def whole(payload: bytes) -> bool:
    """Whether nothing but labels may stand there, and no more than can be counted."""
    return not len(payload) & 3 and len(payload) // 4 <= 255


def _fault(entry: int, *, last: bool) -> str | None:
    if entry & 0xFF:
        return "TTL in label must be 0"
    if entry >> TC & 7:
        return "Traffic class in label must be 0"
    if bool(entry & LAST) is not last:
        return "BOS bit must be set in first label" if last else "BOS bit can only be set in first label"
    if entry >> LABEL == IMPLICIT_NULL:
        return "Implicit NULL Label (3) can not be used in encapsulation"
    return None


def told(labels: Sequence[int]) -> bytes:
    """nla_put_labels(): at least one."""
    *outer, inner = labels
    entries = (*(label << LABEL for label in outer), inner << LABEL | LAST)
    return struct.pack(f">{len(entries)}I", *entries)
