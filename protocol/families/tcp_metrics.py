"""The tcp_metrics family: what TCP remembers of those that it spoke to (net/ipv4/tcp_metrics.c).

As Documentation/netlink/specs/tcp_metrics.yaml has it. What is remembered of one is declared for messages of other
kernels; nobody here speaks TCP.
"""

from enum import IntEnum

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import be32, binary, nest, s32, u16, u32, u64
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag


class TcpMetricsCmd(IntEnum):
    """enum of uapi/linux/tcp_metrics.h."""

    GET = 1
    DEL = 2


class TcpMetrics(AttrSet):
    """TCP_METRICS_ATTR_*; 13 is for padding."""

    addr_ipv4 = Attr(1, be32)
    addr_ipv6 = Attr(2, binary, min=16, max=16)
    age = Attr(3, u64)
    tw_tsval = Attr(4, u32)
    tw_ts_stamp = Attr(5, s32)
    vals = Attr(6, nest(None))
    fopen_mss = Attr(7, u16)
    fopen_syn_drops = Attr(8, u16)
    fopen_syn_drop_ts = Attr(9, u64)
    fopen_cookie = Attr(10, binary)
    saddr_ipv4 = Attr(11, be32)
    saddr_ipv6 = Attr(12, binary, min=16, max=16)


tcp_metrics = Family("tcp_metrics", version=1, attributes=13, strict_from=TcpMetricsCmd.DEL + 1)

TAKEN = Policy(
    TcpMetrics.addr_ipv4.but(kind=u32), TcpMetrics.addr_ipv6, TcpMetrics.saddr_ipv4.but(kind=u32),
    TcpMetrics.saddr_ipv6, top=13, chosen_from=TcpMetrics,
)
"""tcp_metrics_nl_policy"""

GET = tcp_metrics.operation(
    TcpMetricsCmd.GET, TcpMetrics, do=Half(TAKEN, level=LIBERAL), dump=Half(None, done_apart=True),
    replies=Layout(TcpMetrics.addr_ipv4, TcpMetrics.addr_ipv6, TcpMetrics.saddr_ipv4, TcpMetrics.saddr_ipv6),
)
DEL = tcp_metrics.operation(
    TcpMetricsCmd.DEL, TcpMetrics, do=Half(TAKEN, flags=GenlFlag.ADMIN_PERM, level=LIBERAL)
)
