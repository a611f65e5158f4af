"""The image and the arrangement of docker/, run by a container engine: Debian's podman, and its seccomp profile.

The image is built by the Dockerfile as it stands, on Debian's packages instead of python:3.13-slim. Containers have no
network, no capabilities and a file system that cannot be written.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers import debian, podman
from tests.containers.arrangement import DOCKER, ROOT, services
from tests.containers.test_deploy import DEPLOY
from tests.emulator.launch import nobody
from tests.emulator.launch.test_clients import go  # noqa: F401 - a fixture
from tests.packaging.conftest import pip

LOCKED = ("--network=none", "--cap-drop=all", "--read-only", "--security-opt=no-new-privileges")
PIP = "[global]\nno-index = true\nfind-links = /wheels\nbreak-system-packages = true\n"


class Engine:
    """podman in a directory of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        podman.prepare(place)

    def __call__(self, *arguments: str | Path, code: int | None = 0) -> str:
        """What a command prints. code: the exit code that it has to have; None: whichever."""
        done = self.run(podman.command(self.place), *arguments)
        assert code is None or done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def compose(self, *arguments: str) -> None:
        """A command of podman-compose on docker/compose.yaml."""
        done = self.run(
            sys.executable, "-m", "podman_compose", "--podman-path", podman.command(self.place), "--in-pod", "false",
            "-f", DOCKER / "compose.yaml", *arguments,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)

    def until_healthy(self, container: str) -> None:
        """Asks the image's HEALTHCHECK in a container, as timers of systemd would for podman, until all is well."""
        for _ in range(100):
            if self.run(podman.command(self.place), "healthcheck", "run", container).returncode == 0:
                return
        raise AssertionError(self("logs", container))

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)

    def end(self) -> None:
        """No container is left, and nothing of the directory."""
        self("rm", "--all", "--force", "--time=0", code=None)
        shutil.rmtree(self.place)


def wheels(place: Path) -> None:
    """What pip fetches while the image is built, fetched beforehand: the engine has no network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["page"],
              *project["build-system"]["requires"], "wheel"]
    pip("download", "-q", "--only-binary=:all:", "--python-version=3.11", "-d", place, *wanted)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine with the image."""
    for program in ("podman", "crun", "dpkg-query", "unshare"):
        nobody.need(program)
    if os.getuid():
        nobody.lacking("podman is run as root")
    place = Path(tempfile.mkdtemp(prefix="nlemu-"))
    made = Engine(place)
    try:
        (place / "pip.conf").write_text(PIP)
        wheels(place / "wheels")
        made("import", "-q", debian.base_image(place), "base")
        made(
            "build", "--quiet", "--format=docker", "--isolation=chroot", "--layers=false", "--network=host",
            "--from=localhost/base", f"--volume={place}/wheels:/wheels:ro",
            f"--volume={place}/pip.conf:/etc/pip.conf:ro", "-f", DOCKER / "Dockerfile", "-t", "nlemu", ROOT,
        )
        yield made
    finally:
        made.end()


@pytest.mark.parametrize("user", ("10001", "4242", "0"))
def test_a_container_alone(engine: Engine, user: str) -> None:
    """As any user, under the engine's seccomp profile."""
    script = "grep -E '^(Seccomp|CapBnd|NoNewPrivs):' /proc/self/status; nlemu run -- ip -br link; nlemu check --json"
    alone = ("--rm", *LOCKED, f"--user={user}", "--env=NLEMU_DIR=")
    told = engine("run", *alone, "--entrypoint=sh", "nlemu", "-c", script)
    *status, link, check = told.splitlines()
    assert sorted(line.split()[1] for line in status) == ["0000000000000000", "1", "2"]
    assert link.split()[:2] == ["lo", "DOWN"]
    assert json.loads(check)["works"] is True


def test_two_containers_on_the_daemon_of_a_third(engine: Engine, go: Path) -> None:  # noqa: F811
    """Debian's ip and a static Go program, unmodified, see one world."""
    engine("run", "-d", "--name=nlemu", *LOCKED, "-v", "sockets:/run/nlemu", "nlemu")
    engine.until_healthy("nlemu")
    engine("exec", "nlemu", "nlemu", "ctl", "nic", "new", "0000:08:00.0", "--profile", "mlx5_core")
    around = ("run", "--rm", *LOCKED, "--pid=container:nlemu", "-v", "sockets:/run/nlemu", "--entrypoint=nlemu")
    script = "ip link add red0 type dummy; ip -br link"
    first = engine(*around, "nlemu", "run", "--", "sh", "-ec", script)
    assert [line.split()[0] for line in first.splitlines()] == ["lo", "eth0", "red0"]
    second = engine(*around, "-v", f"{go}:/go:ro", "nlemu", "run", "--", "/go/vishvananda")
    assert "3 dummy red0 1500" in second.splitlines() and "2 device eth0 1500" in second.splitlines()
    # And one that has no part in the daemon's processes: over the sockets.
    plain = ("run", "--rm", *LOCKED, "-v", "sockets:/run/nlemu", "-v", f"{DOCKER}/client.py:/client.py:ro")
    third = engine(*plain, "--entrypoint=python", "nlemu", "/client.py", "/run/nlemu/init")
    assert third.splitlines() == ["1 lo", "2 eth0", "3 red0"]
    engine("stop", "nlemu")
    assert engine("inspect", "--format={{.State.ExitCode}}", "nlemu") == "0\n"
    left = engine("run", "--rm", *LOCKED, "-v", "sockets:/run/nlemu", "--entrypoint=ls", "nlemu", "-A", "/run/nlemu")
    assert left == ""


def test_the_arrangement(engine: Engine) -> None:
    """compose.yaml, its conditions followed: each client sees the devices of its own namespace."""
    engine.compose("up", "-d", "daemon")
    daemon, namespaces, *clients = (f"nlemu_{name}_1" for name in services())
    engine.until_healthy(daemon)
    engine.compose("up", "-d", "--no-deps", "namespaces")
    assert engine("wait", namespaces) == "0\n"
    for name, container in zip(("red", "blue"), clients, strict=True):
        engine.compose("up", "-d", "--no-deps", name)
        assert engine("wait", container) == "0\n"
        assert engine("logs", container) == f"1 lo\n2 {name}0\n"
    told = engine("exec", daemon, "nlemu", "ctl", "netns", "list")
    assert [line.split()[:2] for line in told.splitlines()[1:]] == [["init", "1"], ["red", "2"], ["blue", "2"]]
    engine("stop", daemon)
    assert engine("inspect", "--format={{.State.ExitCode}}", daemon) == "0\n"


def test_the_unit(engine: Engine) -> None:
    """nlemu.service under systemd, as process 1 of a container: active once clients can connect, and ended well."""
    unit = "/etc/systemd/system/nlemu.service"
    engine(
        "run", "-d", "--name=machine", "--systemd=always", "--network=none", "--user=0", "--cap-add=SYS_ADMIN",
        "--no-healthcheck", "-v", f"{DEPLOY}/systemd/nlemu.service:{unit}:ro", "--entrypoint=/lib/systemd/systemd",
        "nlemu",
    )
    systemctl = ("exec", "machine", "systemctl")
    for _ in range(100):
        if engine(*systemctl, "is-system-running", "--wait", code=None).strip() in ("running", "degraded"):
            break
    engine("exec", "machine", "systemd-analyze", "verify", "--man=no", unit)
    engine(*systemctl, "start", "nlemu")
    assert engine(*systemctl, "show", "--property=ActiveState,SubState,StatusErrno", "nlemu").split() == [
        "StatusErrno=0", "ActiveState=active", "SubState=running",
    ]
    pid = engine(*systemctl, "show", "--property=MainPID", "--value", "nlemu").strip()
    status = engine("exec", "machine", "cat", f"/proc/{pid}/status")
    told = dict(line.split(":\t", 1) for line in status.splitlines())
    assert told["CapBnd"] == "0000000000000000" and told["NoNewPrivs"] == "1" and told["Uid"].split()[0] == "10001"
    assert engine("exec", "machine", "nlemu", "ctl", "netns", "list").splitlines()[1].split()[0] == "init"
    engine(*systemctl, "stop", "nlemu")
    assert engine(*systemctl, "show", "--property=Result,ActiveState", "nlemu").split() == [
        "Result=success", "ActiveState=inactive",
    ]
    assert engine("exec", "machine", "ls", "/run/nlemu", code=None) == ""
