"""What a failed test wants to know of its machine: the last messages, why requests were refused, which faults wait.

It is made of a recording in memory (recording.py) when somebody asks. Tests of pytest are told by the plugin, others by
the control socket (`{"story": N}`), which is what go/nlemutest asks when a test has failed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nlemu.emulator.script.errors import StepError
from nlemu.emulator.script.recording import save
from nlemu.protocol.names.known import Families, by_number

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine
    from nlemu.protocol.captures.events import Datagram

REASONS = 30
"""Lines of reasons that are told."""


class InMemory(io.BytesIO):
    """A capture that is no file."""

    name = "netlink"


def messages(families: Families, traffic: Iterable[Datagram], last: int) -> list[str]:
    """The last messages among datagrams, a line each, as `nlemu dissect --brief` shows them. families: by their
    numbers."""
    from nlemu.emulator.script.dissection import Dissection

    stream = InMemory()
    save(families, traffic, stream)
    stream.seek(0)
    with Dissection(stream, numbers={family.name: number for number, family in families.items()}) as dissection:
        return [one.brief() for one in dissection.found()][-last:]


def story(machine: Machine, last: int) -> dict[str, Any]:
    """So many messages of a machine that remembers, lines of reasons, and the faults that wait. StepError: it does
    not."""
    from nlemu.emulator.script.faults import listed

    if machine.remembered is None:
        raise StepError("story: nothing is kept; `nlemu serve --history` keeps it")
    families = by_number({family.name: number for family, number in machine.families.numbers.items()})
    why = [line for one in tuple(machine.reasons) for line in one.explanation().lines()]
    return {
        "messages": messages(families, tuple(machine.remembered), last),
        "why": why[-REASONS:],
        "faults": listed(machine),
    }
