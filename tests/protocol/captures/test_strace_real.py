"""The strace of this machine, on programs that only look: every message is put together again, as long as it was."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from nlemu.protocol.captures.events import Datagram, Unread
from tests.emulator.launch.nobody import lacking, need
from tests.protocol.captures.files import read

COMMANDS = [
    "ip -d link", "ip -d addr", "ip route show table all", "ip rule", "ip neigh", "ip netconf", "ip ntable",
    "ethtool -i lo", "ethtool lo", "ethtool -k lo", "ss -aempi", "ss -x", "bridge link", "bridge -d fdb", "bridge vlan",
]


GUESS = re.compile(r"stands? for (it|the rest) here$")
"""How what strace does not tell is told."""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_message(tmp_path: Path, command: str) -> None:
    program, *arguments = command.split()
    file = tmp_path / "strace"
    done = subprocess.run(
        [need("strace"), "-f", "-v", "-xx", "-s", "100000", "-e", "trace=%network,%desc", "-o", str(file),
         need(program), *arguments],
        capture_output=True, check=False, timeout=60,
    )
    if b"ptrace" in done.stderr.lower():
        lacking("nothing may be traced here")
    events = read(file.read_bytes())
    unread = [one.reason for one in events if isinstance(one, Unread)]
    assert [reason for reason in unread if not GUESS.search(reason)] == []
    found = [one for one in events if isinstance(one, Datagram)]
    assert command == "ethtool -i lo" or found
    assert not [one.place for one in found if one.cut]
