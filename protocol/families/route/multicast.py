"""Groups and anycast addresses of devices: RTM_GETMULTICAST and RTM_GETANYCAST, and what is told of them.

They are asked for like addresses, with the policies of those; a dump answers with the number of the request itself
(inet_fill_ifmcaddr() of net/ipv4/igmp.c, inet6_fill_ifmcaddr() and inet6_fill_ifacaddr() of net/ipv6/addrconf.c).
"""

from nlemu.protocol.families.route.addr import HEADER, IPV4, IPV6, Ifa
from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Layout
from nlemu.protocol.schema.family import Half
from nlemu.protocol.uapi.rtnetlink import RTM

GROUP = Layout(Ifa.target_netnsid, Ifa.multicast, Ifa.cacheinfo)
ANYCAST = Layout(Ifa.target_netnsid, Ifa.anycast, Ifa.cacheinfo)

GETMULTICAST = route.operation(RTM.GETMULTICAST, Ifa, dump=Half(IPV4), replies=GROUP, fixed=HEADER)
GETANYCAST = route.operation(RTM.GETANYCAST, Ifa, dump=Half(IPV6), replies=ANYCAST, fixed=HEADER)
