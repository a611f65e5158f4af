"""The road passes on every profile that lends queues, and whatever stops it leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nlemu.emulator.daemon.background import daemon
from tests.emulator.launch.nobody import need

ROOT = Path(__file__).resolve().parents[2]
LENDING = ("mlx5_core", "bnxt_en", "gve", "fbnic")
NOT_LENDING = {
    "ice": "Invalid argument: Lease device does not support queue management operations",
    "idpf": "Invalid argument: Lease device does not support queue management operations",
    **dict.fromkeys(
        ("i40e", "ena", "mana", "virtio_net"), "Operation not supported: setting TCP data split is not supported"
    ),
}
"""Where those end who do not."""


@pytest.fixture(scope="module")
def went(kernel_tree: Path) -> dict[str, list[dict[str, Any]]]:
    """What sweep.py told, by profile."""
    need("ip")
    nlemu = [sys.executable, "-m", "nlemu"]
    with daemon() as directory:
        run = subprocess.run(
            [*nlemu, "run", "--dir", directory, "--",
             sys.executable, "-m", "tests.road.sweep", str(kernel_tree), *LENDING, *NOT_LENDING],
            cwd=ROOT, capture_output=True, text=True, timeout=300, env=os.environ | {"NLEMU_DIR": str(directory)},
        )
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr
    told: dict[str, list[dict[str, Any]]] = {}
    for line in run.stdout.splitlines():
        one = json.loads(line)
        told.setdefault(one["profile"], []).append(one)
    return told


def cases(told: list[dict[str, Any]], case: str) -> list[dict[str, Any]]:
    """Those of a kind."""
    return [one for one in told if one["case"] == case]


@pytest.mark.parametrize("profile", LENDING)
def test_it_goes_there_and_back(went: dict[str, list[dict[str, Any]]], profile: str) -> None:
    (there,) = cases(went[profile], "wholly")
    assert (there["end"], there["leased"], there["rules"]) == ("went", [7, 6], 4)
    before, after = there["differs"]["rss-get"]
    assert (set(before["indir"]), set(after["indir"])) == (set(range(8)), set(range(6)))
    leases = [queue for queue in there["differs"]["queues"][1] if "lease" in queue]
    assert [queue["id"] for queue in leases] == [6, 7]
    (back,) = cases(went[profile], "back")
    assert (back["end"], back["differs"]) == ("went", {})


@pytest.mark.parametrize("profile", LENDING)
def test_a_request_that_is_refused_stops_it_and_everything_is_as_before(
    went: dict[str, list[dict[str, Any]]], profile: str
) -> None:
    refused = cases(went[profile], "refused")
    assert {"route.newlink", "netdev.queue-create", "ethtool.rss-set", "ETHTOOL_SRXCLSRLINS"} <= {
        one["at"].replace("rt-link", "route") for one in refused
    }
    assert [one for one in refused if one["end"] != "Cannot allocate memory" or one["differs"]] == []


@pytest.mark.parametrize("profile", LENDING)
def test_a_nic_that_goes_in_between_takes_everything_with_it(
    went: dict[str, list[dict[str, Any]]], profile: str
) -> None:
    unplugged = cases(went[profile], "unplugged")
    assert len(unplugged) == len(cases(went[profile], "refused")) > 20
    assert [one for one in unplugged if "No such device" not in one["end"] or one["differs"]] == []


@pytest.mark.parametrize("profile", LENDING)
def test_of_two_pods_one_gets_the_last_queue(went: dict[str, list[dict[str, Any]]], profile: str) -> None:
    first, second = cases(went[profile], "race")
    assert first["end"] == "Device or resource busy: no queue of nic0 is free"
    assert first["differs"] == {"host": [["lo", "nic0"], ["lo", "nic0", "nk-other"]], "other": [["lo"], ["eth0", "lo"]]}
    assert (second["end"], second["leased"], second["table"]) == ("went", [1], [0])


@pytest.mark.parametrize("profile", LENDING)
def test_channels_are_held_by_what_names_them(went: dict[str, list[dict[str, Any]]], profile: str) -> None:
    told = {one["at"]: (one["end"], bool(one["differs"])) for one in cases(went[profile], "shrink")}
    assert told == {
        "rule": ("Invalid argument: requested channel counts are too low for existing ntuple filter settings", False),
        "lease": ("Invalid argument: Device queue in use due to queue leasing", False),
        "table": ("Invalid argument: requested channel counts are too low for existing indirection table (5)", False),
        "nothing": ("went", True),
    }


@pytest.mark.parametrize("profile", NOT_LENDING)
def test_a_nic_that_does_not_lend_is_left_as_it_was(went: dict[str, list[dict[str, Any]]], profile: str) -> None:
    (there,) = cases(went[profile], "wholly")
    assert (there["end"], there["differs"]) == (NOT_LENDING[profile], {})
