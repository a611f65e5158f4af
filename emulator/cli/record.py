"""``nlemu record``: a program on this machine's real kernel, with what goes over its netlink sockets recorded."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from nlemu.emulator.cli import Refused, Usage
from nlemu.emulator.cli.progress import Progress

if TYPE_CHECKING:
    from nlemu.emulator.launch.record.journal import Heard
    from nlemu.protocol.captures.events import Datagram
    from nlemu.protocol.names.known import Families

DESCRIPTION = """Run a program on this machine's real kernel, and record what goes over its netlink sockets, and over
those of all that it starts: a pcapng that Wireshark, `nlemu dissect` and `nlemu replay` read, or a trace if its name
ends with .jsonl. The machine's network is written beside it as worlds, FILE.before.toml and FILE.after.toml, as by
`nlemu clone`.

Nothing is emulated, and nothing is changed but by the program: it needs what it needs without us. It ends as the
program ends, with its exit status, or 128 and the number of the signal that ended it."""
EPILOG = """examples:
  nlemu record -o ip.pcapng -- ip -d link
  nlemu replay --world ip.pcapng.before.toml ip.pcapng
  unshare -rn nlemu record -o d0.pcapng -- sh -c 'ip link add d0 type dummy; ip -d link'"""

ALL = ["all"]
HEADERS = 36
"""As long as the longest are: struct nlmsghdr and struct tcmsg."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options; the rest is the command."""
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="where the recording goes")
    parser.add_argument(
        "--world-before", metavar="FILE", help="where the world goes as it is before (default: beside the recording)"
    )
    parser.add_argument(
        "--world-after", metavar="FILE", help="where the world goes as it is after (default: beside the recording)"
    )
    parser.add_argument("--no-worlds", action="store_true", help="write no worlds")
    parser.add_argument("program", metavar="COMMAND", nargs=argparse.REMAINDER, help="what to run, after --")


def run(options: argparse.Namespace) -> int:
    """Runs the command; its exit status."""
    from nlemu.emulator.launch.record.tracer import Tracer
    from nlemu.emulator.launch.session import CannotSupervise

    command = options.program[1:] if options.program[:1] == ["--"] else options.program
    if not command:
        raise Usage("what shall be run? put it after --")
    before = options.world_before or f"{options.output}.before.toml"
    after = options.world_after or f"{options.output}.after.toml"
    if options.no_worlds and (options.world_before or options.world_after):
        raise Usage("--no-worlds, and a file for one")
    missing: list[str] = []
    with written(options.output) as stream, Progress() as progress:
        recording = AsTrace(stream, command) if options.output.endswith(".jsonl") else AsCapture(stream)
        if not options.no_worlds:
            progress.show("reading this machine's network, as it is before")
            missing += write_world(before)
        progress.clear()  # the terminal is the program's now
        tracer = Tracer(command, recording.hear)
        try:
            status = tracer.run()
        except CannotSupervise as error:
            raise Refused(str(error)) from error
        progress.show("writing what was recorded")
        recording.end()
        if not options.no_worlds:
            progress.clear()
            progress.show("reading this machine's network, as it is now")
            missing += [line for line in write_world(after) if line not in missing]
            add_namespaces(before, recording.networks)
    if progress.on:
        print(f"nlemu record: {options.output}: {recording.count} datagrams", file=sys.stderr)
    for line in missing:
        print(f"nlemu record: not in the worlds: {line}", file=sys.stderr)
    if recording.failed is not None:
        print(f"nlemu record: {options.output}: {recording.failed.strerror}: it is not whole", file=sys.stderr)
    for line, count in tracer.reading.missed.items():
        print(f"nlemu record: not recorded: {count} {line}", file=sys.stderr)
    return status


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A file to be written, of which it is known before the end whether it could be. Raises Usage."""
    stream = opened(path)
    try:
        yield stream
    finally:
        with suppress(OSError):
            stream.close()


def opened(path: str) -> BinaryIO:
    """A file to be written. Raises Usage."""
    try:
        return open(path, "wb")
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None


# Worlds


def write_world(path: str) -> list[str]:
    """Writes this machine as a world into a file, for who has the privilege with all named namespaces; what is not in
    it. Whoever reads other namespaces goes there, so a child does. Raises Usage, Refused."""
    from nlemu.emulator.cli.clone import cloned

    with opened(path) as stream:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            try:
                text, missing = cloned(ALL if os.geteuid() == 0 else [], counters=True)
                stream.write(text.encode())
                stream.flush()
                os.write(writer, json.dumps(missing).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader) as answer:
            told = answer.read()
        os.waitpid(child, 0)
    if not told:
        raise Refused(f"{path}: this machine's network could not be read")
    found: list[str] = json.loads(told)
    return found


def add_namespaces(path: str, networks: Iterable[str]) -> None:
    """Adds to the world as it was before the namespaces that came later, as they come, with nothing in them: whoever
    performs the recording there needs somewhere to do it."""
    from nlemu.emulator.world.file import read

    known = read(path).namespaces
    with open(path, "a", encoding="utf-8") as stream:
        for name in networks:
            if name not in known:
                stream.write(f"\n[[namespace]]  # it came while this was recorded\nname = {json.dumps(name)}\n")


# Recordings


class Recording:
    """Hears what sockets say, and writes it to a file. networks: the namespaces that they were in; numbers: of generic
    netlink families, as far as nlctrl told; count: how many there were."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.networks: dict[str, None] = {}
        self.numbers: dict[str, int] = {}
        self.count = 0
        self.failed: OSError | None = None
        """Why what came later could not be written: the program goes on all the same."""

    def hear(self, heard: Heard) -> None:
        """A datagram went over a socket."""
        from nlemu.protocol.captures.events import Datagram, Way
        from nlemu.protocol.captures.families import told
        from nlemu.protocol.names.known import GENERIC_NETLINK

        self.networks.setdefault(heard.network)
        self.count += 1
        if heard.protocol == GENERIC_NETLINK:
            self.numbers |= told(heard.data)
        way = Way.TO_KERNEL if heard.to_kernel else Way.TO_USER
        datagram = Datagram(
            heard.data, heard.protocol, "", heard.time, way, length=heard.length, network=heard.network, port=heard.port
        )
        self.attempt(lambda: self.take(datagram))

    def end(self) -> None:
        """That was all."""
        self.attempt(self.finish)
        self.attempt(self.stream.flush)

    def attempt(self, write: Callable[[], object]) -> None:
        """Writes, if everything could be written so far."""
        if self.failed is None:
            try:
                write()
            except OSError as error:
                self.failed = error

    def take(self, datagram: Datagram) -> None:
        """It becomes part of the recording."""
        raise NotImplementedError

    def finish(self) -> None:
        """What is left becomes part of it."""


class AsCapture(Recording):
    """Into a pcapng, as it comes."""

    def __init__(self, stream: BinaryIO) -> None:
        from nlemu.protocol.captures import pcapng

        super().__init__(stream)
        self.writer = pcapng.Writer(stream)
        self.comments = Comments()

    def take(self, datagram: Datagram) -> None:
        """Writes it, with a comment."""
        assert datagram.protocol is not None
        told = self.comments.say(datagram.data, datagram.protocol, self.numbers)
        self.writer.write(replace(datagram, comment=told))


class Comments:
    """Says what datagrams hold, in a few words, as emulator/script/recording.py does. A program waits meanwhile, so
    only the first message's headers are read, and what they say is remembered."""

    def __init__(self) -> None:
        from nlemu.protocol.decode.message import read
        from nlemu.protocol.decode.printer import title
        from nlemu.protocol.names.known import by_number

        self._read, self._title, self._by_number = read, title, by_number
        self._known: dict[tuple[int, bytes, bytes], str] = {}
        self._numbers: dict[str, int] = {}
        self._families: Families = by_number({})

    def say(self, data: bytes, protocol: int, numbers: dict[str, int]) -> str:
        """For a datagram; numbers: of families."""
        from nlemu.protocol.frame import split

        if numbers != self._numbers:
            self._known.clear()
            self._numbers, self._families = dict(numbers), self._by_number(numbers)
        found = [message for _, message in split(data)]
        if not found:
            return "no message"
        head = found[0][:HEADERS]
        key = protocol, head[4:8], head[16:20]  # type and flags; a command, a protocol family or an errno
        first = self._known.get(key)
        if first is None:
            first = self._known[key] = self._title(self._read(head, protocol, self._families))
        return first if len(found) == 1 else f"{first} and {len(found) - 1} more"


class AsTrace(Recording):
    """Into a trace of this project, at the end: which answer belongs to which request is known then."""

    def __init__(self, stream: BinaryIO, command: list[str]) -> None:
        super().__init__(stream)
        self.command = command
        self.datagrams: list[Datagram] = []

    def take(self, datagram: Datagram) -> None:
        """Keeps it."""
        self.datagrams.append(datagram)

    def finish(self) -> None:
        """Writes the trace, which begins with the namespaces."""
        from nlemu.emulator.script.capture import Binder
        from nlemu.emulator.script.trace import render
        from nlemu.emulator.script.transcript import trace_of

        binder = Binder()
        binder.bind(self.datagrams)
        about, release, cpus = shlex.join(self.command), os.uname().release, os.cpu_count() or 1
        self.stream.write(render(trace_of(binder.steps(), about, self.numbers, release, cpus)).encode())
