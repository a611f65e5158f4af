"""Where a function refuses, and with what: every place in it that makes a Refusal.

errno and text are read off the source: of a constant they are known, of what is worked out they are not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType

from nlemu.emulator.coverage.code.expressions import Scope
from nlemu.emulator.coverage.code.known import Function
from nlemu.emulator.coverage.code.source import node_of, nodes
from nlemu.protocol.decode.printer import errno_name
from nlemu.protocol.refusal import Refusal

FUNCTION = re.compile(r"\b_{0,3}[a-z][a-z0-9]*(?:_[a-z0-9]+)+\(\)")
"""The kernel's functions as docstrings name them: words with underscores, and parentheses."""
OPEN = "..."
"""What stands in a text for what is put in as it is made."""


@dataclass(frozen=True)
class Site:
    """One place that refuses, with one errno and text. file, first, last: where; errno: its name, None where it is
    worked out; text: None for none, with OPEN for what is put in; kernel: the function of the kernel that the docstring
    around it names."""

    file: str
    first: int
    last: int
    errno: str | None
    text: str | None
    kernel: str | None

    def is_met_by(self, name: str, text: str | None) -> bool:
        """Whether a refusal that came from here is this one."""
        if self.errno is not None and self.errno != name:
            return False
        if self.text == OPEN:
            return True
        if self.text is None or text is None:
            return self.text is text
        return re.fullmatch(".*".join(map(re.escape, self.text.split(OPEN))), text, re.DOTALL) is not None


def refusals(node: ast.AST, scope: Scope, function: FunctionType, swallowed: set[ast.AST]) -> Iterator[Site]:
    """The places in a function. swallowed: what is in blocks that nothing comes out of."""
    raised = set()
    for one in nodes(node):
        if one in swallowed:
            continue
        if isinstance(one, ast.Raise) and isinstance(one.exc, ast.Call):
            raised.add(one.exc)
            yield from _made(one, one.exc, scope, function)
        elif isinstance(one, ast.Call) and one not in raised and _is_refusal(one, scope):
            yield from _made(one, one, scope, function)


def _is_refusal(call: ast.Call, scope: Scope) -> bool:
    return isinstance(call.func, ast.Name) and any(one is Refusal for one in scope.objects(call.func.id))


def _made(place: ast.Raise | ast.Call, call: ast.Call, scope: Scope, function: FunctionType) -> Iterator[Site]:
    if _is_refusal(call, scope):
        names = list(errnos(call.args[0], scope)) if call.args else [None]
        texts = list(words(call.args[1], scope)) if len(call.args) > 1 else [None]
    else:  # a function of ours that makes one: what it is given is the text
        makers = [one for one in scope.known(call.func) if isinstance(one, Function)]
        if not makers or "Refusal" not in str(makers[0].function.__annotations__.get("return", "")):
            return
        names, texts = list(_of_maker(makers[0].function)), [None]
        given = [one for one in call.args if isinstance(one, (ast.Constant, ast.JoinedStr))]
        if given:
            texts = list(words(given[0], scope))
    kernel = FUNCTION.search(function.__doc__ or "")
    for name in dict.fromkeys(names):
        for text in dict.fromkeys(texts):
            yield Site(
                function.__code__.co_filename, place.lineno, place.end_lineno or place.lineno, name, text,
                kernel[0] if kernel else None,
            )


def _of_maker(function: FunctionType) -> Iterator[str | None]:
    node, scope = node_of(function), Scope(function, None)
    found = [
        name for one in (nodes(node) if node is not None else ())
        if isinstance(one, ast.Call) and _is_refusal(one, scope) and one.args for name in errnos(one.args[0], scope)
    ]
    yield from found or [None]


def errnos(node: ast.expr, scope: Scope) -> Iterator[str | None]:
    """The names of the errnos that an expression can be; None for one that is not known."""
    match node:
        case ast.Attribute(value=ast.Name(id="errno"), attr=name):
            yield name
        case ast.IfExp(body=body, orelse=orelse):
            yield from errnos(body, scope)
            yield from errnos(orelse, scope)
        case ast.Constant(value=int(number)):
            yield str(errno_name(number))
        case ast.Name(id=name):
            found = [one for one in scope.objects(name) if isinstance(one, int)]
            yield from (str(errno_name(one)) for one in found) if found else (None,)
        case _:
            yield None


def words(node: ast.expr, scope: Scope, depth: int = 2) -> Iterator[str | None]:
    """The texts that an expression can be."""
    match node:
        case ast.Constant(value=None):
            yield None
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            yield "".join(
                str(one.value) if isinstance(one, ast.Constant) else _shown(one, scope) for one in values
            )
        case ast.IfExp(body=body, orelse=orelse):
            yield from words(body, scope)
            yield from words(orelse, scope)
        case ast.Call(func=ast.Name(id="formatted"), args=[inner]):
            yield from words(inner, scope)
        case ast.Name(id=name):
            found = [one for one in scope.objects(name) if isinstance(one, str)]
            bound = scope.bound(name) if depth else [None]
            if found or not bound:
                yield from found or [OPEN]
            for one in bound if not found else ():
                yield from [OPEN] if one is None else words(one, scope, depth - 1)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from (f"{one}{two}" for one in words(left, scope) for two in words(right, scope))
        case _:
            yield OPEN


def _shown(node: ast.expr, scope: Scope) -> str:
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
        found = [one for one in scope.objects(node.value.id) if isinstance(one, (str, int))]
        if found:
            return str(found[0])
    return OPEN
