"""Link modes: enum ethtool_link_mode_bit_indices, by the names that ethtool shows (link_mode_names of
net/ethtool/common.c), and what each says of a link (link_mode_params).

A name's place in LINK_MODES is its bit number. A set of modes is an integer with a bit a mode.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from nlemu.protocol.uapi.ethtool import Duplex

LINK_MODES = (
    "10baseT/Half", "10baseT/Full", "100baseT/Half", "100baseT/Full", "1000baseT/Half", "1000baseT/Full", "Autoneg",
    "TP", "AUI", "MII", "FIBRE", "BNC", "10000baseT/Full", "Pause", "Asym_Pause", "2500baseX/Full", "Backplane",
    "1000baseKX/Full", "10000baseKX4/Full", "10000baseKR/Full", "10000baseR_FEC", "20000baseMLD2/Full",
    "20000baseKR2/Full", "40000baseKR4/Full", "40000baseCR4/Full", "40000baseSR4/Full", "40000baseLR4/Full",
    "56000baseKR4/Full", "56000baseCR4/Full", "56000baseSR4/Full", "56000baseLR4/Full", "25000baseCR/Full",
    "25000baseKR/Full", "25000baseSR/Full", "50000baseCR2/Full", "50000baseKR2/Full", "100000baseKR4/Full",
    "100000baseSR4/Full", "100000baseCR4/Full", "100000baseLR4_ER4/Full", "50000baseSR2/Full", "1000baseX/Full",
    "10000baseCR/Full", "10000baseSR/Full", "10000baseLR/Full", "10000baseLRM/Full", "10000baseER/Full",
    "2500baseT/Full", "5000baseT/Full", "None", "RS", "BASER", "50000baseKR/Full", "50000baseSR/Full",
    "50000baseCR/Full", "50000baseLR_ER_FR/Full", "50000baseDR/Full", "100000baseKR2/Full", "100000baseSR2/Full",
    "100000baseCR2/Full", "100000baseLR2_ER2_FR2/Full", "100000baseDR2/Full", "200000baseKR4/Full",
    "200000baseSR4/Full", "200000baseLR4_ER4_FR4/Full", "200000baseDR4/Full", "200000baseCR4/Full", "100baseT1/Full",
    "1000baseT1/Full", "400000baseKR8/Full", "400000baseSR8/Full", "400000baseLR8_ER8_FR8/Full", "400000baseDR8/Full",
    "400000baseCR8/Full", "LLRS", "100000baseKR/Full", "100000baseSR/Full", "100000baseLR_ER_FR/Full",
    "100000baseCR/Full", "100000baseDR/Full", "200000baseKR2/Full", "200000baseSR2/Full",
    "200000baseLR2_ER2_FR2/Full", "200000baseDR2/Full", "200000baseCR2/Full", "400000baseKR4/Full",
    "400000baseSR4/Full", "400000baseLR4_ER4_FR4/Full", "400000baseDR4/Full", "400000baseCR4/Full", "100baseFX/Half",
    "100baseFX/Full", "10baseT1L/Full", "800000baseCR8/Full", "800000baseKR8/Full", "800000baseDR8/Full",
    "800000baseDR8_2/Full", "800000baseSR8/Full", "800000baseVR8/Full", "10baseT1S/Full", "10baseT1S/Half",
    "10baseT1S_P2MP/Half", "10baseT1BRR/Full", "200000baseCR/Full", "200000baseKR/Full", "200000baseDR/Full",
    "200000baseDR_2/Full", "200000baseSR/Full", "200000baseVR/Full", "400000baseCR2/Full", "400000baseKR2/Full",
    "400000baseDR2/Full", "400000baseDR2_2/Full", "400000baseSR2/Full", "400000baseVR2/Full", "800000baseCR4/Full",
    "800000baseKR4/Full", "800000baseDR4/Full", "800000baseDR4_2/Full", "800000baseSR4/Full", "800000baseVR4/Full",
    "1600000baseCR8/Full", "1600000baseKR8/Full", "1600000baseDR8/Full", "1600000baseDR8_2/Full",
)


class Mode(NamedTuple):
    """struct link_mode_info: Mbit/s, lanes, and DUPLEX_*."""

    speed: int
    lanes: int
    duplex: int


_PARTS = re.compile(r"(\d+)base([A-Z]+)(\d*)\w*(?:/(\w+))?")
_OF_ONE_LANE = frozenset(("T", "X", "FX"))
"""A digit behind these is a part of the name: T1, T1L, T1S."""


def parameters(name: str) -> Mode | None:
    """link_mode_params: of a name such as 100000baseLR4_ER4/Full; None where a name says nothing of a speed."""
    parts = _PARTS.fullmatch(name)
    if parts is None:
        return None
    speed, medium, lanes, duplex = parts.groups()
    count = 1 if medium in _OF_ONE_LANE or not lanes else int(lanes)
    return Mode(int(speed), count, Duplex.HALF if duplex == "Half" else Duplex.FULL)


PARAMETERS = tuple(parameters(name) for name in LINK_MODES)
"""By bit number."""
_BITS = {name: bit for bit, name in enumerate(LINK_MODES)}


@cache
def modes(*names: str) -> int:
    """The set of those names; `/Full` goes without saying."""
    return sum(1 << _BITS[name if name in _BITS else f"{name}/Full"] for name in names)


def union(sets: Iterable[int]) -> int:
    """bitmap_or() of all of them."""
    whole = 0
    for one in sets:
        whole |= one
    return whole


def bits(of: int) -> Iterator[int]:
    """for_each_set_bit()."""
    return (bit for bit in range(of.bit_length()) if of >> bit & 1)


def at(of: int, speed: int) -> int:
    """Those of a set that have that speed."""
    return sum(1 << bit for bit in bits(of) if (told := PARAMETERS[bit]) is not None and told.speed == speed)
