"""How long addresses live, and when to look again (addrconf_timeout_fixup() and the timers of addrconf.c, devinet.c).

Ends of lifetimes are served in batches: a look-around takes what is due within 20 ms, and the next one is set to a
whole second, so an address may outlive its time by one.
"""

from __future__ import annotations

from enum import Enum, auto

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC

INFINITY = 0xFFFFFFFF
"""INFINITY_LIFE_TIME, in seconds."""
FUZZ_MINUS = NSEC_PER_SEC // 50
"""ADDRCONF_TIMER_FUZZ_MINUS"""
FUZZ = NSEC_PER_SEC // 4
"""ADDRCONF_TIMER_FUZZ"""
LEAST = NSEC_PER_SEC
"""ADDRCONF_TIMER_FUZZ_MAX: the time between two looks."""
LONGEST = 120 * NSEC_PER_SEC
"""ADDR_CHECK_FREQUENCY"""


class Stage(Enum):
    """What has become of an address."""

    PREFERRED = auto()
    DEPRECATED = auto()
    OVER = auto()


def stage(now: int, since: int, preferred: int, valid: int) -> tuple[Stage, int]:
    """What has become of an address of those lifetimes, in seconds, and when to look at it again."""
    latest, seconds = first_look(now), age(now, since)
    if valid != INFINITY and seconds >= valid:
        return Stage.OVER, latest
    if preferred == INFINITY:
        return Stage.PREFERRED, latest
    if seconds < preferred:
        return Stage.PREFERRED, min(latest, end(since, preferred))
    return Stage.DEPRECATED, latest if valid == INFINITY else min(latest, end(since, valid))


def age(now: int, since: int) -> int:
    """In whole seconds, a little rounded up."""
    return (now - since + FUZZ_MINUS) // NSEC_PER_SEC


def end(since: int, seconds: int) -> int:
    """When that many seconds are over."""
    return since + seconds * NSEC_PER_SEC


def first_look(now: int) -> int:
    """The latest time for the next look."""
    return _round_up(now + LONGEST)


def next_look(now: int, wanted: int) -> int:
    """When to look again if something happens at ``wanted``."""
    rounded = _round_up(wanted)
    if rounded < wanted + FUZZ:
        wanted = rounded
    return max(wanted, now + LEAST)


def _round_up(time: int) -> int:
    """round_jiffies_up()."""
    return time - time % NSEC_PER_SEC + NSEC_PER_SEC


def left(now: int, since: int, preferred: int, valid: int) -> tuple[int, int]:
    """What is left of both lifetimes, in seconds: an infinite preferred lifetime leaves the other one alone."""
    if preferred == INFINITY:
        return preferred, valid
    gone = (now - since) // NSEC_PER_SEC
    preferred = max(preferred - gone, 0)
    if valid != INFINITY:
        valid = max(valid - gone, 0)
    return preferred, valid
