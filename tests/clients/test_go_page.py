"""docs/go.md shows a test that passes: by itself, on a daemon that is there, and skipped without the emulator."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nlemu.emulator.coverage.seen import combined
from nlemu.emulator.daemon.background import daemon
from nlemu.emulator.machine.machine import Machine
from nlemu.emulator.script.recording import in_memory

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE, CLIENT = re.findall(r"```go\n(.*?)```", (ROOT / "docs/go.md").read_text(), re.DOTALL)
PACKAGES = Path("/usr/share/gocode")
"""Where Debian has Go's libraries."""
NLEMU = [sys.executable, "-m", "nlemu"]


Build = Callable[[str, str], Path]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Builds a test of a package: its program."""
    compiler = shutil.which("go")
    if compiler is None or not (PACKAGES / "src/github.com/vishvananda/netlink").exists():
        pytest.skip("golang-go and golang-github-vishvananda-netlink-dev are not installed")
    place = tmp_path_factory.mktemp("go")
    shutil.copytree(ROOT / "go" / "nlemutest", place / "src" / "nlemu" / "nlemutest")
    settings = {"GO111MODULE": "off", "CGO_ENABLED": "0", "GOPATH": f"{place}:{PACKAGES}", "GOFLAGS": "",
                "GOCACHE": str(tmp_path_factory.mktemp("cache"))}

    def program(package: str, text: str) -> Path:
        home, built = place / "src" / package, place / f"{package}.test"
        home.mkdir(exist_ok=True)
        (home / f"{package}_test.go").write_text(text)
        for command in ([compiler, "vet", "nlemu/nlemutest"], [compiler, "test", "-c", "-o", str(built), "."]):
            subprocess.run(command, cwd=home, env=os.environ | settings, check=True, timeout=300)
        return built

    return program


@pytest.fixture(scope="module")
def program(build: Build) -> Path:
    """The page's test."""
    return build("mine", EXAMPLE)


def test_a_client_that_does_not_ask_again_fails(build: Build, installed: dict[str, str]) -> None:
    done = run([str(build("client", CLIENT)), "-test.v"], **installed)
    assert done.returncode == 0 and done.stdout.count("--- PASS") == 2, done.stdout + done.stderr
    naive = CLIENT.replace("if !interrupted", "if interrupted = false; !interrupted")
    done = run([str(build("naive", naive)), "-test.v"], **installed)
    assert done.stdout.count("--- FAIL") == 2 and "asked 1 times" in done.stdout, done.stdout + done.stderr


FORGOTTEN = """\
package forgotten

import (
	"testing"

	"nlemu/nlemutest"
)

func TestMain(m *testing.M) { nlemutest.Main(m) }

func TestNever(t *testing.T) {
	nlemutest.Start(t).Interrupt("route.getaddr")
}

func TestMisspelt(t *testing.T) {
	nlemutest.Start(t).Requests("getlink")
}
"""


def test_a_fault_that_never_struck_is_shown_where_it_was_set(build: Build, installed: dict[str, str]) -> None:
    done = run([str(build("forgotten", FORGOTTEN))], **installed)
    assert "nlemu: interrupt route.getaddr, set in forgotten_test.go:12, never struck" in done.stdout, done.stdout
    assert "there is no operation 'getlink'; is route.getlink meant?" in done.stdout
    done = run([str(build("forgotten", FORGOTTEN)), "-test.v"], PATH="/nonexistent")
    assert "no emulated kernel: nlemu is not in PATH; it is a Python package: `python3 -m venv" in done.stdout
    assert "nlemutest: tests that want an emulated kernel are skipped: nlemu is not in PATH" in done.stderr
    done = run([str(build("forgotten", FORGOTTEN))], PATH="/nonexistent", NLEMU_REQUIRED="1")
    assert done.returncode == 1 and done.stdout.count("no emulated kernel, which $NLEMU_REQUIRED demands") == 2


FAILING = """\
package failing

import (
	"net"
	"testing"

	"nlemu/nlemutest"
)

func TestMain(m *testing.M) { nlemutest.Main(m) }

func TestFails(t *testing.T) {
	kernel := nlemutest.Start(t)
	kernel.NIC("mlx5_core", "eth0", 8)
	kernel.Fault("route.getlink", "ENOMEM")
	kernel.Interrupt("route.getaddr", map[string]any{"count": 0})
	if _, err := net.Interfaces(); err != nil {
		t.Fatal(err)
	}
}

func TestPasses(t *testing.T) {
	nlemutest.Start(t).NIC("mlx5_core", "eth0", 8)
}
"""


def test_a_test_that_fails_shows_what_its_kernel_was_like(build: Build, installed: dict[str, str]) -> None:
    """Before anything of the test is taken away, and once."""
    done = run([str(build("failing", FAILING))], **installed)
    told = done.stdout
    assert done.returncode == 1 and told.count("nlemu: the last messages") == 1, told + done.stderr
    assert re.search(r"> \d+/1 getlink request\n.*< \d+/1 error ENOMEM: Cannot allocate memory to getlink", told), told
    assert "nlemu: why requests were refused" in told and "init getlink request: ENOMEM" in told, told
    assert re.search(r"nlemu: the kernel \(7\.2\.13, seed \d+\)", told), told
    assert re.search(r"init \d+: eth0 mlx5_core <BROADCAST,MULTICAST> mtu 1500 state DOWN", told), told
    assert re.search(r'met 1, struck 1, left 0: \{"errno":"ENOMEM","fault":"route.getlink"\}', told), told
    assert re.search(r'met 0, struck 0, left any number: \{"count":0,"interrupt":"route.getaddr"\}', told), told
    assert "PASS: TestPasses" not in told and told.count("eth0") == 1, told


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """Settings with which nlemu is in PATH."""
    works()
    nlemu = tmp_path / "nlemu"
    nlemu.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nlemu "$@"\n')
    nlemu.chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


def works() -> None:
    if subprocess.run([*NLEMU, "check"], cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        pytest.skip("nlemu run does not work here")


def run(command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "NLEMU_DIR"}
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**inherited, "PYTHONPATH": str(ROOT), **settings},
    )


def test_it_needs_nothing_around_it(program: Path, installed: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        done = run([str(program), "-test.v"], **installed, TMPDIR=place)
        assert os.listdir(place) == [], "the daemon's place is gone"
    assert done.returncode == 0 and done.stdout.count("--- PASS") == 2, done.stdout + done.stderr
    done = run([str(program), "-test.run", "Nothing"], **installed)
    assert done.returncode == 0


def test_what_it_exercised_is_written(program: Path, installed: dict[str, str], tmp_path: Path) -> None:
    done = run([str(program)], **installed, NLEMU_COVERAGE=str(tmp_path / "coverage"))
    assert done.returncode == 0, done.stdout + done.stderr
    seen = combined([tmp_path / "coverage"])
    assert seen.asked["route.newlink", False, 0] >= 2
    assert [one.errno for one in seen.refused if one.what == "fault"] == ["ENOMEM"]


def test_a_daemon_without_nlemu_run_is_not_enough(program: Path, installed: dict[str, str], tmp_path: Path) -> None:
    """Else the tests would be the real kernel's."""
    with daemon(lambda: in_memory()[0].begin(Machine())) as directory:
        done = run([str(program), "-test.v"], PATH=str(tmp_path / "nothing"), NLEMU_DIR=str(directory))
        assert done.returncode == 0 and done.stdout.count("--- SKIP") == 2, done.stdout + done.stderr
        assert f"this is not under nlemu run --dir {directory}" in done.stdout
        done = run([str(program), "-test.v"], **installed, NLEMU_DIR=str(directory))
        assert done.returncode == 0 and done.stdout.count("--- PASS") == 2, done.stdout + done.stderr


HANGING = """\
package hanging

import (
	"fmt"
	"os"
	"testing"

	"nlemu/nlemutest"
)

func TestMain(m *testing.M) { nlemutest.Main(m) }

func TestHangs(t *testing.T) {
	nlemutest.Start(t)
	fmt.Println(os.Getenv("NLEMU_DIR"))
	select {}
}
"""


@pytest.mark.parametrize("how", (signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
def test_the_daemon_ends_with_the_tests(build: Build, installed: dict[str, str], how: signal.Signals) -> None:
    program = build("hanging", HANGING)
    # SIGKILL leaves the empty place behind.
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as place, subprocess.Popen(
        [str(program)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GOTRACEBACK": "none", "TMPDIR": place, **installed},
    ) as tests, socket.socket(socket.AF_UNIX) as control:
        assert tests.stdout is not None
        control.connect(f"{tests.stdout.readline().strip()}/control")
        control.settimeout(60)
        tests.send_signal(how)
        assert control.recv(1) == b"", "it has ended"
        assert tests.wait(60) != 0


def test_it_passes_on_a_daemon_that_is_there(program: Path) -> None:
    works()
    with daemon(lambda: in_memory()[0].begin(Machine())) as directory:
        done = run([*NLEMU, "run", "--dir", str(directory), "--", str(program), "-test.v"], NLEMU_DIR=str(directory))
    assert done.returncode == 0 and done.stdout.count("--- PASS") == 2, done.stdout + done.stderr


def test_it_is_skipped_without(program: Path, tmp_path: Path) -> None:
    for settings in ({"PATH": str(tmp_path)}, {"NLEMU_DIR": str(tmp_path / "nowhere")}):
        done = run([str(program), "-test.v"], **settings)
        assert done.returncode == 0 and done.stdout.count("--- SKIP") == 2, done.stdout + done.stderr
