"""What IFLA_AF_SPEC tells and takes of a device: the settings and counters of IPv4 and of IPv6.

Told by inet_fill_link_af() of net/ipv4/devinet.c and inet6_fill_ifla6_attrs() of net/ipv6/addrconf.c. What can be set
goes by other policies than what is told: IFLA_INET_CONF is an array of words when it comes from the kernel, and a nest
with an attribute for each setting when it goes there.
"""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet, Stretch
from nlemu.protocol.schema.kinds import binary, nest, s32, structure, u8, u32
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.schema.structs import ifla_cacheinfo
from nlemu.protocol.uapi.if_link import In6AddrGenMode
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.uapi.ipv6 import InetDeviceFlag, Ipv6Devconf
from nlemu.protocol.uapi.snmp import Icmp6Mib, IpstatsMib

ipv4_devconf = "ipv4_devconf" / c.Struct(*(field.name.lower() / c.Int32ul for field in Ipv4Devconf))
ipv6_devconf = "ipv6_devconf" / c.Struct(*(field.name.lower() / c.Int32sl for field in Ipv6Devconf))
ipstats = "ipstats" / c.Struct(*(field.name.lower() / c.Int64ul for field in IpstatsMib))
icmp6stats = "icmp6stats" / c.Struct(*(field.name.lower() / c.Int64ul for field in Icmp6Mib))


class InetLink(AttrSet):
    """IFLA_INET_*."""

    conf = Attr(1, structure(ipv4_devconf, "ipv4_devconf"))
    settings = Stretch(conf)
    stretches = (settings,)


class Inet6Link(AttrSet):
    """IFLA_INET6_*."""

    flags = Attr(1, u32, shown=InetDeviceFlag)
    conf = Attr(2, structure(ipv6_devconf, "ipv6_devconf"))
    stats = Attr(3, structure(ipstats, "ipstats"))
    mcast = Attr(4, binary)
    cacheinfo = Attr(5, structure(ifla_cacheinfo, "ifla_cacheinfo"))
    icmp6stats = Attr(6, structure(icmp6stats, "icmp6stats"))
    token = Attr(7, structure(c.Bytes(16), "in6_addr"))
    addr_gen_mode = Attr(8, u8, shown=In6AddrGenMode)
    ra_mtu = Attr(9, u32, reject="IFLA_INET6_RA_MTU can not be set")
    order = (flags, cacheinfo, conf, stats, icmp6stats, token, addr_gen_mode, ra_mtu)
    settings, counters, identity = Stretch(conf), Stretch(stats, icmp6stats), Stretch(token, addr_gen_mode)
    stretches = (settings, counters, identity)


class AfSpec(AttrSet):
    """Address families, in the order in which they register with rtnetlink."""

    inet = Attr(2, nest(InetLink, flagged=False))
    inet6 = Attr(10, nest(Inet6Link, flagged=False))


SET_INET = Policy(InetLink.conf.but(kind=nest(None)))
"""inet_af_policy."""

SET_INET6 = Policy(Inet6Link.addr_gen_mode, Inet6Link.token, Inet6Link.ra_mtu)
"""inet6_af_policy."""

READ_ONLY = (Ipv4Devconf.MC_FORWARDING,)
NUMBERS = (
    Ipv4Devconf.TAG,
    Ipv4Devconf.IGMPV2_UNSOLICITED_REPORT_INTERVAL,
    Ipv4Devconf.IGMPV3_UNSOLICITED_REPORT_INTERVAL,
)
"""Any number will do."""
HIGHEST = {
    Ipv4Devconf.RP_FILTER: 2,
    Ipv4Devconf.FORCE_IGMP_VERSION: 3,
    Ipv4Devconf.ARP_ANNOUNCE: 2,
    Ipv4Devconf.ARP_IGNORE: 8,
    Ipv4Devconf.ARP_ACCEPT: 2,
}
"""The others are switches."""


def _setting(field: Ipv4Devconf) -> Attr[int]:
    name = field.name.lower()
    if field in READ_ONLY:
        return Attr(field, u32, reject="", name=name)
    if field in NUMBERS:
        return Attr(field, u32, name=name)
    if field == Ipv4Devconf.MEDIUM_ID:
        return Attr(field, s32, min=-1, name=name)
    return Attr(field, u32, min=0, max=HIGHEST.get(field, 1), name=name)


SETTINGS = {field: _setting(field) for field in Ipv4Devconf}
SET_DEVCONF = Policy(*SETTINGS.values())
"""inet_devconf_policy."""
