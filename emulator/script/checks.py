"""Checks of values that people and programs write: in traces, in lines for the control socket.

A check says what belongs there when the value is something else, in words for the one who wrote it; None: it is right.
"""

import errno
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

PATTERN = re.compile(r"(?:[0-9a-f]{2}|\.\.)*|![A-Z0-9]+")
LONGEST_SLEEP = 1_000_000_000
"""Seconds, some thirty years: no clock of the model ends before."""
U31_MAX = 0x7FFFFFFF
U32_MAX = 0xFFFFFFFF
U64_MAX = 0xFFFFFFFFFFFFFFFF

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


def name_or_object(value: Any) -> str | None:
    """Checks a name, or an object with whatever in it."""
    return None if isinstance(value, dict) or label(value) is None else "a name or an object"


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


def shown(value: Any) -> str:
    """A value from a file, short enough for a message."""
    written = json.dumps(value)
    return written if len(written) <= 60 else written[:57] + "..."
