"""SOCK_DIAG: sockets of all families asked for by one protocol (net/core/sock_diag.c).

A request begins with the family and the protocol of the sockets, and goes on as that family's module has it.
"""

import construct as c

from nlemu.protocol.schema.attributes import AttrSet
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import structure
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.sock_diag import SockDiag

sock_diag = Family("sock_diag", dump_flags=NLM_F.MULTI)

REQUEST = structure(c.Struct("family" / c.Int8ul, "protocol" / c.Int8ul), "sock_diag_req")
UNIX_REQUEST = structure(
    c.Struct(
        "family" / c.Int8ul, "protocol" / c.Int8ul, "pad" / c.Int16ul, "states" / c.Int32ul, "ino" / c.Int32ul,
        "show" / c.Int32ul, "cookie" / c.Bytes(8),
    ),
    "unix_diag_req",
)
NETLINK_REQUEST = structure(
    c.Struct(
        "family" / c.Int8ul, "protocol" / c.Int8ul, "pad" / c.Int16ul, "ino" / c.Int32ul, "show" / c.Int32ul,
        "cookie" / c.Bytes(8),
    ),
    "netlink_diag_req",
)
NETLINK_SOCKET = structure(
    c.Struct(
        "family" / c.Int8ul, "type" / c.Int8ul, "protocol" / c.Int8ul, "state" / c.Int8ul, "portid" / c.Int32ul,
        "dst_portid" / c.Int32ul, "dst_group" / c.Int32ul, "ino" / c.Int32ul, "cookie" / c.Int64ul,
    ),
    "netlink_diag_msg",
)


class Asked(AttrSet):
    """Requests have attributes in inet_diag alone, which looks for two of them by hand."""


BY_FAMILY = sock_diag.operation(SockDiag.BY_FAMILY, Asked, do=Half(None), dump=Half(None), fixed=REQUEST)
DESTROY = sock_diag.operation(SockDiag.DESTROY, Asked, do=Half(None), fixed=REQUEST)
TCPDIAG_GETSOCK = sock_diag.operation(SockDiag.TCPDIAG_GETSOCK, Asked, do=Half(None), dump=Half(None))
