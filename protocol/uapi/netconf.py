"""uapi/linux/netconf.h: what RTM_GETNETCONF tells."""

NETCONFA_IFINDEX_ALL = -1
NETCONFA_IFINDEX_DEFAULT = -2
