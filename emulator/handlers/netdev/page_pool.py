"""page-pool-get and page-pool-stats-get (the netlink part of net/core/page_pool_user.c)."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.netdev.queue import fill_io_uring, provider_facts
from nlemu.emulator.kernel.queues.page_pool import PagePool as Pool
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.netdev import (
    PAGE_POOL_GET,
    PAGE_POOL_STATS_GET,
    PagePool,
    PagePoolInfo,
    PagePoolStats,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.schema.policy import STRICT, Policy
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

CHOSEN_DEVICE = Policy(PagePoolInfo.ifindex)
"""page_pool_stat_info_policy, for a dump of statistics: the id is below its top, but unknown to it."""


def fill_page_pool(pool: Pool) -> Values:
    """page_pool_nl_fill()."""
    dmabuf, rx_buf_len = provider_facts(pool.provider)
    return {
        PagePool.id: pool.id,
        PagePool.ifindex: pool.ifindex,
        PagePool.napi_id: pool.napi_id,
        PagePool.inflight: pool.inflight,
        PagePool.inflight_mem: pool.inflight_mem,
        PagePool.detach_time: pool.detach_time,
        PagePool.dmabuf: dmabuf,
        PagePool.io_uring: fill_io_uring(rx_buf_len),
    }


def fill_page_pool_stats(pool: Pool) -> Values:
    """page_pool_nl_stats_fill(): the counters have the attributes' names."""
    values: dict[Attr[Any], Any] = {
        PagePoolStats.info: {PagePoolInfo.id: pool.id, PagePoolInfo.ifindex: pool.ifindex}
    }
    for counter in fields(pool.stats):
        values[vars(PagePoolStats)[counter.name]] = getattr(pool.stats, counter.name)
    return values


def page_pool(call: Call, pool_id: int) -> Pool:
    """netdev_nl_page_pool_get_do(). Refusal ENOENT."""
    pool = call.machine.page_pools.get(call.net, pool_id)
    if pool is None:
        raise Refusal(errno.ENOENT)
    return pool


def page_pools(net: Net, ifindex: int | None) -> Iterator[Pool]:
    """netdev_nl_page_pool_get_dump(): of one device, or of all.

    The dump remembers where it was by the last pool's id and expects falling ids, which those of a device are. Orphans
    on lo may rise, and then the kernel leaves them out.
    """
    for dev in devices(net):
        if ifindex is None or dev.ifindex == ifindex:
            last = 0
            for pool in tuple(dev.page_pools):
                if not last or pool.id <= last:
                    last = pool.id
                    yield pool


@doit(PAGE_POOL_GET)
def page_pool_get(call: Call) -> Values:
    """netdev_nl_page_pool_get_doit()."""
    return fill_page_pool(page_pool(call, call.attrs[PagePool.id]))


@dumpit(PAGE_POOL_GET)
def page_pool_get_dump(call: Call) -> Messages:
    """netdev_nl_page_pool_get_dumpit()."""
    for pool in page_pools(call.net, call.attrs.get(PagePool.ifindex)):
        yield partial(fill_page_pool, pool)


@doit(PAGE_POOL_STATS_GET)
def page_pool_stats_get(call: Call) -> Values:
    """netdev_nl_page_pool_stats_get_doit()."""
    info = call.attrs[PagePoolStats.info]
    info.require((PagePoolInfo.id,))
    if PagePoolInfo.ifindex in info:
        raise Refusal(
            errno.EINVAL, "selecting by ifindex not supported", at=info.offset(PagePoolInfo.ifindex)
        )
    return fill_page_pool_stats(page_pool(call, info[PagePoolInfo.id]))


@dumpit(PAGE_POOL_STATS_GET)
def page_pool_stats_get_dump(call: Call) -> Messages:
    """netdev_nl_page_pool_stats_get_dumpit(): a device may be chosen, a pool may not."""
    ifindex = None
    info = call.attrs.get(PagePoolStats.info)
    if info is not None:
        validate(CHOSEN_DEVICE, info.message, info.start, info.end, STRICT, call.extack)
        ifindex = info.get(PagePoolInfo.ifindex)
    for pool in page_pools(call.net, ifindex):
        yield partial(fill_page_pool_stats, pool)
