"""Ids of namespaces: RTM_NEWNSID, RTM_GETNSID, and RTM_DELNSID, which is only ever told.

As net/core/net_namespace.c has them (rtnl_net_policy, rtnl_net_fill()).
"""

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import s32, structure, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import rtgenmsg
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_UNSPEC

GENERAL = structure(rtgenmsg, "rtgenmsg")


class Nsid(AttrSet):
    """NETNSA_*."""

    nsid = Attr(1, s32)
    pid = Attr(2, u32)
    fd = Attr(3, u32)
    target_nsid = Attr(4, s32)
    current_nsid = Attr(5, s32)


TAKEN = Policy(Nsid.nsid, Nsid.pid, Nsid.fd, Nsid.target_nsid, top=5)
"""rtnl_net_policy."""

REPLY = Layout(Nsid.nsid, Nsid.current_nsid)

NEWNSID = route.operation(
    RTM.NEWNSID, Nsid, fixed=GENERAL, replies=REPLY,
    registered={AF_UNSPEC: Registered(do=Half(TAKEN, level=LIBERAL))},
)
GETNSID = route.operation(
    RTM.GETNSID, Nsid, fixed=GENERAL, replies=REPLY, reply_cmd=RTM.NEWNSID,
    registered={
        AF_UNSPEC: Registered(
            do=Half(
                TAKEN, level=LIBERAL,
                strict=Strict(
                    allowed=(Nsid.nsid, Nsid.pid, Nsid.fd, Nsid.target_nsid),
                    unsupported="Unsupported attribute in peer netns getid request",
                ),
            ),
            dump=Half(TAKEN, level=LIBERAL, unless_strict=Unread.IGNORED, strict=Strict()),
        ),
    },
)
