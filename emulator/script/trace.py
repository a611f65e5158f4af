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
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

VERSION = 1

PATTERN = re.compile(r"(?:[0-9a-f]{2}|\.\.)*|![A-Z0-9]+")
LONGEST_SLEEP = 1_000_000_000
"""Seconds, some thirty years: no clock of the model ends before."""
U31_MAX = 0x7FFFFFFF
U32_MAX = 0xFFFFFFFF
U64_MAX = 0xFFFFFFFFFFFFFFFF


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


# -- what a step must have -----------------------------------------------------------------------------

# A check says what belongs there when the value is something else.
Check = Callable[[Any], str | None]


def label(value: Any) -> str | None:
    """Checks a name."""
    return None if isinstance(value, str) and value else "a name"


def text(value: Any) -> str | None:
    """Checks a text."""
    return None if isinstance(value, str) else "a text"


def true(value: Any) -> str | None:
    """Checks that it is true."""
    return None if value is True else "true"


def true_or_name(value: Any) -> str | None:
    """Checks that it is true, or a name."""
    return None if value is True or label(value) is None else "true or a name"


def name_or_number(value: Any) -> str | None:
    """Checks a device's name or index."""
    return None if label(value) is None or u31(value) is None else "a name or a number"


def an_object(value: Any) -> str | None:
    """Checks an object, whatever is in it."""
    return None if isinstance(value, dict) else "an object"


def probability(value: Any) -> str | None:
    """Checks a probability."""
    return None if type(value) in (int, float) and 0 <= value <= 1 else "a number from 0 to 1"


def u32(value: Any) -> str | None:
    """Checks a u32."""
    return None if type(value) is int and 0 <= value <= U32_MAX else f"a number from 0 to {U32_MAX}"


def u64(value: Any) -> str | None:
    """Checks a u64."""
    return None if type(value) is int and 0 <= value <= U64_MAX else f"a number from 0 to {U64_MAX}"


def u31(value: Any) -> str | None:
    """Checks a number that an s32 holds and that is not negative."""
    return None if type(value) is int and 0 <= value <= U31_MAX else f"a number from 0 to {U31_MAX}"


def boolean(value: Any) -> str | None:
    """Checks a value that is true or false."""
    return None if type(value) is bool else "true or false"


def integer(value: Any) -> str | None:
    """Checks a whole number."""
    return None if type(value) is int else "a whole number"


def seconds(value: Any) -> str | None:
    """Checks a time in seconds."""
    fits = type(value) in (int, float) and 0 <= value <= LONGEST_SLEEP
    return None if fits else f"a number of seconds up to {LONGEST_SLEEP}"


def datagram(value: Any) -> str | None:
    """Checks bytes in hexadecimal digits."""
    digits = isinstance(value, str) and re.fullmatch(r"(?:[0-9a-fA-F]{2})*", value)
    return None if digits else "an even number of hexadecimal digits"


def answer(value: Any) -> str | None:
    """Checks the pattern of a datagram."""
    if isinstance(value, str) and PATTERN.fullmatch(value):
        return errno_name(value[1:]) if value.startswith("!") else None
    return "hexadecimal digits (.. for any byte) or ! and an errno"


def errno_name(value: Any) -> str | None:
    """Checks the name of an errno."""
    known = isinstance(value, str) and value.startswith("E") and isinstance(getattr(errno, value, None), int)
    return None if known else "the name of an errno"


def one_of(*numbers: int) -> Check:
    """A check for one of those numbers."""
    listed = " or ".join(map(str, numbers))
    return lambda value: None if type(value) is int and value in numbers else listed


def word_of(*words: str) -> Check:
    """A check for one of those words."""
    listed = " or ".join(words)
    return lambda value: None if value in words else listed


def tuple_of(*checks: Check) -> Check:
    """A check for a list whose elements have a check each."""
    def check(value: Any) -> str | None:
        if not isinstance(value, list) or len(value) != len(checks):
            return f"a list of {len(checks)}"
        return within(f"a list of {len(checks)}", zip(checks, value, strict=True))

    return check


def list_of(check: Check) -> Check:
    """A check for a list."""
    return lambda value: within("a list", ((check, v) for v in value)) if isinstance(value, list) else "a list"


def table_of(check: Check) -> Check:
    """A check for an object, by its values."""
    def checks(value: Any) -> str | None:
        return within("an object", ((check, v) for v in value.values())) if isinstance(value, dict) else "an object"

    return checks


def within(what: str, pairs: Iterable[tuple[Check, Any]]) -> str | None:
    """The first complaint about what stands inside a list or an object."""
    for check, value in pairs:
        if (wanted := check(value)) is not None:
            return f"{what} in which {shown(value)} is {wanted}"
    return None


@dataclass(frozen=True)
class Verb:
    """What a verb takes: checks of its subject, of the arguments it needs, and of those it may have."""

    subject: Check
    needs: Mapping[str, Check] = field(default_factory=dict)
    takes: Mapping[str, Check] = field(default_factory=dict)


AIM: Mapping[str, Check] = {
    "netns": label, "port": u32, "device": name_or_number, "where": an_object, "skip": u31, "count": u31,
    "chance": probability, "seed": u32, "name": label,
}
"""Whom a fault is for: emulator/script/faults.py."""

VERBS: Mapping[str, Verb] = {
    "fault": Verb(
        label,
        takes={
            "errno": errno_name, "text": text, "at": label, "after": u31, "split": u31, "then": an_object, **AIM,
        },
    ),
    "interrupt": Verb(label, takes={"after": u31, **AIM}),
    "notice": Verb(
        label, needs={"fate": word_of("lose", "duplicate", "delay", "swap")}, takes={"seconds": seconds, **AIM}
    ),
    "lose": Verb(label, takes={"count": u31}),
    "heal": Verb(true_or_name),
    "netns": Verb(label),
    "netns_del": Verb(label),
    "nsim_new": Verb(tuple_of(u32, u32, u32)),
    "nsim_del": Verb(u32),
    "nsim_vfs": Verb(tuple_of(u32, u32)),
    "open": Verb(
        label,
        needs={"proto": u32},
        takes={
            "netns": label, "port": u32, "opts": list_of(tuple_of(integer, integer)), "uid": u32, "rcvbuf": u32,
        },
    ),
    "opt": Verb(label, needs={"name": integer, "value": integer}),
    "close": Verb(label),
    "send": Verb(
        label,
        needs={"hex": datagram},
        takes={
            "patch_fd": list_of(tuple_of(u32, label)), "patch_dmabuf": list_of(tuple_of(u32, label)), "pause": seconds,
        },
    ),
    "xsk": Verb(
        label,
        needs={"ifindex": u32, "queue": u32},
        takes={"netns": label, "flags": u32, "uid": u32, "shared": label, "chunk_size": u32, "headroom": u32},
    ),
    "xdp": Verb(label, needs={"ifindex": u32}, takes={"netns": label, "flags": u32, "frags": boolean}),
    "zcrx": Verb(
        label,
        needs={"ifindex": u32, "queue": u32},
        takes={"netns": label, "rx_buf_len": u32, "uid": u32, "contiguous": u32},
    ),
    "dmabuf": Verb(label, takes={"pages": u32}),
    "tun": Verb(label, needs={"flags": u32}, takes={"netns": label, "ifname": text, "ifindex": u32, "uid": u32}),
    "tun_set": Verb(
        label,
        needs={
            "what": word_of("persist", "owner", "group", "link", "offload", "queue", "sndbuf", "carrier"),
            "value": integer,
        },
    ),
    "end": Verb(label),
    "sleep": Verb(seconds),
    # What is done to the emulator only: no kernel has devices that come when they are called.
    "nic_new": Verb(
        label,
        needs={"profile": label},
        takes={
            "netns": label, "name": label, "queues": u32, "address": text, "bus": label, "dma": boolean,
            "functions": u32, "hds_thresh": u32, "max_queues": u32, "netmem_tx": boolean, "queue_mgmt": boolean,
            "numa_node": u31, "total_vfs": u32, "vfs": u32, "rx_page_size": u32, "speed": u32,
            "xdp_features": u32, "xdp_zc_max_segs": u32,
        },
    ),
    "nic_del": Verb(label),
    "traffic": Verb(
        u32,
        takes={
            "netns": label, "queue": u32, "rx_packets": u64, "rx_bytes": u64, "tx_packets": u64, "tx_bytes": u64,
        },
    ),
    "stats": Verb(u32, takes={"netns": label, "set": table_of(u64), "add": table_of(u64)}),
    "queue_stats": Verb(
        u32,
        needs={"type": word_of("rx", "tx")},
        takes={"netns": label, "queue": u32, "set": table_of(u64), "add": table_of(u64)},
    ),
    "napi": Verb(u32, takes={"netns": label, "irq": u31, "pid": u31}),
    "page_pool": Verb(
        u32, takes={"netns": label, "take": u32, "put": u32, "set": table_of(u64), "add": table_of(u64)}
    ),
}

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


def shown(value: Any) -> str:
    """A value from a file, short enough for a message."""
    written = json.dumps(value)
    return written if len(written) <= 60 else written[:57] + "..."


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
