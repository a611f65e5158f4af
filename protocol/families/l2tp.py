"""The l2tp family: tunnels and sessions of L2TP (net/l2tp/l2tp_netlink.c), of which there are none.

There is no specification of it. One policy is all commands'; a dump is not looked at. What tells of tunnels is declared
for messages of other kernels.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import be32, binary, flag, msecs, nest, nul_string, u8, u16, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.if_ import IFNAMSIZ
from nlemu.protocol.uapi.l2tp import L2TP_GENL_MCGROUP, L2TP_GENL_NAME, L2TP_GENL_VERSION, L2tpCmd
from nlemu.protocol.uapi.netlink import NLM_F


class L2tp(AttrSet):
    """L2TP_ATTR_*; 35 is for padding."""

    pw_type = Attr(1, u16)
    encap_type = Attr(2, u16)
    offset = Attr(3, u16)
    data_seq = Attr(4, u8)
    l2spec_type = Attr(5, u8)
    l2spec_len = Attr(6, u8)
    proto_version = Attr(7, u8)
    ifname = Attr(8, nul_string, length=IFNAMSIZ - 1)
    conn_id = Attr(9, u32)
    peer_conn_id = Attr(10, u32)
    session_id = Attr(11, u32)
    peer_session_id = Attr(12, u32)
    udp_csum = Attr(13, u8)
    vlan_id = Attr(14, u16)
    cookie = Attr(15, binary, length=8)
    peer_cookie = Attr(16, binary, length=8)
    debug = Attr(17, u32)
    recv_seq = Attr(18, u8)
    send_seq = Attr(19, u8)
    lns_mode = Attr(20, u8)
    using_ipsec = Attr(21, u8)
    recv_timeout = Attr(22, msecs)
    fd = Attr(23, u32)
    ip_saddr = Attr(24, be32)
    ip_daddr = Attr(25, be32)
    udp_sport = Attr(26, u16)
    udp_dport = Attr(27, u16)
    mtu = Attr(28, u16)
    mru = Attr(29, u16)
    stats = Attr(30, nest(None))
    ip6_saddr = Attr(31, binary, length=16)
    ip6_daddr = Attr(32, binary, length=16)
    udp_zero_csum6_tx = Attr(33, flag)
    udp_zero_csum6_rx = Attr(34, flag)


l2tp = Family(
    L2TP_GENL_NAME, version=L2TP_GENL_VERSION, attributes=35, groups=(L2TP_GENL_MCGROUP,), option="L2TP",
    strict_from=L2tpCmd.SESSION_GET + 1, dump_flags=NLM_F.MULTI,
)

UNREAD = (L2tp.ip_saddr, L2tp.ip_daddr, L2tp.udp_zero_csum6_tx, L2tp.udp_zero_csum6_rx)
TAKEN = Policy(
    *(attr for attr in L2tp.order if attr not in UNREAD), L2tp.ip_saddr.but(kind=u32), L2tp.ip_daddr.but(kind=u32),
    top=35, chosen_from=L2tp,
)
"""l2tp_nl_policy, which does not mention the last two flags"""
ASKED = Half(TAKEN, flags=GenlFlag.UNS_ADMIN_PERM, level=LIBERAL)
LISTED = Half(None, flags=GenlFlag.UNS_ADMIN_PERM, done_apart=True)

NOOP = l2tp.operation(L2tpCmd.NOOP, L2tp, do=Half(TAKEN, level=LIBERAL), replies=Layout())
TUNNEL_CREATE = l2tp.operation(L2tpCmd.TUNNEL_CREATE, L2tp, do=ASKED)
TUNNEL_DELETE = l2tp.operation(L2tpCmd.TUNNEL_DELETE, L2tp, do=ASKED)
TUNNEL_MODIFY = l2tp.operation(L2tpCmd.TUNNEL_MODIFY, L2tp, do=ASKED)
TUNNEL_GET = l2tp.operation(L2tpCmd.TUNNEL_GET, L2tp, do=ASKED, dump=LISTED)
SESSION_CREATE = l2tp.operation(L2tpCmd.SESSION_CREATE, L2tp, do=ASKED)
SESSION_DELETE = l2tp.operation(L2tpCmd.SESSION_DELETE, L2tp, do=ASKED)
SESSION_MODIFY = l2tp.operation(L2tpCmd.SESSION_MODIFY, L2tp, do=ASKED)
SESSION_GET = l2tp.operation(L2tpCmd.SESSION_GET, L2tp, do=ASKED, dump=LISTED)
