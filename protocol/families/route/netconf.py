"""Settings of devices as routing daemons watch them: RTM_GETNETCONF, and RTM_NEWNETCONF and RTM_DELNETCONF, which are
told when one changes or goes.

Each protocol family has some: inet_netconf_fill_devconf() of net/ipv4/devinet.c, inet6_netconf_fill_devconf() of
net/ipv6/addrconf.c, mpls_netconf_fill_devconf() of net/mpls/af_mpls.c.
"""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import s32, structure
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import netconfmsg
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_MPLS, AF_UNSPEC

HEADER = structure(netconfmsg, "netconfmsg")
NETCONFA_MAX = 9
INT_AT_LEAST = structure(c.Int32sl, "int")
"""The policies look at no more than the length."""


class Netconf(AttrSet):
    """NETCONFA_*."""

    ifindex = Attr(1, s32)
    forwarding = Attr(2, s32)
    rp_filter = Attr(3, s32)
    mc_forwarding = Attr(4, s32)
    proxy_neigh = Attr(5, s32)
    ignore_routes_with_linkdown = Attr(6, s32)
    input = Attr(7, s32)
    bc_forwarding = Attr(8, s32)
    force_forwarding = Attr(9, s32)


TOLD = Layout(
    Netconf.ifindex, Netconf.forwarding, Netconf.rp_filter, Netconf.mc_forwarding, Netconf.bc_forwarding,
    Netconf.proxy_neigh, Netconf.ignore_routes_with_linkdown, Netconf.input,
)


def _policy(*attrs: Attr[int]) -> Policy:
    return Policy(*(attr.but(kind=INT_AT_LEAST) for attr in attrs), top=NETCONFA_MAX, chosen_from=Netconf)


IPV4 = _policy(
    Netconf.ifindex, Netconf.forwarding, Netconf.rp_filter, Netconf.proxy_neigh, Netconf.ignore_routes_with_linkdown
)
"""devconf_ipv4_policy"""
IPV6 = _policy(Netconf.ifindex, Netconf.forwarding, Netconf.proxy_neigh, Netconf.ignore_routes_with_linkdown)
"""devconf_ipv6_policy"""
MPLS = _policy(Netconf.ifindex)
"""devconf_mpls_policy"""


def _asked(policy: Policy, prefix: str, option: str | None = None) -> Registered:
    """inet_netconf_valid_get_req() and its relatives."""
    return Registered(
        do=Half(
            policy, level=LIBERAL, cut=f"{prefix}: Invalid header for netconf get request",
            strict=Strict(
                allowed=(Netconf.ifindex,), unsupported=f"{prefix}: Unsupported attribute in netconf get request"
            ),
        ),
        dump=Half(
            None, unless_strict=Unread.IGNORED,
            strict=Strict(
                cut=f"{prefix}: Invalid header for netconf dump request",
                bare=f"{prefix}: Invalid data after header in netconf dump request",
            ),
        ),
        option=option,
    )


GETNETCONF = route.operation(
    RTM.GETNETCONF, Netconf, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWNETCONF,
    registered={
        AF_INET: _asked(IPV4, "ipv4"),
        AF_INET6: _asked(IPV6, "ipv6"),
        AF_MPLS: _asked(MPLS, "mpls_router", "MPLS_ROUTING"),
        AF_UNSPEC: Registered(dump=Half(None, every=(AF_INET, AF_INET6, AF_MPLS), done_apart=True)),
    },
)
