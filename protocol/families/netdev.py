"""The netdev family: queues, NAPI instances, page pools, queue leases, memory providers.

As Documentation/netlink/specs/netdev.yaml and net/core/netdev-genl-gen.c of Linux 7.2 have it: attribute sets with
their numbers and limits, then the commands. Replies are laid out in the order of the fill functions of
net/core/netdev-genl.c and page_pool_user.c, which is not always the order of the numbers.
"""

from nlemu.protocol.release import V7_3
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import REJECT_ALL, Family, Half
from nlemu.protocol.schema.kinds import nest, s32, u32, u64, uint
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.netdev import (
    NapiThreaded,
    NetdevCmd,
    QstatsScope,
    QueueType,
    XdpAct,
    XdpRxMetadata,
    XskFlags,
)

S32_MAX = 0x7FFFFFFF
U32_MAX = 0xFFFFFFFF
PAGE_SIZE = 4096


class Dev(AttrSet):
    """NETDEV_A_DEV_*."""

    ifindex = Attr(1, u32, min=1)
    xdp_features = Attr(3, u64, flags=XdpAct)
    xdp_zc_max_segs = Attr(4, u32, min=1)
    xdp_rx_metadata_features = Attr(5, u64, flags=XdpRxMetadata)
    xsk_features = Attr(6, u64, flags=XskFlags)


class IoUringProviderInfo(AttrSet):
    """The nest NETDEV_A_*_IO_URING."""

    rx_buf_len = Attr(1, uint)


class PagePool(AttrSet):
    """NETDEV_A_PAGE_POOL_*."""

    id = Attr(1, uint, min=1, max=U32_MAX)
    ifindex = Attr(2, u32, min=1, max=S32_MAX)
    napi_id = Attr(3, uint, min=1, max=U32_MAX)
    inflight = Attr(4, uint)
    inflight_mem = Attr(5, uint)
    detach_time = Attr(6, uint)
    dmabuf = Attr(7, u32)
    io_uring = Attr(8, nest(IoUringProviderInfo))


class PagePoolInfo(AttrSet):
    """The nest NETDEV_A_PAGE_POOL_STATS_INFO."""

    id = PagePool.id
    ifindex = PagePool.ifindex


class PagePoolStats(AttrSet):
    """NETDEV_A_PAGE_POOL_STATS_*."""

    info = Attr(1, nest(PagePoolInfo))
    alloc_fast = Attr(8, uint)
    alloc_slow = Attr(9, uint)
    alloc_slow_high_order = Attr(10, uint)
    alloc_empty = Attr(11, uint)
    alloc_refill = Attr(12, uint)
    alloc_waive = Attr(13, uint)
    recycle_cached = Attr(14, uint)
    recycle_cache_full = Attr(15, uint)
    recycle_ring = Attr(16, uint)
    recycle_ring_full = Attr(17, uint)
    recycle_released_refcnt = Attr(18, uint)


class Napi(AttrSet):
    """NETDEV_A_NAPI_*."""

    ifindex = Attr(1, u32, min=1)
    id = Attr(2, u32)
    irq = Attr(3, u32)
    pid = Attr(4, u32)
    defer_hard_irqs = Attr(5, u32, min=0, max=S32_MAX)
    gro_flush_timeout = Attr(6, uint)
    irq_suspend_timeout = Attr(7, uint)
    threaded = Attr(8, u32, enum=NapiThreaded)


class XskInfo(AttrSet):
    """The nest NETDEV_A_QUEUE_XSK, which is empty."""


class QueueId(AttrSet):
    """NETDEV_A_QUEUE_ID and _TYPE, as a nest."""

    id = Attr(1, u32)
    type = Attr(3, u32, enum=QueueType)


class Lease(AttrSet):
    """NETDEV_A_LEASE_*."""

    ifindex = Attr(1, u32, min=1)
    queue = Attr(2, nest(QueueId))
    netns_id = Attr(3, s32, min=0)
    order = (queue, ifindex, netns_id)


class Queue(AttrSet):
    """NETDEV_A_QUEUE_*."""

    id = QueueId.id
    ifindex = Attr(2, u32, min=1)
    type = QueueId.type
    napi_id = Attr(4, u32)
    dmabuf = Attr(5, u32)
    io_uring = Attr(6, nest(IoUringProviderInfo))
    xsk = Attr(7, nest(XskInfo))
    lease = Attr(8, nest(Lease))


class Qstats(AttrSet):
    """NETDEV_A_QSTATS_*."""

    ifindex = Attr(1, u32, min=1)
    queue_type = Attr(2, u32, enum=QueueType)
    queue_id = Attr(3, u32)
    scope = Attr(4, uint, flags=QstatsScope)
    rx_packets = Attr(8, uint)
    rx_bytes = Attr(9, uint)
    tx_packets = Attr(10, uint)
    tx_bytes = Attr(11, uint)
    rx_alloc_fail = Attr(12, uint)
    rx_hw_drops = Attr(13, uint)
    rx_hw_drop_overruns = Attr(14, uint)
    rx_csum_complete = Attr(15, uint)
    rx_csum_unnecessary = Attr(16, uint)
    rx_csum_none = Attr(17, uint)
    rx_csum_bad = Attr(18, uint)
    rx_hw_gro_packets = Attr(19, uint)
    rx_hw_gro_bytes = Attr(20, uint)
    rx_hw_gro_wire_packets = Attr(21, uint)
    rx_hw_gro_wire_bytes = Attr(22, uint)
    rx_hw_drop_ratelimits = Attr(23, uint)
    tx_hw_drops = Attr(24, uint)
    tx_hw_drop_errors = Attr(25, uint)
    tx_csum_none = Attr(26, uint)
    tx_needs_csum = Attr(27, uint)
    tx_hw_gso_packets = Attr(28, uint)
    tx_hw_gso_bytes = Attr(29, uint)
    tx_hw_gso_wire_packets = Attr(30, uint)
    tx_hw_gso_wire_bytes = Attr(31, uint)
    tx_hw_drop_ratelimits = Attr(32, uint)
    tx_stop = Attr(33, uint)
    tx_wake = Attr(34, uint)


class Dmabuf(AttrSet):
    """NETDEV_A_DMABUF_*."""

    ifindex = Attr(1, u32, min=1)
    queues = Attr(2, nest(QueueId), multi=True)
    fd = Attr(3, u32)
    id = Attr(4, u32, min=1)
    rx_page_size = Attr(5, u32, min=PAGE_SIZE, max=U32_MAX, since=V7_3)


netdev = Family("netdev", version=1, groups=("mgmt", "page-pool"))

DEV_GET = netdev.operation(
    NetdevCmd.DEV_GET,
    Dev,
    do=Half(Policy(Dev.ifindex), requires=(Dev.ifindex,)),
    dump=Half(REJECT_ALL),
    replies=Layout(
        Dev.ifindex, Dev.xdp_features, Dev.xdp_rx_metadata_features, Dev.xsk_features, Dev.xdp_zc_max_segs
    ),
)
DEV_ADD_NTF = netdev.event(NetdevCmd.DEV_ADD_NTF, "mgmt", DEV_GET)
DEV_DEL_NTF = netdev.event(NetdevCmd.DEV_DEL_NTF, "mgmt", DEV_GET)
DEV_CHANGE_NTF = netdev.event(NetdevCmd.DEV_CHANGE_NTF, "mgmt", DEV_GET)

PAGE_POOL_GET = netdev.operation(
    NetdevCmd.PAGE_POOL_GET,
    PagePool,
    do=Half(Policy(PagePool.id), requires=(PagePool.id,)),
    dump=Half(Policy(PagePool.ifindex)),
    replies=Layout(*PagePool.order),
)
PAGE_POOL_ADD_NTF = netdev.event(NetdevCmd.PAGE_POOL_ADD_NTF, "page-pool", PAGE_POOL_GET)
PAGE_POOL_DEL_NTF = netdev.event(NetdevCmd.PAGE_POOL_DEL_NTF, "page-pool", PAGE_POOL_GET)
PAGE_POOL_CHANGE_NTF = netdev.event(NetdevCmd.PAGE_POOL_CHANGE_NTF, "page-pool", PAGE_POOL_GET)

PAGE_POOL_STATS_GET = netdev.operation(
    NetdevCmd.PAGE_POOL_STATS_GET,
    PagePoolStats,
    do=Half(Policy(PagePoolStats.info), requires=(PagePoolStats.info,)),
    dump=Half(Policy(PagePoolStats.info)),
    replies=Layout(*PagePoolStats.order),
)

QUEUE_GET = netdev.operation(
    NetdevCmd.QUEUE_GET,
    Queue,
    do=Half(Policy(Queue.ifindex, Queue.type, Queue.id), requires=(Queue.id, Queue.type, Queue.ifindex)),
    dump=Half(Policy(Queue.ifindex)),
    replies=Layout(
        Queue.id, Queue.type, Queue.ifindex, Queue.napi_id, Queue.lease, Queue.dmabuf, Queue.io_uring, Queue.xsk
    ),
)

NAPI_GET = netdev.operation(
    NetdevCmd.NAPI_GET,
    Napi,
    do=Half(Policy(Napi.id), requires=(Napi.id,)),
    dump=Half(Policy(Napi.ifindex)),
    replies=Layout(
        Napi.id, Napi.ifindex, Napi.irq, Napi.threaded, Napi.pid, Napi.defer_hard_irqs, Napi.irq_suspend_timeout,
        Napi.gro_flush_timeout,
    ),
)

QSTATS_GET = netdev.operation(
    NetdevCmd.QSTATS_GET,
    Qstats,
    dump=Half(Policy(Qstats.ifindex, Qstats.scope)),
    replies=Layout(
        Qstats.ifindex, Qstats.queue_type, Qstats.queue_id,
        Qstats.rx_packets, Qstats.rx_bytes, Qstats.rx_alloc_fail, Qstats.rx_hw_drops, Qstats.rx_hw_drop_overruns,
        Qstats.rx_csum_complete, Qstats.rx_csum_unnecessary, Qstats.rx_csum_none, Qstats.rx_csum_bad,
        Qstats.rx_hw_gro_packets, Qstats.rx_hw_gro_bytes, Qstats.rx_hw_gro_wire_packets, Qstats.rx_hw_gro_wire_bytes,
        Qstats.rx_hw_drop_ratelimits,
        Qstats.tx_packets, Qstats.tx_bytes, Qstats.tx_hw_drops, Qstats.tx_hw_drop_errors, Qstats.tx_csum_none,
        Qstats.tx_needs_csum, Qstats.tx_hw_gso_packets, Qstats.tx_hw_gso_bytes, Qstats.tx_hw_gso_wire_packets,
        Qstats.tx_hw_gso_wire_bytes, Qstats.tx_hw_drop_ratelimits, Qstats.tx_stop, Qstats.tx_wake,
    ),
)

BIND_RX = netdev.operation(
    NetdevCmd.BIND_RX,
    Dmabuf,
    do=Half(
        Policy(Dmabuf.ifindex, Dmabuf.fd, Dmabuf.queues, Dmabuf.rx_page_size),
        requires=(Dmabuf.ifindex, Dmabuf.fd, Dmabuf.queues),
        flags=GenlFlag.UNS_ADMIN_PERM,
    ),
    replies=Layout(Dmabuf.id),
)

NAPI_SET = netdev.operation(
    NetdevCmd.NAPI_SET,
    Napi,
    do=Half(
        Policy(Napi.id, Napi.defer_hard_irqs, Napi.gro_flush_timeout, Napi.irq_suspend_timeout, Napi.threaded),
        requires=(Napi.id,),
        flags=GenlFlag.ADMIN_PERM,
    ),
)

BIND_TX = netdev.operation(
    NetdevCmd.BIND_TX,
    Dmabuf,
    do=Half(Policy(Dmabuf.ifindex, Dmabuf.fd), requires=(Dmabuf.ifindex, Dmabuf.fd)),
    replies=Layout(Dmabuf.id),
)

QUEUE_CREATE = netdev.operation(
    NetdevCmd.QUEUE_CREATE,
    Queue,
    do=Half(
        Policy(Queue.ifindex, Queue.type, Queue.lease),
        requires=(Queue.ifindex, Queue.type, Queue.lease),
        flags=GenlFlag.ADMIN_PERM,
    ),
    replies=Layout(Queue.id),
)
