"""uapi/linux/fib_rules.h: what a routing rule does."""

from enum import IntEnum


class FR_ACT(IntEnum):
    """action of struct fib_rule_hdr: FR_ACT_*."""

    UNSPEC = 0
    TO_TBL = 1
    GOTO = 2
    NOP = 3
    RES3 = 4
    RES4 = 5
    BLACKHOLE = 6
    UNREACHABLE = 7
    PROHIBIT = 8
