"""uapi/linux/sock_diag.h, and the requests of inet_diag.h, unix_diag.h, packet_diag.h, netlink_diag.h, xdp_diag.h and
vm_sockets_diag.h by the families that they are for."""

from enum import IntEnum

AF_MAX = 46  # include/linux/socket.h


class SockDiag(IntEnum):
    """nlmsg_type."""

    TCPDIAG_GETSOCK = 18
    BY_FAMILY = 20
    DESTROY = 21


class DiagFamily(IntEnum):
    """AF_* of the families whose sockets can be asked for."""

    UNIX = 1
    INET = 2
    INET6 = 10
    NETLINK = 16
    PACKET = 17
    VSOCK = 40
    XDP = 44


class SockDiagGroup(IntEnum):
    """Multicast groups: SKNLGRP_*."""

    INET_TCP_DESTROY = 1
    INET_UDP_DESTROY = 2
    INET6_TCP_DESTROY = 3
    INET6_UDP_DESTROY = 4


class InetProto(IntEnum):
    """IPPROTO_* of the protocols that inet_diag has a handler for."""

    TCP = 6
    UDP = 17
    RAW = 255
    MPTCP = 262


class TcpState(IntEnum):
    """enum tcp_states, which sockets of other kinds borrow: TCP_*."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11
    NEW_SYN_RECV = 12
    BOUND_INACTIVE = 13


INET_DIAG_REQ_PROTOCOL = 3
NDIAG_PROTO_ALL = 255
