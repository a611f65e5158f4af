"""What may stand in a profile of one's own: checks of values, each of which returns what the profile has for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nlemu.emulator.kernel.queues.page_pool import PAGE_SIZE
from nlemu.protocol.uapi.ethtool import ETH_GSTRING_LEN

LARGEST_PAGE = 1 << 21


class ProfileError(ValueError):
    """A profile that cannot be: which key, and what is wrong with it."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(f"{key}: {text}")
        self.key, self.text = key, text


Put = Callable[[str, Any], Any]
"""Takes a key and its value; what a profile has for it. Raises ProfileError."""


def shown(value: Any) -> str:
    """A value, short enough for a message."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def wrong(key: str, wanted: str, value: Any) -> ProfileError:
    """What is said of a value of the wrong sort."""
    return ProfileError(key, f"{wanted} belongs here, and not {shown(value)}")


def number(first: int, last: int) -> Put:
    """A number from first to last."""
    def put(key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not first <= value <= last:
            raise wrong(key, f"a number from {first} to {last}", value)
        return value

    return put


def text(longest: int) -> Put:
    """A text of so many bytes at most."""
    def put(key: str, value: Any) -> str:
        if not isinstance(value, str) or len(value.encode()) > longest or "\0" in value:
            raise wrong(key, f"a text of at most {longest} bytes", value)
        return value

    return put


def boolean(key: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise wrong(key, "true or false", value)
    return value


def page_size(key: str, value: Any) -> int:
    """Bytes of a page that a memory provider may ask for; 0 for none."""
    if value == 0 and value is not False:
        return 0
    size: int = number(PAGE_SIZE, LARGEST_PAGE)(key, value)
    if size & (size - 1):
        raise wrong(key, "a power of two", value)
    return size


def words(known: Iterable[str]) -> Callable[[str, Any], tuple[str, ...]]:
    """A list of such words, none of them twice."""
    there = tuple(known)

    def put(key: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise wrong(key, "a list of words", value)
        for one in value:
            if one not in there:
                raise ProfileError(key, f"there is no {one!r}, but {', '.join(there)}")
        if len(set(value)) < len(value):
            raise ProfileError(key, "says something twice")
        return tuple(value)

    return put


def strings(key: str, value: Any) -> tuple[str, ...]:
    """A list of names as ethtool tells them."""
    if not isinstance(value, list):
        raise wrong(key, "a list of texts", value)
    for one in value:
        text(ETH_GSTRING_LEN - 1)(key, one)
    if not all(value):
        raise wrong(key, "a list of texts that are not empty", value)
    return tuple(value)


def table(key: str, value: Any, known: Iterable[str] = ()) -> Mapping[str, Any]:
    """A table with some of these keys; of any, if none are given."""
    if not isinstance(value, Mapping):
        raise wrong(key, "a table", value)
    there = tuple(known)
    for inner in value:
        if there and inner not in there:
            raise ProfileError(f"{key}.{inner}", f"there is no such key; there are {', '.join(there)}")
    return value


def members(key: str, value: Any, known: Mapping[str, Put]) -> dict[str, Any]:
    """The values of a table, each as its key has it."""
    return {inner: known[inner](f"{key}.{inner}", one) for inner, one in table(key, value, known).items()}


def underlined(name: str) -> str:
    """A word of the specification as a name."""
    return name.replace("-", "_")
