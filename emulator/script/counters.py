"""Figures: traffic that nothing sent, as steps, so that what watches counters has something to see.

A count that is set replaces what was there, one that is added comes on top. Counters are called as the messages call
them: those of a link as in struct rtnl_link_stats64, those of a queue as in qstats-get without the rx- or tx-, those
of a page pool as in page-pool-stats-get; with underscores.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.nics.nic import NicState, is_nic, state_of
from nlemu.emulator.kernel.queues import qstats
from nlemu.emulator.script.errors import StepError

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.queues.page_pool import PagePool
    from nlemu.emulator.script.steps import Steps
    from nlemu.emulator.script.trace import Step

U64_MAX = 0xFFFFFFFFFFFFFFFF
PAGES_MAX = 1 << 24


class CounterSteps:
    """Counters of a machine, to be turned by hand."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.verbs: dict[str, Callable[[Step], None]] = {
            "traffic": self._traffic, "stats": self._stats, "queue_stats": self._queue_stats, "napi": self._napi,
            "page_pool": self._page_pool,
        }

    def device(self, step: Step) -> Device:
        """The device whose index is the step's subject; StepError when there is none."""
        net = self.steps.net(step.verb, step.get("netns", "init"))
        dev = net.device(step.subject)
        if dev is None:
            raise StepError(f"{step.verb}: there is no device {step.subject} in {net.name!r}")
        return dev

    def _traffic(self, step: Step) -> None:
        """Packets come and go: the link's counters grow, and those of the queue if the driver keeps any."""
        dev, queue = self.device(step), step.get("queue", 0)
        counts = {name: step[name] for name in ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes") if step.get(name)}
        for direction, limit in (("rx", dev.real_num_rx_queues), ("tx", dev.real_num_tx_queues)):
            if queue >= limit and any(name.startswith(direction) for name in counts):
                raise StepError(f"traffic: queue: {dev.name} has {limit} {direction} queues")
        turn("traffic", dev.stats, {}, counts)
        if is_nic(dev):
            for direction in ("rx", "tx"):
                mine = {name[3:]: count for name, count in counts.items() if name.startswith(direction)}
                if mine:
                    turn("traffic", _queue(state_of(dev), direction, queue), {}, mine)
        dev.changed()

    def _stats(self, step: Step) -> None:
        dev = self.device(step)
        turn("stats", dev.stats, step.get("set", {}), step.get("add", {}))
        dev.changed()

    def _queue_stats(self, step: Step) -> None:
        """Of one queue, or without `queue` what was counted on none of them."""
        dev = self.device(step)
        if not is_nic(dev) or not qstats.has_stats(dev):
            raise StepError(f"queue_stats: the driver of {dev.name} keeps no counters a queue")
        state, direction, queue = state_of(dev), step["type"], step.get("queue")
        limit = dev.num_rx_queues if direction == "rx" else dev.num_tx_queues
        if queue is not None and queue >= limit:
            raise StepError(f"queue_stats: queue: {dev.name} has {limit} {direction} queues")
        counters = state.profile.rx_counters if direction == "rx" else state.profile.tx_counters
        for name in (*step.get("set", {}), *step.get("add", {})):
            if name not in counters:
                raise StepError(f"queue_stats: {name!r}: {dev.name} counts {', '.join(counters)}")
        if queue is None:
            record = state.base_rx if direction == "rx" else state.base_tx
        else:
            record = _queue(state, direction, queue)
        turn("queue_stats", record, step.get("set", {}), step.get("add", {}))

    def _napi(self, step: Step) -> None:
        """What no message sets: the interrupt, and the thread's process id."""
        net = self.steps.net("napi", step.get("netns", "init"))
        napi = self.steps.machine.napis.find(net, step.subject)
        if napi is None:
            raise StepError(f"napi: there is no NAPI instance {step.subject} in {net.name!r}")
        if "irq" in step.fields:
            napi.irq = step["irq"]
        if "pid" in step.fields:
            napi.pid = step["pid"]

    def _page_pool(self, step: Step) -> None:
        """`take`: the stack takes so many pages and keeps them; `put`: it gives so many back."""
        net = self.steps.net("page_pool", step.get("netns", "init"))
        pool = self.steps.machine.page_pools.get(net, step.subject)
        if pool is None:
            raise StepError(f"page_pool: there is no page pool {step.subject} in {net.name!r}")
        take, put = step.get("take", 0), step.get("put", 0)
        if max(take, put) > PAGES_MAX:
            raise StepError(f"page_pool: at most {PAGES_MAX} pages at a time")
        if take and pool.destroyed:
            raise StepError("page_pool: take: the pool is only waiting for its pages")
        if put > pool.out + take:
            raise StepError(f"page_pool: put: {pool.out} pages are out")
        turn("page_pool", pool.stats, step.get("set", {}), step.get("add", {}))
        _pass(pool, take, put)


def _pass(pool: PagePool, take: int, put: int) -> None:
    for _ in range(take):
        pool.alloc()
    for _ in range(put):
        pool.put()


def _queue(state: NicState, direction: str, index: int) -> qstats.RxStats | qstats.TxStats:
    if direction == "rx":
        return state.rx.setdefault(index, qstats.RxStats())
    return state.tx.setdefault(index, qstats.TxStats())


def turn(verb: str, record: Any, to: Mapping[str, int], by: Mapping[str, int]) -> None:
    """Sets counters of a record, and adds to them; they are 64 bits wide and wrap. StepError, and nothing is changed,
    when there is no such counter."""
    known = [counter.name for counter in dataclasses.fields(record)]
    for name in (*to, *by):
        if name not in known:
            raise StepError(f"{verb}: there is no counter {name!r}, but {', '.join(known)}")
    for name, value in to.items():
        setattr(record, name, value)
    for name, value in by.items():
        setattr(record, name, (getattr(record, name) or 0) + value & U64_MAX)
