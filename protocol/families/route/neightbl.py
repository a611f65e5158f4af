"""Tables of neighbours and their parameters: RTM_GETNEIGHTBL, in the order of neightbl_fill_info() and
neightbl_fill_parms() of net/core/neighbour.c, and RTM_SETNEIGHTBL. What is asked for is told with the type
RTM_NEWNEIGHTBL."""

from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import nest, string, structure, u32, u64
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import ndt_config, ndt_stats, ndtmsg
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_UNSPEC

HEADER = structure(ndtmsg, "ndtmsg")


class Ndtpa(AttrSet):
    """NDTPA_*: times are in milliseconds."""

    ifindex = Attr(1, u32)
    refcnt = Attr(2, u32)
    reachable_time = Attr(3, u64)
    base_reachable_time = Attr(4, u64)
    retrans_time = Attr(5, u64)
    gc_staletime = Attr(6, u64)
    delay_probe_time = Attr(7, u64)
    queue_len = Attr(8, u32)
    app_probes = Attr(9, u32)
    ucast_probes = Attr(10, u32)
    mcast_probes = Attr(11, u32)
    anycast_delay = Attr(12, u64)
    proxy_delay = Attr(13, u64)
    proxy_qlen = Attr(14, u32)
    locktime = Attr(15, u64)
    queue_lenbytes = Attr(16, u32)
    mcast_reprobes = Attr(17, u32)
    interval_probe_time_ms = Attr(19, u64, min=1, max=24 * 60 * 60 * 1000)
    order = (
        ifindex, refcnt, queue_lenbytes, queue_len, proxy_qlen, app_probes, ucast_probes, mcast_probes, mcast_reprobes,
        reachable_time, base_reachable_time, gc_staletime, delay_probe_time, retrans_time, anycast_delay, proxy_delay,
        locktime, interval_probe_time_ms,
    )


class Ndta(AttrSet):
    """NDTA_*."""

    name = Attr(1, string)
    thresh1 = Attr(2, u32)
    thresh2 = Attr(3, u32)
    thresh3 = Attr(4, u32)
    config = Attr(5, structure(ndt_config, "ndt_config"))
    parms = Attr(6, nest(Ndtpa, flagged=False))
    stats = Attr(7, structure(ndt_stats, "ndt_stats"))
    gc_interval = Attr(8, u64)


TOLD = Layout(
    Ndta.name, Ndta.gc_interval, Ndta.thresh1, Ndta.thresh2, Ndta.thresh3, Ndta.config, Ndta.stats, Ndta.parms
)

TAKEN = Policy(
    Ndta.name, Ndta.thresh1, Ndta.thresh2, Ndta.thresh3, Ndta.parms.but(kind=nest(None, flagged=False)),
    Ndta.gc_interval, top=9, chosen_from=Ndta,
)
"""nl_neightbl_policy"""
TAKEN_PARMS = Policy(
    Ndtpa.ifindex, Ndtpa.queue_len, Ndtpa.queue_lenbytes, Ndtpa.proxy_qlen, Ndtpa.app_probes, Ndtpa.ucast_probes,
    Ndtpa.mcast_probes, Ndtpa.mcast_reprobes, Ndtpa.base_reachable_time, Ndtpa.gc_staletime, Ndtpa.delay_probe_time,
    Ndtpa.retrans_time, Ndtpa.anycast_delay, Ndtpa.proxy_delay, Ndtpa.locktime, Ndtpa.interval_probe_time_ms,
    chosen_from=Ndtpa,
)
"""nl_ntbl_parm_policy"""

SETNEIGHTBL = route.operation(
    RTM.SETNEIGHTBL, Ndta, fixed=HEADER, registered={AF_UNSPEC: Registered(do=Half(TAKEN, level=LIBERAL))}
)
GETNEIGHTBL = route.operation(
    RTM.GETNEIGHTBL, Ndta, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWNEIGHTBL,
    registered={
        AF_UNSPEC: Registered(
            dump=Half(
                None, unless_strict=Unread.IGNORED, done_apart=True,
                strict=Strict(
                    cut="Invalid header for neighbor table dump request",
                    zero=("pad1", "pad2"), nonzero="Invalid values in header for neighbor table dump request",
                    bare="Invalid data after header in neighbor table dump request",
                ),
            )
        )
    },
)
