"""Routing rules: RTM_GETRULE, in the order of fib_nl_fill_rule() of net/core/fib_rules.c."""

from protocol.attributes import Attr, AttrSet, Layout
from protocol.families.route import route
from protocol.family import Half
from protocol.kinds import binary, string, structure, u8, u32, u64
from protocol.structs import fib_rule_hdr
from protocol.uapi.rtnetlink import RTM, RTPROT

HEADER = structure(fib_rule_hdr, "fib_rule_hdr")


class Fra(AttrSet):
    """FRA_*."""

    dst = Attr(1, binary)
    src = Attr(2, binary)
    iifname = Attr(3, string)
    goto = Attr(4, u32)
    priority = Attr(6, u32)
    fwmark = Attr(10, u32)
    flow = Attr(11, u32)
    tun_id = Attr(12, u64)
    suppress_ifgroup = Attr(13, u32)
    suppress_prefixlen = Attr(14, u32)
    table = Attr(15, u32)
    fwmask = Attr(16, u32)
    oifname = Attr(17, string)
    l3mdev = Attr(19, u8)
    uid_range = Attr(20, binary)
    protocol = Attr(21, u8, shown=RTPROT)
    ip_proto = Attr(22, u8)
    sport_range = Attr(23, binary)
    dport_range = Attr(24, binary)


TOLD = Layout(Fra.table, Fra.suppress_prefixlen, Fra.protocol, Fra.priority)

GETRULE = route.operation(
    RTM.GETRULE, Fra, dump=Half(None), replies=TOLD, reply_cmd=RTM.NEWRULE, fixed=HEADER
)
