"""Tunnels through IPv4 and IPv6, for a device that takes what it is told with each packet: ip_tun_build_state(),
ip6_tun_build_state() and their fill_encap() in net/ipv4/ip_tunnel_core.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.route import tunnel_options
from nlemu.emulator.kernel.inet.lwtunnel import Ip
from nlemu.protocol.families.route.lwtunnel import IpTunnel

if TYPE_CHECKING:
    from nlemu.emulator.kernel.inet.lwtunnel import Option
    from nlemu.protocol.schema.attributes import Attrs
    from nlemu.protocol.wire.extack import Extack

SIZES = {2: 4, 10: 16}
"""How long an address of a family is."""
OPTIONS = 1 << 11 | 1 << 12 | 1 << 14 | 1 << 15
"""IP_TUNNEL_*_OPT_BIT, as far as 16 bits go (ip_tunnel_clear_options_present())."""


def read(attrs: Attrs, family: int, extack: Extack) -> Ip:
    """What is said of a tunnel through that family. EINVAL, ERANGE for what is wrong with its options."""
    options: tuple[Option, ...] = ()
    if IpTunnel.opts in attrs:
        options = tunnel_options.read(attrs.message, attrs.spans[IpTunnel.opts.number], extack)
    size = SIZES[family]
    dst, src = (
        int.from_bytes(attrs[attr][:size], "big") if attr in attrs else 0 for attr in (IpTunnel.dst, IpTunnel.src)
    )
    return Ip(
        family, attrs.get(IpTunnel.id, 0), dst, src, attrs.get(IpTunnel.ttl, 0), attrs.get(IpTunnel.tos, 0),
        attrs.get(IpTunnel.flags, 0) & ~OPTIONS, options,
    )


def told(tunnel: Ip) -> bytes:
    """ip_tun_fill_encap_info(), ip6_tun_fill_encap_info()."""
    size = SIZES[tunnel.family]
    return IpTunnel.spec.layout.encode(
        {
            IpTunnel.id: tunnel.id,
            IpTunnel.dst: tunnel.dst.to_bytes(size, "big"),
            IpTunnel.src: tunnel.src.to_bytes(size, "big"),
            IpTunnel.tos: tunnel.tos,
            IpTunnel.ttl: tunnel.ttl,
            IpTunnel.flags: tunnel.flags | tunnel_options.flag(tunnel.options),
            IpTunnel.opts: tunnel_options.told(tunnel.options),
        }
    )
