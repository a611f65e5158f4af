"""Routes through tunnels: what is wrong with their kind (net/core/lwtunnel.c).

No tunnel is emulated. A kernel that is built without them (CONFIG_LWTUNNEL) refuses all; one that has them knows some
kinds, and refuses the others in its own words. What it would take is refused in ours.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.protocol.families.route.route import Rta
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.lwtunnel import LwtunnelEncap

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.protocol.schema.attributes import Attrs

OPTIONS = {
    LwtunnelEncap.MPLS: "MPLS_IPTUNNEL",
    LwtunnelEncap.IP: "LWTUNNEL",
    LwtunnelEncap.ILA: "IPV6_ILA",
    LwtunnelEncap.IP6: "LWTUNNEL",
    LwtunnelEncap.SEG6: "IPV6_SEG6_LWTUNNEL",
    LwtunnelEncap.BPF: "LWTUNNEL_BPF",
    LwtunnelEncap.SEG6_LOCAL: "IPV6_SEG6_LWTUNNEL",
    LwtunnelEncap.RPL: "IPV6_RPL_LWTUNNEL",
    LwtunnelEncap.IOAM6: "IPV6_IOAM6_LWTUNNEL",
    LwtunnelEncap.XFRM: "XFRM_INTERFACE",
}
"""Kinds of tunnels, and without which option nothing registers for one (lwtunnel_encap_add_ops())."""


def check_type(build: Build, kind: int) -> None:
    """lwtunnel_valid_encap_type(): EINVAL, EOPNOTSUPP, with texts."""
    if not build.has("LWTUNNEL"):
        raise Refusal(errno.EOPNOTSUPP, "CONFIG_LWTUNNEL is not enabled in this kernel")
    if kind not in OPTIONS:
        raise Refusal(errno.EINVAL, "Unknown lwt encapsulation type")
    if not build.has(OPTIONS[LwtunnelEncap(kind)]):
        raise Refusal(errno.EOPNOTSUPP, "lwt encapsulation type not supported")


def check_hop(build: Build, inside: Attrs) -> None:
    """lwtunnel_valid_encap_type_attr(), of one of several next hops; a kernel without tunnels does not look."""
    if Rta.encap_type not in inside or not build.has("LWTUNNEL"):
        return
    if len(inside.payload(Rta.encap_type)) < 2:
        raise Refusal(errno.EINVAL, "Invalid RTA_ENCAP_TYPE")
    try:
        check_type(build, inside[Rta.encap_type])
    except Refusal as refused:
        raise Refusal(errno.EOPNOTSUPP, refused.text) from refused


def asked(build: Build, attrs: Attrs) -> Refusal | None:
    """lwtunnel_build_state(): what is wrong with the tunnel of a route or of a next hop, which is said when it is its
    turn; None where there is none."""
    if Rta.encap not in attrs:
        return None
    if not build.has("LWTUNNEL"):
        return Refusal(errno.EOPNOTSUPP)
    kind = int.from_bytes(attrs.payload(Rta.encap_type)[:2], "little") if Rta.encap_type in attrs else 0
    if kind not in OPTIONS:
        return Refusal(errno.EINVAL, "Unknown LWT encapsulation type", at=attrs.offset(Rta.encap))
    return Refusal(errno.EOPNOTSUPP, "nlemu: routes through tunnels are not emulated")
