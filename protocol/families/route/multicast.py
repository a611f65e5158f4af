"""Groups and anycast addresses of devices: RTM_GETMULTICAST and RTM_GETANYCAST, and what is told of them.

They are asked for like addresses, with the policies of those; a dump answers with the number of the request itself
(inet_fill_ifmcaddr() of net/ipv4/igmp.c, inet6_fill_ifmcaddr() and inet6_fill_ifacaddr() of net/ipv6/addrconf.c).
"""

from nlemu.protocol.families.route.addr import HEADER, IPV4, IPV6, Ifa, asks_all
from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Layout
from nlemu.protocol.schema.family import Registered
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6

GROUP = Layout(Ifa.target_netnsid, Ifa.multicast, Ifa.mc_users, Ifa.cacheinfo)
ANYCAST = Layout(Ifa.target_netnsid, Ifa.anycast, Ifa.cacheinfo)

GETMULTICAST = route.operation(
    RTM.GETMULTICAST, Ifa, fixed=HEADER, replies=GROUP,
    registered={
        AF_INET: Registered(dump=asks_all(IPV4, "ipv4")), AF_INET6: Registered(dump=asks_all(IPV6, "ipv6"))
    },
)
GETANYCAST = route.operation(
    RTM.GETANYCAST, Ifa, fixed=HEADER, replies=ANYCAST,
    registered={AF_INET6: Registered(dump=asks_all(IPV6, "ipv6"))},
)
