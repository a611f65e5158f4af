"""The garbage collector, kept from looking for garbage where there is none: what is read of a capture stays until the
capture is done with."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def growing() -> Iterator[None]:
    """What is made inside is kept: nothing is collected meanwhile."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@contextmanager
def unwatched() -> Iterator[None]:
    """What there is when it is entered is not looked at inside. Who keeps objects from the collector already
    (gc.freeze()) is left alone."""
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
