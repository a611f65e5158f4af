"""A client of a family for programs that are async, with trio and with asyncio.

It is the client that blocks (emulator/client/client.py), with its two waits in other words: the socket does not
block, and whoever runs the loop says when it can be read.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from nlemu.emulator.client.client import RECEIVE_SIZE, Client
from nlemu.emulator.client.control import NoDaemon
from nlemu.protocol.encode.conversation import Conversation, Notification, Request


class AsyncClient:
    """Speaks one family over one netlink socket. Takes a client, whose socket it has from then on; raises as that
    does: NlError for what is refused, BadValue, NoDaemon. One task uses it at a time."""

    def __init__(self, client: Client) -> None:
        self.client = client
        client.sock.setblocking(False)

    async def do(self, name: str, values: Mapping[str, Any] | None = None, flags: int = 0) -> list[dict[Any, Any]]:
        """Asks, and returns the replies: most often one, or none where an ack is all the answer."""
        return (await self.several([(name, values or {})], flags))[0].replies

    async def dump(self, name: str, values: Mapping[str, Any] | None = None) -> list[dict[Any, Any]]:
        """Asks for everything there is, and returns it."""
        return (await self.dumped(name, values)).replies

    async def dumped(self, name: str, values: Mapping[str, Any] | None = None) -> Request:
        """The same, with everything else that came of it."""
        request = self._conversation.ask(name, values, dump=True)
        await self._converse([request])
        return request

    async def several(self, asked: Sequence[tuple[str, Mapping[str, Any]]], flags: int = 0) -> list[Request]:
        """Several requests in one datagram; each with what came of it. Raises NlError for the first that is refused."""
        requests = [self._conversation.ask(name, values, flags=flags) for name, values in asked]
        await self._converse(requests)
        return requests

    def notifications(self) -> AsyncIterator[Notification]:
        """News as they come, without an end: of a client that has joined a group (Kernel.async_listen())."""
        return Notifications(self)

    async def notification(self) -> Notification:
        """The next one."""
        while not self._conversation.notifications:
            self._conversation.hear(await self._receive())
        return self._conversation.notifications.popleft()

    def close(self) -> None:
        """Closes the socket."""
        self.client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _conversation(self) -> Conversation:
        return self.client.conversation

    async def _converse(self, requests: Sequence[Request]) -> None:
        data = b"".join(request.data for request in requests)
        while True:
            try:
                self.client.sock.send(data)
                break
            except BlockingIOError:
                await ready(self.client.sock.fileno(), write=True)
            except BrokenPipeError:
                raise NoDaemon("the daemon went away") from None
        while not all(request.done for request in requests):
            self._conversation.hear(await self._receive())
            for request in requests:
                if request.error is not None:
                    raise request.error

    async def _receive(self) -> bytes:
        while True:
            try:
                datagram = self.client.sock.recv(RECEIVE_SIZE)
            except BlockingIOError:
                await ready(self.client.sock.fileno())
                continue
            except ConnectionResetError:
                datagram = b""
            if not datagram:
                raise NoDaemon("the daemon went away")
            return datagram


class Notifications:
    """What there is to iterate over. (A generator would have to be closed by whoever leaves the loop.)"""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Notification:
        return await self._client.notification()


async def ready(fd: int, *, write: bool = False) -> None:
    """Waits until a descriptor can be read, or written; in whichever loop this runs."""
    if in_trio():
        from trio.lowlevel import wait_readable, wait_writable

        await (wait_writable if write else wait_readable)(fd)
        return
    loop = asyncio.get_running_loop()
    told = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)

    def can() -> None:
        if not told.done():
            told.set_result(None)

    add(fd, can)
    try:
        await told
    finally:
        remove(fd)


def in_trio() -> bool:
    """Whether trio runs this."""
    if "trio" not in sys.modules:
        return False
    from trio.lowlevel import current_task

    try:
        current_task()
    except RuntimeError:
        return False
    return True
