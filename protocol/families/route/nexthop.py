"""Next hop objects: RTM_NEWNEXTHOP, RTM_DELNEXTHOP, RTM_GETNEXTHOP; and the buckets of those that are resilient
groups: RTM_GETNEXTHOPBUCKET.

They are written in the order of nh_fill_node() of net/ipv4/nexthop.c. Every request is validated strictly, and each
command has its own few attributes.
"""

from nlemu.protocol.families.route.family import route
from nlemu.protocol.families.route.lwtunnel import ENCAPS
from nlemu.protocol.release import V7_3
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered
from nlemu.protocol.schema.kinds import be16, binary, flag, nest, structure, u16, u32, u64
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.schema.structs import nexthop_grp, nhmsg
from nlemu.protocol.uapi.lwtunnel import LwtunnelEncap
from nlemu.protocol.uapi.nexthop import NHA_OP_FLAG_DUMP_HW_STATS, NHA_OP_FLAG_DUMP_STATS
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_UNSPEC

HEADER = structure(nhmsg, "nhmsg")
MEMBER = structure(nexthop_grp, "nexthop_grp")
DUMP_ALL = NHA_OP_FLAG_DUMP_STATS | NHA_OP_FLAG_DUMP_HW_STATS
"""NHA_OP_FLAGS_DUMP_ALL"""


class ResGroup(AttrSet):
    """NHA_RES_GROUP_*: times are in hundredths of a second."""

    buckets = Attr(1, u16)
    idle_timer = Attr(2, u32)
    unbalanced_timer = Attr(3, u32)
    unbalanced_time = Attr(4, u64)


class ResBucket(AttrSet):
    """NHA_RES_BUCKET_*."""

    index = Attr(1, u16)
    idle_time = Attr(2, u64)
    nh_id = Attr(3, u32)

    order = (index, nh_id, idle_time)


class Nha(AttrSet):
    """NHA_*."""

    id = Attr(1, u32)
    group = Attr(2, binary)
    group_type = Attr(3, u16)
    blackhole = Attr(4, flag)
    oif = Attr(5, u32)
    gateway = Attr(6, binary)
    encap_type = Attr(7, u16, shown=LwtunnelEncap)
    encap = Attr(8, nest(None, flagged=False, told=ENCAPS))
    groups = Attr(9, flag)
    master = Attr(10, u32)
    fdb = Attr(11, flag)
    res_group = Attr(12, nest(ResGroup))
    res_bucket = Attr(13, nest(ResBucket))
    op_flags = Attr(14, u32)
    group_stats = Attr(15, nest(None))
    hw_stats_enable = Attr(16, u32)
    hw_stats_used = Attr(17, u32)
    dst_port = Attr(18, be16, since=V7_3)


OP_FLAGS = Nha.op_flags.but(mask=DUMP_ALL)
NEW = Policy(
    Nha.id, Nha.group, Nha.group_type, Nha.blackhole, Nha.oif, Nha.gateway,
    Nha.encap_type.but(shown=None), Nha.encap.but(kind=nest(None)), Nha.fdb, Nha.dst_port.but(min=1, max=0xFFFF),
    Nha.res_group.but(kind=nest(None)), Nha.hw_stats_enable.but(min=0, max=1), chosen_from=Nha,
)
"""rtm_nh_policy_new"""
GET = Policy(Nha.id, OP_FLAGS, chosen_from=Nha)
"""rtm_nh_policy_get"""
DEL = Policy(Nha.id, chosen_from=Nha)
"""rtm_nh_policy_del"""
DUMP = Policy(Nha.oif, Nha.groups, Nha.master, Nha.fdb, OP_FLAGS, chosen_from=Nha)
"""rtm_nh_policy_dump"""
BUCKET = Nha.res_bucket.but(kind=nest(None))
GET_BUCKET = Policy(Nha.id, BUCKET, chosen_from=Nha)
"""rtm_nh_policy_get_bucket"""
DUMP_BUCKET = Policy(Nha.id, Nha.oif, Nha.master, BUCKET, chosen_from=Nha)
"""rtm_nh_policy_dump_bucket; of what it refuses no text is told"""
RES_NEW = Policy(ResGroup.buckets, ResGroup.idle_timer, ResGroup.unbalanced_timer, top=3)
"""rtm_nh_res_policy_new"""
RES_GET = Policy(ResBucket.index, top=1)
"""rtm_nh_res_bucket_policy_get"""
RES_DUMP = Policy(ResBucket.nh_id, top=3)
"""rtm_nh_res_bucket_policy_dump"""

TOLD = Layout(
    Nha.id, Nha.blackhole, Nha.fdb, Nha.dst_port, Nha.group_type, Nha.group, Nha.res_group, Nha.op_flags, Nha.oif,
    Nha.gateway, Nha.encap, Nha.encap_type,
)

SET = Registered(do=Half(NEW, level=STRICT))
LIST = Half(DUMP, level=STRICT)

NEWNEXTHOP = route.operation(
    RTM.NEWNEXTHOP, Nha, fixed=HEADER, registered={AF_UNSPEC: SET, AF_INET: SET, AF_INET6: SET}
)
DELNEXTHOP = route.operation(
    RTM.DELNEXTHOP, Nha, fixed=HEADER, registered={AF_UNSPEC: Registered(do=Half(DEL, level=STRICT))}
)
GETNEXTHOP = route.operation(
    RTM.GETNEXTHOP, Nha, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWNEXTHOP,
    registered={
        AF_UNSPEC: Registered(do=Half(GET, level=STRICT), dump=LIST),
        AF_INET: Registered(dump=LIST),
        AF_INET6: Registered(dump=LIST),
    },
)

TOLD_OF_BUCKET = Layout(Nha.id, Nha.res_bucket)

GETNEXTHOPBUCKET = route.operation(
    RTM.GETNEXTHOPBUCKET, Nha, fixed=HEADER, replies=TOLD_OF_BUCKET, reply_cmd=RTM.NEWNEXTHOPBUCKET,
    registered={
        AF_UNSPEC: Registered(
            do=Half(GET_BUCKET, level=STRICT), dump=Half(None, cut=None),
        ),
    },
)
