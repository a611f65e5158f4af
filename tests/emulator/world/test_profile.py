"""Profiles of one's own: in a world, in files beside it, as a step; and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

import nlemu as package
from nlemu.emulator.kernel.ethtool.settings import Pause
from nlemu.emulator.kernel.nics.profiles import PROFILES
from nlemu.emulator.world import file, profile_file
from nlemu.emulator.world.begin import begin
from nlemu.emulator.world.export import export
from nlemu.emulator.world.reduce import reduced
from nlemu.emulator.world.world import WorldError
from tests.emulator.cli.conftest import nlemu

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
ACME = FIXTURES / "profiles" / "acme.toml"
OWN = FIXTURES / "worlds" / "own.toml"
START = '[[profile]]\nname = "mine"\nbase = "mlx5_core"\n'


def test_what_is_not_said_is_as_the_base_has_it() -> None:
    _, small = file.read(OWN).profiles
    world = file.parse(START + "queues = 3\n", "w")
    machine = begin(world)
    mine, base = machine.nics.profile("mine"), PROFILES["mlx5_core"]
    assert mine is not None and small.fields["name"] == "small"
    assert (mine.queues, mine.driver, mine.name) == (3, "mlx5_core", "mine")
    assert (mine.rss, mine.coalesce, mine.features, mine.ring_max) == (
        base.rss, base.coalesce, base.features, base.ring_max
    )


def test_a_driver_that_is_not_known_does_what_is_said_and_no_more() -> None:
    with package.Kernel(world=OWN) as kernel:
        ethtool, header = kernel.family("ethtool"), {"header": {"dev-name": "eth0"}}
        (rings,) = ethtool.do("rings-get", header)
        assert (rings["rx"], rings["rx-max"], rings["tx-max"]) == (512, 4096, 4096)
        assert ethtool.do("rings-set", {**header, "tcp-data-split": "enabled", "hds-thresh": 512}) == []
        with pytest.raises(package.NlError, match="requested ring size exceeds maximum"):
            ethtool.do("rings-set", {**header, "hds-thresh": 2048})
        (channels,), (spread,) = ethtool.do("channels-get", header), ethtool.do("rss-get", header)
        assert (channels["combined-max"], len(spread["indir"]) // 8, len(spread["hkey"]) // 2) == (16, 64, 40)
        device = kernel.family("netdev").dump("dev-get")[1]
        assert device["xdp-features"] == ["basic", "redirect", "xsk-zerocopy"]


def test_a_world_with_profiles_is_written_and_made_again() -> None:
    machine = begin(OWN)
    text = file.write(reduced(export(machine)))
    assert 'nic = "acme-100g"' in text and 'nic = "small"' in text
    again = begin(file.parse(text))
    assert again.nics.own == machine.nics.own
    assert file.write(reduced(export(again))) == text


@pytest.mark.parametrize(
    "text, error",
    [
        ("queues = 0", "w:4: profile.queues: a number from 1 to 65535 belongs here, and not 0"),
        ("\nqueues = 129", "w:5: profile.queues: is 129, and max-queues 128"),
        ("quues = 1", "w:4: profile.quues: there is no such key; there are name, driver, base, about"),
        ("rings = { rx = 9000 }", "w:4: profile.rings.rx: is 9000, and rings.rx-max 8192"),
        ("[profile.rings]\n\ntx = true", "w:6: profile.rings.tx: a number from 1 to 2147483647 belongs"),
        ("[profile.rings]\nsize = 1", "w:5: profile.rings.size: there is no such key; there are rx, rx-max"),
        ('features = { on = ["rx-warp"] }', "w:4: profile.features.on: there is no 'rx-warp', but "),
        ('features = { on = ["rx-gro"] }', "w:4: profile.features.on: rx-gro is the kernel's own, of every device"),
        ('[profile.features]\non = ["rx-all"]\noff = ["rx-all"]', "w:6: profile.features.off: rx-all is said in two"),
        ('xdp = ["basic", "basic"]', "w:4: profile.xdp: says something twice"),
        ('xdp = "basic"', 'w:4: profile.xdp: a list of words belongs here, and not "basic"'),
        ("rss = { table = 0 }", "w:4: profile.rss.table: a number from 1 to 65536"),
        ("coalesce = { first = { warp = 1 } }", "w:4: profile.coalesce.first.warp: there is no such key"),
        ("coalesce = { first = { rx-usecs-low = 1 } }", "w:4: profile.coalesce.first.rx-usecs-low: is not among"),
        ('[[profile.statistics]]\nnames = ["a{}"]', "w:5: profile.statistics[0].names: 'a{}' has braces"),
        ('statistics = [{ each = "day" }]', "w:4: profile.statistics[0].each: there is no 'day', but once"),
        ('statistics = [{ names = ["a"], counted = { b = "rx-bytes" } }]', "w:4: profile.statistics[0].counted: "),
        (f'statistics = [{{ names = ["{"a" * 32}"] }}]', "w:4: profile.statistics[0].names: a text of at most 31"),
        ('private-flags = { on = ["a"] }', "w:4: profile.private-flags.on: there is no 'a', but "),
        ("pci = { vendor = 1 }", "w:4: profile.pci.device: is missing"),
        ("pci = { vendor = 65536, device = 1 }", "w:4: profile.pci.vendor: a number from 0 to 65535"),
        ("rx-page-size = 5000", "w:4: profile.rx-page-size: a power of two belongs here, and not 5000"),
        ("speed = inf", "w:4: profile.speed: a number from 0 to 2147483647 belongs here, and not Infinity"),
        ('[[profile]]\nname = "mine"\nbase = "ice"', "w:5: profile.name: there is a profile 'mine' already"),
        ('[[profile]]\nname = "ice"\nbase = "ice"', "w:5: profile.name: ice is the profile of the driver itself"),
        ('[[profile]]\nname = "a"', "w:4: profile.driver: is missing, and so is base"),
        ('[[profile]]\nname = "a"\nbase = "warp"', "w:6: profile.base: there is no 'warp', but mlx5_core"),
        ('[[profile]]\nbase = "ice"', "w:4: profile.name: is missing"),
        ('[[profile]]\nname = "a"\ndriver = "a"\nrss = { table = 8 }', "w:7: profile.rss.key: is missing, and the b"),
        ('[[link]]\nname = "a"\nnic = "warp"', "w:6: link.nic: there is no 'warp', but mine, mlx5_core"),
    ],
)
def test_what_cannot_be_is_refused_whole_with_line_and_key(text: str, error: str) -> None:
    with pytest.raises(WorldError) as found:
        begin(file.parse(START + text, "w"))
    assert str(found.value).startswith(error)


def test_a_file_of_profiles_is_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(START + '[[link]]\nname = "a"\n')
    with pytest.raises(WorldError, match=r"p.toml:4: link: in a file of profiles there is nothing but \[\[profile\]\]"):
        profile_file.read(path)
    path.write_bytes(b"\xff")
    with pytest.raises(WorldError, match=r"p.toml: not UTF-8"):
        profile_file.read(path)
    path.write_text("")
    with pytest.raises(WorldError, match=r"p.toml: one \[\[profile\]\] belongs here, and not 0"):
        profile_file.read_one(path)
    world = tmp_path / "w.toml"
    world.write_text('\nprofiles = ["q.toml"]\n')
    with pytest.raises(WorldError, match=r"w.toml:2: profiles: q.toml: No such file or directory"):
        file.read(world)
    world.write_text('profiles = ["p.toml"]\n')
    path.write_text(START + "queues = -1\n")
    with pytest.raises(WorldError, match=r"p.toml:4: profile.queues: a number from 1"):
        file.read(world)
    world.write_text("profiles = [1]\n")
    with pytest.raises(WorldError, match=r"w.toml:1: profiles: names of files belong here, and not 1"):
        file.read(world)


def test_it_is_plugged_in_from_python_and_by_a_verb(tmp_path: Path) -> None:
    with package.Kernel() as kernel:
        nic = kernel.nic(ACME, "eth0")
        kernel.nic({"name": "own", "base": "ice", "queues": 3}, "eth1")
        kernel.nic("own", "eth2")
        counts = [one["combined-count"] for one in kernel.family("ethtool").dump("channels-get")]
        assert (nic.name, counts) == ("eth0", [4, 3, 3])
        with pytest.raises(package.ControlError, match=r"nic_new: profile.queues: a number from 1 to 65535"):
            kernel.nic({"name": "own", "base": "ice", "queues": 0})
        with pytest.raises(package.ControlError, match="nic_new: profile: there is no 'warp', but acme-100g, own, "):
            kernel.nic("warp")
        ctl = ("ctl", "--dir", kernel.directory, "nic", "new")
        done = nlemu(*ctl, "0000:0a:00.0", "--profile", ACME, "--name", "eth3")
        assert (done.returncode, done.stderr) == (0, "")
        assert [one["combined-count"] for one in kernel.family("ethtool").dump("channels-get")] == [4, 3, 3, 4]
        slip = tmp_path / "slip.toml"
        slip.write_text(START + "queues = 0\n")
        done = nlemu(*ctl, "0000:0b:00.0", "--profile", slip)
        assert done.returncode == 2
        assert f"argument --profile: {slip}:4: profile.queues: a number from 1 to 65535 belongs" in done.stderr
        done = nlemu(*ctl, "0000:0b:00.0", "--profile", tmp_path / "none.toml")
        assert "none.toml: No such file or directory" in done.stderr


def test_what_a_card_negotiated_of_pauses_is_said_and_not_asked_for() -> None:
    world = file.parse(
        '[[link]]\nname = "eth0"\nnic = "ice"\nethtool = { pause = { autoneg = false, rx = true } }\n', "w"
    )
    machine = begin(world)
    (dev,) = machine.nics.devices.values()
    assert dev.ops.get_pauseparam(dev) == Pause(False, True, False)
    again = begin(export(machine))
    (dev,) = again.nics.devices.values()
    assert dev.ops.get_pauseparam(dev) == Pause(False, True, False)
