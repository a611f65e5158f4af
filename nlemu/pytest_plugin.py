"""pytest's fixture: a kernel for each test that asks for one. Installed with the package, there without an import.

    def test_it(nlemu):
        nlemu.do(nsim_new=[1, 1, 4])
        assert len(nlemu.family("rt-link").dump("getlink")) == 2
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nlemu.kernel import Kernel


@pytest.fixture(name="nlemu")
def kernel() -> Iterator[Kernel]:
    """An emulated kernel of its own, with nothing in it but `lo`."""
    from nlemu.kernel import Kernel

    with Kernel() as one:
        yield one
