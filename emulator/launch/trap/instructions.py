"""Classic BPF for seccomp, assembled from rules (linux/filter.h, linux/seccomp.h).

A filter is a list of rules: a system call, conditions on its arguments that all have to hold, and what becomes of the
call then. Several rules may speak of one call; the first that holds decides. A call of which no rule holds is allowed.

The kernel notices by itself which calls a filter allows whatever their arguments are, and does not run it for them
(seccomp_cache_allow). For the others the filter is a chain of comparisons, so rules for calls that are made often
come first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LD_ABS = 0x20  # BPF_LD | BPF_W | BPF_ABS
JEQ = 0x15
JGT = 0x25
JGE = 0x35
JSET = 0x45
JA = 0x05
AND = 0x54
RET = 0x06

RET_KILL_PROCESS = 0x80000000
RET_ERRNO = 0x00050000
RET_USER_NOTIF = 0x7FC00000
RET_TRACE = 0x7FF00000
RET_ALLOW = 0x7FFF0000

NR = 0
ARCH = 4
ARGS = 16  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, constant: struct sock_filter."""

HERE = 0
FAIL = -1
"""Where a condition jumps when it does not hold; filled in when its length is known."""


@dataclass(frozen=True)
class Condition:
    """Instructions that go on to the next when the condition holds, and to FAIL when not."""

    code: tuple[Instruction, ...]


def _low(arg: int) -> Instruction:
    return (LD_ABS, 0, 0, ARGS + 8 * arg)  # both architectures are little-endian


def _high(arg: int) -> Instruction:
    return (LD_ABS, 0, 0, ARGS + 8 * arg + 4)


def equals(arg: int, value: int) -> Condition:
    """The lower half of the argument is that number."""
    return Condition((_low(arg), (JEQ, HERE, FAIL, value)))


def within(arg: int, first: int, last: int) -> Condition:
    """The lower half of the argument, unsigned, lies between the two, both included."""
    return Condition((_low(arg), (JGE, HERE, FAIL, first), (JGT, FAIL, HERE, last)))


def has(arg: int, mask: int) -> Condition:
    """One of those bits is set in the lower half."""
    return Condition((_low(arg), (JSET, HERE, FAIL, mask)))


def lacks(arg: int, mask: int) -> Condition:
    """None of those bits is set in the lower half."""
    return Condition((_low(arg), (JSET, FAIL, HERE, mask)))


def null(arg: int) -> Condition:
    """A pointer is NULL, or a number 0."""
    return Condition((_low(arg), (JEQ, HERE, FAIL, 0), _high(arg), (JEQ, HERE, FAIL, 0)))


def not_null(arg: int) -> Condition:
    """A pointer is not NULL."""
    return Condition((_low(arg), (JEQ, HERE, 2, 0), _high(arg), (JEQ, FAIL, HERE, 0)))


def below(arg: int, limit: int) -> Condition:
    """A 64-bit size is less than that."""
    return Condition((_high(arg), (JEQ, HERE, FAIL, 0), _low(arg), (JGE, FAIL, HERE, limit)))


@dataclass(frozen=True)
class Rule:
    """What becomes of a system call when all conditions hold: `action` is a SECCOMP_RET_* value."""

    call: str
    conditions: tuple[Condition, ...] = ()
    action: int = RET_USER_NOTIF


def assemble(
    rules: Iterable[Rule], numbers: dict[str, int], audit: int, foreign: int | None, strange: int = RET_KILL_PROCESS
) -> list[Instruction]:
    """The program. Rules for calls that the architecture lacks are left out. Calls of another architecture end the
    process (it would see the real kernel), unless `strange` says otherwise; those of another ABI of this one (from
    `foreign` on) do not exist."""
    program: list[Instruction] = [
        (LD_ABS, 0, 0, ARCH),
        (JEQ, 1, 0, audit),
        (RET, 0, 0, strange),
        (LD_ABS, 0, 0, NR),
    ]
    if foreign is not None:
        program += [(JGE, 0, 1, foreign), (RET, 0, 0, RET_ERRNO | 38)]  # ENOSYS
    by_call: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.call in numbers:
            by_call.setdefault(rule.call, []).append(rule)
    for call, its_rules in by_call.items():
        block = [instruction for rule in its_rules for instruction in _rule(rule)]
        block.append((RET, 0, 0, RET_ALLOW))
        if len(block) > 255:
            raise ValueError(f"the rules for {call} are too long")
        program.append((JEQ, 0, len(block), numbers[call]))
        program += block
    program.append((RET, 0, 0, RET_ALLOW))
    return program


def _rule(rule: Rule) -> list[Instruction]:
    body = [instruction for condition in rule.conditions for instruction in condition.code]
    body.append((RET, 0, 0, rule.action))
    end = len(body)
    out = []
    for at, (code, yes, no, constant) in enumerate(body):
        leave = end - at - 1
        out.append((code, leave if yes == FAIL else yes, leave if no == FAIL else no, constant))
    return out


def pack(program: Sequence[Instruction]) -> bytes:
    """As struct sock_filter[]."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def evaluate(program: Sequence[Instruction], audit: int, number: int, args: Sequence[int] = ()) -> int:
    """Runs a program as the kernel would: what it returns for that call. For tests."""
    data = struct.pack("<iIQ6Q", number, audit, 0, *(arg & 0xFFFFFFFFFFFFFFFF for arg in (*args, *[0] * 6)[:6]))
    at = accumulator = 0
    while True:
        code, yes, no, constant = program[at]
        at += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, constant)[0]
            case 0x06:
                return constant
            case 0x15:
                at += yes if accumulator == constant else no
            case 0x25:
                at += yes if accumulator > constant else no
            case 0x35:
                at += yes if accumulator >= constant else no
            case 0x45:
                at += yes if accumulator & constant else no
            case _:
                raise ValueError(f"no such instruction: {code:#x}")
