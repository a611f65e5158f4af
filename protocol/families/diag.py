"""What SOCK_DIAG's messages hold, for whoever reads them: requests and sockets of inet_diag, unix_diag,
netlink_diag and packet_diag, as the uapi headers of these names have them.

One message type serves all, and the address family in the first byte tells which structure it is. The emulator has
sockets of netlink alone (protocol/families/sock_diag.py); what is said here is for captures of machines with others.
"""

import construct as c

from nlemu.protocol.families.sock_diag import NETLINK_REQUEST, NETLINK_SOCKET, UNIX_REQUEST, sock_diag
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.family import Operation
from nlemu.protocol.schema.kinds import (
    PayloadKind,
    Structure,
    binary,
    nest,
    string,
    structure,
    u8,
    u16,
    u32,
    u64,
)
from nlemu.protocol.uapi.sock_diag import DiagFamily, InetProto, InetSockopt, NetlinkFlag, SockDiag

_u8, _u16, _u32, _u64 = c.Int8ul, c.Int16ul, c.Int32ul, c.Int64ul


def _each(form: c.Construct, names: str) -> list[c.Construct]:
    return [name / form for name in names.split()]


def _sockid(size: int) -> c.Construct:
    """struct inet_diag_sockid, with addresses of so many bytes in the room for the longest."""
    address = [c.Padding(16 - size)] if size < 16 else []
    return "inet_diag_sockid" / c.Struct(
        "sport" / c.Int16ub, "dport" / c.Int16ub, "src" / c.Bytes(size), *address, "dst" / c.Bytes(size), *address,
        "if_" / _u32, "cookie" / c.Bytes(8),
    )


def _inet_request(size: int) -> Structure:
    name = "inet_diag_req_v2"
    return structure(
        name / c.Struct(*_each(_u8, "family protocol ext pad"), "states" / _u32, "id" / _sockid(size)), name
    )


def _old_request(size: int) -> Structure:
    name = "inet_diag_req"
    return structure(
        name / c.Struct(*_each(_u8, "family src_len dst_len ext"), "id" / _sockid(size), *_each(_u32, "states dbs")),
        name,
    )


def _inet_socket(size: int) -> Structure:
    name = "inet_diag_msg"
    return structure(
        name / c.Struct(
            *_each(_u8, "family state timer retrans"), "id" / _sockid(size),
            *_each(_u32, "expires rqueue wqueue uid inode"),
        ),
        name,
    )


UNIX_SOCKET = structure(
    "unix_diag_msg"
    / c.Struct("family" / _u8, "type" / _u8, "state" / _u8, c.Padding(1), "ino" / _u32, "cookie" / c.Bytes(8)),
    "unix_diag_msg",
)
PACKET_REQUEST = structure(
    "packet_diag_req"
    / c.Struct(*_each(_u8, "family protocol"), "pad" / _u16, *_each(_u32, "ino show"), "cookie" / c.Bytes(8)),
    "packet_diag_req",
)
PACKET_SOCKET = structure(
    "packet_diag_msg" / c.Struct(*_each(_u8, "family type"), "num" / _u16, "ino" / _u32, "cookie" / c.Bytes(8)),
    "packet_diag_msg",
)
MEMINFO = structure("inet_diag_meminfo" / c.Struct(*_each(_u32, "rmem wmem fmem tmem")), "inet_diag_meminfo")
SK_MEMINFO = structure(
    "sk_meminfo"
    / c.Struct(
        *_each(_u32, "rmem_alloc rcvbuf wmem_alloc sndbuf fwd_alloc wmem_queued optmem backlog drops")
    ),
    "sk_meminfo",
)
TCP_INFO = structure(
    "tcp_info"
    / c.Struct(
        *_each(_u8, "state ca_state retransmits probes backoff options wscale limits"),
        *_each(
            _u32,
            "rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv "
            "last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space "
            "total_retrans",
        ),
        *_each(_u64, "pacing_rate max_pacing_rate bytes_acked bytes_received"),
        *_each(_u32, "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"),
        *_each(_u64, "delivery_rate busy_time rwnd_limited sndbuf_limited"),
        *_each(_u32, "delivered delivered_ce"),
        *_each(_u64, "bytes_sent bytes_retrans"),
        *_each(_u32, "dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash"),
        *_each(_u16, "total_rto total_rto_recoveries"),
        *_each(
            _u32,
            "total_rto_time received_ce delivered_e1_bytes delivered_e0_bytes delivered_ce_bytes received_e1_bytes "
            "received_e0_bytes received_ce_bytes accecn",
        ),
    ),
    "tcp_info",
)
"""struct tcp_info of Linux 7.2; older kernels tell less of it. Bits that share a byte stay together."""

VEGAS_INFO = structure("tcpvegas_info" / c.Struct(*_each(_u32, "enabled rttcnt rtt minrtt")), "tcpvegas_info")
DCTCP_INFO = structure(
    "tcp_dctcp_info" / c.Struct(*_each(_u16, "enabled ce_state"), *_each(_u32, "alpha ab_ecn ab_tot")),
    "tcp_dctcp_info",
)
BBR_INFO = structure(
    "tcp_bbr_info" / c.Struct(*_each(_u32, "bw_lo bw_hi min_rtt pacing_gain cwnd_gain")), "tcp_bbr_info"
)


class SocketName(PayloadKind[str]):
    """The name of a Unix socket: a path, or an abstract name, which begins with a zero byte and here with "@"."""

    def encode(self, value: str) -> bytes:
        name = value.encode("utf-8", "surrogateescape")
        return b"\0" + name[1:] if name.startswith(b"@") else name

    def decode(self, data: bytes, start: int, end: int) -> str:
        name = data[start:end]
        return (b"@" + name[1:] if name.startswith(b"\0") else name).decode("utf-8", "surrogateescape")


class InetAsked(AttrSet):
    """INET_DIAG_REQ_*."""

    bytecode = Attr(1, binary)
    sk_bpf_storages = Attr(2, nest(None))
    protocol = Attr(3, u32, shown=InetProto)


class Inet(AttrSet):
    """INET_DIAG_*."""

    meminfo = Attr(1, MEMINFO)
    info = Attr(2, TCP_INFO)
    vegasinfo = Attr(3, VEGAS_INFO)
    cong = Attr(4, string)
    tos = Attr(5, u8)
    tclass = Attr(6, u8)
    skmeminfo = Attr(7, SK_MEMINFO)
    shutdown = Attr(8, u8)
    dctcpinfo = Attr(9, DCTCP_INFO)
    protocol = Attr(10, u8, shown=InetProto)
    skv6only = Attr(11, u8)
    locals = Attr(12, binary)
    peers = Attr(13, binary)
    mark = Attr(15, u32)
    bbrinfo = Attr(16, BBR_INFO)
    class_id = Attr(17, u32)
    md5sig = Attr(18, binary)
    ulp_info = Attr(19, nest(None))
    sk_bpf_storages = Attr(20, nest(None))
    cgroup_id = Attr(21, u64)
    sockopt = Attr(22, u16, shown=InetSockopt)


class Unix(AttrSet):
    """UNIX_DIAG_*, which begin at 0."""

    name_ = Attr(0, SocketName("string"))
    vfs = Attr(1, structure("unix_diag_vfs" / c.Struct(*_each(_u32, "ino dev")), "unix_diag_vfs"))
    peer = Attr(2, u32)
    icons = Attr(3, binary)
    rqlen = Attr(4, structure("unix_diag_rqlen" / c.Struct(*_each(_u32, "rqueue wqueue")), "unix_diag_rqlen"))
    meminfo = Attr(5, SK_MEMINFO)
    shutdown = Attr(6, u8)
    uid = Attr(7, u32)


class Netlink(AttrSet):
    """NETLINK_DIAG_*, which begin at 0."""

    meminfo = Attr(0, SK_MEMINFO)
    groups = Attr(1, binary)
    rx_ring = Attr(2, binary)
    tx_ring = Attr(3, binary)
    flags = Attr(4, u32, shown=NetlinkFlag)


class Packet(AttrSet):
    """PACKET_DIAG_*, which begin at 0."""

    info = Attr(
        0,
        structure(
            "packet_diag_info"
            / c.Struct(*_each(_u32, "index version reserve copy_thresh tstamp flags")),
            "packet_diag_info",
        ),
    )
    mclist = Attr(1, binary)
    rx_ring = Attr(2, binary)
    tx_ring = Attr(3, binary)
    fanout = Attr(4, u32)
    uid = Attr(5, u32)
    meminfo = Attr(6, SK_MEMINFO)
    filter = Attr(7, binary)


class Nothing(AttrSet):
    """Requests that take no attributes."""


Bodies = tuple[Structure, type[AttrSet], Structure, type[AttrSet]]
"""Of a request, and of a socket."""

BODIES: dict[int, Bodies] = {
    DiagFamily.INET: (_inet_request(4), InetAsked, _inet_socket(4), Inet),
    DiagFamily.INET6: (_inet_request(16), InetAsked, _inet_socket(16), Inet),
    DiagFamily.UNIX: (UNIX_REQUEST, Nothing, UNIX_SOCKET, Unix),
    DiagFamily.NETLINK: (NETLINK_REQUEST, Nothing, NETLINK_SOCKET, Netlink),
    DiagFamily.PACKET: (PACKET_REQUEST, Nothing, PACKET_SOCKET, Packet),
}
OLD: dict[int, Bodies] = {
    DiagFamily.INET: (_old_request(4), InetAsked, *BODIES[DiagFamily.INET][2:]),
    DiagFamily.INET6: (_old_request(16), InetAsked, *BODIES[DiagFamily.INET6][2:]),
}
"""Of TCPDIAG_GETSOCK and DCCPDIAG_GETSOCK."""


def _operations(cmd: SockDiag, bodies: dict[int, Bodies]) -> dict[tuple[int, int, bool], Operation]:
    found = {}
    for family, (asked, takes, socket, tells) in bodies.items():
        name = cmd.name.lower().replace("_", "-") if cmd is not SockDiag.BY_FAMILY else ""
        name = "-".join(part for part in (name, DiagFamily(family).name.lower()) if part)
        found[int(cmd), family, True] = Operation(sock_diag, int(cmd), name, takes, fixed=asked)
        found[int(cmd), family, False] = Operation(sock_diag, int(cmd), name, tells, fixed=socket)
    return found


OPERATIONS = {
    **_operations(SockDiag.BY_FAMILY, BODIES), **_operations(SockDiag.DESTROY, BODIES),
    **_operations(SockDiag.TCPDIAG_GETSOCK, OLD), **_operations(SockDiag.DCCPDIAG_GETSOCK, OLD),
}
"""By message type, address family, and whether it is a request."""


def read_as(kind: int, family: int, *, request: bool) -> Operation | None:
    """What a message holds; None where nobody knows."""
    return OPERATIONS.get((kind, family, request))
