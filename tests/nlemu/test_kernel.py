"""The one import of tests and scripts: what it brings, and that it brings nothing before it is asked."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

import nlemu
from tests.nlemu.project import run_tests

ROOT = Path(__file__).resolve().parents[2]


def test_everything_that_it_promises_is_there() -> None:
    assert all(getattr(nlemu, name) is not None for name in nlemu.__all__)
    assert set(nlemu.__all__) == set(nlemu.WHERE)
    with pytest.raises(AttributeError, match="no attribute 'Kernle'"):
        nlemu.Kernle  # noqa: B018


def test_pytest_does_not_pay_for_what_no_test_wants() -> None:
    dear = "{'trio', 'construct', 'nlemu.emulator', 'nlemu.protocol'}"
    program = f"import sys, nlemu.pytest_plugin; print(sorted({dear} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_a_kernel_that_is_only_told_does_not_read_messages() -> None:
    dear = "{'nlemu.protocol.decode', 'nlemu.emulator.script.faults', 'nlemu.emulator.kernel.nics.nic'}"
    program = f"""import gc, sys, nlemu
with nlemu.Kernel() as kernel:
    kernel.do(netns="pod")
    print(sorted({dear} & set(sys.modules)), gc.isenabled())
    kernel.fault("route.getlink", errno="EIO")
    kernel.do(nic_new="0000:01:00.0", profile="mlx5_core")
    print(sorted({dear} - set(sys.modules)))"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "[] True\n[]\n"


def test_each_is_a_machine_of_its_own() -> None:
    with nlemu.Kernel() as one, nlemu.Kernel(netdevsim="dma") as other:
        other.do(nsim_new=[1, 1, 2])
        assert [len(kernel.state()["namespaces"]["init"]["devices"]) for kernel in (one, other)] == [1, 2]
        assert other.family("netdev") is other.family("netdev")
        assert other.family("netdev").do("dev-get", {"ifindex": 2})[0]["xdp-zc-max-segs"] == 1
    assert not one.directory.exists() and not other.directory.exists()


def test_one_that_nobody_closes_ends_with_the_interpreter() -> None:
    program = "import nlemu; kernel = nlemu.Kernel(); print(kernel.directory)"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True,
                         timeout=60)
    assert run.stderr == ""
    assert not Path(run.stdout.strip()).exists()


def test_a_namespace_is_asked_by_its_name() -> None:
    with nlemu.Kernel() as kernel:
        kernel.do(netns="pod")
        kernel.family("rt-link", "pod").do("newlink", {"linkinfo": {"kind": "dummy"}}, nlemu.NLM_F.CREATE)
        told = {netns: len(kernel.family("rt-link", netns).dump("getlink")) for netns in ("init", "pod")}
        assert told == {"init": 1, "pod": 2}


def test_a_name_that_is_given_again_is_another_namespace() -> None:
    with nlemu.Kernel() as kernel:
        kernel.do(netns="pod")
        kernel.family("rt-link", "pod").do("newlink", {"linkinfo": {"kind": "dummy"}}, nlemu.NLM_F.CREATE)
        kernel.do(netns_del="pod")
        kernel.do(netns="pod")
        assert len(kernel.family("rt-link", "pod").dump("getlink")) == 1


def test_a_netdevsim_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no netdevsim 'dmaa': it is one of plain, dma"):
        nlemu.Kernel(netdevsim="dmaa")


def test_what_it_says_of_itself() -> None:
    with nlemu.Kernel() as kernel:
        assert repr(kernel) == f"<nlemu.Kernel 7.2.13, seed 0: init (lo); in {kernel.directory}>"
    assert repr(kernel) == "<nlemu.Kernel, closed>"


def test_news_are_there_when_the_answer_is() -> None:
    with nlemu.Kernel() as kernel:
        news = kernel.listen("netdev", "mgmt")
        for number in range(50):
            kernel.do(nsim_new=[number, 1, 1])
            assert [one.name for one in news.notifications(0)] == ["dev-add-ntf"]
        links = kernel.listen("rt-link", "rtnlgrp-link")
        kernel.family("rt-link").do("newlink", {"linkinfo": {"kind": "dummy"}}, nlemu.NLM_F.CREATE)
        assert [one.values["ifname"] for one in links.notifications(0)] == ["dummy0"]


def test_a_fresh_machine_is_asked_afresh() -> None:
    with nlemu.Kernel() as kernel:
        kernel.do(nsim_new=[1, 1, 1])
        assert len(kernel.family("rt-link").dump("getlink")) == 2
        kernel.do(reset=True)
        assert len(kernel.family("rt-link").dump("getlink")) == 1


def test_a_daemon_that_runs_already() -> None:
    with nlemu.Kernel() as owner:
        with nlemu.Kernel(owner.directory) as guest:
            guest.do(netns="pod")
        assert set(owner.state()["namespaces"]) == {"init", "pod"}
    with pytest.raises(nlemu.NoDaemon, match="no daemon serves"):
        nlemu.Kernel(owner.directory)


def test_a_kernel_is_chosen_by_its_name() -> None:
    with nlemu.Kernel(kernel="7.2.13-recorded") as one, nlemu.Kernel(kernel="7.2.13") as other:
        assert [kernel.state()["kernel"]["name"] for kernel in (one, other)] == ["7.2.13-recorded", "7.2.13"]
    with pytest.raises(LookupError, match=r"there are 7\.2\.13, 7\.2\.13-recorded"):
        nlemu.Kernel(kernel="2.4")


def test_a_mark_says_which_kernel_the_fixture_is(tmp_path: Path) -> None:
    run = run_tests(
        '''
import pytest

@pytest.mark.nlemu(kernel="7.2.13-recorded", netdevsim="dma")
def test_one(nlemu):
    told = nlemu.state()["kernel"]
    assert (told["name"], told["netdevsim"]) == ("7.2.13-recorded", "dma")
''',
        tmp_path,
    )
    assert run.returncode == 0, run.stdout


def test_refusals_are_exceptions() -> None:
    with nlemu.Kernel() as kernel:
        with pytest.raises(nlemu.ControlError, match="no netdevsim device 9"):
            kernel.do(nsim_del=9)
        with pytest.raises(nlemu.NlError, match="No such device"):
            kernel.family("netdev").do("dev-get", {"ifindex": 9})
        with pytest.raises(nlemu.BadValue, match="no operation 'dev-gte'"):
            kernel.family("netdev").do("dev-gte")


def test_its_sockets_are_netlinks() -> None:
    with nlemu.Kernel() as kernel, kernel.socket()(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        assert sock.family == socket.AF_NETLINK


def test_it_is_the_command_line_too() -> None:
    run = subprocess.run([sys.executable, "-m", "nlemu", "--version"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0 and run.stdout.startswith("nlemu ")


MISTAKEN = """
import pytest

def test_operation(nlemu):
    nlemu.interrupt("route.getlnk")

def test_group(nlemu):
    nlemu.listen("netdev", "mgmnt")

def test_never(nlemu):
    with nlemu.interrupt("route.getaddr"):
        pass

@pytest.mark.nlemu("7.3.4")
def test_mark(nlemu):
    pass

@pytest.mark.nlemu(kernel="7.2")
def test_kernel(nlemu):
    pass
"""


def test_a_mistake_is_told_at_the_line_of_the_test(tmp_path: Path) -> None:
    told = run_tests(MISTAKEN, tmp_path).stdout
    for words in (
        "ControlError: interrupt: there is no operation 'route.getlnk'; is route.getlink meant?",
        "BadValue: netdev has no group 'mgmnt'; it has mgmt, page-pool",
        "NothingTested: interrupt route.getaddr never struck; it met 0 that it was for",
        "the mark nlemu takes names, such as kernel='7.3.4', and not '7.3.4'",
        "NoBuild: there is no kernel '7.2'; there are ",
    ):
        assert words in told, told
    assert "self._control" not in told and "BUILDS[name]" not in told, told
