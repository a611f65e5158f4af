"""Why a request was refused: the thing that no real kernel tells, least of all where it says EINVAL and nothing else.

A refusal is raised where its reason is found (protocol/refusal.py), in a function whose docstring names the function of
the kernel that it imitates. So the way from there back to the socket is read off the exception: which kernel functions
were on it, and which condition stood before the refusal, in our words of it, which are Python.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, TracebackType
from typing import TYPE_CHECKING

from nlemu.protocol.decode.message import at_offset, read
from nlemu.protocol.decode.printer import errno_name, path_text, title
from nlemu.protocol.names.known import by_number

if TYPE_CHECKING:
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.refusal import Refusal

FUNCTION = re.compile(r"\b_{0,3}[a-z][a-z0-9]*(?:_[a-z0-9]+)+\(\)")
"""The kernel's functions as docstrings name them: words with underscores, and parentheses."""
ROOT = Path(__file__).resolve().parents[2]
CONDITION = 160
"""Letters of a condition that are shown."""


@dataclass(frozen=True)
class Explanation:
    """asked: the request, in a few words; netns: of its socket; errno: a name; text: what the extended ack says;
    blamed: the path of the attribute that it points to; functions: of the kernel, the one that refuses first;
    condition: what was so, None where nothing was asked; place: file and line of ours."""

    asked: str
    netns: str
    errno: str
    text: str | None
    blamed: str | None
    functions: tuple[str, ...]
    condition: str | None
    place: str

    def lines(self) -> list[str]:
        """For a person."""
        head = f"{self.netns} {self.asked}: {self.errno}" + (f", {self.text!r}" if self.text else "")
        told = [head + (f", at {self.blamed}" if self.blamed else "")]
        if self.functions:
            told.append(f"    in {', called by '.join(self.functions)}")
        told.append(f"    because {self.condition}  ({self.place})" if self.condition else f"    at {self.place}")
        return told


@dataclass(frozen=True)
class Reason:
    """A refusal as it was caught, of which little is kept, for most are never asked about. way: the functions that it
    came through and where in each, the outermost first."""

    machine: Machine
    message: bytes
    protocol: int
    netns: str
    errno: int
    text: str | None
    at: int | str | None
    way: tuple[tuple[CodeType, int], ...]

    def explanation(self) -> Explanation:
        """What there is to say of it."""
        families = by_number({family.name: number for family, number in self.machine.families.numbers.items()})
        message = read(self.message, self.protocol, families)
        path = at_offset(message, self.at) if isinstance(self.at, int) else None
        code, line = self.way[-1]
        return Explanation(
            title(message), self.netns, str(errno_name(self.errno)), self.text, path_text(path) if path else None,
            tuple(dict.fromkeys(kernel_functions(self.way))), condition(code.co_filename, line),
            f"{shown(code.co_filename)}:{line}",
        )


def steps(traceback: TracebackType | None) -> Iterator[tuple[CodeType, int]]:
    """The functions that an exception came through, the outermost first, and where in each."""
    while traceback is not None:
        yield traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next


def kernel_functions(way: Sequence[tuple[CodeType, int]]) -> Iterator[str]:
    """Those that the docstrings on the way name, from the refusal outwards: of each the first."""
    for code, _ in reversed(way):
        told = code.co_consts[0] if code.co_consts else None
        found = FUNCTION.search(told) if isinstance(told, str) else None
        if found is not None:
            yield found[0]


@cache
def parsed(filename: str) -> ast.Module | None:
    """A module of ours; None where its source is not there."""
    try:
        return ast.parse(Path(filename).read_text())
    except (OSError, SyntaxError):
        return None


def condition(filename: str, line: int) -> str | None:
    """The condition under which a line is come to: of the innermost `if`, or of the `case` of a `match`."""
    module = parsed(filename)
    found = None
    for node in ast.walk(module) if module is not None else ():
        if isinstance(node, ast.If) and inside(node.body, line):
            found = ast.unparse(node.test)
        elif isinstance(node, ast.If) and inside(node.orelse, line) and not isinstance(node.orelse[0], ast.If):
            found = f"not ({ast.unparse(node.test)})"
        elif isinstance(node, ast.match_case) and inside(node.body, line):
            found = f"it is {ast.unparse(node.pattern)}"
    return found if found is None or len(found) <= CONDITION else found[: CONDITION - 3] + "..."


def inside(statements: list[ast.stmt], line: int) -> bool:
    """Whether a line is among those of some statements."""
    return bool(statements) and statements[0].lineno <= line <= (statements[-1].end_lineno or 0)


def shown(filename: str) -> str:
    """A file of ours as the checkout has it."""
    path = Path(filename).resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def begin(machine: Machine, tell: Callable[[Reason], object]) -> Machine:
    """From now on somebody is told of every refusal of that machine; the machine itself."""
    before = machine.refused

    def refused(call: Call, refusal: Refusal) -> None:
        if before is not None:
            before(call, refusal)
        endpoint = call.endpoint
        tell(Reason(
            machine, call.message, endpoint.protocol, endpoint.net.name, refusal.errno, refusal.text, refusal.at,
            tuple(steps(refusal.__traceback__)),
        ))

    machine.refused = refused
    return machine
