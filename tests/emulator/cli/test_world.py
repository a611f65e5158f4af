"""Worlds on the command line: serve, run, replay and the fixture begin with one; ctl export and clone write one."""

from __future__ import annotations

import difflib
import os
import subprocess
from pathlib import Path

import pytest

import nlemu as package
from nlemu.emulator.cli import main
from nlemu.emulator.world import file
from tests.emulator.cli.conftest import environment, nlemu
from tests.emulator.launch.nobody import lacking, need

WORLD = """
[[link]]
name = "d0"
kind = "dummy"
up = true

[[address]]
device = "d0"
address = "192.0.2.1/24"
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "world.toml"
    path.write_text(WORLD)
    return path


def test_a_kernel_begins_with_it_also_when_it_is_reset(world: Path) -> None:
    with package.Kernel(world=world) as kernel:
        for _ in range(2):
            names = [link["ifname"] for link in kernel.family("rt-link").dump("getlink")]
            assert names == ["lo", "d0"]
            kernel.family("rt-link").do("dellink", {"ifname": "d0"})
            kernel.do(reset=True)


def test_a_world_that_cannot_be_is_told_at_once(world: Path) -> None:
    world.write_text(WORLD.replace("dummy", "warp"))
    with pytest.raises(ValueError, match=r"world.toml:2: link.d0: Unknown device type"):
        package.Kernel(world=world)
    done = nlemu("serve", "--dir", world.parent / "daemon", "--world", world)
    assert (done.returncode, done.stderr) == (2, f"nlemu serve: {world}:2: link.d0: Unknown device type\n")


def test_it_is_exported_and_made_again(world: Path) -> None:
    with package.Kernel(world=world) as kernel:
        done = nlemu("ctl", "--dir", kernel.directory, "export")
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    assert 'kernel = "7.2.13"' in text and 'address = "192.0.2.1/24"' in text
    world.write_text(text)
    with package.Kernel(world=world) as kernel:
        again = nlemu("ctl", "--dir", kernel.directory, "export").stdout
    assert again == text


def test_a_capture_may_begin_in_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The world that a capture begins in can be said: with an MTU that is another, the answer differs in it."""
    strace = Path(__file__).parents[3] / "fixtures/captures/ethtool.strace"
    world = tmp_path / "w.toml"
    world.write_text('[[link]]\nname = "eth0"\nindex = 3\nbus = "netdevsim"\nat = "netdevsim0"\n')
    assert main(["replay", "--world", str(world), str(strace)]) == 0
    world.write_text('[[link]]\nname = "eth0"\nindex = 3\nbus = "netdevsim"\nat = "netdevsim0"\n'
                     "ethtool = { rings = { rx = 64 } }\n")
    assert main(["replay", "--world", str(world), str(strace)]) == 1
    said = capsys.readouterr().out
    assert "  ethtool rings-get, ethtool rings-get reply.rx: line 8\n    - .rx: 512\n    + .rx: 64\n" in said


def output(*command: str) -> list[str]:
    """What a program prints on this machine's own kernel, without colours."""
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment()).stdout.splitlines()


FIXED = ("tls-hw-record", "TX: n/a", "gso_max", "tso_max", "qdisc", "Features for", "valid_lft")
"""Where a copy may differ: what a driver has for good is its profile's (docs/worlds.md)."""


def test_a_copy_of_this_machine_looks_like_it(tmp_path: Path) -> None:
    """`ip` and `ethtool` on this machine's kernel, and under `nlemu run` on a clone of it."""
    ip, ethtool = need("ip"), need("ethtool")
    world = tmp_path / "clone.toml"
    done = nlemu("clone")
    assert done.returncode == 0
    world.write_text(done.stdout)
    assert file.parse(done.stdout).namespace().link("lo") is not None
    missing = {line.split(": ")[2] for line in done.stderr.splitlines() if "not cloned" in line}
    devices = [name for name in os.listdir("/sys/class/net") if name not in missing]
    commands = [[ip, "-br", "link"], [ip, "address"], [ip, "route"], [ip, "-6", "route"], [ip, "rule"]]
    commands += [[ethtool, option, device] for device in devices for option in ("-g", "-l", "-k")]
    if missing:
        lacking(f"this machine has what cannot be cloned: {done.stderr}")
    for command in commands:
        copy = nlemu("run", "--world", world, "--", *command).stdout.splitlines()
        fixed = {line.split(":")[0] for line in output(*command) if line.endswith("[fixed]")}
        one, other = ([line for line in lines if line.split(":")[0] not in fixed] for lines in (output(*command), copy))
        changes = [
            line for line in difflib.ndiff(one, other)
            if line[0] in "-+" and not any(word in line for word in FIXED)
        ]
        assert not changes, f"{' '.join(command)}:\n" + "\n".join(changes)
