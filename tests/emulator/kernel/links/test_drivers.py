"""Drivers of links that are loaded with the first device of their kind, and what they need besides."""

from __future__ import annotations

import pytest

import nlemu
from nlemu import NLM_F

NEW = NLM_F.CREATE | NLM_F.EXCL


@pytest.mark.parametrize("kind", ["macvlan", "macvtap", "ipvlan", "ipvtap"])
def test_what_stands_on_a_device_goes_with_it(kind: str) -> None:
    """Though there was never a macvlan on this machine, a macvtap is one."""
    with nlemu.Kernel() as kernel:
        kernel.do(nsim_new=[1, 1, 1])
        links = kernel.family("rt-link")
        links.do("newlink", {"ifname": "above", "link": 2, "linkinfo": {"kind": kind}}, NEW)
        kernel.do(nsim_del=1)
        assert [link["ifname"] for link in links.dump("getlink")] == ["lo"]


def test_both_ports_of_a_ring_are_told_though_somebody_heard_of_it_between() -> None:
    with nlemu.Kernel() as kernel:
        links = kernel.family("rt-link")
        listener = kernel.listen("rt-link", "rtnlgrp-link")
        for name in ("a", "b"):
            links.do("newlink", {"ifname": name, "linkinfo": {"kind": "dummy"}}, NEW)
        data = {"slave1": 2, "slave2": 3}
        links.do("newlink", {"ifname": "ring", "linkinfo": {"kind": "hsr", "data": data}}, NEW)
        (ring,) = (link for link in links.dump("getlink") if link["ifname"] == "ring")
        assert {name: ring["linkinfo"]["data"][name] for name in data} == data
        assert listener.notifications(0)
