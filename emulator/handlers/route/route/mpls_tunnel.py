"""Tunnels of labels: mpls_build_state(), mpls_fill_encap_info() of net/mpls/mpls_iptunnel.c, and nla_get_labels() of
net/mpls/af_mpls.c.

A label stands in four bytes: 20 bits of it, three of a traffic class, one for the last of all, eight of a time to live.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.inet.lwtunnel import Mpls
from nlemu.protocol.families.route.lwtunnel import MplsTunnel
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.protocol.schema.attributes import Attrs

MAX_NEW_LABELS = 30
LABEL, TC, BOS, TTL = 12, 9, 8, 0
"""MPLS_LS_*_SHIFT"""
LAST = 1 << BOS
IMPLICIT_NULL = 3
"""MPLS_LABEL_IMPLNULL"""


def read(attrs: Attrs) -> Mpls:
    """mpls_build_state(): EINVAL, with texts."""
    if MplsTunnel.mpls_dst not in attrs:
        raise Refusal(errno.EINVAL, "MPLS_IPTUNNEL_DST attribute is missing")
    return Mpls(_labels(attrs), attrs.get(MplsTunnel.ttl))


def _labels(attrs: Attrs) -> tuple[int, ...]:
    """nla_get_labels(): looked at from the last one on. EINVAL, with texts."""
    payload, at = attrs[MplsTunnel.mpls_dst], attrs.offset(MplsTunnel.mpls_dst)
    if len(payload) & 3 or len(payload) // 4 > 255:
        raise Refusal(errno.EINVAL, "Invalid length for labels attribute", at=at)
    if len(payload) // 4 > MAX_NEW_LABELS:
        raise Refusal(errno.EINVAL, "Too many labels")
    labels: list[int] = []
    for (entry,) in reversed(list(struct.iter_unpack(">I", payload))):
        fault = _fault(entry, last=not labels)
        if fault:
            raise Refusal(errno.EINVAL, fault, at=at)
        labels.append(entry >> LABEL)
    return tuple(reversed(labels))


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


def told(tunnel: Mpls) -> bytes:
    """mpls_fill_encap_info()."""
    *outer, inner = tunnel.labels
    entries = (*(label << LABEL for label in outer), inner << LABEL | LAST)
    return MplsTunnel.spec.layout.encode(
        {MplsTunnel.mpls_dst: struct.pack(f">{len(entries)}I", *entries), MplsTunnel.ttl: tunnel.ttl}
    )
