"""What a machine's sockets say, recorded: into a pcapng that Wireshark opens and `nlemu replay` performs, or in memory.

Each namespace is an interface; each packet has a comment that says what it is, and of a request from which port it
came, since the message itself need not tell. The file can be followed while it grows. """

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.machine.tap import Heard
from nlemu.protocol.captures import pcapng
from nlemu.protocol.captures.events import Datagram, Way
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import title
from nlemu.protocol.frame import split
from nlemu.protocol.names.known import Families, by_number

if TYPE_CHECKING:
    from nlemu.emulator.script.explanation import Reason

REMEMBERED = 10_000
"""Datagrams that a recording in memory holds."""
EXPLAINED = 100
"""Refusals of which it holds the reasons."""


class Recording:
    """Takes what a machine's sockets say, and gives each datagram away as a capture has it. commented: with a comment,
    which costs more than all the rest; kept: where they are kept, for the machine to be asked about, and with
    them why it refused."""

    def __init__(
        self, write: Callable[[Datagram], object], *, commented: bool = True, kept: deque[Datagram] | None = None
    ) -> None:
        self.write, self.commented, self.kept = write, commented, kept
        self.reasons: deque[Reason] = deque(maxlen=EXPLAINED)
        self.count = 0
        self.families: Families = {}

    def begin(self, machine: Machine) -> Machine:
        """From now on sockets that are opened on that machine are recorded; the machine itself."""
        self.families = by_number({family.name: number for family, number in machine.families.numbers.items()})
        machine.listen(self.hear)
        if self.kept is not None:
            from nlemu.emulator.script import explanation

            machine.remembered, machine.reasons = self.kept, self.reasons
            explanation.begin(machine, self.reasons.append)
        return machine

    def hear(self, heard: Heard) -> None:
        """A datagram of a socket."""
        self.count += 1
        endpoint = heard.endpoint
        way = Way.TO_KERNEL if heard.to_kernel else Way.TO_USER
        self.write(
            Datagram(
                heard.data, endpoint.protocol, f"frame {self.count}", time.time_ns(), way, length=len(heard.data),
                network=endpoint.net.name, port=endpoint.portid if heard.to_kernel and endpoint.portid else None,
                comment=comment(heard.data, endpoint.protocol, self.families) if self.commented else None,
            )
        )


def comment(data: bytes, protocol: int, families: Families) -> str:
    """What a datagram holds, in a few words."""
    titles = [title(read(message, protocol, families)) for _, message in split(data)]
    if not titles:
        return "no message"
    return titles[0] if len(titles) == 1 else f"{titles[0]} and {len(titles) - 1} more"


def into_file(stream: BinaryIO) -> Recording:
    """A recording into a pcapng."""
    return Recording(pcapng.Writer(stream).write)


def in_memory(limit: int = REMEMBERED) -> tuple[Recording, deque[Datagram]]:
    """A recording, and the last datagrams of it."""
    kept: deque[Datagram] = deque(maxlen=limit)
    return Recording(kept.append, commented=False, kept=kept), kept


def save(families: Families, datagrams: Iterable[Datagram], stream: BinaryIO) -> None:
    """Writes datagrams that were kept into a pcapng, with comments."""
    writer = pcapng.Writer(stream)
    for one in datagrams:
        assert one.protocol is not None
        writer.write(replace(one, comment=comment(one.data, one.protocol, families)))
