"""docker/ read as it stands: what it starts exists, is accepted, and is no root."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tomllib
from typing import Any

import pytest

from nlemu.emulator import cli
from tests.containers.arrangement import (
    DOCKER,
    ROOT,
    command,
    dockerfile,
    environment,
    health_check,
    of,
    services,
)

SERVICES = services()
CLIENTS = ("red", "blue")


def started(service: dict[str, Any]) -> list[list[str]]:
    """Every call of `nlemu` that a service makes, in its script too."""
    words = command(service)
    if words[0] == "nlemu":
        return [words]
    return [shlex.split(call) for line in words for call in re.findall(r"\bnlemu [a-z].*", line)]


def test_it_begins_with_a_slim_public_image() -> None:
    first, *others = dockerfile()
    assert first.word == "FROM" and not [one for one in others if one.word == "FROM"]
    found = re.fullmatch(r"python:3\.(\d+)-slim", first.rest)
    wanted = re.fullmatch(r">=3\.(\d+)", project()["requires-python"])
    assert found and wanted and int(found[1]) >= int(wanted[1])


def project() -> dict[str, Any]:
    described: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return described


def test_what_is_built_is_copied() -> None:
    copied = {source for one in dockerfile() if one.word == "COPY" for source in one.rest.split()[:-1]}
    packages = {"protocol", "emulator", "nlemu"}  # nlemu/ links to the other two
    assert copied == {"pyproject.toml", "setup.py", "README.md", *packages, *project()["license-files"]}
    # An sdist has the two in nlemu/ alone.
    assert all((ROOT / source).exists() or (ROOT / "nlemu" / source).exists() for source in copied)
    let_in = (DOCKER / "Dockerfile.dockerignore").read_text().split()
    assert {line[1:] for line in let_in if line.startswith("!")} == copied


def test_nobody_is_root() -> None:
    user = of("USER").rest
    assert user.isdigit() and int(user) > 0
    words = [one.word for one in dockerfile()]
    assert words.index("RUN") < words.index("USER") < words.index("ENTRYPOINT")
    assert f"--uid {user} " in next(one.rest for one in dockerfile() if "useradd" in one.rest)
    for service in SERVICES.values():
        assert "user" not in service and "privileged" not in service and "cap_add" not in service
        assert (service["cap_drop"], service["network_mode"]) == (["ALL"], "none")


def test_one_volume_for_the_sockets() -> None:
    (volume,) = of("VOLUME").arguments
    assert environment() == {"NLEMU_DIR": volume}
    options = cli.parse(of("ENTRYPOINT").arguments[1:])
    assert options.dir == volume
    for name in ("daemon", "namespaces"):
        assert {"type": "volume", "source": "sockets", "target": volume} in SERVICES[name]["volumes"]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_has_one_namespace(name: str) -> None:
    service = SERVICES[name]
    sockets, program = service["volumes"]
    assert sockets["source"] == "sockets" and sockets["volume"] == {"subpath": name}
    assert program["type"] == "bind" and program["read_only"] and (DOCKER / program["source"]).is_file()
    assert command(service)[1:3] == [program["target"], sockets["target"]]


def test_clients_wait_for_their_namespaces() -> None:
    assert SERVICES["namespaces"]["depends_on"] == {"daemon": {"condition": "service_healthy"}}
    for name in CLIENTS:
        wanted = {"namespaces": {"condition": "service_completed_successfully"}}
        assert SERVICES[name]["depends_on"] == wanted
    made = [cli.parse(words[1:]) for words in started(SERVICES["namespaces"])]
    assert [(options.verb, options.what, options.name) for options in made] == [
        ("netns", "add", name) for name in CLIENTS
    ]


def test_every_command_is_one() -> None:
    readme = (DOCKER / "README.md").read_text()
    shown = re.findall(r"docker exec nlemu (nlemu .*)", readme)
    assert shown
    calls = [health_check(), *(shlex.split(call) for call in shown)]
    calls += [words for service in SERVICES.values() for words in started(service)]
    for words in calls:
        assert words[0] == "nlemu"
        cli.parse(words[1:])


def test_the_health_check(daemon: pathlib.Path) -> None:
    """It is well with a daemon, and ill without one."""
    words = [sys.executable, "-m", "nlemu", *health_check()[1:]]
    for directory, code in ((daemon, 0), (daemon / "none", 5)):
        settings = {**os.environ, "NLEMU_DIR": str(directory)}
        assert subprocess.run(words, cwd=ROOT, env=settings, capture_output=True).returncode == code
