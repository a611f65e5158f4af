"""``nlemu clone`` of machines with NICs: which profile is written, and that the clone of the clone is the same."""

from __future__ import annotations

import sys
from pathlib import Path

from nlemu.emulator.cli.cards import features, rings
from nlemu.emulator.kernel.nics.profiles import PROFILES, Profile
from nlemu.emulator.world import file
from tests.emulator.cli.conftest import nlemu

WORLDS = Path(__file__).resolve().parents[3] / "fixtures" / "worlds"


def clone(world: Path) -> str:
    done = nlemu("run", "--world", world, "--", sys.executable, "-m", "nlemu", "clone")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_nic_of_a_driver_that_is_not_known_is_cloned_with_all_that_it_tells(tmp_path: Path) -> None:
    text = clone(WORLDS / "own.toml")
    acme, small = (entry.fields for entry in file.parse(text).profiles)
    assert {key: acme[key] for key in ("driver", "firmware", "queues", "max-queues", "speed", "max-mtu", "xdp")} == {
        "driver": "acme", "firmware": "3.1.4 (rc2)", "queues": 4, "max-queues": 16, "speed": 100000, "max-mtu": 9600,
        "xdp": ["basic", "redirect", "xsk-zerocopy"],
    }
    assert acme["rings"] == {
        "rx": 512, "rx-max": 4096, "tx": 512, "tx-max": 4096, "hds-thresh": 256, "hds-thresh-max": 1024,
        "settable": ["hds-thresh"],
    }
    assert acme["features"] == {
        "on": ["rx-hashing", "rx-gro-hw"], "off": ["rx-ntuple-filter"], "fixed-off": ["tx-tcp6-segmentation"]
    }
    assert acme["rss"] == {"table": 64, "key": 40}
    assert acme["coalesce"] == {"settable": ["rx-usecs", "tx-usecs"], "first": {"rx-usecs": 16, "tx-usecs": 32}}
    assert acme["statistics"][0]["names"][:2] == ["link_flaps", "rxq0_pkts"]
    assert acme["qstats"] == {"rx": ["packets", "bytes", "alloc-fail"], "tx": ["packets", "bytes"]}
    assert acme["private-flags"] == {"names": ["turbo", "legacy-mode"], "on": ["turbo"]}
    assert (acme["pci"]["vendor"], acme["pci"]["device"]) == (0x1DD8, 0x1002)
    assert small == {
        "name": "mlx5_core-2", "driver": "mlx5_core", "queues": 2, "max-queues": 8,
        "features": {"fixed-off": ["rx-gro-hw"]},
    }
    again = tmp_path / "again.toml"
    again.write_text(text)
    assert clone(again) == text


def test_one_as_its_driver_has_it_needs_no_profile() -> None:
    text = clone(WORLDS / "cards.toml")
    assert file.parse(text).profiles == []
    assert 'nic = "mlx5_core"' in text and 'nic = "virtio_net"' in text


def test_what_hangs_on_the_state_of_a_card_is_not_its_profile() -> None:
    bnxt = PROFILES["bnxt_en"]
    assert rings({"rx": 511, "rx-max": 2047, "rx-jumbo-max": 8191, "tx": 511, "tx-max": 2047}, bnxt) == {}
    assert rings({"rx": 64, "rx-max": 512, "tx-push": 0}, Profile("acme", "")) == {"rx": 64, "rx-max": 512}
    gro = {"bits": {"bit": [{"name": "rx-gro"}, {"name": "rx-fcs"}]}}
    assert features({"active": gro, "hw": gro}, bnxt) == {"fixed-on": ["rx-fcs"]}
