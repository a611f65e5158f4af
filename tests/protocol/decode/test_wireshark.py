"""The dissector for Wireshark, run by tshark: frames of real captures and of our traces, names, numbers, errors."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlemu.emulator.script.captured import events_of_trace
from nlemu.protocol.captures import pcap
from nlemu.protocol.captures.events import Act, Datagram
from nlemu.protocol.captures.source import Source
from nlemu.protocol.decode.wireshark import dissector
from nlemu.protocol.names.known import GENERIC_NETLINK
from tests.emulator.launch.nobody import NOBODY, environment, need
from tests.protocol.captures.files import CAPTURES

TRACES = CAPTURES.parent / "traces"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A directory that everybody may read, with the script in it: as root, tshark runs no scripts."""
    with tempfile.TemporaryDirectory(prefix="nlemu-lua-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "nlemu.lua").write_text(dissector())
        yield folder


def tshark(folder: Path, capture: bytes, *options: str) -> str:
    """What tshark prints of a capture. It has to end well, without a word of Lua's."""
    file = folder / "capture.pcap"
    file.write_bytes(capture)
    file.chmod(0o644)
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": ()} if os.getuid() == 0 else {}
    done = subprocess.run(
        [need("tshark"), "-X", f"lua_script:{folder}/nlemu.lua", "-r", str(file), *options],
        capture_output=True, text=True, timeout=120, env=environment(), check=False, **who,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    assert "ua" not in re.sub(r"Running as user.*", "", done.stderr), done.stderr
    assert not re.findall(r".*Lua Error.*", done.stdout)
    return str(done.stdout)


def shown(folder: Path, capture: bytes, number: int, *options: str) -> list[str]:
    """What our dissector shows of a frame."""
    lines = tshark(folder, capture, "-V", "-O", "nlemu", "-Y", f"frame.number == {number}", *options).splitlines()
    known = ("Frame ", "Linux ", "Netlink message", "Data (")
    return [line for line in lines if line and not line.startswith(known)]


LEASE = (CAPTURES / "lease.pcap").read_bytes()


def test_a_lease(folder: Path) -> None:
    """Whole frames: the request, and the error that answers it."""
    assert shown(folder, LEASE, 20) == [
        "netdev queue-create request",
        "    Family: netdev",
        "    Command: queue-create",
        "    ifindex: 4",
        "    type: 0 (rx)",
        "    lease",
        "        ifindex: 3",
        "        queue",
        "            type: 0 (rx)",
        "            id: 2",
    ]
    assert shown(folder, LEASE, 21) == [
        "error EBUSY to netdev queue-create", "    Errno: EBUSY", "    msg: Device queue in use due to queue leasing",
    ]
    assert shown(folder, LEASE, 36)[:5] == [
        "ethtool channels-get reply", "    Family: ethtool", "    Command: channels-get", "    header",
        "        dev-index: 3",
    ]


def test_fields_can_be_filtered_by(folder: Path) -> None:
    lines = tshark(folder, LEASE, "-Y", 'nlemu.command == "queue-create" && nlemu.netdev.queue.ifindex == 4')
    assert [line.split("84 ")[-1].split("44 ")[-1] for line in lines.splitlines()] == [
        "netdev queue-create request", "netdev queue-create request",
    ]


def frames(capture: bytes) -> list[bytes]:
    """The frames of a pcap, with their headers."""
    found, at = [], 24
    while at < len(capture):
        end = at + 16 + int.from_bytes(capture[at + 8 : at + 12], "little")
        found.append(capture[at:end])
        at = end
    return found


@pytest.mark.parametrize(
    "options, told", [((), False), (("-2",), True), (("-o", "nlemu.numbers:ethtool=21, netdev=20"), True)]
)
def test_numbers_of_families(folder: Path, options: tuple[str, ...], told: bool) -> None:
    """The answer that tells them stands behind the messages: the second pass knows it, or a preference."""
    all_frames = frames(LEASE)
    late = LEASE[:24] + b"".join(all_frames[13:16] + all_frames[10:13])
    lines = tshark(folder, late, *options).splitlines()
    assert ("netdev queue-create request" in lines[0]) is told
    assert ("ack to netdev queue-create" in lines[2]) is told


@pytest.mark.parametrize(
    "name", ["lease.pcap", "ip-netkit.pcap", *(f"public/{path.name}" for path in CAPTURES.glob("public/*.pcap.gz"))]
)
def test_every_capture(folder: Path, name: str) -> None:
    data = (CAPTURES / name).read_bytes()
    tshark(folder, gzip.decompress(data) if name.endswith(".gz") else data, "-2", "-V")


def as_pcap(path: Path, place: Path) -> str:
    """A trace as a capture; the numbers of its families, as the preference has them."""
    numbers = ""
    with path.open("rb") as stream, place.open("wb") as out:
        writer = pcap.Writer(out)
        for event in events_of_trace(Source(stream, path.name)):
            if isinstance(event, Act) and event.verb == "families":
                numbers = ",".join(f"{name}={number}" for name, number in event.fields.items())
            elif isinstance(event, Datagram) and event.protocol == GENERIC_NETLINK:
                writer.write(event)
    return f"nlemu.numbers:{numbers}"


def test_every_kind_of_attribute(folder: Path) -> None:
    """What the emulated families were asked and said in the traces, offsets of errors and all."""
    told = []
    for path in sorted(TRACES.glob("[ens]0[1-5]*.jsonl")):
        place = folder / "trace.pcap"
        numbers = as_pcap(path, place)
        told.append(tshark(folder, place.read_bytes(), "-o", numbers, "-V", "-O", "nlemu"))
    text = "\n".join(told)
    assert len(told) > 5
    assert text.count("nlemu") == 0
    assert re.search(r"\n    offs: \d+", text)
    assert re.search(r"\nerror E\w+ to \w+ [\w-]+, at (\.[\w-]+)+\n", text)
    assert re.search(r"\n    xdp-features: \d+ \([a-z -]+\)", text)
    # Requests that are too short on purpose, and nothing that Linux said.
    odd = [block for block in text.split("\nFrame ") if "bytes, which is no" in block]
    assert odd and all(" request" in block.partition("\n\n")[0] + block for block in odd)
    assert not any(" reply" in block or " notification" in block for block in odd)
