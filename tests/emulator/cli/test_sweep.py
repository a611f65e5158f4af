"""`nlemu sweep`: what is said of a program whose requests are refused, one at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nlemu.emulator.cli import main
from tests.emulator.launch.nobody import need


@pytest.fixture(autouse=True)
def ip() -> str:
    return need("ip")


def sweep(capsys: pytest.CaptureFixture[str], script: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(["sweep", "--json", *options, "--", "sh", "-c", script])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def verdicts(told: list[dict[str, Any]], **about: str) -> list[str]:
    return [one["verdict"] for one in told if about.items() <= one.items()]


def test_who_notices_and_who_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = sweep(capsys, "ip link add red type dummy", "--only", "route.newlink")
    assert (code, verdicts(told, about="ifname red")) == (0, ["told"])
    code, told = sweep(capsys, "ip link add red type dummy; true", "--only", "route.newlink")
    assert (code, verdicts(told, about="ifname red")) == (1, ["hid"])


def test_who_leaves_things_behind(capsys: pytest.CaptureFixture[str]) -> None:
    script = "ip link add red type dummy && ip addr add 192.0.2.1/24 dev red"
    code, told = sweep(capsys, script, "--only", "route.newaddr", "--errno", "EPERM")
    assert (code, verdicts(told)) == (1, ["left"]) and "Operation not permitted" in told[0]["said"]
    code, told = sweep(capsys, f"{script} || {{ ip link del red; false; }}", "--only", "route.newaddr")
    assert (code, verdicts(told)) == (0, ["told"])


def test_who_dies_and_who_hangs(capsys: pytest.CaptureFixture[str]) -> None:
    only = ("--only", "route.newaddr")
    script = "ip link add red type dummy; ip addr add 192.0.2.1/24 dev red || "
    assert verdicts(sweep(capsys, script + "kill -9 $$", *only)[1]) == ["died"]
    code, told = sweep(capsys, script + "exec sleep 1000", *only, "--timeout", "10")
    assert (code, [(one["verdict"], one["status"]) for one in told]) == (1, [("hung", None)])


def test_who_tries_again(capsys: pytest.CaptureFixture[str]) -> None:
    script = "ip link add red type dummy 2>/dev/null || ip link add red type dummy"
    code, told = sweep(capsys, script, "--only", "route.newlink")
    assert (code, set(verdicts(told))) == (0, {"coped"})


def test_dumps_are_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    code, told = sweep(capsys, "ip link | tee /dev/stderr >/dev/null", "--interrupt")
    assert code == 0 and [one["operation"] for one in told] == ["route.getlink"]
    code, told = sweep(capsys, "ip link add red type dummy", "--interrupt")
    assert (code, told) == (0, [])


def test_it_begins_in_a_world(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    world = tmp_path / "world.toml"
    world.write_text('[[link]]\nname = "red"\nkind = "dummy"\n')
    code, told = sweep(capsys, "ip link set red up", "--world", str(world), "--only", "route.newlink")
    assert code == 0 and verdicts(told, about="ifi-index 2") == ["told"]


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["--"], 2, "what shall be run?"),
    (["--errno", "ENOSUCH", "--", "true"], 2, "the name of an errno"),
    (["--", "false"], 1, "undisturbed, the command ends with 1, and says nothing"),
])
def test_what_cannot_be_swept(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main(["sweep", *arguments]) == code
    assert said in capsys.readouterr().err
