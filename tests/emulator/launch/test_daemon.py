"""`nlemu run --dir`: programs that see the machine of a daemon, beside its other clients."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.launch import nobody
from tests.emulator.launch.trap.test_redo import CLONE

pytestmark = pytest.mark.usefixtures("supervision")


@pytest.fixture
def directory() -> Iterator[str]:
    """The directory of a daemon that nobody runs, under `env` so that its files are its own."""
    nobody.need("ip")
    with tempfile.TemporaryDirectory(prefix="nlemu-tests-") as place:
        Path(place).chmod(0o777)
        path = f"{place}/d"
        daemon = subprocess.Popen(nobody.command("serve", "--dir", path), stderr=subprocess.PIPE, text=True,
                                  env=nobody.environment())
        assert daemon.stderr is not None
        assert daemon.stderr.readline() == f"nlemu: serving {path}\n"
        yield path
        daemon.terminate()
        _, errors = daemon.communicate(timeout=30)
        assert (daemon.returncode, errors) == (0, "")
        assert not Path(path).exists()


def test_what_one_makes_the_next_one_sees(directory: str) -> None:
    options = ["--dir", directory]
    script = "ip netns add guest; ip link add d0 type dummy; ip link set d0 netns guest"
    nobody.run("sh", "-ec", script, options=options)
    assert (Path(directory) / "guest/route").is_socket()
    assert nobody.run("ip", "netns", "identify", options=[*options, "--netns", "guest"]) == "guest\n"
    assert "d0" in nobody.run("ip", "-n", "guest", "link", options=options)
    nobody.run("ip", "netns", "del", "guest", options=options)
    assert not (Path(directory) / "guest").exists()
    assert nobody.run("ip", "netns", options=options) == ""


def test_what_is_done_from_outside_is_seen(directory: str) -> None:
    script = f"""
import json, socket, subprocess
control = socket.socket(socket.AF_UNIX)
control.connect({directory + "/control"!r})
def do(**step):
    control.sendall(json.dumps(step).encode() + b"\\n")
    assert b"ok" in control.recv(65536)
def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout.split()
do(netns="made"); print(ip("netns"), ip("-br", "-n", "made", "link")[0])
do(nsim_new=[1, 1, 1]); print("eth0:" in ip("link"))
do(netns_del="made"); print(ip("netns"))
"""
    output = nobody.run(nobody.python(), "-c", script, options=["--dir", directory])
    assert output.splitlines() == ["['made'] lo", "True", "[]"]


def test_calls_that_only_the_program_can_make(directory: str) -> None:
    """The daemon, which is no ancestor of the program, has them made too."""
    script = CLONE + """
print(*made(NEWNET), *made(0))
os.chdir("/sys/class/net")
print(os.getcwd(), os.listdir(), flush=True)
os.system("echo 1 > /sys/bus/netdevsim/new_device; echo 1 2>/dev/null > /sys/bus/netdevsim/new_device || echo no")
"""
    output = nobody.run(nobody.python(), "-c", script, options=["--dir", directory])
    assert output.splitlines() == ["True 3 False 3", "/sys/class/net ['bonding_masters', 'lo']", "no"]


def test_two_at_once_hear_each_other(directory: str) -> None:
    options = ["--dir", directory]
    monitor = subprocess.Popen(nobody.command("run", *options, "--", "ip", "monitor", "link"), stdout=subprocess.PIPE,
                               text=True, env=nobody.environment())
    with monitor:
        assert monitor.stdout is not None
        import select

        index = 0
        while not select.select([monitor.stdout], [], [], 0)[0]:
            nobody.run("ip", "link", "add", f"d{index}", "type", "dummy", options=options)
            index += 1
        assert ": d" in monitor.stdout.readline()
        monitor.terminate()
    assert monitor.returncode == 143


def test_the_command_ends_as_ever(directory: str) -> None:
    assert nobody.nlemu("run", "--dir", directory, "--", "sh", "-c", "exit 7").returncode == 7


def test_the_daemon_may_be_named_by_the_environment(directory: str) -> None:
    """$NLEMU_DIR, which a command has too, so that it can ask for NICs and faults."""
    run = nobody.command("run", "--", "sh", "-c", "ip link add d0 type dummy; echo $NLEMU_DIR")
    done = subprocess.run(run, capture_output=True, text=True, env=nobody.environment() | {"NLEMU_DIR": directory},
                          check=True)
    assert done.stdout == f"{directory}\n"
    assert "d0" in nobody.run("ip", "link", options=["--dir", directory])


def test_what_belongs_to_a_session_is_in_the_daemons_directory(directory: str) -> None:
    """So that the two may be in containers that share nothing else."""
    script = "ls -A $NLEMU_DIR | sed 's/run-.*/run-/'; cd /sys/class/net; ls"
    told = nobody.run("sh", "-c", script, options=["--dir", directory])
    assert told.splitlines() == [".run-", "control", "init", "bonding_masters", "lo"]
    assert sorted(path.name for path in Path(directory).iterdir()) == ["control", "init"]


@pytest.mark.parametrize("end", ["reset", "terminate"])
def test_the_end_of_its_kernel_is_the_commands_end(end: str) -> None:
    """A reset machine is another one: whoever runs on the old one ends, and is told why."""
    with tempfile.TemporaryDirectory(prefix="nlemu-tests-") as place:
        Path(place).chmod(0o777)
        path = f"{place}/d"
        with subprocess.Popen(nobody.command("serve", "--dir", path), stderr=subprocess.PIPE, text=True,
                              env=nobody.environment()) as daemon:
            assert daemon.stderr is not None
            daemon.stderr.readline()
            script = "echo here; while :; do read line </sys/class/net/lo/mtu; done"
            with subprocess.Popen(nobody.command("run", "--dir", path, "--", "sh", "-c", script), text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=nobody.environment()) as command:
                assert command.stdout is not None
                assert command.stdout.readline() == "here\n"
                if end == "reset":
                    assert nobody.nlemu("ctl", "--dir", path, "reset").returncode == 0
                else:
                    daemon.terminate()
                _, errors = command.communicate(timeout=60)
            assert command.returncode == 137
            assert f"the daemon has ended or was reset, and with it the kernel of {path}" in errors
            daemon.terminate()


def test_no_daemon() -> None:
    done = nobody.nlemu("run", "--dir", "/nonexistent", "--", "true")
    assert done.returncode == 5
    assert "no daemon serves /nonexistent (No such file or directory); start one" in done.stderr
