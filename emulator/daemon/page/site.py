"""The page of a daemon: what there is at which path, and the life of it.

    GET  /TOKEN/                the page, its style sheet and its scripts (static/)
    GET  /TOKEN/events          what happens, as Server-sent events
    GET  /TOKEN/message/NUMBER  a message of the log, an attribute a line
    GET  /TOKEN/device/NETNS/NAME    a device, as `nlemu ctl --json state` has it
    GET  /TOKEN/metrics         what is counted, for Prometheus; /metrics with `Authorization: Bearer TOKEN` too
    GET  /TOKEN/operations      what faults can strike
    POST /TOKEN/faults          a line of the control socket: fault, interrupt, notice, heal
"""

from __future__ import annotations

import errno
import functools
import logging
import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import trio

from nlemu.emulator.daemon.control import check, operations, parse
from nlemu.emulator.daemon.page.address import Address
from nlemu.emulator.daemon.page.events import tell
from nlemu.emulator.daemon.page.gate import Gate, Refused
from nlemu.emulator.daemon.page.http import JSON, Exchange, converse
from nlemu.emulator.daemon.page.metrics import KIND as METRICS
from nlemu.emulator.daemon.page.metrics import metrics
from nlemu.emulator.daemon.page.watch import Watch
from nlemu.emulator.daemon.state import device
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.lines import details
from nlemu.emulator.script.trace import TraceError

if TYPE_CHECKING:
    from nlemu.emulator.daemon.server import Server

log = logging.getLogger(__name__)

KINDS = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FAULTS = ("fault", "interrupt", "notice", "heal")
CONNECTIONS = 64
"""Of one page; whoever comes when there are so many is sent away."""


class NoPage(Exception):
    """The page cannot be served: one line."""


class Site:
    """The page of a server. gate: who is let in; nursery: for its tasks."""

    def __init__(self, server: Server, gate: Gate, nursery: trio.Nursery) -> None:
        self.server, self.gate = server, gate
        self.watch = Watch(server, nursery)
        self.connections = 0
        place = resources.files("nlemu.emulator.daemon.page") / "static"
        self._files = {one.name: one.read_bytes() for one in place.iterdir() if os.path.splitext(one.name)[1] in KINDS}

    async def serve(self, stream: trio.SocketStream) -> None:
        """One connection. A bug in it ends that one, not the daemon."""
        self.connections += 1
        try:
            async with stream:
                if self.connections <= CONNECTIONS:
                    await converse(stream, self.respond)
        except Exception:
            log.exception("a bug in the emulator; a connection of the page ends")
        finally:
            self.connections -= 1

    async def respond(self, exchange: Exchange) -> None:
        """Answers a request. Raises Refused."""
        path = unquote(self.gate.enter(exchange.path, exchange.headers))
        first, _, rest = path.partition("/")
        if path == "faults":
            self._want(exchange, "POST")
            await self._faults(exchange)
            return
        self._want(exchange, "GET")
        name = path or "index.html"
        if name in self._files:
            await exchange.answer(self._files[name], KINDS[os.path.splitext(name)[1]])
        elif path == "events":
            await tell(exchange, self.watch)
        elif path == "operations":
            await exchange.tell(operations(self.server.machine))
        elif path == "metrics":
            await exchange.answer(metrics(self.server).encode(), METRICS)
        elif first == "message":
            await exchange.tell(self._message(rest))
        elif first == "device":
            await exchange.tell(self._device(rest))
        else:
            raise Refused(404, f"there is no {path!r} here")

    @staticmethod
    def _want(exchange: Exchange, method: str) -> None:
        if exchange.method != method:
            raise Refused(405, f"{method} is what is answered here")

    def _message(self, number: str) -> list[str]:
        line = self.watch.log.find(int(number)) if number.isdecimal() else None
        if line is None:
            raise Refused(404, "that message is kept no longer")
        return details(line, self.watch.log.families)

    def _device(self, path: str) -> dict[str, Any]:
        netns, _, name = path.partition("/")
        net = self.server.machine.nets.get(netns)
        for dev in net or ():
            if dev.name == name:
                return device(dev)
        raise Refused(404, f"there is no device {name!r} in {netns!r}")

    async def _faults(self, exchange: Exchange) -> None:
        """A line about faults; the answer is that of the control socket."""
        if exchange.headers.get("content-type", "").partition(";")[0].strip() != JSON:
            raise Refused(415, f"{JSON} is what is taken here")
        try:
            step = check(parse(exchange.body))
            if step.verb not in FAULTS:
                raise TraceError(f"{step.verb!r} is nothing for the page; it takes {', '.join(FAULTS)}")
            self.server.steps.do(step)
        except (TraceError, StepError) as error:
            await exchange.tell({"error": str(error)}, 400)
        else:
            await exchange.tell({"ok": True})
        finally:
            self.server.settle()


async def begin(
    server: Server, nursery: trio.Nursery, *, address: Address, token: str | None = None,
    told: Callable[[str], object] = lambda url: None,
) -> Site:
    """Serves the page of that server, in tasks of that nursery. token: one is drawn without; told: is called with its
    URL. Raises NoPage when
    nothing can be served at that address."""
    try:
        listeners = await trio.open_tcp_listeners(address.port, host=address.host)
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, "")
        reason = "something else is served there" if code == "EADDRINUSE" else os.strerror(error.errno or 0)
        raise NoPage(f"--http {address.host}:{address.port}: {reason}") from None
    site = Site(server, Gate(address.called(), token), nursery)
    url = address.url(listeners[0].socket.getsockname()[1], site.gate.token)
    keep(server.directory.page, url)
    nursery.start_soon(functools.partial(trio.serve_listeners, site.serve, listeners))
    told(url)
    return site


def keep(path: Path, url: str) -> None:
    """Writes the URL into a file that only this user may read. NoPage."""
    try:
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{url}\n")
    except OSError as error:
        raise NoPage(f"{path}: {error.strerror}") from None
