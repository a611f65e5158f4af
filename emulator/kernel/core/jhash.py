"""jhash(), by which the kernel makes numbers of bytes (include/linux/jhash.h): Bob Jenkins' lookup3."""

MASK = 0xFFFFFFFF
INITVAL = 0xDEADBEEF
"""JHASH_INITVAL"""
BLOCK = 12


def jhash(key: bytes, initval: int = 0) -> int:
    """A number of 32 bits."""
    a = b = c = INITVAL + len(key) + initval & MASK
    while len(key) > BLOCK:
        a, b, c = _mix(*_added(a, b, c, key[:BLOCK]))
        key = key[BLOCK:]
    return _final(*_added(a, b, c, key)) if key else c


def _added(a: int, b: int, c: int, block: bytes) -> tuple[int, int, int]:
    first, second, third = (int.from_bytes(block[at : at + 4], "little") for at in (0, 4, 8))
    return a + first & MASK, b + second & MASK, c + third & MASK


def _rol(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & MASK


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    """__jhash_mix()."""
    for by in (4, 6, 8, 16, 19, 4):
        a, c = (a - c & MASK) ^ _rol(c, by), c + b & MASK
        a, b, c = b, c, a
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    """__jhash_final()."""
    for by in (14, 11, 25, 16, 4, 14, 24):
        c = (c ^ b) - _rol(b, by) & MASK
        a, b, c = b, c, a
    return b
