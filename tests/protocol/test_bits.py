"""Words of flags: what is not known is found."""

from __future__ import annotations

import importlib
import pkgutil
from enum import IntFlag

from nlemu import emulator, protocol
from nlemu.protocol.uapi.bits import Bits
from nlemu.protocol.uapi.if_tun import TunF


def test_the_others_are_all_others() -> None:
    """Also those without a name, which Python's own `~` leaves out."""
    assert ~TunF.CSUM == -2
    assert 1 << 20 & ~TunF.CSUM == 1 << 20
    assert TunF(1 << 20 | 1) & ~TunF.CSUM == 1 << 20


def test_every_word_of_flags_is_one() -> None:
    for package in (protocol, emulator):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    plain = {
        kind for kind in IntFlag.__subclasses__() if kind.__module__.startswith("nlemu.") and kind is not Bits
    }
    assert not plain
