"""Settings as RTM_NEWNETCONF tells them: all of a device, or the one that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nlemu.protocol.families.route.netconf import HEADER, TOLD, Netconf
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import Ipv6Devconf
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_MPLS

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.build import Build
    from nlemu.protocol.schema.attributes import Attr

FIELDS: Mapping[int, Mapping[Any, Attr[int]]] = {
    AF_INET: {
        Ipv4Devconf.FORWARDING: Netconf.forwarding,
        Ipv4Devconf.RP_FILTER: Netconf.rp_filter,
        Ipv4Devconf.MC_FORWARDING: Netconf.mc_forwarding,
        Ipv4Devconf.BC_FORWARDING: Netconf.bc_forwarding,
        Ipv4Devconf.PROXY_ARP: Netconf.proxy_neigh,
        Ipv4Devconf.IGNORE_ROUTES_WITH_LINKDOWN: Netconf.ignore_routes_with_linkdown,
    },
    AF_INET6: {
        Ipv6Devconf.FORWARDING: Netconf.forwarding,
        Ipv6Devconf.MC_FORWARDING: Netconf.mc_forwarding,
        Ipv6Devconf.PROXY_NDP: Netconf.proxy_neigh,
        Ipv6Devconf.IGNORE_ROUTES_WITH_LINKDOWN: Netconf.ignore_routes_with_linkdown,
    },
    AF_MPLS: {"input": Netconf.input},
}
"""By protocol family and by setting."""
PAD = bytes(3)
"""Attributes begin at a multiple of four bytes, NLMSG_ALIGN(sizeof(struct netconfmsg))."""
OPTIONAL = {Ipv6Devconf.MC_FORWARDING: "IPV6_MROUTE"}


def body(build: Build, family: int, ifindex: int, conf: Any, fields: Iterable[Any] | None = None) -> bytes:
    """inet_netconf_fill_devconf() and its relatives. conf: the settings; fields: which are told, None for all that the
    family tells."""
    known = FIELDS[family]
    values: dict[Attr[Any], Any] = {Netconf.ifindex: ifindex}
    for field in known if fields is None else fields:
        option = OPTIONAL.get(field)
        if option is None or build.has(option):
            values[known[field]] = getattr(conf, field) if family == AF_MPLS else conf[field]
    return HEADER.codec.pack(family=family) + PAD + TOLD.encode(values)
