"""Tunnels of labels: mpls_build_state(), mpls_fill_encap_info() of net/mpls/mpls_iptunnel.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.route import labels
from nlemu.emulator.kernel.inet.lwtunnel import Mpls
from nlemu.protocol.families.route.lwtunnel import MplsTunnel
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.protocol.schema.attributes import Attrs


def read(attrs: Attrs) -> Mpls:
    """mpls_build_state(): EINVAL, with texts."""
    if MplsTunnel.mpls_dst not in attrs:
        raise Refusal(errno.EINVAL, "MPLS_IPTUNNEL_DST attribute is missing")
    pushed = labels.read(attrs[MplsTunnel.mpls_dst], attrs.offset(MplsTunnel.mpls_dst))
    return Mpls(pushed, attrs.get(MplsTunnel.ttl))


def told(tunnel: Mpls) -> bytes:
    """mpls_fill_encap_info()."""
    return MplsTunnel.spec.layout.encode(
        {MplsTunnel.mpls_dst: labels.told(tunnel.labels), MplsTunnel.ttl: tunnel.ttl}
    )
