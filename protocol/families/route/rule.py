"""Routing rules: RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE, in the order of fib_nl_fill_rule() of net/core/fib_rules.c."""

import construct as c

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import Integer, be32, binary, string, structure, u8, u16, u32, u64
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import fib_rule_hdr
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.rtnetlink import RTM, RTPROT
from nlemu.protocol.uapi.socket import AF_UNSPEC

HEADER = structure(fib_rule_hdr, "fib_rule_hdr")
be64 = Integer("be64", c.Int64ub, None)
"""A tunnel's id; the policy takes it for a number in the machine's order."""
UIDS = structure(c.Struct("start" / c.Int32ul, "end" / c.Int32ul), "fib_rule_uid_range")
PORTS = structure(c.Struct("start" / c.Int16ul, "end" / c.Int16ul), "fib_rule_port_range")
FRA_MAX = 30
DSCP = 0x3F
"""INET_DSCP_MASK, without the bits of ECN."""
STRICT_FROM = 25
"""strict_start_type: FRA_DPORT_RANGE + 1"""


class Fra(AttrSet):
    """FRA_*."""

    dst = Attr(1, binary)
    src = Attr(2, binary)
    iifname = Attr(3, string, length=IFNAMSIZ - 1)
    goto = Attr(4, u32)
    priority = Attr(6, u32)
    fwmark = Attr(10, u32)
    flow = Attr(11, u32)
    tun_id = Attr(12, be64)
    suppress_ifgroup = Attr(13, u32)
    suppress_prefixlen = Attr(14, u32)
    table = Attr(15, u32)
    fwmask = Attr(16, u32)
    oifname = Attr(17, string, length=IFNAMSIZ - 1)
    l3mdev = Attr(19, u8)
    uid_range = Attr(20, UIDS)
    protocol = Attr(21, u8, shown=RTPROT)
    ip_proto = Attr(22, u8)
    sport_range = Attr(23, PORTS)
    dport_range = Attr(24, PORTS)
    dscp = Attr(25, u8, max=DSCP)
    flowlabel = Attr(26, be32)
    flowlabel_mask = Attr(27, be32)
    sport_mask = Attr(28, u16)
    dport_mask = Attr(29, u16)
    dscp_mask = Attr(30, u8, mask=DSCP)


TAKEN = Policy(
    Fra.iifname, Fra.oifname, Fra.priority, Fra.fwmark, Fra.flow, Fra.tun_id.but(kind=u64), Fra.fwmask, Fra.table,
    Fra.suppress_prefixlen, Fra.suppress_ifgroup, Fra.goto, Fra.l3mdev, Fra.uid_range, Fra.protocol, Fra.ip_proto,
    Fra.sport_range, Fra.dport_range, Fra.dscp, Fra.flowlabel, Fra.flowlabel_mask, Fra.sport_mask, Fra.dport_mask,
    Fra.dscp_mask, top=FRA_MAX, strict_from=STRICT_FROM,
    chosen_from=Fra,
)
"""fib_rule_policy"""

TOLD = Layout(
    Fra.table, Fra.suppress_prefixlen, Fra.protocol, Fra.iifname, Fra.oifname, Fra.priority, Fra.fwmark, Fra.fwmask,
    Fra.goto, Fra.tun_id, Fra.l3mdev, Fra.uid_range, Fra.sport_range, Fra.sport_mask, Fra.dport_range, Fra.dport_mask,
    Fra.ip_proto, Fra.suppress_ifgroup, Fra.dscp, Fra.dscp_mask, Fra.flowlabel, Fra.flowlabel_mask, Fra.dst, Fra.src,
    Fra.flow,
)

SET = Half(TAKEN, level=LIBERAL, late=True, cut="Invalid msg length", blur="Error parsing msg")

NEWRULE = route.operation(RTM.NEWRULE, Fra, fixed=HEADER, registered={AF_UNSPEC: Registered(do=SET)})
DELRULE = route.operation(RTM.DELRULE, Fra, fixed=HEADER, registered={AF_UNSPEC: Registered(do=SET)})
GETRULE = route.operation(
    RTM.GETRULE, Fra, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWRULE,
    registered={
        AF_UNSPEC: Registered(
            dump=Half(
                None, unless_strict=Unread.IGNORED,
                strict=Strict(
                    cut="Invalid header for fib rule dump request",
                    zero=(
                        "dst_len", "src_len", "tos", "table", "res1", "res2", "action", "flags",
                    ),
                    nonzero="Invalid values in header for fib rule dump request",
                    bare="Invalid data after header in fib rule dump request",
                ),
            ),
        ),
    },
)
