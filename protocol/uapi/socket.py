"""Protocol families that rtnetlink knows: AF_* of include/linux/socket.h."""

AF_UNSPEC = 0
AF_INET = 2
AF_BRIDGE = 7
AF_INET6 = 10
AF_MPLS = 28
RTNL_IPMR, RTNL_IP6MR = 128, 129
"""RTNL_FAMILY_IPMR and RTNL_FAMILY_IP6MR of uapi/linux/rtnetlink.h: the tables of multicast routes."""
RTNL_FAMILY_MAX = 129
