"""Which calls of a program are read along: those by which netlink sockets are opened, and by which anything can be
sent and received. A socket of the real kernel has a low number like any file, so read() and write() are looked at
whatever they are made on; that costs a program some ten microseconds each. All other calls cost nothing.

Programs of another architecture or ABI (32-bit ones) run as ever, and are not read along.
"""

from __future__ import annotations

from nlemu.emulator.launch.record.calls import CALLS
from nlemu.emulator.launch.trap.architectures import Architecture
from nlemu.emulator.launch.trap.instructions import (
    RET_ALLOW,
    RET_TRACE,
    Condition,
    Instruction,
    Rule,
    assemble,
    equals,
)
from nlemu.protocol.uapi.socket import AF_NETLINK

WHEN: dict[str, tuple[Condition, ...]] = {"socket": (equals(0, AF_NETLINK),)}


def program(arch: Architecture) -> list[Instruction]:
    """The filter for that architecture."""
    rules = [Rule(name, WHEN.get(name, ()), action=RET_TRACE) for name in CALLS]
    return assemble(rules, arch.numbers, arch.audit, None, strange=RET_ALLOW)
