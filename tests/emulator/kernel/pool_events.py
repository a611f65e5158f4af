"""An announcer that keeps the events of page pools, as the recorded machine's listeners saw them."""

from __future__ import annotations

from nlemu.emulator.kernel.core.events import NullAnnouncer
from nlemu.emulator.kernel.queues.page_pool import PagePool, PagePoolEvent

Event = tuple[str, int, int | None, int | None, int]


class PoolEvents(NullAnnouncer):
    """`taken()`: what came since the last call, as (event, pool, ifindex, NAPI id, pages in flight)."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def page_pool(self, event: PagePoolEvent, pool: PagePool) -> None:
        self._events.append((event.value, pool.id, pool.ifindex, pool.napi_id, pool.inflight))

    def taken(self) -> list[Event]:
        events, self._events = self._events, []
        return events
