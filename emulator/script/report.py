"""What a replay found, for people: each difference fact by fact, as the message's own names tell it.

    step 7: send a (rx 0): socket a, datagram 1
      - queue-get reply / napi-id: 65
      + queue-get reply / napi-id: 66

A line with "-" is what the kernel said, one with "+" what the emulator says. Bytes that may be anything are not told.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from nlemu.emulator.script.replay import Difference, Result, protocol_of
from nlemu.emulator.script.trace import Step, Trace, open_bytes
from nlemu.protocol.decode.facts import facts
from nlemu.protocol.decode.printer import describe
from nlemu.protocol.names.known import Families, numbered

NOTHING = "nothing"


def report(result: Result) -> list[str]:
    """The lines for one replay; none when all was equal."""
    trace = result.trace
    lines = [f"{_where(trace, number)}: {reason}" for number, reason in result.not_yet.items()]
    families = numbered(trace.header.families) if result.differences else None
    for difference in result.differences:
        lines.append(_heading(trace, difference))
        lines += [f"  {line}" for line in explain(difference, protocol_of(trace, difference), families)]
    if result.bugs:
        lines.append(f"requests that met a bug of the emulator's own, see its log: {result.bugs}")
    return lines


def explain(difference: Difference, protocol: int, families: Families | None = None) -> list[str]:
    """One difference: lines with "-" for what was expected and is not there, with "+" for what is there instead."""
    expected, got = difference.expected, difference.got
    if expected is None or got is None or expected.startswith("!") or got.startswith("!"):
        return [*_marked("-", expected, protocol, families), *_marked("+", got, protocol, families)]
    wanted, anything = open_bytes(expected)
    found = bytearray.fromhex(got)
    if len(found) == len(wanted):
        for offset in anything:
            found[offset] = 0
    one, other = _facts(wanted, protocol, families), _facts(bytes(found), protocol, families)
    changes = [line for line in difflib.ndiff(one, other) if line[0] in "-+"]
    return changes or _first_byte(wanted, bytes(found))


def _heading(trace: Trace, difference: Difference) -> str:
    where = _where(trace, difference.step)
    if difference.socket is None:
        return f"{where}: the step itself"
    return f"{where}: socket {difference.socket}, datagram {difference.index + 1}"


def _where(trace: Trace, number: int) -> str:
    step: Step = trace.steps[number - 1]
    about = f" ({step.about})" if step.about else ""
    return f"step {number}: {step.verb} {step.subject}{about}"


def _marked(sign: str, text: str | None, protocol: int, families: Families | None) -> list[str]:
    if text is None:
        lines: Sequence[str] = [NOTHING]
    elif text.startswith("!"):
        lines = [text[1:]]
    else:
        lines = describe(open_bytes(text)[0], protocol, families)
    return [f"{sign} {line}" for line in lines]


def _facts(datagram: bytes, protocol: int, families: Families | None) -> list[str]:
    return [f"{fact.path}: {fact.text}" for fact in facts(datagram, protocol, families)]


def _first_byte(expected: bytes, got: bytes) -> list[str]:
    """For datagrams that say the same in other bytes: the place where they begin to differ."""
    pairs = zip(expected, got, strict=False)
    at = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(expected), len(got)))
    start = at & ~3
    return [f"{sign} byte {at} of {len(data)}: {data[start : start + 8].hex(' ')}" for sign, data in
            (("-", expected), ("+", got))]
