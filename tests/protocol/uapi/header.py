"""The numbers of a C header: enums and macros that are numbers, by name.

Only as much C as the uapi headers have: comments, enums, macros without parameters, and expressions of numbers, names,
operators and _BITUL() and its like. What is not a number is left out. Conditions are not looked at: both sides count.
"""

from __future__ import annotations

import ast
import operator
import pathlib
import re
from collections.abc import Callable, Mapping

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+([^\n]+)$", re.MULTILINE)
ENUM = re.compile(r"\benum\b(?:\s+\w+)?\s*\{([^}]*)\}")
NUMBER = re.compile(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b")
OCTAL = re.compile(r"\b0(?=[0-7]+\b)")
BIT = re.compile(r"\b(?:_BITUL|_BITULL|BIT|BIT_ULL)\b")
CAST = re.compile(r"\(\s*(?:__u8|__u16|__u32|__u64|unsigned|int|unsigned int)\s*\)")
OPERATORS: dict[type[ast.AST], Callable[..., int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.LShift: operator.lshift,
    ast.RShift: operator.rshift, ast.BitOr: operator.or_, ast.BitAnd: operator.and_, ast.BitXor: operator.xor,
    ast.USub: operator.neg, ast.Invert: operator.invert, ast.UAdd: operator.pos, ast.Div: operator.floordiv,
}


class NoNumber(Exception):
    """An expression that is something else."""


def numbers(path: pathlib.Path, included: Mapping[str, int] | None = None) -> dict[str, int]:
    """Every number of a header, and those of a header that it includes."""
    text = COMMENT.sub(" ", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    found = dict(included or {})
    macros = {name: body.strip() for name, body in MACRO.findall(text)}
    for body in ENUM.findall(re.sub(r"^[ \t]*#[^\n]*$", "", text, flags=re.MULTILINE)):
        following: int | None = 0
        for entry in split(body):
            name, _, given = (part.strip() for part in entry.partition("="))
            if given:
                try:
                    following = value(given, found, macros)
                except NoNumber:
                    following = None
            if following is not None:
                found.setdefault(name, following)
                following += 1
    for name, body in macros.items():
        if name not in found:
            try:
                found[name] = value(body, found, macros)
            except NoNumber:
                continue
    return found


def split(body: str) -> list[str]:
    """The entries of an enum, at commas that are not in parentheses."""
    entries, depth, start = [], 0, 0
    for at, letter in enumerate(body):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            entries.append(body[start:at])
            start = at + 1
    return [entry for entry in (*entries, body[start:]) if entry.strip()]


def value(text: str, found: Mapping[str, int], macros: Mapping[str, str]) -> int:
    """The value of an expression. Raises NoNumber."""
    plain = OCTAL.sub("0o", NUMBER.sub(r"\1", BIT.sub("1 <<", CAST.sub("", text)))).strip()
    try:
        tree = ast.parse(plain, mode="eval").body
    except SyntaxError as error:
        raise NoNumber(text) from error
    return computed(tree, found, macros)


def computed(node: ast.AST, found: Mapping[str, int], macros: Mapping[str, str]) -> int:
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.Name(id=name) if name in found:
            return found[name]
        case ast.Name(id=name) if name in macros and macros[name] != name:
            return value(macros[name], found, {one: body for one, body in macros.items() if one != name})
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](computed(left, found, macros), computed(right, found, macros))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](computed(operand, found, macros))
    raise NoNumber(ast.dump(node))
