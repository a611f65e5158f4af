"""Some cases at random find nothing, and what is broken on purpose is found."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from .__main__ import cases
from .invariants import broken, devices
from .kernel import STEPS, Found, Kernel

CASES = 400


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return Kernel()


@pytest.mark.parametrize("seed", [11, 12])
def test_nothing_is_found(kernel: Kernel, seed: int) -> None:
    for data in itertools.islice(cases(seed), CASES):
        kernel.run(data)


def test_a_case_does_something(kernel: Kernel) -> None:
    """Devices are made, of many kinds, and steps are performed."""
    met: set[str] = set()
    for data in itertools.islice(cases(1), 100):
        kernel.run(data)
        met |= {dev.kind.name for _, dev in devices(kernel.machine) if dev.kind is not None}
    assert {"bond", "bridge", "dummy", "veth", "vxlan"} <= met, met


@pytest.mark.parametrize("which", range(len(STEPS)))
def test_the_steps_are_steps(which: int) -> None:
    """Each can be performed, or is refused for what there is not; none is misspelt."""
    kernel = Kernel()
    kernel.run(bytes((200, 0, 1)))
    if which:
        kernel.run(bytes((200, 0, 1, 200, which, 1)))


def lease(machine: Any) -> None:
    """A lease of which one end knows nothing."""
    (nic,) = (dev for _, dev in devices(machine) if dev.parent is not None)
    nic.rx[0].lease = machine.init_net.loopback.rx[0]


def double(machine: Any) -> None:
    (nic,) = (dev for _, dev in devices(machine) if dev.parent is not None)
    nic.altnames = ("lo",)


def gone(machine: Any) -> None:
    (nic,) = (dev for _, dev in devices(machine) if dev.parent is not None)
    nic.uppers = {machine.init_net.loopback: None}


def stale(machine: Any) -> None:
    from nlemu.emulator.handlers.route.link import fill

    (nic,) = (dev for _, dev in devices(machine) if dev.parent is not None)
    fill.body(nic, nic.net)
    nic.mtu = 1000


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lease, "is leased and the other end does not know"), (double, "2 devices are called lo"),
        (gone, "lo is above and does not know"), (stale, "what is kept of it for mask 0 is old"),
    ],
)
def test_what_is_broken_is_found(spoil: Callable[[Any], None], told: str) -> None:
    kernel = Kernel()
    kernel.run(bytes((200, 0, 1)))
    assert broken(kernel.machine) == []
    spoil(kernel.machine)
    assert any(told in line for line in broken(kernel.machine))


def test_a_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    original = kernel.do

    def do(deed: Any) -> None:
        original(deed)
        kernel.machine.bugs += 1

    monkeypatch.setattr(kernel, "do", do)
    with pytest.raises(Found, match="a bug"):
        kernel.run(bytes((200, 0, 1)))
