"""nlemu ctl watch: what goes over a daemon's sockets, as it happens."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from nlemu.emulator.cli import USAGE, main
from nlemu.emulator.client.client import Client
from nlemu.emulator.client.control import Control
from nlemu.emulator.script.dissection import Dissection
from nlemu.emulator.script.reading import Reading
from nlemu.protocol.captures.events import Datagram
from nlemu.protocol.encode.conversation import NlError
from nlemu.protocol.names.known import ROUTE
from nlemu.protocol.uapi.netlink import NLM_F

from .conftest import finish, nlemu, start


def watching(machine: Path, *arguments: str) -> subprocess.Popen[str]:
    """A watcher, from when it watches."""
    process = start("ctl", "--dir", machine, "watch", *arguments)
    assert process.stderr is not None
    assert process.stderr.readline() == "nlemu ctl: watching\n"
    return process


def test_sockets_that_were_open_before_are_heard(machine: Path) -> None:
    with Control(machine) as control, Client(control.open(proto=ROUTE)[0], "rt-link") as client:
        client.do("newlink", {"ifname": "red", "linkinfo": {"kind": "dummy"}}, NLM_F.CREATE)
        watcher = watching(machine, "--count", "2")
        client.do("newlink", {"ifname": "blue", "linkinfo": {"kind": "dummy"}}, NLM_F.CREATE)
        code, out, err = finish(watcher)
    request, ack = out.splitlines()
    assert (code, err) == (0, "")
    assert "> 0/" in request and "newlink request  ifname: blue" in request
    assert "ack to newlink request" in ack


def test_only_what_is_wanted_for_a_program(machine: Path) -> None:
    with Control(machine) as control:
        control.do(netns="pod")
        watcher = watching(machine, "--netns", "pod", "--errno", "any", "--count", "1", "--json")
        for netns in ("init", "pod"):
            with Client(control.open(netns=netns, proto=ROUTE)[0], "rt-link") as client:
                assert nlemu_error(client) == 19
        code, out, err = finish(watcher)
    told = json.loads(out)
    assert (code, err) == (0, "")
    assert (told["kind"], told["namespace"], told["message"]["errno"]) == ("failed", "pod", "ENODEV")


def nlemu_error(client: Client) -> int:
    """The errno of a question about a device that there is not."""
    try:
        client.do("getlink", {"ifname": "none"})
    except NlError as error:
        return int(error.errno)
    return 0


def test_a_fresh_machine_is_watched_too_and_the_end_is_an_end(machine: Path, tmp_path: Path) -> None:
    daemon = start("serve", "--dir", tmp_path / "own")
    assert daemon.stderr is not None
    daemon.stderr.readline()
    watcher = watching(tmp_path / "own", "-w", str(tmp_path / "seen.pcapng"))
    assert nlemu("ctl", "--dir", tmp_path / "own", "reset").returncode == 0
    asked = nlemu("ynl", "--dir", tmp_path / "own", "--family", "rt-link", "--dump", "getlink")
    assert asked.returncode == 0
    daemon.terminate()
    assert finish(daemon)[0] == 0
    assert finish(watcher) == (0, "", "")
    with Reading(str(tmp_path / "seen.pcapng"), ROUTE) as reading:
        seen = [event for event in reading.events() if isinstance(event, Datagram)]
    assert [event.network for event in seen] == ["init"] * len(seen)
    assert seen[0].port is not None and len(seen) == 3  # a request, its answer, and that this was all


def test_a_watcher_who_does_not_read_is_told_what_was_lost(machine: Path) -> None:
    with Control(machine) as control, Client(control.open(proto=ROUTE)[0], "rt-link") as client:
        stream = control.watch()
        for _ in range(4000):
            client.dump("getlink")
        stream.sock.settimeout(60)
        seen = b""
        while b"epilogue" not in seen:
            seen += stream.read(1 << 20)
            client.do("newlink", {"ifname": "lo", "ifalias": "epilogue"})
        stream.close()
        client.dump("getlink")  # nobody watches any more, which the daemon finds out now
        assert control.do(state=True)["kernel"]["bugs"] == 0
    with Dissection(Held(seen)) as dissection:
        reasons = [one.reason for one in dissection.found() if one.message is None]
    assert [reason.split(maxsplit=1)[1] for reason in reasons[:1]] == ["datagrams before this one were lost"]
    assert int(reasons[0].split()[0]) > 1000


class Held:
    """Bytes as a stream."""

    name = "bytes"

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int, /) -> bytes:
        some, self.data = self.data[:size], self.data[size:]
        return some


def test_a_mistake_is_told_before_anything_is_watched(machine: Path) -> None:
    assert main(["ctl", "--dir", str(machine), "watch", "--errno", "EWRONG"]) == USAGE
