"""Groups that the ports of bridges forward: RTM_NEWMDB, RTM_DELMDB, RTM_GETMDB (rtnl_mdb_*() of
net/core/rtnetlink.c, br_mdb_*() of net/bridge/br_mdb.c)."""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import binary, nest, s32, structure, u8, u16, u32
from nlemu.protocol.schema.policy import LIBERAL, STRICT, Policy
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

VNIS = 1 << 24
"""VXLAN_N_VID"""


class MdbeSource(AttrSet):
    """MDBE_SRCATTR_*"""

    address = Attr(1, binary, min=4, max=16)


class MdbeSources(AttrSet):
    """MDBE_SRC_LIST_*"""

    entry = Attr(1, nest(MdbeSource), multi=True)


class Mdbe(AttrSet):
    """MDBE_ATTR_*: of a group that is added, deleted or asked for."""

    source = Attr(1, binary, min=4, max=16)
    src_list = Attr(2, nest(MdbeSources))
    group_mode = Attr(3, u8, min=0, max=1)
    rtprot = Attr(4, u8, min=4)
    dst = Attr(5, binary, min=4, max=16)
    dst_port = Attr(6, u16)
    vni = Attr(7, u32, max=VNIS - 1)
    ifindex = Attr(8, s32, min=1)
    src_vni = Attr(9, u32, max=VNIS - 1)
    state_mask = Attr(10, u8, mask=1)


class Mdba(AttrSet):
    """MDBA_SET_ENTRY, MDBA_GET_ENTRY and what is said beside: which entry is meant."""

    entry = Attr(1, binary, length=ENTRY.size or 0)
    entry_attrs = Attr(2, nest(Mdbe))


class MdbInfos(AttrSet):
    """MDBA_MDB_ENTRY_*: struct br_mdb_entry, and attributes behind it."""

    info = Attr(1, binary, multi=True)


class MdbEntries(AttrSet):
    """MDBA_MDB_*"""

    entry = Attr(1, nest(MdbInfos, flagged=False), multi=True)


class MdbRouters(AttrSet):
    """MDBA_ROUTER_*: the index of a device, and attributes behind it."""

    port = Attr(1, binary, multi=True)


class MdbTold(AttrSet):
    """MDBA_*: of groups and routers that are told."""

    mdb = Attr(1, nest(MdbEntries, flagged=False))
    router = Attr(2, nest(MdbRouters, flagged=False))


MDBE_TOP = 10
ADD_ATTRS = Policy(Mdbe.source, Mdbe.src_list, Mdbe.group_mode, Mdbe.rtprot, top=MDBE_TOP)
"""br_mdbe_attrs_pol"""
FLUSH_ATTRS = Policy(Mdbe.rtprot, Mdbe.state_mask, top=MDBE_TOP)
"""br_mdbe_attrs_del_bulk_pol"""
GET_ATTRS = Policy(Mdbe.source, top=MDBE_TOP)
"""br_mdbe_attrs_get_pol"""
VXLAN_ADD = Policy(
    Mdbe.source, Mdbe.src_list, Mdbe.group_mode, Mdbe.rtprot, Mdbe.dst, Mdbe.dst_port, Mdbe.vni, Mdbe.ifindex,
    Mdbe.src_vni, top=MDBE_TOP,
)
"""vxlan_mdbe_attrs_pol"""
VXLAN_FLUSH = Policy(
    Mdbe.rtprot, Mdbe.dst, Mdbe.dst_port, Mdbe.vni, Mdbe.src_vni, Mdbe.state_mask, top=MDBE_TOP
)
"""vxlan_mdbe_attrs_del_bulk_pol"""
VXLAN_GET = Policy(Mdbe.source, Mdbe.src_vni, top=MDBE_TOP)
"""vxlan_mdbe_attrs_get_pol"""
SOURCE = Policy(MdbeSource.address)
"""vxlan_mdbe_src_list_entry_pol"""
ATTRS_UNREAD = Mdba.entry_attrs.but(kind=nest(None))
GET_ONE = Half(Policy(Mdba.entry, ATTRS_UNREAD), level=STRICT, late=True)
"""mdba_get_policy"""
SET_ONE = Half(Policy(Mdba.entry, ATTRS_UNREAD), level=LIBERAL, late=True)
"""mdba_policy"""
FLUSH = Half(Policy(Mdba.entry, ATTRS_UNREAD), level=STRICT, late=True)
"""mdba_del_bulk_policy"""

NEWMDB = route.operation(RTM.NEWMDB, Mdba, fixed=HEADER, registered={AF_BRIDGE: Registered(do=SET_ONE)})
DELMDB = route.operation(
    RTM.DELMDB, Mdba, fixed=HEADER, registered={AF_BRIDGE: Registered(do=SET_ONE, bulk=True)}
)
GETMDB = route.operation(
    RTM.GETMDB, Mdba, fixed=HEADER,
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
