"""Numbers and truths as the kernel reads them from text that is written to its files (lib/kstrtox.c).

One newline may end a number, and a plus sign begin it; a space is neither. Of what says yes or no only the beginning
is read, so that "yesterday" is yes.
"""

from __future__ import annotations

from errno import EINVAL, ERANGE

from nlemu.protocol.refusal import Refusal

UINT_MAX = 0xFFFFFFFF
ULONG_MAX = 0xFFFFFFFFFFFFFFFF


def kstrtobool(text: str) -> bool:
    """Yes or no. Refusal EINVAL: it is neither."""
    match text[:2].lower():
        case "on":
            return True
        case "of":
            return False
        case word if word[:1] in ("y", "t", "1"):
            return True
        case word if word[:1] in ("n", "f", "0"):
            return False
    raise Refusal(EINVAL)


def kstrtoul(text: str, base: int = 0, limit: int = ULONG_MAX) -> int:
    """A number without a sign, in that base; 0: the one that its beginning tells, as in C. Refusal EINVAL: it is none,
    ERANGE: it is beyond the limit."""
    digits = text.removesuffix("\n").removeprefix("+")
    if not digits.isascii() or not digits.isalnum():  # neither a sign nor a space, nor what int() takes besides
        raise Refusal(EINVAL)
    if base == 0:
        base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    try:
        value = int(digits, base)
    except ValueError:
        raise Refusal(EINVAL) from None
    if value > limit:
        raise Refusal(ERANGE)
    return value


def kstrtouint(text: str, base: int = 0) -> int:
    """The same of 32 bits."""
    return kstrtoul(text, base, UINT_MAX)


def numbers(text: str) -> list[int]:
    """What sscanf("%u %u ...") reads: as many decimal numbers as there are."""
    found = []
    for word in text.split():
        digits = word if word.isdecimal() and word.isascii() else ""
        if not digits:
            break
        found.append(int(digits))
    return found
