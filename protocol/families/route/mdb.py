"""Groups that the ports of bridges forward: RTM_GETMDB (rtnl_mdb_get(), rtnl_mdb_dump() of net/core/rtnetlink.c)."""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import binary, nest, structure
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_BRIDGE

HEADER = structure("br_port_msg" / c.Struct("family" / c.Int8ul, c.Padding(3), "ifindex" / c.Int32ul), "br_port_msg")
ENTRY = structure(
    "br_mdb_entry" / c.Struct(
        "ifindex" / c.Int32ul, "state" / c.Int8ul, "flags" / c.Int8ul, "vid" / c.Int16ul, "addr" / c.Bytes(16),
        "proto" / c.Int16ub, c.Padding(2),
    ),
    "br_mdb_entry",
)


class Mdba(AttrSet):
    """MDBA_GET_ENTRY, MDBA_GET_ENTRY_ATTRS: which entry is asked for."""

    entry = Attr(1, binary, length=ENTRY.size or 0)
    entry_attrs = Attr(2, nest(None))


GET_ONE = Half(Policy(Mdba.entry, Mdba.entry_attrs), level=STRICT, late=True)
"""mdba_get_policy"""

GETMDB = route.operation(
    RTM.GETMDB, Mdba, fixed=HEADER, reply_cmd=RTM.NEWMDB,
    registered={
        AF_BRIDGE: Registered(
            do=GET_ONE,
            dump=Half(
                None, unless_strict=Unread.IGNORED, done_apart=True,
                strict=Strict(
                    cut="Invalid header for mdb dump request", zero=("ifindex",),
                    nonzero="Filtering by device index is not supported for mdb dump request",
                    bare="Invalid data after header in mdb dump request",
                ),
            ),
        )
    },
)
