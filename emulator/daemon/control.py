"""The control socket: what is done to the machine from outside of netlink.

A client writes one JSON object a line and gets one a line back, in order: `{"ok": ...}` with what there is to tell
(true if nothing), or `{"error": "one clear line"}`, with `"errno": "EADDRINUSE"` where the kernel would have refused.
The verbs are the steps of a trace that are not netlink, and a few more (VERBS). A line that is refused has changed
nothing, and the next one is as good as ever.

`open` answers with a connected data socket (SCM_RIGHTS on the first byte of the answer): a netlink socket in all but
family. Its other end is bound to an abstract name of ten bytes, so that the name of the sender, as recvmsg() tells it,
is as long as a sockaddr_nl and says port id 0, which is what netlink clients check. Opened sockets are called by
name, and the names are one space for all clients; a socket outlives the control connection that opened it, and ends
when its holder closes it, or by `close`.
"""

from __future__ import annotations

import array
import errno
import itertools
import json
import logging
import random
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import trio

from nlemu.emulator.daemon.directory import DirectoryError
from nlemu.emulator.machine.endpoint import RCVBUF
from nlemu.emulator.machine.faults.aim import IOCTLS
from nlemu.emulator.netlink.descriptors import Named
from nlemu.emulator.script import trace
from nlemu.emulator.script.checks import label, shown, true, u31, u32
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import receive_buffer
from nlemu.emulator.script.trace import Step, TraceError
from nlemu.emulator.script.verbs import VERBS as STEPS
from nlemu.emulator.script.verbs import Verb

if TYPE_CHECKING:
    from nlemu.emulator.daemon.host import DaemonHost
    from nlemu.emulator.daemon.server import Server
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.machine import Machine

log = logging.getLogger(__name__)

LINE_MAX = 1 << 20
"""The longest line that is taken, in bytes."""

READ_SIZE = 65536


def exported(machine: Machine, step: Step) -> dict[str, Any]:
    """The machine's world as text, and what of it could not be made again."""
    from nlemu.emulator.world.export import export
    from nlemu.emulator.world.text import text_of

    text, missing = text_of(
        export(machine), anonymous=step.get("anonymous", False), counters=step.get("counters", False),
        everything=step.get("all", False),
    )
    return {"world": text, "missing": missing}


def _requests(machine: Machine, step: Step) -> list[dict[str, Any]]:
    """Those that are remembered, and perhaps no more from now on. StepError."""
    from nlemu.emulator.script.history import remembered

    told = remembered(machine, step.subject, step.get("last"))
    if step.get("forget") and machine.remembered is not None:
        machine.remembered.clear()
    return told


def coverage(machine: Machine, step: Step) -> dict[str, Any]:
    """What was exercised of a machine that is watched, and perhaps begins anew. StepError."""
    if machine.watched is None:
        raise StepError("coverage: nobody watches; `nlemu serve --coverage` does")
    told: dict[str, Any] = machine.watched.told()
    if step.get("forget"):
        machine.watched.clear()
    return told


def operations(machine: Machine) -> dict[str, list[str]]:
    """What faults can strike, by family; "ioctl" has the ioctls."""
    told: dict[str, list[str]] = {}
    for one in machine.operations():
        told.setdefault(one.family.name, []).append(one.name)
    return {**told, "ioctl": list(IOCTLS)}


def truth(value: Any) -> str | None:
    """Checks a value that is true or false."""
    return None if isinstance(value, bool) else "true or false"


_unique = itertools.count(random.SystemRandom().getrandbits(32))

VERBS: Mapping[str, Verb] = {
    **{name: verb for name, verb in STEPS.items() if name not in ("open", "send")},
    "descriptor": Verb(u32, needs={"socket": label, "of": label}),
    "open": Verb(
        STEPS["open"].subject,
        STEPS["open"].needs,
        {**STEPS["open"].takes, "groups": u32, "pid": u32, "bound": truth},
    ),
    "bind": Verb(label, takes={"port": u32, "groups": u32}),
    "describe": Verb(label),
    "supervise": Verb(u32, needs={"base": u32, "place": label}, takes={"netns": label, "root": truth}),
    "state": Verb(true),
    "faults": Verb(true),
    "requests": Verb(label, takes={"last": u31, "forget": truth}),
    "story": Verb(u31),
    "operations": Verb(true),
    "coverage": Verb(true, takes={"forget": truth}),
    "export": Verb(true, takes={"all": truth, "anonymous": truth, "counters": truth}),
    "watch": Verb(true),
    "snapshot": Verb(label),
    "restore": Verb(label),
    "reset": Verb(true),
    "stop": Verb(true),
}
"""What can be asked for. An opened socket has three fields more than in a trace: `groups`, those of bind(); `pid`, the
process that it belongs to if not the one that asks: its port id by default, and whose descriptors it names; and
`bound`, false for one that `bind` or the first request gives its port. `describe` tells a socket's name and options.
`watch` is answered with a socket of packets by which all that goes over the machine's sockets comes as a pcapng
(watching.py). There is no `send`: who opens a socket gets it, and sends himself. `dmabuf` is answered with a descriptor
to name in messages; `descriptor` lets a number stand for a dmabuf in the messages of one opened socket, for programs
whose open files cannot be seen from here. `supervise` gives the daemon the listener of a seccomp filter, by its number
among the client's descriptors (emulator/launch)."""


class Control:
    """One client of the control socket. Takes its accepted connection."""

    def __init__(self, server: Server, sock: socket.socket, pid: int) -> None:
        self.server = server
        self.pid = pid
        self._sock = trio.socket.from_stdlib_socket(sock)
        self._passed: socket.socket | None = None
        """A data socket that goes out with the next answer."""
        self._last = False
        """The daemon is to end when this has been answered."""
        self._lent: int | None = None
        """Or a descriptor that stays ours."""
        self._hosts: list[DaemonHost] = []
        """Supervisors that work for this client."""
        self._scope = trio.CancelScope()
        """What the client's task lives in."""

    async def serve(self) -> None:
        """Answers line after line until the client leaves, or what it asked for has ended."""
        with self._scope, self._sock:
            try:
                buffer = bytearray()
                too_long = False
                while chunk := await self._sock.recv(READ_SIZE):
                    buffer += chunk
                    while (end := buffer.find(b"\n")) >= 0:
                        line, buffer = bytes(buffer[:end]), buffer[end + 1 :]
                        await self._answer({"error": _TOO_LONG} if too_long or end > LINE_MAX else self.perform(line))
                        if self._last:
                            self.server.stop()
                        too_long = False
                    if len(buffer) > LINE_MAX:
                        buffer.clear()
                        too_long = True
                if buffer:
                    await self._answer(self.perform(bytes(buffer)))
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                for host in self._hosts:
                    host.close()

    def perform(self, line: bytes) -> dict[str, Any]:
        """Does what a line says; the answer to it."""
        try:
            return {"ok": self._do(check(parse(line)))}
        except (TraceError, StepError, DirectoryError) as error:
            return {"error": str(error)}
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "EIO")
            return {"error": error.strerror or name, "errno": name}
        except Exception as error:
            log.exception("a bug in the emulator; the line was %r", line)
            return {"error": f"a bug in the emulator, see its log: {error!r}", "errno": "EIO"}
        finally:
            self.server.settle()

    def _do(self, step: Step) -> Any:
        server = self.server
        match step.verb:
            case "state":
                from nlemu.emulator.daemon.state import state

                return state(server.machine, server.connections)
            case "requests":
                return _requests(server.machine, step)
            case "story":
                from nlemu.emulator.script.story import story

                return story(server.machine, step.subject)
            case "faults":
                from nlemu.emulator.script.faults import listed

                return listed(server.machine)
            case "operations":
                return operations(server.machine)
            case "coverage":
                return coverage(server.machine, step)
            case "export":
                return exported(server.machine, step)
            case "snapshot":
                server.snapshot(step.subject)
            case "restore":
                server.restore(step.subject)
            case "reset":
                server.reset()
            case "stop":
                self._last = True
            case "watch":
                self._passed = server.watch()
            case "open":
                return self._open(step)
            case "bind":
                endpoint = server.steps.socket("bind", step.subject)
                endpoint.bind(step.get("port", 0))
                endpoint.set_groups(step.get("groups", 0))
            case "describe":
                return describe(server.steps.socket("describe", step.subject))
            case "close":
                server.steps.socket("close", step.subject)
                server.named[step.subject].close()
            case "dmabuf":
                server.steps.do(step)
                self._lent = server.tokens.make(step.subject, server.steps.programs.dmabuf("dmabuf", step.subject))
            case "end":
                server.tokens.forget(server.steps.programs.running.get(step.subject))
                server.steps.do(step)
            case "descriptor":
                endpoint = server.steps.socket("descriptor", step["socket"])
                found = server.steps.programs.dmabuf("descriptor", step["of"])
                endpoint.descriptors = Named(step.subject, found, endpoint.descriptors)
            case "supervise":
                return self._supervise(step)
            case "netns":
                server.add_namespace(step)
            case "netns_del":
                server.steps.do(step)
                server.arrange()
            case _:
                server.steps.do(step)
        return True

    def _open(self, step: Step) -> dict[str, Any]:
        pid = step.get("pid", self.pid)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            bind_abstract(ours)
            endpoint = self.server.steps.open(
                step.subject, netns=step.get("netns", "init"), proto=step["proto"], port=step.get("port", 0),
                opts=step.get("opts", ()), groups=step.get("groups", 0), uid=step.get("uid", 0), pid=pid,
                descriptors=self.server.descriptors(pid), bound=step.get("bound", True),
                rcvbuf=receive_buffer(step, RCVBUF),
            )
        except BaseException:
            ours.close()
            theirs.close()
            raise
        self.server.connect(ours, endpoint, name=step.subject)
        self._passed = theirs
        return {"socket": step.subject, "port": endpoint.portid}

    def _supervise(self, step: Step) -> bool:
        """Programs under a filter see this machine from now on; until the client leaves, their launcher."""
        from nlemu.emulator.daemon.host import DaemonHost  # only a daemon that is asked to pays for it

        host = DaemonHost(self.server, self.pid, step, self._scope.cancel)
        self._hosts.append(host)
        self.server.begin(host.serve)
        return True

    async def _answer(self, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode() + b"\n"
        if self._passed is not None:
            with self._passed as passed:
                self._passed = None
                rights = array.array("i", [passed.fileno()])
                sent = await self._sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            data = data[sent:]
        elif self._lent is not None:
            rights = array.array("i", [self._lent])
            self._lent = None
            data = data[await self._sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]) :]
        while data:
            data = data[await self._sock.send(data) :]


def describe(endpoint: Endpoint) -> dict[str, Any]:
    """What getsockname() and getsockopt(SOL_NETLINK) tell of a socket; options by their numbers."""
    port, groups = endpoint.name()
    memberships = endpoint.memberships().hex()
    return {"port": port, "groups": groups, "options": endpoint.options(), "memberships": memberships}


_TOO_LONG = f"the line is longer than {LINE_MAX} bytes"


def check(fields: Any) -> Step:
    """The step that an object describes. Raises TraceError, which names the field that is wrong and what it takes."""
    if not isinstance(fields, dict):
        raise TraceError(f"a line is an object, and not {shown(fields)}")
    verbs = trace.verbs_in(fields, VERBS)
    if len(verbs) > 1:
        raise TraceError(f"{' and '.join(verbs)} cannot be said in one line")
    if not verbs:
        wrong = f"{shown(next(iter(fields)))} is no verb; " if fields else ""
        raise TraceError(f"{wrong}one of these has to be there: {', '.join(VERBS)}")
    verb = VERBS[verbs[0]]
    takes = {verbs[0], *verb.needs, *verb.takes, *trace.OUTCOME}
    for name in fields:
        if name not in takes:
            known = ", ".join([*verb.needs, *verb.takes]) or "nothing else"
            raise TraceError(f"{verbs[0]!r} has no field {shown(name)}; it takes {known}")
    return trace.checked(fields, verbs[0], VERBS)


def parse(line: bytes) -> Any:
    """The JSON value on a line. Raises TraceError."""
    try:
        return json.loads(line.decode(), object_pairs_hook=_fields, parse_constant=_constant)
    except TraceError:
        raise
    except UnicodeDecodeError:
        raise TraceError("the line is not UTF-8") from None
    except RecursionError:
        raise TraceError("the line is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise TraceError(f"the line is not JSON: {error.msg} at column {error.colno}") from None
    except ValueError as error:  # a number of thousands of digits
        raise TraceError(f"the line is not JSON that can be read: {error}") from None


def _fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TraceError(f"{twice} is given twice")
    return fields


def _constant(text: str) -> Any:
    raise TraceError(f"the line is not JSON: {text} is no number there")


def bind_abstract(sock: socket.socket) -> None:
    """Gives a socket an abstract name that reads like a sockaddr_nl: padding, port id 0, and four unique bytes."""
    while True:
        try:
            sock.bind(bytes(6) + (next(_unique) & 0xFFFFFFFF).to_bytes(4, "little"))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return
