"""An announcer that keeps what it hears of page pools, as the recorded machine's listeners saw it."""

from __future__ import annotations

from nlemu.emulator.kernel.core.events import NullAnnouncer
from nlemu.emulator.kernel.queues.page_pool import PagePool, PagePoolEvent

Heard = tuple[str, int, int | None, int | None, int]


class Ear(NullAnnouncer):
    """`heard()`: what came since it was last asked, as (event, pool, ifindex, NAPI id, pages in flight)."""

    def __init__(self) -> None:
        self._heard: list[Heard] = []

    def page_pool(self, event: PagePoolEvent, pool: PagePool) -> None:
        self._heard.append((event.value, pool.id, pool.ifindex, pool.napi_id, pool.inflight))

    def heard(self) -> list[Heard]:
        heard, self._heard = self._heard, []
        return heard
