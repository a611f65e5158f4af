"""Traces: what was done to a kernel, step by step, and what came of it. The format is told in fixtures/README.md.

A trace is a file of JSON Lines. It is written by machines and read by people, so what stands in a line is kept as it
stands, unknown keys and the order of keys included: what was read can be written again byte for byte. What a step
must have to mean anything is checked once, on reading, from a table of the verbs; whoever performs the steps may rely
on it. A file that is wrong ends in one line that says where and how (TraceError).

Answers are patterns: hexadecimal digits, where ``..`` stands for a byte that differs from one boot to the next, or
``!`` and the name of an errno for a receive that failed.
"""

import errno
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from nlemu.emulator.script.checks import (
    Check,
    answer,
    errno_name,
    list_of,
    one_of,
    shown,
    table_of,
    text,
    u32,
)
from nlemu.emulator.script.verbs import VERBS, Verb

VERSION = 1



class TraceError(ValueError):
    """A trace that cannot be read: one line, with the file and the number of the line where they are known."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: on which kernel the trace was recorded.

    ``families`` are the numbers of the generic netlink families by name. ``netdevsim`` is "dma" for the kernel whose
    netdevsim devices can do DMA, else None. ``config``: how it was configured, "distribution" or the narrow "recorded",
    which the header does not say.
    """

    about: str
    kernel: str
    cpus: int
    families: Mapping[str, int]
    netdevsim: str | None = None
    config: str = "recorded"
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Keys that this module does not know."""

    def fields(self) -> dict[str, Any]:
        """The header as the object that stands in the file."""
        known: dict[str, Any] = {
            "trace": VERSION,
            "about": self.about,
            "kernel": self.kernel,
            "cpus": self.cpus,
            "families": dict(self.families),
        }
        if self.netdevsim is not None:
            known["netdevsim"] = self.netdevsim
        if self.config != "recorded":
            known["config"] = self.config
        return known | dict(self.extra)


@dataclass(frozen=True, slots=True)
class Step:
    """One line after the first. Made by step_of(), which checks it; ``step["hex"]`` is an argument."""

    verb: str
    fields: Mapping[str, Any]
    """The whole object as it stands in the file."""
    line: int = field(default=0, compare=False)
    """Where in the file, counted from 1; 0 if it comes from elsewhere."""

    def __getitem__(self, key: str) -> Any:
        return self.fields[key]

    def get(self, key: str, default: Any = None) -> Any:
        """An argument of the step, or the default."""
        return self.fields.get(key, default)

    @property
    def subject(self) -> Any:
        """What the verb is done to: the name of a socket, a namespace or a program, the number of a device ..."""
        return self.fields[self.verb]

    @property
    def about(self) -> str | None:
        """What it is for, for people."""
        return self.fields.get("about")

    @property
    def got(self) -> Mapping[str, Sequence[str]]:
        """What each socket had to read afterwards, as patterns. Sockets with nothing to read are not mentioned."""
        got: Mapping[str, Sequence[str]] = self.fields.get("got", {})
        return got

    @property
    def error(self) -> int:
        """The positive errno number with which the step was refused; 0 if it was not."""
        name = self.fields.get("error")
        return 0 if name is None else int(getattr(errno, name))

    def answered(self, got: Mapping[str, Sequence[str]], error: int = 0) -> "Step":
        """The same step with another outcome."""
        fields = {key: value for key, value in self.fields.items() if key not in ("got", "error")}
        if error:
            fields["error"] = errno.errorcode[error]
        if got:
            fields["got"] = {socket: list(datagrams) for socket, datagrams in got.items()}
        return Step(self.verb, fields, self.line)


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole trace: its header, and its steps."""

    header: Header
    steps: Sequence[Step]
    name: str = field(default="", compare=False)
    """The file it came from, as it was named."""


# -- answers -----------------------------------------------------------------------------------------


def text_of(received: bytes | OSError) -> str:
    """What a receive gave, as it is written in a trace: a datagram, or the error with which it failed."""
    if isinstance(received, OSError):
        return "!" + errno.errorcode[received.errno or 0]
    return received.hex()


@lru_cache(maxsize=1024)
def open_bytes(pattern: str) -> tuple[bytes, frozenset[int]]:
    """A datagram's pattern as bytes, zero where any byte will do, and the offsets where it will."""
    offsets = frozenset(at // 2 for at in range(0, len(pattern), 2) if pattern[at] == ".")
    return bytes.fromhex(pattern.replace("..", "00")), offsets


def matches(pattern: str, received: bytes | OSError) -> bool:
    """Whether what a receive gave is what the pattern says."""
    if isinstance(received, OSError) or pattern.startswith("!"):
        return isinstance(received, OSError) and pattern == text_of(received)
    if "." not in pattern:
        return bytes.fromhex(pattern) == received
    expected, offsets = open_bytes(pattern)
    if len(expected) != len(received):
        return False
    return bytes(0 if at in offsets else byte for at, byte in enumerate(received)) == expected


OUTCOME: Mapping[str, Check] = {"about": text, "got": table_of(list_of(answer)), "error": errno_name}

HEADER_FIELDS: Mapping[str, Check] = {
    "trace": one_of(VERSION),
    "about": text,
    "kernel": text,
    "cpus": u32,
    "families": table_of(u32),
}
OPTIONAL_HEADER: Mapping[str, Check] = {"netdevsim": text, "config": text}


def step_of(fields: Any, line: int = 0) -> Step:
    """The step that an object describes. Raises TraceError (without a place) for an object that describes none."""
    if not isinstance(fields, dict):
        raise TraceError(f"a step is an object, and not {shown(fields)}")
    verbs = verbs_in(fields, VERBS)
    if not verbs:
        raise TraceError(f"no step is known by any of {', '.join(map(repr, fields)) or 'no keys at all'}")
    if len(verbs) > 1:
        raise TraceError(f"{' and '.join(map(repr, verbs))} are two steps")
    step = checked(fields, verbs[0], VERBS, line)
    for key in ("patch_fd", "patch_dmabuf"):
        for offset, _ in fields.get(key, ()) if step.verb == "send" else ():
            if offset + 4 > len(fields["hex"]) // 2:
                raise TraceError(f"{key!r}: four bytes at {offset} are outside the datagram")
    return step


def verbs_in(fields: Mapping[str, Any], known: Mapping[str, Verb]) -> list[str]:
    """The verbs that stand in an object. `netns` is one only where there is no other, whose argument it is then."""
    verbs = [key for key in fields if key in known]
    return [key for key in verbs if key != "netns"] or verbs


def checked(fields: Mapping[str, Any], name: str, known: Mapping[str, Verb], line: int = 0) -> Step:
    """The step of that verb, whose arguments and outcome are what they should be. Raises TraceError."""
    verb = known[name]
    demand(fields, {name: verb.subject, **verb.needs}, repr(name))
    permit(fields, {**verb.takes, **OUTCOME})
    return Step(name, fields, line)


def header_of(fields: Any) -> Header:
    """The header that an object describes. Raises TraceError (without a place) for one that describes none."""
    if not isinstance(fields, dict):
        raise TraceError(f"a header is an object, and not {shown(fields)}")
    permit(fields, {"trace": HEADER_FIELDS["trace"]})  # first of all: another version may need other things
    demand(fields, HEADER_FIELDS, "the header")
    permit(fields, OPTIONAL_HEADER)
    known = {key: fields[key] for key in HEADER_FIELDS if key != "trace"}
    optional = {key: fields[key] for key in OPTIONAL_HEADER if key in fields}
    extra = {key: value for key, value in fields.items() if key not in HEADER_FIELDS and key not in optional}
    return Header(**known, **optional, extra=extra)


def demand(fields: Mapping[str, Any], checks: Mapping[str, Check], whose: str) -> None:
    """Refuses fields that lack one of those, or have it wrong. Raises TraceError; whose: what it says needs them."""
    for key in checks:
        if key not in fields:
            raise TraceError(f"{whose} needs {key!r}")
    permit(fields, checks)


def permit(fields: Mapping[str, Any], checks: Mapping[str, Check]) -> None:
    """Refuses fields of which one of those is wrong. Raises TraceError."""
    for key, check in checks.items():
        if key in fields and (wanted := check(fields[key])) is not None:
            raise TraceError(f"{key!r} should be {wanted}, and not {shown(fields[key])}")


# -- files -----------------------------------------------------------------------------------------------


def read(path: str | Path) -> Trace:
    """The trace in a file. Raises TraceError if it is not one, OSError if there is none."""
    try:
        content = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TraceError(f"{path}: not UTF-8 (byte {error.start})") from None
    return parse(content, str(path))


def parse(content: str, name: str = "trace") -> Trace:
    """The trace that a text describes; ``name`` is what errors call the file. Empty lines mean nothing."""
    header: Header | None = None
    steps: list[Step] = []
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            if header is None:
                header = header_of(fields)
            else:
                steps.append(step_of(fields, number))
        except json.JSONDecodeError as error:
            raise TraceError(f"{name}:{number}: not JSON: {error.msg} (column {error.colno})") from None
        except RecursionError:
            raise TraceError(f"{name}:{number}: nested too deeply") from None
        except TraceError as error:
            raise TraceError(f"{name}:{number}: {error}") from None
    if header is None:
        raise TraceError(f"{name}: empty; a trace begins with a header")
    return Trace(header, steps, name)


def render(trace: Trace) -> str:
    """The text of a trace: what parse() reads."""
    lines = [trace.header.fields(), *(dict(step.fields) for step in trace.steps)]
    return "".join(json.dumps(fields) + "\n" for fields in lines)


def write(path: str | Path, trace: Trace) -> None:
    """Puts a trace into a file, in place of what it held. Raises OSError."""
    Path(path).write_text(render(trace), encoding="utf-8", newline="\n")
