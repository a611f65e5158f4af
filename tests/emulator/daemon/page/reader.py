"""A reader of the page that is no browser: HTTP by hand, and the events as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trio

from nlemu.emulator.daemon.page.address import parse
from nlemu.emulator.daemon.page.site import Site, begin
from nlemu.emulator.daemon.server import serving
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script import counts
from tests.emulator.daemon.edge import PATIENCE, Daemon


class Reader:
    """A connection to the page."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.buffer = b""

    async def until(self, end: bytes) -> bytes:
        """What comes before that, which is taken too."""
        with trio.fail_after(PATIENCE):
            while end not in self.buffer:
                data = await self.stream.receive_some(65536)
                assert data, self.buffer
                self.buffer += data
        found, _, self.buffer = self.buffer.partition(end)
        return found

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of an answer."""
        first, *lines = (await self.until(b"\r\n\r\n")).decode().split("\r\n")
        return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines)

    async def answer(self) -> tuple[int, dict[str, str], str]:
        """A whole answer."""
        status, headers = await self.head()
        length = int(headers["content-length"])
        with trio.fail_after(PATIENCE):
            while len(self.buffer) < length:
                self.buffer += await self.stream.receive_some(65536)
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, headers, body.decode()

    async def event(self) -> tuple[str, Any]:
        """The next event; the chunks of the transfer are taken off."""
        await self.until(b"event: ")
        name = await self.until(b"\ndata: ")
        return name.decode(), json.loads(await self.until(b"\n\n"))


class Page:
    """The page of a daemon."""

    def __init__(self, site: Site, url: str, stack: ExitStack) -> None:
        self.site, self.url, self._stack = site, url, stack
        parts = urlsplit(url)
        self.host, self.port, self.path = str(parts.hostname), parts.port or 0, parts.path

    async def connect(self) -> Reader:
        stream = await trio.open_tcp_stream(self.host, self.port)
        self._stack.callback(stream.socket.close)
        return Reader(stream)

    async def ask(
        self, path: str = "", *, method: str = "GET", body: str = "", under: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """One request on a connection of its own."""
        reader = await self.connect()
        async with reader.stream:
            where = (self.path if under is None else under) + path
            shown = {"Host": f"{self.host}:{self.port}", "Content-Length": str(len(body)), **headers}
            head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in shown.items())
            await reader.stream.send_all(f"{method} {where} HTTP/1.1\r\n{head}\r\n{body}".encode())
            return await reader.answer()

    async def post(self, line: Any) -> tuple[int, Any]:
        """A line about faults."""
        body = json.dumps(line)
        status, _, body = await self.ask("faults", method="POST", body=body, Content_Type="application/json")
        return status, json.loads(body)

    async def listen(self) -> Reader:
        """Events from now on."""
        reader = await self.connect()
        request = f"GET {self.path}events HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n\r\n"
        await reader.stream.send_all(request.encode())
        status, headers = await reader.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        return reader


def counting() -> Machine:
    """A machine as a daemon with a page has it."""
    return counts.begin(Machine())


@asynccontextmanager
async def page(path: Path, make_machine: Callable[[], Machine] = counting) -> AsyncIterator[tuple[Daemon, Page]]:
    """A daemon with a page."""
    with trio.fail_after(3 * PATIENCE), ExitStack() as stack:
        async with serving(path, make_machine) as server, trio.open_nursery() as nursery:
            told: list[str] = []
            site = await begin(server, nursery, address=parse("127.0.0.1:0"), told=told.append)
            yield Daemon(path, server, stack), Page(site, told[0], stack)
            nursery.cancel_scope.cancel()
