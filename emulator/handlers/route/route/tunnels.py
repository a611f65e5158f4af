"""Routes through tunnels: of which kind one is, and what the kinds have in common (net/core/lwtunnel.c).

A kernel that is built without them (CONFIG_LWTUNNEL) refuses all; one that has them knows some kinds, and refuses the
others in its own words. What it would take and is not emulated is refused in ours.

What is wrong with a tunnel is said when it is its turn, which is after much else: so it is kept in its place.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from nlemu.emulator.handlers.route.route import ip_tunnel, mpls_tunnel, seg6_local, seg6_tunnel
from nlemu.emulator.kernel.inet.lwtunnel import Ip, Mpls, Seg6, Seg6Local
from nlemu.protocol.families.route import lwtunnel
from nlemu.protocol.families.route.route import Rta
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.lwtunnel import LwtunnelEncap
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.emulator.kernel.inet.lwtunnel import Tunnel
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attr
    from nlemu.protocol.schema.policy import Policy

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


class Kind(NamedTuple):
    """struct lwtunnel_encap_ops: what a request may hold, how it is read in a way of some family, how it is told of,
    and ways of which families only have it, if not all."""

    policy: Policy
    read: Callable[[Call, Attrs, int], Tunnel]
    told: Callable[[Any], bytes]
    families: tuple[int, ...] = ()


KINDS: dict[int, Kind] = {
    LwtunnelEncap.MPLS: Kind(lwtunnel.MPLS, lambda call, attrs, family: mpls_tunnel.read(attrs), mpls_tunnel.told),
    LwtunnelEncap.IP: Kind(
        lwtunnel.IP, lambda call, attrs, family: ip_tunnel.read(attrs, AF_INET, call.extack), ip_tunnel.told
    ),
    LwtunnelEncap.IP6: Kind(
        lwtunnel.IP6, lambda call, attrs, family: ip_tunnel.read(attrs, AF_INET6, call.extack), ip_tunnel.told
    ),
    LwtunnelEncap.SEG6: Kind(
        lwtunnel.SEG6, lambda call, attrs, family: seg6_tunnel.read(attrs, family, call.net.kernel.build.release),
        seg6_tunnel.told,
    ),
    LwtunnelEncap.SEG6_LOCAL: Kind(
        lwtunnel.SEG6_LOCAL, lambda call, attrs, family: seg6_local.read(call.net, attrs), seg6_local.told, (AF_INET6,)
    ),
}
"""Those that are emulated."""


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


def type_of(attrs: Attrs, attr: Attr[int] = Rta.encap_type, otherwise: int = 0) -> int:
    """The kind of a tunnel, or what it is where nothing is said of that."""
    return int.from_bytes(attrs.payload(attr)[:2], "little") if attr in attrs else otherwise


def asked(call: Call, attrs: Attrs, family: int, kind: int, encap: Attr[Any] = Rta.encap) -> Tunnel | Refusal | None:
    """lwtunnel_build_state(): the tunnel of a route, of a next hop or of a next hop object, by its kind; or what is
    wrong with it; None where there is none. family: of the way."""
    if encap not in attrs:
        return None
    build = call.net.kernel.build
    if not build.has("LWTUNNEL"):
        return Refusal(errno.EOPNOTSUPP)
    at = attrs.offset(encap)
    if kind not in OPTIONS:
        return Refusal(errno.EINVAL, "Unknown LWT encapsulation type", at=at)
    if not build.has(OPTIONS[LwtunnelEncap(kind)]):
        return Refusal(errno.EOPNOTSUPP, "LWT encapsulation type not supported", at=at)
    known = KINDS.get(kind)
    if known is None:
        return Refusal(errno.EOPNOTSUPP, "nlemu: routes through tunnels of this kind are not emulated")
    if known.families and family not in known.families:
        return Refusal(errno.EINVAL)
    span = attrs.spans[encap.number]
    policy = known.policy.on(build.release)
    try:
        spans = validate(policy, attrs.message, *span, LIBERAL, call.extack)
        return known.read(call, Attrs(attrs.message, spans, *span), family)
    except Refusal as refused:
        return refused


def kind_of(tunnel: Tunnel) -> LwtunnelEncap:
    """The kind of a tunnel: LWTUNNEL_ENCAP_*."""
    if isinstance(tunnel, Ip):
        return LwtunnelEncap.IP if tunnel.family == AF_INET else LwtunnelEncap.IP6
    return BY_CLASS[type(tunnel)]


BY_CLASS: dict[type[Tunnel], LwtunnelEncap] = {
    Mpls: LwtunnelEncap.MPLS, Seg6: LwtunnelEncap.SEG6, Seg6Local: LwtunnelEncap.SEG6_LOCAL
}


def values(
    tunnel: Tunnel | None, encap: Attr[Any] = Rta.encap, encap_type: Attr[int] = Rta.encap_type
) -> dict[Attr[Any], Any]:
    """lwtunnel_fill_encap(): nothing of no tunnel."""
    if tunnel is None:
        return {}
    kind = kind_of(tunnel)
    return {encap: KINDS[kind].told(tunnel), encap_type: kind}
