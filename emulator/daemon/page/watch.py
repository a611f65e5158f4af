"""What is looked at while somebody looks: the log, and the machine in pieces. With nobody looking nothing is done.

A turn of the machine only marks that something may have changed. The pieces are made anew when there is time, and the
longer that took, the longer it is until the next time: at most a tenth of the daemon's time goes into it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import checkpoint

from nlemu.emulator.daemon.page.log import Log
from nlemu.emulator.daemon.page.snapshot import Pieces, snapshot

if TYPE_CHECKING:
    from nlemu.emulator.daemon.server import Server

log = logging.getLogger(__name__)

TURN = 16
"""Datagrams that are decoded before the others have their turn."""
OFTEN = 0.1
"""Seconds between two looks at the machine, at least."""
SHARE = 10
"""And so many times as long as the look took."""


class Watch:
    """The one who looks, for all who look at the page. nursery: for its tasks."""

    def __init__(self, server: Server, nursery: trio.Nursery) -> None:
        self.server = server
        self.log = Log(self._heard)
        self.pieces: Pieces = {}
        self.lookers = 0
        self._nursery = nursery
        self._scope = trio.CancelScope()
        self._machine: object = None
        self._said = trio.Event()
        self._turned = trio.Event()
        self._news = trio.Event()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Somebody looks."""
        self.lookers += 1
        if self.lookers == 1:
            self._begin()
        try:
            yield
        finally:
            self.lookers -= 1
            if not self.lookers:
                self._end()

    async def news(self) -> None:
        """Waits until there is something that was not there before."""
        await self._news.wait()

    def _begin(self) -> None:
        self._scope = trio.CancelScope()
        self._move()
        self.pieces = snapshot(self.server)
        self.server.observe(self._turn)
        self._nursery.start_soon(self._work)

    def _end(self) -> None:
        self.server.observe(None)
        if self.server.machine.remembered is None:  # with --history what is said is kept anyhow
            self.log.leave()
        self._machine = None
        self._scope.cancel()

    def _move(self) -> None:
        self._machine = self.server.machine
        self.log.begin(self.server.machine)

    def _turn(self) -> None:
        """The machine did something, or there is another one."""
        if self._machine is not self.server.machine:
            self._move()
        self._turned.set()

    def _heard(self) -> None:
        self._said.set()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def _work(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._decode)
                nursery.start_soon(self._look)

    async def _decode(self) -> None:
        while True:
            await self._said.wait()
            self._said = trio.Event()
            more = True
            while more:
                try:
                    more = self.log.decode(TURN)
                except Exception:  # a message that cannot be shown is no reason to show none
                    log.exception("a bug in the emulator; a message could not be shown")
                self._tell()
                await checkpoint()

    async def _look(self) -> None:
        while True:
            await self._turned.wait()
            self._turned = trio.Event()
            began = time.perf_counter()
            pieces = snapshot(self.server)
            took = time.perf_counter() - began
            if pieces != self.pieces:
                self.pieces = pieces
                self._tell()
            await trio.sleep(max(OFTEN, SHARE * took))
