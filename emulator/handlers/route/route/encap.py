"""Encapsulation of routes by light-weight tunnels: RTA_ENCAP_TYPE and RTA_ENCAP (net/core/lwtunnel.c).

A type is checked as Linux checks it, and by itself changes nothing. What RTA_ENCAP would make of a route is not
emulated.
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
"""Without which option nothing registers for a type (lwtunnel_encap_add_ops())."""


def check_encap_type(build: Build, number: int) -> None:
    """lwtunnel_valid_encap_type(): EINVAL, EOPNOTSUPP, with texts."""
    if not build.has("LWTUNNEL"):
        raise Refusal(errno.EOPNOTSUPP, "CONFIG_LWTUNNEL is not enabled in this kernel")
    if number == LwtunnelEncap.NONE or number not in OPTIONS:
        raise Refusal(errno.EINVAL, "Unknown lwt encapsulation type")
    if not build.has(OPTIONS[LwtunnelEncap(number)]):
        raise Refusal(errno.EOPNOTSUPP, "lwt encapsulation type not supported")


def why_not(build: Build, attrs: Attrs) -> Refusal | None:
    """What lwtunnel_build_state() says to RTA_ENCAP of a route or of one of its next hops; None if it is not there."""
    if Rta.encap not in attrs:
        return None
    if not build.has("LWTUNNEL"):
        return Refusal(errno.EOPNOTSUPP)
    if attrs.get(Rta.encap_type, 0) not in OPTIONS:
        return Refusal(errno.EINVAL, "Unknown LWT encapsulation type", at=attrs.offset(Rta.encap))
    return Refusal(errno.EOPNOTSUPP, "nlemu: routes through tunnels are not emulated")
