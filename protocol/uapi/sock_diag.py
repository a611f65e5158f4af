"""uapi/linux/sock_diag.h, and the requests of inet_diag.h, unix_diag.h, packet_diag.h, netlink_diag.h, xdp_diag.h and
vm_sockets_diag.h by the families that they are for."""

from enum import IntEnum

from nlemu.protocol.uapi.bits import Bits

AF_MAX = 46  # include/linux/socket.h


class SockDiag(IntEnum):
    """nlmsg_type."""

    TCPDIAG_GETSOCK = 18
    DCCPDIAG_GETSOCK = 19
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
    """IPPROTO_* of the protocols that inet_diag has a handler for, or had one."""

    TCP = 6
    UDP = 17
    DCCP = 33
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


class UnixShow(Bits):
    """What is to be told of Unix sockets: UDIAG_SHOW_*, of unix_diag.h."""

    NAME = 1 << 0
    VFS = 1 << 1
    PEER = 1 << 2
    ICONS = 1 << 3
    RQLEN = 1 << 4
    MEMINFO = 1 << 5
    UID = 1 << 6


class NetlinkShow(Bits):
    """What is to be told of netlink sockets: NDIAG_SHOW_*, of netlink_diag.h."""

    MEMINFO = 1 << 0
    GROUPS = 1 << 1
    RING_CFG = 1 << 2
    FLAGS = 1 << 3


class NetlinkFlag(Bits):
    """NDIAG_FLAG_*, of netlink_diag.h."""

    CB_RUNNING = 1 << 0
    PKTINFO = 1 << 1
    BROADCAST_ERROR = 1 << 2
    NO_ENOBUFS = 1 << 3
    LISTEN_ALL_NSID = 1 << 4
    CAP_ACK = 1 << 5


class PacketShow(Bits):
    """What is to be told of packet sockets: PACKET_SHOW_*, of packet_diag.h."""

    INFO = 1 << 0
    MCLIST = 1 << 1
    RING_CFG = 1 << 2
    FANOUT = 1 << 3
    MEMINFO = 1 << 4
    FILTER = 1 << 5


class PacketFlag(Bits):
    """PDI_*, of packet_diag.h."""

    RUNNING = 1 << 0
    AUXDATA = 1 << 1
    ORIGDEV = 1 << 2
    VNETHDR = 1 << 3
    LOSS = 1 << 4


class InetSockopt(Bits):
    """struct inet_diag_sockopt, of inet_diag.h: options of a socket, a bit each."""

    RECVERR = 1 << 0
    IS_ICSK = 1 << 1
    FREEBIND = 1 << 2
    HDRINCL = 1 << 3
    MC_LOOP = 1 << 4
    TRANSPARENT = 1 << 5
    MC_ALL = 1 << 6
    NODEFRAG = 1 << 7
    BIND_ADDRESS_NO_PORT = 1 << 8
    RECVERR_RFC4884 = 1 << 9
    DEFER_CONNECT = 1 << 10


INET_DIAG_REQ_PROTOCOL = 3
NDIAG_PROTO_ALL = 255
