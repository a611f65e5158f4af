"""HTTP/1.1 on a stream: requests in, answers out. h11 knows the protocol; here is what waits, and what is too much."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import h11
import trio

from nlemu.emulator.daemon.page.gate import Refused

log = logging.getLogger(__name__)

HEAD_MAX = 16384
"""Bytes of a request's head."""
BODY_MAX = 65536
"""And of its body."""
READ_SIZE = 16384
PATIENCE = 30.0
"""Seconds that a client may take for a request, or to read an answer."""

HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
     "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""Of every answer: no script but ours, no page around this one, nothing of it elsewhere or kept."""

TEXT, JSON, EVENTS = "text/plain; charset=utf-8", "application/json", "text/event-stream"


class Exchange:
    """A request, and the way to answer it. query is what stands behind the path's question mark."""

    def __init__(
        self, http: h11.Connection, stream: trio.abc.Stream, method: str, target: str, headers: Mapping[str, str],
        body: bytes,
    ) -> None:
        self.method, self.headers, self.body = method, headers, body
        self.path, _, self.query = target.partition("?")
        self._http, self._stream = http, stream

    async def answer(self, content: bytes, kind: str = TEXT, status: int = 200) -> None:
        """The whole answer."""
        length = ("Content-Length", str(len(content)))
        await self._send(self._head(status, kind, length), h11.Data(data=content), h11.EndOfMessage())

    async def tell(self, value: Any, status: int = 200) -> None:
        """A value as JSON."""
        await self.answer(json.dumps(value).encode(), JSON, status)

    async def begin(self, kind: str = EVENTS) -> None:
        """The beginning of an answer that has no end; `more` goes on."""
        await self._send(self._head(200, kind))

    async def more(self, content: bytes) -> None:
        """Some more of it. Waits for a client that does not read."""
        data = self._http.send(h11.Data(data=content))
        assert data is not None
        await self._stream.send_all(data)

    async def gone(self) -> None:
        """Waits until the client closes its end, while an answer has no end."""
        while await self._stream.receive_some(READ_SIZE):
            pass

    @staticmethod
    def _head(status: int, kind: str, *headers: tuple[str, str]) -> h11.Response:
        return h11.Response(status_code=status, headers=[("Content-Type", kind), *HEADERS, *headers])

    async def _send(self, *events: h11.Event) -> None:
        data = b"".join(self._http.send(event) or b"" for event in events)
        with trio.fail_after(PATIENCE):
            await self._stream.send_all(data)


Respond = Callable[[Exchange], Awaitable[None]]


async def converse(stream: trio.abc.Stream, respond: Respond) -> None:
    """Answers one request after the other, until the client leaves, dawdles, or speaks something else."""
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_MAX)
    try:
        while http.our_state is not h11.MUST_CLOSE:
            with trio.fail_after(PATIENCE):
                exchange = await _request(http, stream)
            if exchange is None:
                return
            try:
                await respond(exchange)
            except Refused as refused:
                await exchange.answer(f"{refused}\n".encode(), status=refused.status)
            if http.our_state is h11.DONE and http.their_state is h11.DONE:
                http.start_next_cycle()
    except h11.RemoteProtocolError as error:
        if http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            exchange = Exchange(http, stream, "", "", {}, b"")
            await exchange.answer(f"{error}\n".encode(), status=error.error_status_hint)
    except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
        pass


async def _request(http: h11.Connection, stream: trio.abc.Stream) -> Exchange | None:
    """The next request, whole; None when there is none any more."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            if http.they_are_waiting_for_100_continue:
                data = http.send(h11.InformationalResponse(status_code=100, headers=[]))
                await stream.send_all(data or b"")
            http.receive_data(bytes(await stream.receive_some(READ_SIZE)))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > BODY_MAX:
                raise h11.RemoteProtocolError("the body is too long", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage):
            assert request is not None
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
            return Exchange(
                http, stream, request.method.decode("latin-1"), request.target.decode("latin-1"), headers, bytes(body)
            )
        else:  # the connection ends
            return None
