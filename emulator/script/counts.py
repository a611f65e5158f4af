"""What a machine has counted, by the names of the specifications: requests by operation, refusals by errno too."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nlemu.emulator.machine.tally import UNKNOWN, type_and_command
from nlemu.emulator.script.history import operation_name
from nlemu.protocol.decode.message import read
from nlemu.protocol.decode.printer import errno_name
from nlemu.protocol.frame import message
from nlemu.protocol.names.known import Families, by_number
from nlemu.protocol.uapi.netlink import NLM_F

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine

NOBODY = "unknown"
"""The operation of requests that there are not."""


def begin(machine: Machine) -> Machine:
    """From now on that machine counts; the machine itself."""
    machine.tallies = {}
    return machine


def requests(machine: Machine) -> dict[str, int]:
    """How often each operation was asked for, by its name, the most frequent first."""
    families = families_of(machine)
    found: Counter[str] = Counter()
    for protocol, tally in (machine.tallies or {}).items():
        for key, count in tally.asked.items():
            found[name_of(protocol, key, families)] += count
    return dict(found.most_common())


def refusals(machine: Machine) -> dict[tuple[str, str], int]:
    """How often each was refused, by its name and the errno's, the most frequent first."""
    families = families_of(machine)
    found: Counter[tuple[str, str]] = Counter()
    for protocol, tally in (machine.tallies or {}).items():
        for (key, errno), count in tally.refused.items():
            found[name_of(protocol, key, families), str(errno_name(errno))] += count
    return dict(found.most_common())


def families_of(machine: Machine) -> Families:
    """The machine's own families of generic netlink."""
    return by_number({family.name: number for family, number in machine.families.numbers.items()})


def name_of(protocol: int, key: int, families: Families) -> str:
    """What faults and `nlemu ctl operations` call a request."""
    if key == UNKNOWN:
        return NOBODY
    kind, command = type_and_command(key)
    asked = message(kind, int(NLM_F.REQUEST), 0, 0, bytes([command, 0, 0, 0]))
    return operation_name(read(asked, protocol, families))
