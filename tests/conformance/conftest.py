"""Options of the walks, which want a kernel to compare with: fixtures/README.md tells how one is built."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.conformance.machines import Linux


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--kernel", type=pathlib.Path, help="a kernel image: compare random walks with it, under QEMU")
    group.addoption("--steps", type=int, default=600, help="how many random steps in all (%(default)s)")
    group.addoption("--seed", type=int, default=1, help="of the first walk (%(default)s)")


@pytest.fixture(scope="session")
def linux(pytestconfig: pytest.Config) -> Iterator[Linux]:
    """The living kernel; skips where no image was given."""
    kernel = pytestconfig.getoption("--kernel")
    if kernel is None:
        pytest.skip("no kernel image was given (--kernel bzImage)")
    guest = Linux(kernel)
    yield guest
    guest.close()
