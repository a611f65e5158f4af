"""Neighbours: RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH, in the order of neigh_fill_info() of net/core/neighbour.c."""

from typing import Any

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout, Stretch
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import be16, binary, flag, nest, s32, structure, u8, u16, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import nda_cacheinfo, ndmsg
from nlemu.protocol.uapi.neighbour import NTF, NTF_EXT
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN
from nlemu.protocol.uapi.rtnetlink import RTM, RTPROT
from nlemu.protocol.uapi.socket import AF_BRIDGE, AF_UNSPEC

HEADER = structure(ndmsg, "ndmsg")
NDA_MAX = 17
TAKEN_EXT = int(NTF_EXT.MANAGED | NTF_EXT.EXT_VALIDATED)
"""NTF_EXT_MASK"""
STRICT_FROM = 13
"""strict_start_type: NDA_NH_ID"""


class Nfea(AttrSet):
    """NFEA_*: whether user space hears when nothing comes from an address any more."""

    activity_notify = Attr(1, u8)
    dont_refresh = Attr(2, flag)


class Nda(AttrSet):
    """NDA_*."""

    dst = Attr(1, binary, length=MAX_ADDR_LEN)
    lladdr = Attr(2, binary, length=MAX_ADDR_LEN)
    cacheinfo = Attr(3, structure(nda_cacheinfo, "nda_cacheinfo"))
    probes = Attr(4, u32)
    vlan = Attr(5, u16)
    port = Attr(6, be16)
    vni = Attr(7, u32)
    ifindex = Attr(8, u32)
    master = Attr(9, u32)
    link_netnsid = Attr(10, s32)
    src_vni = Attr(11, u32)
    protocol = Attr(12, u8, shown=RTPROT)
    nh_id = Attr(13, u32)
    fdb_ext_attrs = Attr(14, nest(Nfea))
    flags_ext = Attr(15, u32, flags=NTF_EXT, mask=TAKEN_EXT)
    ndm_state_mask = Attr(16, u16)
    ndm_flags_mask = Attr(17, u8)


TAKEN = Policy(
    Nda.dst, Nda.lladdr, Nda.cacheinfo, Nda.probes, Nda.vlan, Nda.port.but(kind=u16), Nda.vni, Nda.ifindex,
    Nda.master, Nda.protocol,
    Nda.nh_id, Nda.flags_ext, Nda.fdb_ext_attrs.but(kind=nest(None)), top=NDA_MAX, strict_from=STRICT_FROM,
    chosen_from=Nda,
)
"""nda_policy"""

UNCHECKED = Policy(top=NDA_MAX, chosen_from=Nda)
"""Forwarding tables look at what they want without a policy."""

TOLD_FDB = Layout(Nda.lladdr, Nda.vlan)
"""nlmsg_populate_fdb_fill()"""


TAKEN_NFEA = Policy(Nfea.activity_notify, Nfea.dont_refresh, chosen_from=Nfea)
"""br_nda_fdb_pol"""
BULK = Policy(
    Nda.vlan.but(min=1, max=4094), Nda.ifindex.but(kind=s32, min=1), Nda.ndm_state_mask, Nda.ndm_flags_mask,
    top=NDA_MAX, chosen_from=Nda,
)
"""br_fdb_del_bulk_policy"""
WHOSE, SINCE = Stretch(Nda.master, Nda.flags_ext), Stretch(Nda.cacheinfo, Nda.vlan)
"""Of a bridge's entries, what thousands have in common."""
TOLD_BRIDGE = Layout(
    Nda.lladdr, Nda.master, Nda.flags_ext, Nda.cacheinfo, Nda.vlan, Nda.fdb_ext_attrs, stretches=(WHOSE, SINCE)
)
"""fdb_fill_info() of net/bridge/br_fdb.c"""
VXLAN_BULK = Policy(
    Nda.src_vni, Nda.nh_id, Nda.vni, Nda.port.but(kind=u16), Nda.dst.but(min=4, max=16, length=0), Nda.ndm_state_mask,
    Nda.ndm_flags_mask, top=NDA_MAX, chosen_from=Nda,
)
"""vxlan_del_bulk_policy"""
TOLD_VXLAN = Layout(
    Nda.link_netnsid, Nda.lladdr, Nda.nh_id, Nda.dst, Nda.port, Nda.vni, Nda.ifindex, Nda.src_vni, Nda.cacheinfo
)
"""vxlan_fdb_info()"""
TOLD = Layout(Nda.dst, Nda.lladdr, Nda.probes, Nda.cacheinfo, Nda.protocol, Nda.flags_ext)

GETNEIGH_FLAGS = int(NTF.PROXY)


def _names_a_device(header: Any) -> str | None:
    return None if header.flags & NTF.PROXY or header.ifindex else "No device specified"


NEWNEIGH = route.operation(
    RTM.NEWNEIGH, Nda, fixed=HEADER,
    registered={
        AF_UNSPEC: Registered(do=Half(TAKEN, level=LIBERAL)),
        AF_BRIDGE: Registered(do=Half(UNCHECKED, level=LIBERAL)),
    },
)
FDB_SET = Half(None, late=True)
DELNEIGH = route.operation(
    RTM.DELNEIGH, Nda, fixed=HEADER,
    registered={AF_UNSPEC: Registered(do=Half(None, cut=None)), AF_BRIDGE: Registered(do=FDB_SET, bulk=True)},
)
GETNEIGH = route.operation(
    RTM.GETNEIGH, Nda, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWNEIGH,
    registered={
        AF_UNSPEC: Registered(
            do=Half(
                TAKEN, requires=(Nda.dst,), level=LIBERAL,
                strict=Strict(
                    cut="Invalid header for neighbor get request", always=True,
                    zero=("pad1", "pad2", "state", "type"),
                    nonzero="Invalid values in header for neighbor get request",
                    flags=GETNEIGH_FLAGS, bad_flags="Invalid flags in header for neighbor get request",
                    check=_names_a_device,
                    allowed=(Nda.dst,), unsupported="Unsupported attribute in neighbor get request",
                ),
            ),
            dump=Half(
                TAKEN, level=LIBERAL, unless_strict=Unread.FORGIVEN,
                strict=Strict(
                    cut="Invalid header for neighbor dump request",
                    zero=("pad1", "pad2", "ifindex", "state", "type"),
                    nonzero="Invalid values in header for neighbor dump request",
                    flags=GETNEIGH_FLAGS, bad_flags="Invalid flags in header for neighbor dump request",
                    allowed=(Nda.ifindex, Nda.master),
                    unsupported="Unsupported attribute in neighbor dump request",
                ),
            ),
        ),
        AF_BRIDGE: Registered(
            do=Half(
                TAKEN, level=LIBERAL,
                strict=Strict(
                    cut="Invalid header for fdb get request", always=True, zero=("pad1", "pad2", "state", "type"),
                    nonzero="Invalid values in header for fdb get request", flags=int(NTF.MASTER | NTF.SELF),
                    bad_flags="Invalid flags in header for fdb get request",
                ),
            ),
            dump=Half(None, unless_strict=Unread.IGNORED, done_apart=True),
        ),
    },
)
