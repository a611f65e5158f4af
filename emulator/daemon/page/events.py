"""What a reader of the page is told, as Server-sent events: pieces that changed, messages, and how many were missed.

Each reader is told at its own pace. What it has not taken when there is more is not kept for it: of the pieces it gets
those that are, of the messages those that the log still has.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import trio

from nlemu.emulator.daemon.page.http import Exchange
from nlemu.emulator.daemon.page.snapshot import Pieces

if TYPE_CHECKING:
    from nlemu.emulator.daemon.page.watch import Watch

MOST = 250
"""Messages in one event."""
PACE = 0.05
"""Seconds between two events."""
HEARTBEAT = 15.0
"""Seconds until a reader that is told nothing is told that we live."""


class Reader:
    """One reader: what it has been told."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.pieces: Pieces = {}
        self.number: int | None = None

    def events(self) -> bytes:
        """What there is to tell now, which may be nothing."""
        told = b""
        pieces = self.watch.pieces
        if pieces is not self.pieces:
            changed = [f"{json.dumps(key)}:{piece}" for key, piece in pieces.items() if self.pieces.get(key) != piece]
            gone = [key for key in self.pieces if key not in pieces]
            if changed or gone:
                told += event("pieces", f'{{"set":{{{",".join(changed)}}},"gone":{json.dumps(gone)}}}')
            self.pieces = pieces
        log = self.watch.log
        first = self.number is None
        found = log.since(self.number or 0, MOST)
        if found:
            start = found[0][0] if first else (self.number or 0) + 1
            lost = found[-1][0] - start + 1 - len(found)
            lines: list[Any] = [{"number": number, **line.values} for number, line in found]
            told += event("messages", json.dumps({"lost": lost, "lines": lines}, separators=(",", ":")))
            self.number = found[-1][0]
        elif first:
            self.number = log.number
        return told


def event(name: str, data: str) -> bytes:
    """One event; the data is a line."""
    return f"event: {name}\ndata: {data}\n\n".encode()


async def tell(exchange: Exchange, watch: Watch) -> None:
    """Tells a reader until it leaves."""
    with watch.looking():
        await exchange.begin()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_until_gone, exchange, nursery.cancel_scope)
            reader = Reader(watch)
            while True:
                told = reader.events()
                if told:
                    await exchange.more(told)
                    await trio.sleep(PACE)
                    continue
                with trio.move_on_after(HEARTBEAT) as waited:
                    await watch.news()
                if waited.cancelled_caught:
                    await exchange.more(b":\n\n")


async def _until_gone(exchange: Exchange, scope: trio.CancelScope) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await exchange.gone()
    scope.cancel()
