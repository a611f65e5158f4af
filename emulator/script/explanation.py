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
FAULTS = "emulator/machine/faults/"
"""Where what refuses is no function of the kernel."""
CALLERS = 3
"""Functions, from the one that refuses outwards, of which one may have had the condition."""
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
        told.append(f"    {f'because {self.condition}' if self.condition else 'in any case'}  ({self.place})")
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
        because, (code, line) = found(self.way)
        if shown(self.way[-1][0].co_filename).startswith(FAULTS):
            because = "a fault that was set has struck"
        return Explanation(
            title(message), self.netns, str(errno_name(self.errno)), self.text, path_text(path) if path else None,
            tuple(dict.fromkeys(kernel_functions(self.way))), because, f"{shown(code.co_filename)}:{line}",
        )


def found(way: Sequence[tuple[CodeType, int]]) -> tuple[str | None, tuple[CodeType, int]]:
    """The condition of a refusal and where it stands: what does nothing but refuse was called under one."""
    for place in way[: -1 - CALLERS : -1]:
        because = condition(place[0].co_filename, place[1])
        if because is not None:
            return because, place
    return None, way[-1]


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
    """The condition under which a line is come to: of the innermost `if`, of the `case` of a `match`, or what was
    tried; where it stands in none of them, that what returns before it did not."""
    module = parsed(filename)
    around = list(enclosing(module, line)) if module is not None else []
    for outer, inner in zip(reversed(around[:-1]), reversed(around[1:]), strict=True):
        found = chosen(outer, inner, line)
        if found is not None:
            return short(found)
    for outer in reversed(around):
        for _, statements in blocks(outer):
            if inside(statements, line):
                found = passed(statements, line)
                if found is not None:
                    return short(found)
    return None


def short(text: str) -> str:
    """A condition, of which no more than so much is shown."""
    return text if len(text) <= CONDITION else text[: CONDITION - 3] + "..."


def enclosing(module: ast.AST, line: int) -> Iterator[ast.AST]:
    """What a line stands in of its function, the outermost first."""
    within: list[ast.AST] = []
    node: ast.AST | None = module
    while node is not None:
        within = [node] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else [*within, node]
        node = next((below for _, below in children(node) if spans(below, line)), None)
    yield from within


def children(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Statements, cases and handlers right in a node."""
    for name, statements in blocks(node):
        yield from ((name, one) for one in statements)
    for one in (*getattr(node, "cases", ()), *getattr(node, "handlers", ())):
        yield "", one


def blocks(node: ast.AST) -> Iterator[tuple[str, list[ast.stmt]]]:
    """The lists of statements right in a node, by what they are of it."""
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        if isinstance(statements, list):
            yield name, statements


def spans(node: ast.AST, line: int) -> bool:
    """Whether a line is one of a node's."""
    if isinstance(node, ast.match_case):
        return inside(node.body, line)
    return isinstance(node, (ast.stmt, ast.ExceptHandler)) and inside([node], line)


def chosen(outer: ast.AST, inner: ast.AST, line: int) -> str | None:
    """What has to be so for a line in a part of a statement; None where it is in any case."""
    if isinstance(outer, ast.If):
        if inside(outer.body, line):
            return ast.unparse(outer.test)
        return None if isinstance(inner, ast.If) and outer.orelse == [inner] else f"not ({ast.unparse(outer.test)})"
    if isinstance(outer, ast.match_case):
        return f"it is {ast.unparse(outer.pattern)}"
    if isinstance(outer, ast.Try) and isinstance(inner, ast.ExceptHandler) and inner.type is not None:
        return f"{ast.unparse(inner.type)} was raised by {ast.unparse(outer.body[0])}"
    return None


def passed(statements: Sequence[ast.stmt], line: int) -> str | None:
    """What was not so, or the function would have been left before a line among statements; of the last that might."""
    before = [one for one in statements if (one.end_lineno or 0) < line]
    for one in reversed(before):
        if isinstance(one, ast.If) and not one.orelse and leaves(one.body):
            return f"not ({ast.unparse(one.test)})"
        if isinstance(one, ast.For):
            tests = [ast.unparse(part.test) for part in ast.walk(one) if isinstance(part, ast.If) and leaves(part.body)]
            if tests:
                return f"for no {ast.unparse(one.target)} in {ast.unparse(one.iter)} is {tests[0]}"
        if isinstance(one, ast.Match) and any(leaves(case.body) for case in one.cases):
            patterns = " nor ".join(ast.unparse(case.pattern) for case in one.cases)
            return f"{ast.unparse(one.subject)} is not {patterns}"
    return None


def leaves(statements: Sequence[ast.stmt]) -> bool:
    """Whether what comes after some statements is not come to from them."""
    return isinstance(statements[-1], (ast.Return, ast.Raise, ast.Continue, ast.Break))


def inside(statements: Sequence[ast.stmt | ast.ExceptHandler], line: int) -> bool:
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
