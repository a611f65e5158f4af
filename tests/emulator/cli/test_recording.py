"""What goes over the sockets is recorded: by run, by serve, by a kernel in a test; and what was recorded replays."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

import nlemu as package
from nlemu.emulator.cli import main
from nlemu.emulator.world import file
from tests.emulator.cli.conftest import nlemu, start
from tests.emulator.launch.nobody import need
from tests.nlemu.project import run_tests

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"


@pytest.fixture
def pcap(tmp_path: Path) -> Path:
    return tmp_path / "session.pcapng"


def messages(capsys: pytest.CaptureFixture[str], path: Path) -> list[dict[str, object]]:
    assert main(["dissect", "--json", str(path)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_program_s_traffic(capsys: pytest.CaptureFixture[str], pcap: Path) -> None:
    """Two namespaces, requests and their answers in order; and the same once more from the recording."""
    ip = need("ip")
    script = f"{ip} link add d0 type dummy && {ip} netns add pod && {ip} -n pod -br link"
    done = nlemu("run", "--pcap", pcap, "--", "sh", "-ec", script)
    assert done.returncode == 0, done.stderr
    found = messages(capsys, pcap)
    assert {one["namespace"] for one in found} == {"init", "pod"}
    assert found[0]["kind"] == "request"
    assert all(one["kind"] == "request" or "answers" in one for one in found)
    assert main(["replay", str(pcap)]) == 0
    assert capsys.readouterr().out.startswith(f"equal      {pcap}: ")


def test_a_kernel_s_traffic(capsys: pytest.CaptureFixture[str], pcap: Path) -> None:
    with package.Kernel(record=True) as kernel:
        kernel.do(nsim_new=[1, 1, 2])
        kernel.family("netdev").dump("dev-get")
        with pytest.raises(package.NlError):
            kernel.family("netdev").do("dev-get", {"ifindex": 9})
        lines = kernel.traffic()
        assert kernel.save_pcap(pcap) == 7
        assert kernel.traffic(1) == lines[-1:]
    assert [re.split(r" [<>] \d+/\d+ ", line)[1].split("  ")[0] for line in lines] == [
        "nlctrl getfamily request", "nlctrl newfamily reply", "ack to nlctrl getfamily request",
        "netdev dev-get request", "netdev dev-get reply", "netdev dev-get reply", "done to netdev dev-get request",
        "netdev dev-get request", "error ENODEV: No such device to netdev dev-get request",
    ]
    assert [one["kind"] for one in messages(capsys, pcap)][3:] == [
        "request", "reply", "reply", "reply", "request", "failed",
    ]


def test_a_kernel_that_was_not_recorded(pcap: Path) -> None:
    with package.Kernel() as kernel, pytest.raises(ValueError, match="nothing was recorded"):
        kernel.save_pcap(pcap)


def test_a_failed_test_shows_its_traffic(tmp_path: Path) -> None:
    done = run_tests(
        "import nlemu as package\n"
        "def test_it(nlemu):\n"
        "    nlemu.family('rt-link').do('newlink', {'ifname': 'd0', 'linkinfo': {'kind': 'dummy'}}, flags=0x600)\n"
        "    assert False\n"
        "def test_well(nlemu):\n"
        "    nlemu.family('rt-link').dump('getlink')\n",
        tmp_path,
    )
    assert done.returncode == 1 and "1 failed, 1 passed" in done.stdout, done.stdout
    assert done.stdout.count("netlink: the last of ") == 1
    assert "newlink request  ifname: d0, linkinfo: {kind" in done.stdout
    assert "ack to newlink request" in done.stdout
    (path,) = [word.strip("-") for word in done.stdout.split() if word.endswith("netlink.pcapng")]
    assert main(["replay", path]) == 0


def test_recording_wants_a_machine_of_its_own(tmp_path: Path, pcap: Path) -> None:
    with package.Kernel() as kernel:
        done = nlemu("run", "--dir", kernel.directory, "--pcap", pcap, "--", "true")
    assert (done.returncode, done.stderr.count("--pcap is for a machine of the program's own")) == (2, 1)
    done = nlemu("run", "--pcap", tmp_path / "no" / "where", "--", "true")
    assert (done.returncode, "No such file or directory" in done.stderr) == (2, True)


def test_from_a_capture_to_a_test_of_a_program(capsys: pytest.CaptureFixture[str], tmp_path: Path, pcap: Path) -> None:
    """What strace saw on Linux becomes a world; the program runs in it; it asks and hears the same as on Linux."""
    ip = need("ip")
    strace, world = CAPTURES / "ip-decoded.strace", tmp_path / "world.toml"
    assert main(["replay", "--save-world", str(world), str(strace)]) == 0
    assert file.read(world).namespace().link("nk") is not None
    done = nlemu("run", "--world", world, "--pcap", pcap, "--", ip, "link", "show", "nk")
    assert done.returncode == 0, done.stderr
    capsys.readouterr()
    assert main(["diff", "--json", str(strace), str(pcap)]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    assert told["equal"] >= 1 and told["commands"]["getlink"]["equal"] >= 1


def test_a_daemon_s_log_has_every_message(tmp_path: Path) -> None:
    daemon = start("serve", "--dir", tmp_path / "d", "-v")
    try:
        assert daemon.stderr is not None
        while "serving" not in daemon.stderr.readline():
            pass
        assert nlemu("ynl", "--dir", tmp_path / "d", "--family", "netdev", "--do", "dev-get",
                     "--json", '{"ifindex": 1}').returncode == 0
    finally:
        daemon.send_signal(signal.SIGINT)
        said = daemon.communicate()[1]
    lines = [line.split(" DEBUG: ")[-1] for line in said.splitlines() if " netdev " in line]
    assert [re.sub(r"\d+", "N", line) for line in lines] == [
        "init port N > N netdev dev-get request  ifindex: N",
        "init port N < N netdev dev-get reply  ifindex: N",
        "init port N < N ack to netdev request",
    ]
