"""Three machines that take the steps of a trace: the emulator in this process, the daemon over its sockets, Linux.

A step is what stands in a line of a trace (fixtures/README.md), with one field more: `settle`, the seconds that pass
after it and before the sockets are read, in which a kernel does what it does later. Linux sleeps them; the others
advance their clock. What of a dump does not fit into its first datagram is told as it is when it is read, which is
afterwards; only the daemon cannot know when that will be, and is read before too.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fixtures.recorder.guest import Guest
from nlemu.emulator.client.control import Control, ControlError
from nlemu.emulator.daemon.background import daemon
from nlemu.emulator.kernel.core.build import recorded_on
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.steps import READ_SIZE, Answer, Steps
from nlemu.emulator.script.trace import Step, step_of, text_of
from nlemu.protocol.refusal import Refusal

Fields = Mapping[str, Any]
"""A step: one line of a trace."""


@dataclass(frozen=True)
class Outcome:
    """What came of a step.

    error: the name of the errno with which it was refused. got: what each socket had to read, as traces write it.
    """

    error: str | None = None
    got: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Counters:
    """Ids that are given out once a boot: the next of each."""

    napi: int
    page_pool: int
    devlink: int
    ethtool: int
    """The number of a notification of the ethtool family."""


class StepImpossible(Exception):
    """A step that makes no sense where it stands: what it builds on is not there."""


class Driven(Protocol):
    """A machine that performs steps."""

    def perform(self, steps: Sequence[Fields]) -> list[Outcome]:
        """Does them one after the other; what came of each."""


class Emulator:
    """The emulator in this process.

    renewed: what is called init is not the machine's first namespace, and ids go on from those counters, as on a
    guest that has been reset.
    """

    def __init__(self, machine: Machine, renewed: Counters | None = None) -> None:
        self.machine = machine
        self.steps = Steps(machine)
        self._home = machine.init_net
        if renewed is not None:
            self._home = self.steps.nets["init"] = machine.new_net("walk")
            machine.napis._last = renewed.napi - 1
            machine.page_pools._next = renewed.page_pool
            machine.netdevsim_bus._next_instance = renewed.devlink
            machine.ethtool_notifications = renewed.ethtool - 1

    def perform(self, steps: Sequence[Fields]) -> list[Outcome]:
        return [self.step(step) for step in steps]

    def step(self, fields: Fields) -> Outcome:
        """Does one."""
        step = step_of(dict(fields))
        answer = Answer()
        try:
            self._do(step)
        except OSError as error:
            answer.error = error
        except StepError as error:
            raise StepImpossible(str(error)) from None
        settle = step.get("settle")
        if not settle:
            self.steps._drain(answer.got)
        self.machine.settle()
        self.steps.wait(settle or 0, answer)
        got = {name: tuple(map(text_of, received)) for name, received in answer.got.items()}
        return Outcome(None if answer.error is None else errno.errorcode[answer.error.errno or 0], got)

    def _do(self, step: Step) -> None:
        """Does a step; a new netdevsim comes into the namespace of who asks for it."""
        if step.verb != "nsim_new":
            self.steps.do(step)
            return
        number, ports, queues = step.subject
        try:
            self.machine.netdevsim_bus.new_device(number, ports, queues, self._home)
        except Refusal as refusal:
            raise OSError(refusal.errno, refusal.text) from refusal


class Daemon:
    """The daemon, spoken to over its sockets. Takes its directory, in which it serves already."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._control = Control(directory)
        self._sockets: dict[str, socket.socket] = {}
        self._files: dict[str, int] = {}
        """Descriptors to name in messages: those of namespaces, and of dmabufs."""

    def close(self) -> None:
        for sock in self._sockets.values():
            sock.close()
        for descriptor in self._files.values():
            os.close(descriptor)
        self._control.close()

    def perform(self, steps: Sequence[Fields]) -> list[Outcome]:
        return [self.step(step) for step in steps]

    def step(self, fields: Fields) -> Outcome:
        """Does one."""
        step = step_of(dict(fields))
        asked = {key: value for key, value in fields.items() if key not in ("settle", "got", "error", "about")}
        error = None
        try:
            self._do(step, asked)
        except ControlError as refused:
            if refused.errno is None:
                raise
            error = refused.errno
        got: dict[str, list[str]] = {}
        self._drain(got)
        if settle := step.get("settle"):
            self._control.do(sleep=settle)
            self._drain(got)
        return Outcome(error, {name: tuple(received) for name, received in got.items()})

    def _do(self, step: Step, asked: dict[str, Any]) -> None:
        match step.verb:
            case "open":
                sock, _ = self._control.open_as(asked.pop("open"), **asked)
                sock.setblocking(False)
                self._sockets[step.subject] = sock
            case "send":
                self._sockets[step.subject].send(self._datagram(step))
            case "dmabuf":
                self._files[step.subject] = self._control.dmabuf(asked.pop("dmabuf"), **asked)
            case "close":
                self._control.do(**asked)
                self._sockets.pop(step.subject).close()
            case "netns_del":
                self._control.do(**asked)
                if step.subject in self._files:
                    os.close(self._files.pop(step.subject))
            case _:
                self._control.do(**asked)

    def _datagram(self, step: Step) -> bytes:
        data = bytearray.fromhex(step["hex"])
        for offset, name in [*step.get("patch_fd", ()), *step.get("patch_dmabuf", ())]:
            if name not in self._files:
                self._files[name] = os.open(self._directory / name, os.O_RDONLY)
            data[offset : offset + 4] = self._files[name].to_bytes(4, "little")
        return bytes(data)

    def _drain(self, got: dict[str, list[str]]) -> None:
        """Reads until nobody has anything more to say.

        The daemon has seen what was sent before a line that it answers when it has answered a second line.
        """
        while True:
            for _ in range(2):
                self._control.do(sleep=0)
            silent = True
            for name, sock in self._sockets.items():
                while True:
                    try:
                        received = sock.recv(READ_SIZE)
                    except BlockingIOError:
                        break
                    got.setdefault(name, []).append(received.hex())
                    silent = False
            if silent:
                return


@contextmanager
def serving(machine: Machine) -> Iterator[Daemon]:
    """A daemon with that machine, in a thread of its own, and a client of it."""
    with daemon(lambda: machine) as directory:
        client = Daemon(directory)
        try:
            yield client
        finally:
            client.close()


class Linux:
    """Linux under QEMU. Takes the image."""

    def __init__(self, image: str | os.PathLike[str]) -> None:
        self.guest = Guest(image)
        self.build = recorded_on(self.guest.release, self.guest.config)
        """Which kernel of ours is to say the same."""
        self.walks = 0
        """How many have been made on it since it booted."""
        self._simulated = 0
        """How many netdevsim devices have been made on it."""

    def close(self) -> None:
        self.guest.close()

    def perform(self, steps: Sequence[Fields]) -> list[Outcome]:
        outcomes = []
        for step, answer in zip(steps, self.guest.steps([dict(step) for step in steps]), strict=True):
            error = answer.get("error")
            if error is not None and error not in errno.errorcode.values():
                raise RuntimeError(f"{step}: {error}")
            got = {name: tuple(received) for name, received in answer.get("got", {}).items()}
            outcomes.append(Outcome(error, got))
            self._simulated += "nsim_new" in step and error is None
        return outcomes

    def renew(self) -> Counters:
        """Makes it a machine without a past, but for the counters, which are asked for by using one of each."""
        self.guest.reset()
        last = self.guest.steps(PROBE)
        napi = _attribute(last[-4], NAPI_ID)
        page_pool = _attribute(last[-3], PAGE_POOL_ID)
        told = int.from_bytes(bytes.fromhex(last[-1]["got"]["monitor"][0])[8:12], "little")
        self._simulated += 1
        self.guest.reset()
        return Counters(napi + 1, page_pool + 1, self._simulated, told + 1)


NAPI_GET, PAGE_POOL_GET, NAPI_ID, PAGE_POOL_ID = 11, 5, 2, 1
NETDEV = 20


def _dump(command: int) -> str:
    return (b"\x14\0\0\0" + bytes([NETDEV, 0, 1, 3]) + bytes(8) + bytes([command, 1, 0, 0])).hex()


PROBE: Sequence[dict[str, Any]] = (
    {"open": "route", "proto": 0, "port": 1},
    {"open": "generic", "proto": 16, "port": 1},
    {"nsim_new": [1, 1, 1]},
    {"send": "route", "hex": "2000000013000500010000000000000000000000020000000100000001000000", "settle": 1},
    {"send": "generic", "hex": _dump(NAPI_GET)},
    {"send": "generic", "hex": _dump(PAGE_POOL_GET)},
    {"open": "monitor", "proto": 16, "port": 2, "opts": [[1, 6]]},
    {
        "send": "generic",
        "hex": "28000000150005000100000000000000100100000c000180080001000200000005000b0002000000",
    },
)
"""A netdevsim of one queue is raised, its NAPI instances and page pools are listed, and its rings are set (headers are
to be split), of which ethtool's group is told."""


def _attribute(answer: Fields, number: int) -> int:
    """The greatest value of an attribute of four bytes, in the messages of a dump."""
    values = []
    for data in map(bytes.fromhex, answer["got"]["generic"]):
        at = 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 4], "little")
            inner = at + 20
            while data[at + 4] == NETDEV and inner < at + length:
                size, kind = int.from_bytes(data[inner : inner + 2], "little"), data[inner + 2]
                if kind == number and size == 8:
                    values.append(int.from_bytes(data[inner + 4 : inner + 8], "little"))
                inner += size + 3 & ~3
            at += length
    return max(values)
