"""What can be done to a machine by name: the steps of a trace and the verbs of the control socket, as data.

One step is one JSON object. Its verb is the field that says what is done, and its other fields say how; a `netns` is a
verb when it is alone, and otherwise the place where something is done. Fields that only a trace has (what came of a
step, a remark) are let through, so that the lines of a trace can be pasted into the control socket.

Everything is checked before anything is done: whoever gets a step from `check()` can rely on names and types.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from protocol.uapi.netlink import NetlinkProtocol

U32 = (1 << 32) - 1
S32 = (1 << 31) - 1
LONGEST_SLEEP = 1_000_000_000
NETLINK_OPTION_MAX = 64

NOTES = frozenset({"about", "got", "error"})
"""What a trace may say beside a step."""


class StepError(Exception):
    """A step that cannot be performed because of how it was asked for: one line for people."""


class NotYet(StepError):
    """A step of a kind that the emulator does not know how to perform yet."""


@dataclass(frozen=True)
class Field:
    """One field of a step. takes: what it has to be, for people."""

    name: str
    takes: str
    fits: Callable[[Any], bool]
    required: bool = True

    def optional(self) -> Field:
        """The same, but it may be left out."""
        return Field(self.name, self.takes, self.fits, False)


def _text(name: str) -> Field:
    return Field(name, "a name", lambda value: isinstance(value, str) and bool(value))


def _is_number(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(name: str, least: int, most: int) -> Field:
    return Field(name, f"a number from {least} to {most}", lambda value: _is_number(value, least, most))


def _is_list(value: object, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(fits(item) for item in value)


def _is_pair(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2


def _is_option(value: Any) -> bool:
    return _is_pair(value) and _is_number(value[0], 0, NETLINK_OPTION_MAX) and _is_number(value[1], -S32 - 1, S32)


def _is_options(value: object) -> bool:
    return _is_list(value, _is_option)


def _is_patch(value: Any) -> bool:
    return _is_pair(value) and _is_number(value[0], 0, U32) and isinstance(value[1], str)


def _is_patches(value: object) -> bool:
    return _is_list(value, _is_patch)


def _is_protocol(value: object) -> bool:
    return _is_number(value, 0, U32) and value in (NetlinkProtocol.ROUTE, NetlinkProtocol.GENERIC)


def _is_hex(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        bytes.fromhex(value)
    except ValueError:
        return False
    return True


def _is_nsim(value: object) -> bool:
    return _is_list(value, lambda item: _is_number(item, 0, U32)) and isinstance(value, list) and 1 <= len(value) <= 3


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_SLEEP


def _is_true(value: object) -> bool:
    return value is True


NETNS = _text("netns")
PATCHES = "a list of pairs, an offset and a name"
PROGRAM = (NETNS.optional(), _number("ifindex", 0, S32), _number("queue", 0, U32))

TRACE_VERBS: dict[str, tuple[Field, ...]] = {
    "open": (
        _text("open"),
        NETNS.optional(),
        Field("proto", "0 (route) or 16 (generic)", _is_protocol).optional(),
        _number("port", 0, U32).optional(),
        Field("opts", "a list of pairs of numbers, an option and its value", _is_options).optional(),
        _number("groups", 0, U32).optional(),
        _number("uid", 0, U32).optional(),
    ),
    "opt": (_text("opt"), _number("name", 0, NETLINK_OPTION_MAX), _number("value", -S32 - 1, S32)),
    "close": (_text("close"),),
    "send": (
        _text("send"),
        Field("hex", "bytes in hex", _is_hex),
        Field("patch_fd", PATCHES, _is_patches).optional(),
        Field("patch_dmabuf", PATCHES, _is_patches).optional(),
    ),
    "netns_del": (_text("netns_del"),),
    "nsim_new": (Field("nsim_new", "a list of numbers: an id, how many ports (1), how many queues (1)", _is_nsim),),
    "nsim_del": (_number("nsim_del", 0, U32),),
    "xsk": (_text("xsk"), *PROGRAM, _number("flags", 0, U32).optional()),
    "zcrx": (_text("zcrx"), *PROGRAM, _number("rx_buf_len", 0, U32).optional()),
    "dmabuf": (_text("dmabuf"),),
    "end": (_text("end"),),
    "sleep": (Field("sleep", f"seconds, from 0 to {LONGEST_SLEEP}", _is_seconds),),
    "netns": (NETNS,),
}
"""The steps of a trace; the first field of each is the verb itself."""

CONTROL_VERBS: dict[str, tuple[Field, ...]] = {
    **{verb: fields for verb, fields in TRACE_VERBS.items() if verb not in ("send", "xsk", "zcrx", "dmabuf", "end")},
    "open": (*TRACE_VERBS["open"], _number("pid", 0, S32).optional()),
    "state": (Field("state", "true", _is_true),),
    "reset": (Field("reset", "true", _is_true),),
}
"""What the control socket does. There is no `send`: who opens a socket gets it, and sends himself."""


def check(step: object, verbs: Mapping[str, tuple[Field, ...]] = TRACE_VERBS) -> tuple[str, dict[str, Any]]:
    """The verb of a step, and its fields. Raises StepError naming the field and what it takes."""
    if not isinstance(step, dict):
        raise StepError(f"a step is a JSON object, not {shown(step)}")
    found = [verb for verb in verbs if verb in step]
    if found[1:] and "netns" in found:
        found.remove("netns")
    if not found:
        raise StepError(f"no verb; one of these is needed: {', '.join(verbs)}")
    if len(found) > 1:
        raise StepError(f"one verb at a time, and these are {len(found)}: {', '.join(found)}")
    verb = found[0]
    fields = verbs[verb]
    for name in step.keys() - {field.name for field in fields} - NOTES:
        others = ", ".join(field.name for field in fields[1:]) or "no more than that"
        raise StepError(f"{verb}: there is no field {shown(name)}; it takes {others}")
    for field in fields:
        if field.name in step:
            if not field.fits(step[field.name]):
                raise StepError(f"{verb}: {field.name} takes {field.takes}, not {shown(step[field.name])}")
        elif field.required:
            raise StepError(f"{verb}: {field.name} is missing; it takes {field.takes}")
    return verb, {field.name: step[field.name] for field in fields if field.name in step}


def shown(value: object) -> str:
    """A value in a message: as JSON, and not too long."""
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."
