"""Options of tunnels through IPv4 and IPv6: what Geneve, VXLAN or ERSPAN is to put into its header.
ip_tun_parse_opts(), ip_tun_fill_encap_opts() of net/ipv4/ip_tunnel_core.c.

They are of one sort. Of Geneve there can be several, each asked for in a nest of its own; they are told in one.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.inet.lwtunnel import Erspan, Geneve, Vxlan
from nlemu.protocol.families.route import lwtunnel
from nlemu.protocol.families.route.lwtunnel import ErspanOption, GeneveOption, IpOptions, VxlanOption
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.schema.policy import STRICT
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.inet.lwtunnel import Option
    from nlemu.protocol.schema.attributes import Attr
    from nlemu.protocol.schema.policy import Policy
    from nlemu.protocol.wire.extack import Extack

GBP_MASK = 1 << 22 | 1 << 19 | 0xFFFF
"""VXLAN_GBP_MASK"""
HWID_MASK = 0x3F
GENEVE_HEADER, MOST = 4, 255
"""sizeof(struct geneve_opt), and how long all can be together, in bytes."""
BITS: dict[type[Option], int] = {Geneve: 1 << 11, Vxlan: 1 << 12, Erspan: 1 << 14}
"""IP_TUNNEL_*_OPT_BIT: a tunnel with options is flagged so."""


def read(message: bytes, span: tuple[int, int], extack: Extack) -> tuple[Option, ...]:
    """ip_tun_parse_opts(): EINVAL, ERANGE."""
    validate(lwtunnel.IP_OPTIONS, message, *span, STRICT, extack)
    found: list[Option] = []
    for number, start, end in walk(message, *span):
        if found and not (number == IpOptions.geneve.number and isinstance(found[0], Geneve)):
            raise Refusal(errno.EINVAL)
        policy, one = READ[number]
        spans = validate(policy, message, start, end, STRICT, extack)
        found.append(one(Attrs(message, spans, start, end)))
        if sum(GENEVE_HEADER + len(each.data) for each in found if isinstance(each, Geneve)) > MOST:
            raise Refusal(errno.EINVAL)
    return tuple(found)


def _need(attrs: Attrs, *needed: Attr[Any]) -> list[Any]:
    if not all(attr in attrs for attr in needed):
        raise Refusal(errno.EINVAL)
    return [attrs[attr] for attr in needed]


def _geneve(attrs: Attrs) -> Geneve:
    """ip_tun_parse_opts_geneve(): EINVAL."""
    option_class, kind, data = _need(attrs, GeneveOption.class_, GeneveOption.type, GeneveOption.data)
    if len(data) % 4:
        raise Refusal(errno.EINVAL)
    return Geneve(option_class, kind, data)


def _vxlan(attrs: Attrs) -> Vxlan:
    """ip_tun_parse_opts_vxlan(): EINVAL."""
    (gbp,) = _need(attrs, VxlanOption.gbp)
    return Vxlan(gbp & GBP_MASK)


def _erspan(attrs: Attrs) -> Erspan:
    """ip_tun_parse_opts_erspan(): EINVAL."""
    (version,) = _need(attrs, ErspanOption.ver)
    if version == 1:
        (index,) = _need(attrs, ErspanOption.index)
        return Erspan(version, index=index)
    if version != 2:
        raise Refusal(errno.EINVAL)
    direction, hwid = _need(attrs, ErspanOption.dir, ErspanOption.hwid)
    return Erspan(version, direction=direction & 1, hwid=hwid & HWID_MASK)


READ: dict[int, tuple[Policy, Any]] = {
    IpOptions.geneve.number: (lwtunnel.GENEVE, _geneve),
    IpOptions.vxlan.number: (lwtunnel.VXLAN, _vxlan),
    IpOptions.erspan.number: (lwtunnel.ERSPAN, _erspan),
}


def flag(options: tuple[Option, ...]) -> int:
    """The flag that a tunnel has for its options."""
    return BITS[type(options[0])] if options else 0


def told(options: tuple[Option, ...]) -> dict[Attr[Any], Any] | None:
    """ip_tun_fill_encap_opts(): what is inside the nest; None where there is none."""
    if not options:
        return None
    first = options[0]
    if isinstance(first, Vxlan):
        return {IpOptions.vxlan: {VxlanOption.gbp: first.gbp}}
    if isinstance(first, Erspan):
        told_of: dict[Attr[Any], Any] = {ErspanOption.ver: first.version}
        if first.version == 1:
            told_of[ErspanOption.index] = first.index
        else:
            told_of |= {ErspanOption.dir: first.direction, ErspanOption.hwid: first.hwid}
        return {IpOptions.erspan: told_of}
    layout = GeneveOption.spec.layout
    return {
        IpOptions.geneve: b"".join(
            layout.encode(
                {GeneveOption.class_: one.option_class, GeneveOption.type: one.type, GeneveOption.data: one.data}
            )
            for one in options if isinstance(one, Geneve)
        )
    }
