"""Tests that share a kernel: snapshots, the factory, and what a failed test shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlemu import NLM_F, ControlError, Kernel
from tests.nlemu.project import run_tests

NEW = NLM_F.CREATE | NLM_F.EXCL


def names(kernel: Kernel, netns: str = "init") -> list[str]:
    return [link["ifname"] for link in kernel.family("rt-link", netns).dump("getlink")]


def test_a_kernel_is_as_it_was() -> None:
    with Kernel() as kernel:
        kernel.netdevsim(queues=2)
        links, news = kernel.family("rt-link"), kernel.listen("rt-link", "rtnlgrp-link")
        base = kernel.snapshot()
        for _ in range(2):
            with base:
                links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NEW)
                kernel.namespace("pod").family("rt-link")
                kernel.fault("route.getlink", errno="ENOMEM")
            assert names(kernel) == ["lo", "eth0"]
            assert set(kernel.state()["namespaces"]) == {"init"}
            assert not (kernel.directory / "pod").exists()
            assert list(news.notifications(0)) == [], "nobody hears of what did not happen"
        assert kernel.family("rt-link") is links, "a client stays"
        links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NEW)
        assert [one.name for one in news.notifications(0)] == ["newlink"]


def test_a_client_of_a_namespace_that_there_was_not_is_made_anew() -> None:
    with Kernel() as kernel:
        base = kernel.snapshot()
        for _ in range(2):
            pod = kernel.namespace("pod")
            assert names(kernel, "pod") == ["lo"]
            base.restore()
            assert repr(pod) == "<nlemu namespace pod: gone>"


def test_a_snapshot_of_a_machine_that_is_no_more_is_refused() -> None:
    with Kernel() as kernel:
        base = kernel.snapshot()
        kernel.do(reset=True)
        with pytest.raises(ControlError, match="there is no snapshot"):
            base.restore()


SHARED = """
import nlemu as package
import pytest
from nlemu import NLM_F

@pytest.fixture(scope="session")
def base(nlemu_factory):
    kernel = nlemu_factory(seed=7)
    kernel.nic("mlx5_core", "eth0", queues=2)
    return kernel, kernel.snapshot()

@pytest.fixture
def kernel(base):
    one, snapshot = base
    with snapshot:
        yield one

@pytest.mark.parametrize("number", range(3))
def test_each_finds_it_as_it_was(kernel, number):
    links = kernel.family("rt-link")
    assert [link["ifname"] for link in links.dump("getlink")] == ["lo", "eth0"]
    links.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NLM_F.CREATE | NLM_F.EXCL)

def test_the_session_has_one(nlemu_session, nlemu_factory):
    assert nlemu_session is not nlemu_factory()

import nlemu

def test_the_package_can_be_called_by_its_name(nlemu_kernel):
    assert isinstance(nlemu_kernel, nlemu.Kernel)

@pytest.mark.nlemu(faults=[{"fault": "route.getlink", "errno": "ENOMEM"}])
def test_a_mark_has_faults(nlemu):
    with pytest.raises(package.NlError, match="Cannot allocate memory"):
        nlemu.family("rt-link").dump("getlink")
"""


def test_a_session_has_kernels_that_its_tests_share(tmp_path: Path) -> None:
    done = run_tests(SHARED, tmp_path)
    assert done.returncode == 0, done.stdout


FAILING = """
import pytest
from nlemu import NLM_F

@pytest.mark.nlemu(seed=5)
def test_fails(nlemu):
    nlemu.family("rt-link").do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NLM_F.CREATE)
    nlemu.fault("route.newlink", errno="EBUSY", name="busy")
    assert False

def test_of_the_session_fails(nlemu_session):
    assert False

@pytest.mark.nlemu(faults=[{"fault": "route.nonsense", "errno": "ENOMEM"}])
def test_cannot_begin(nlemu): ...
"""


def test_a_failure_shows_what_the_kernel_is_like(tmp_path: Path) -> None:
    told = run_tests(FAILING, tmp_path).stdout
    assert "netlink: the kernel (7.2.13, seed 5)" in told
    assert "dummy" in told
    assert "busy" in told and "STRUCK" in told
    assert told.count("netlink: the kernel") == 2
    assert "WorldError: faults[0]: fault: there is no operation" in told


def test_a_kernel_says_what_it_is() -> None:
    with Kernel(seed=4) as kernel:
        kernel.namespace("pod")
        kernel.fault("route.getlink", errno="EIO", name="slip")
        assert repr(kernel) == (
            f"<nlemu.Kernel 7.2.13, seed 4: init (lo), pod (lo); faults: slip; in {kernel.directory}>"
        )
    assert repr(kernel) == "<nlemu.Kernel, closed>"


def test_nics_and_namespaces_have_words_of_their_own() -> None:
    with Kernel() as kernel, kernel.namespace("pod") as pod:
        with kernel.nic("mlx5_core", queues=2) as nic, pod.nic("bnxt_en", name="fast") as other:
            assert (nic.name, nic.ifindex, nic.netns) == ("eth0", 2, "init")
            assert (other.name, other.netns) == ("fast", "pod")
            assert nic.address != other.address
            assert repr(nic) == f"<nlemu NIC {nic.address}: eth0>"
        assert nic.devices == []
        with pytest.raises(LookupError):
            nic.name  # noqa: B018
        assert [kernel.netdevsim(ports=2).devices[1]["name"], kernel.netdevsim().name] == ["eth1", "eth2"]
        before = kernel.snapshot()
        kernel.sleep(5)
        before.restore()
        assert repr(pod) == "<nlemu namespace pod: lo>"
        assert repr(before).startswith("<nlemu snapshot ")
