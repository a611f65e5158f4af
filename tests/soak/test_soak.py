"""A round of the soak finds nothing, and what is broken on purpose is found."""

from __future__ import annotations

import random
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.acts import ACTS, settled
from tests.soak.daemon import PATIENCE, Daemon, Found
from tests.soak.rounds import Effort, Round, base_of

FILES = 6000
"""Descriptors that the daemon may have."""
CLIENTS = Effort(steps=120, acts=0, clients=("walk", "play", "leave"), seconds=PATIENCE)
NOTHING = Effort(steps=0, acts=0, clients=(), seconds=0)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    files = min(FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    one = Daemon(tmp_path, files=files)
    try:
        yield one
    finally:
        one.kill()


def test_clients_of_all_kinds(daemon: Daemon) -> None:
    """They work side by side, and all is as it was when they are done."""
    assert not Round(daemon, random.Random(1), 1, CLIENTS).run(base_of(daemon)).killed
    daemon.end()


def test_all_acts(daemon: Daemon) -> None:
    """One after the other, with nobody else there; and a fresh machine at the end."""
    base = base_of(daemon)
    rng = random.Random(3)
    for act in ACTS:
        act(daemon, rng)
    Round(daemon, rng, 5, NOTHING).run(base)
    daemon.end()


def test_what_is_left_behind_is_found(daemon: Daemon) -> None:
    base = base_of(daemon)
    with daemon.connect() as sock:
        sock.send(b"")
        with pytest.raises(Found, match="connections"):
            settled(daemon, base, patience=0)


def test_a_complaint_is_found(daemon: Daemon) -> None:
    with open(daemon.log, "a") as log:
        log.write("Traceback (most recent call last):\n")
    with pytest.raises(Found, match="Traceback"):
        Round(daemon, random.Random(1), 1, NOTHING).whole("at once")
