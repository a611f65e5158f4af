"""Two hundred tests with a kernel each (docs/performance.md): pytest -p nlemu.pytest_plugin -n 2 tests/bench/many.py"""

from __future__ import annotations

import pytest

from nlemu import NLM_F, Kernel


@pytest.mark.parametrize("number", range(200))
def test_a_kernel_each(nlemu: Kernel, number: int) -> None:
    links = nlemu.family("rt-link")
    links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NLM_F.CREATE | NLM_F.EXCL)
    assert [link["ifname"] for link in links.dump("getlink")] == ["lo", "red"]
