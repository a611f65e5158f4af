"""`nlemu ynl` beside the kernel's own tool: the same arguments, on machines that are alike, print the same."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import pytest

from nlemu.emulator.client.control import Control
from nlemu.emulator.daemon.background import daemon

ROOT = pathlib.Path(__file__).resolve().parents[2]
STAND_IN = """
import runpy, socket, sys
from nlemu.emulator.client.stand_in import netlink_socket
socket.socket = netlink_socket(sys.argv[1])
del sys.argv[:2]
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a Python program whose netlink sockets are the daemon's: a directory, the program, its arguments."""

UP = '{"ifi-index": 2, "ifi-flags": 1, "ifi-change": 1}'
SINGLE = '{"ifname": "nk", "linkinfo": {"kind": "netkit", "data": {"pairing": "single"}}}'
BAD_MODE = '{"linkinfo": {"kind": "netkit", "data": {"mode": 7}}}'
ADDRESS = '{"ifa-family": 2, "ifa-index": 2, "ifa-prefixlen": 24, "local": "192.0.2.1", "address": "192.0.2.1"}'
RULE = '{"family": 2, "table": 100, "action": 1, "priority": 5, "fwmark": 16}'

CALLS = {
    "netdev": [
        ("--dump", "dev-get"),
        ("--dump", "dev-get", "--output-json"),
        ("--dump", "queue-get", "--json", '{"ifindex": 2}'),
        ("--dump", "qstats-get", "--json", '{"scope": "queue"}'),
        ("--do", "dev-get", "--json", '{"ifindex": 0}'),
        ("--do", "queue-get", "--json", '{"ifindex": 2, "type": "rx", "id": 9}'),
        ("--multi", "dev-get", '{"ifindex": 1}', "--multi", "dev-get", '{"ifindex": 2}'),
        ("--do", "queue-create", "--policy"),
        ("--dump", "dev-get", "--policy"),
        ("--subscribe", "mgmt", "--duration", "0"),
    ],
    "ethtool": [
        ("--do", "rings-get", "--json", '{"header": {"dev-index": 2}}'),
        ("--do", "rings-get", "--json", '{"header": {"dev-name": "nosuch"}}'),
        ("--dump", "features-get", "--output-json"),
        ("--dump", "linkmodes-get"),
    ],
    "nlctrl": [
        ("--dump", "getfamily", "--output-json"),
        ("--dump", "getpolicy", "--json", '{"family-name": "netdev", "op": 13}'),
    ],
    "rt-link": [
        ("--do", "setlink", "--json", UP),
        ("--do", "newlink", "--create", "--excl", "--json", SINGLE),
        ("--do", "newlink", "--create", "--excl", "--json", SINGLE),
        ("--do", "newlink", "--create", "--json", BAD_MODE),
        ("--do", "dellink", "--json", '{"ifname": "nosuch"}'),
    ],
    "rt-addr": [
        ("--do", "newaddr", "--create", "--json", ADDRESS),
        ("--dump", "getaddr", "--json", '{"ifa-family": 2}'),
    ],
    "rt-rule": [
        ("--do", "newrule", "--create", "--json", RULE),
        ("--dump", "getrule", "--json", '{"family": 2}'),
    ],
}
"""Some of what both can be asked. What they tell differently on purpose is in emulator/cli/ynl.py."""


def ran(command: list[str]) -> tuple[int, list[str]]:
    """Exit code and lines; sets, which have no order, in the same one each time."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", "COLUMNS": "100"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


DOCUMENTED = [
    ("--do", "dev-get"),
    ("--do", "queue-get", "--json", '{"ifindex": 2, "id": 0}'),
    ("--do", "queue-create", "--json", '{"ifindex": 2, "type": "rx"}'),
]
"""Attributes that are missing: what they are is said in the words of the specification."""
LISTED = [("--list-attrs", "napi-set"), ("--list-attrs", "queue-create"), ("--list-attrs", "bind-tx")]
"""All of it, where the kernel writes attributes in the order of the specification."""


@pytest.fixture
def twins() -> Iterator[tuple[pathlib.Path, pathlib.Path]]:
    """Two daemons, with a NIC of four queues each."""
    with daemon() as one, daemon() as other:
        for directory in (one, other):
            with Control(directory) as control:
                control.do(nsim_new=[1, 1, 4])
        yield one, other


@pytest.mark.parametrize("family", CALLS)
def test_it_prints_what_the_kernels_tool_prints(
    family: str, twins: tuple[pathlib.Path, pathlib.Path], kernel_tree: pathlib.Path
) -> None:
    tool = str(kernel_tree / "tools/net/ynl/pyynl/cli.py")
    for arguments in CALLS[family]:
        asked = ["--family", family, "--no-schema", *arguments]
        theirs = ran([sys.executable, "-c", STAND_IN, str(twins[0]), tool, *asked])
        ours = ran([sys.executable, "-m", "nlemu", "ynl", "--dir", str(twins[1]), *asked])
        assert ours == theirs, " ".join(arguments)


def test_a_specification_is_read_for_its_words(
    twins: tuple[pathlib.Path, pathlib.Path], kernel_tree: pathlib.Path
) -> None:
    spec = ["--spec", str(kernel_tree / "Documentation/netlink/specs/netdev.yaml"), "--no-schema"]
    commands = (
        [sys.executable, "-c", STAND_IN, str(twins[0]), str(kernel_tree / "tools/net/ynl/pyynl/cli.py")],
        [sys.executable, "-m", "nlemu", "ynl", "--dir", str(twins[1])],
    )
    for arguments in DOCUMENTED:
        theirs, ours = (ran([*command, *spec, *arguments]) for command in commands)
        assert ours == theirs and "miss-type-doc" in ours[1][0], " ".join(arguments)
    for arguments in LISTED:
        theirs, ours = (ran([*command, *spec, *arguments]) for command in commands)
        assert ours == theirs, " ".join(arguments)
