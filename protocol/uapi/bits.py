"""Words of flags, as the kernel's headers name them.

`~` gives all the other bits, as it does in C. What Python makes of it for an IntFlag are the bits that have a name, and
`flags & ~KNOWN` would never find what is not known.
"""

from enum import EnumType, IntFlag
from typing import Any


def _others(self: IntFlag) -> int:
    return ~int(self)


class BitsType(EnumType):
    """Puts `~` into every class of flags: EnumType gives each IntFlag its own, whatever the class inherits."""

    def __new__(metacls, *arguments: Any, **options: Any) -> Any:
        made: Any = super().__new__(metacls, *arguments, **options)
        made.__invert__ = _others
        return made


class Bits(IntFlag, metaclass=BitsType):
    """Bits of a word, which may hold others that have no name here."""

    def __invert__(self) -> int:  # type: ignore[override]
        return _others(self)
