"""The Dockerfile and compose.yaml as data, and as sandboxes.

A service is run as an engine would run it, as far as matters here: its mounts and nothing else of the machine's files
but what Python needs, no network, processes of its own, and the image's environment. bubblewrap makes the sandbox, and
an ordinary user runs it: uid 65534, or whoever runs the tests.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import Any, NamedTuple

import yaml

from tests.emulator.launch import nobody
from tests.emulator.launch.test_clients import packages

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCKER = ROOT / "docker"
PACKAGES = (
    "nlemu", "trio", "construct", "attr", "attrs", "outcome", "sniffio", "sortedcontainers", "idna", "h11",
)
IMAGE = "/opt/nlemu"
"""Where the sandbox has the packages and the commands that the image has."""


class Instruction(NamedTuple):
    word: str
    rest: str

    @property
    def arguments(self) -> list[str]:
        """Of the exec form."""
        arguments: list[str] = json.loads(self.rest)
        return arguments


def dockerfile() -> list[Instruction]:
    lines = [line for line in (DOCKER / "Dockerfile").read_text().splitlines() if line and not line.startswith("#")]
    return [Instruction(*line.split(" ", 1)) for line in lines]


def of(word: str) -> Instruction:
    """The last instruction of that kind, which is the one that counts."""
    return [instruction for instruction in dockerfile() if instruction.word == word][-1]


def health_check() -> list[str]:
    return Instruction("CMD", of("HEALTHCHECK").rest.partition(" CMD ")[2]).arguments


def environment() -> dict[str, str]:
    """What the image sets."""
    settings = [word for one in dockerfile() if one.word == "ENV" for word in shlex.split(one.rest)]
    return dict(setting.split("=", 1) for setting in settings)


def services() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    return read


def command(service: dict[str, Any]) -> list[str]:
    """What a service runs."""
    return [*service.get("entrypoint", of("ENTRYPOINT").arguments), *service.get("command", ())]


@dataclass
class Container:
    """What runs: the sandbox, and the process in it, as it is seen from outside."""

    process: subprocess.Popen[str]
    pid: int

    def stop(self) -> int:
        """As an engine stops a container: SIGTERM to its first process. Its exit status."""
        os.kill(self.pid, signal.SIGTERM)
        self.process.communicate(timeout=60)
        return self.process.returncode


@dataclass
class Engine:
    """Runs services. place: a directory of the user, for volumes and for what the image holds."""

    place: pathlib.Path
    image: pathlib.Path
    proc: bool
    """Whether a sandbox can have a /proc."""

    def volume(self, name: str) -> pathlib.Path:
        path = self.place / name
        if not path.exists():
            path.mkdir()
            as_user(path)
        return path

    def mounts(self, service: dict[str, Any]) -> list[str]:
        arguments = []
        for mount in service["volumes"]:
            if mount["type"] == "bind":
                source = self.image / "files" / mount["source"]
            else:
                source = self.volume(mount["source"]) / mount.get("volume", {}).get("subpath", "")
            how = "--ro-bind" if mount.get("read_only") else "--bind"
            arguments += [how, str(source), mount["target"]]
        return arguments

    def sandbox(self, service: dict[str, Any], *program: str, info: int = 2) -> list[str]:
        """The command line of a sandbox with the mounts of a service, in which that program is process 1."""
        settings = {**environment(), "PATH": f"{IMAGE}/bin:{nobody.PATH}", "PYTHONPATH": f"{IMAGE}/packages"}
        arguments = [nobody.need("bwrap"), "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
        for name, value in settings.items():
            arguments += ["--setenv", name, value]
        arguments += ["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
        for name in ("bin", "lib", "lib64"):
            if os.path.islink(f"/{name}"):
                arguments += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
            elif os.path.isdir(f"/{name}"):
                arguments += ["--ro-bind", f"/{name}", f"/{name}"]
        arguments += ["--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", str(self.image), IMAGE]
        arguments += ["--proc", "/proc"] if self.proc else []
        arguments += ["--as-pid-1", "--info-fd", str(info)]
        return [*arguments, *self.mounts(service), "--", *program]

    def start(self, name: str, *program: str) -> Container:
        """Starts a service, or another program in its place."""
        service = services()[name]
        reader, writer = os.pipe()
        with open(reader) as told:
            try:
                process = subprocess.Popen(
                    self.sandbox(service, *(program or command(service)), info=writer), text=True, cwd="/",
                    env=nobody.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    pass_fds=[writer], **user(),
                )
            finally:
                os.close(writer)
            return Container(process, json.load(told)["child-pid"])

    def run(self, name: str, *program: str) -> tuple[int, str, str]:
        """Runs one to its end: its exit status, and what it says."""
        process = self.start(name, *program).process
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors


def engine(place: pathlib.Path) -> Engine:
    """An engine with the image in it. Where there can be no sandboxes the test is skipped, and fails in CI."""
    image = place / "image"
    image.mkdir()
    (image / "bin").mkdir()
    for name, words in (("nlemu", "-m nlemu "), ("python", "")):
        script = image / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {nobody.python()} {words}"$@"\n')
        script.chmod(0o755)
    shutil.move(packages(*PACKAGES), image / "packages")
    shutil.copytree(DOCKER, image / "files")
    made = Engine(place, image, proc=True)
    empty: dict[str, Any] = {"volumes": []}
    for made.proc in (True, False):
        tried = subprocess.run(
            made.sandbox(empty, "true"), capture_output=True, text=True, env=nobody.environment(), cwd="/",
            check=False, **user(),
        )
        if not tried.returncode:
            return made
    nobody.lacking(f"bubblewrap can make no sandbox here: {tried.stderr}")
    raise AssertionError


def user() -> dict[str, Any]:
    """Who runs a sandbox, as arguments of Popen()."""
    return {"user": nobody.NOBODY, "group": nobody.NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def as_user(path: pathlib.Path) -> None:
    """Gives a file to whoever runs the sandboxes."""
    if os.getuid() == 0:
        os.chown(path, nobody.NOBODY, nobody.NOBODY)
