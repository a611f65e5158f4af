"""What ip, bridge, brctl, ifconfig, wg and their like print here is what they print on Linux 7.2.13."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.emulator.cli.conftest import nlemu
from tests.emulator.launch import nobody
from tests.emulator.launch.scripts.chance import blanked
from tests.emulator.launch.scripts.run import COMMAND, SCRIPTS, names, recorded

pytestmark = pytest.mark.usefixtures("supervision")
RECORDED_WITH = "iproute2-6.1.0"
"""Of Debian 12: another version prints otherwise."""
PROGRAMS = {
    "brctl": ["brctl"], "busybox": ["busybox"], "devlink": ["devlink"], "ifupdown": ["ifup", "brctl"],
    "links": ["ethtool"],
    "monitor": ["tc"], "mpls": ["sysctl"], "mpls_monitor": ["sysctl"], "mpls_requests": ["python3"],
    "names": ["ifconfig", "ethtool"], "neigh": ["arp"], "net_tools": ["ifconfig"], "netkit": ["ethtool"],
    "netns_moves": ["nsenter", "sysctl"], "stable_secret": ["sysctl"], "sysctl": ["sysctl"],
    "sysctl_values": ["sysctl"], "tuntap": ["ethtool"],
    "vlan": ["vconfig"], "wireguard": ["wg"],
}
"""What a script runs besides iproute2."""
OF_ROOT = frozenset({"ifupdown"})
"""Scripts that write below /run, in mounts of their own, and so want to be root really."""


@pytest.fixture(scope="module", autouse=True)
def _version() -> None:
    nobody.need("ip")
    told = subprocess.run([shutil.which("ip") or "ip", "-V"], capture_output=True, text=True, check=True).stdout
    if RECORDED_WITH not in told:
        pytest.skip(f"recorded with {RECORDED_WITH}, and this is {told.strip()}")


@pytest.mark.parametrize("name", names())
def test_prints_what_it_prints_on_linux(name: str) -> None:
    for program in PROGRAMS.get(name, []):
        nobody.need(program)
    command = "sh", "-c", COMMAND.format(folder=SCRIPTS, name=name)
    if name in OF_ROOT:
        if os.getuid():
            pytest.skip("for root")
        printed = nlemu("run", "--", *command).stdout
    else:
        printed = nobody.run(*command)
    printed = blanked(printed)
    assert printed.splitlines() == recorded(name).read_text().splitlines()
