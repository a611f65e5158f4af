"""Files that are not what they should be: real captures, changed at random, through every reader and what follows it.

    python -m tests.protocol.captures.fuzz [SECONDS [SEED]]

Whatever the file holds, nothing but a CaptureError may come of it, it comes at its end, and everything that was read
can be shown. The tests run a few hundred such files; this runs as long as it is told, and says how many, the slowest,
and how much memory was taken.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import zstandard

from nlemu.emulator.script.dissection import Dissection
from nlemu.protocol.captures import pcapng
from nlemu.protocol.captures.events import CaptureError, Datagram
from nlemu.protocol.captures.formats import events
from nlemu.protocol.captures.source import Source
from tests.protocol.captures.files import CAPTURES, FILES
from tests.protocol.captures.test_hexadecimal import TEXT

TRACES = CAPTURES.parent / "traces"
LENGTHS = (0, 1, 3, 4, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFF0, 0xFFFFFFFF)
WORDS = (
    b"nla_len=4294967295", b"nlmsg_len=18446744073709551616", b"1<<99999999999", b"-1", b"{", b"}", b"[[", b"]]", b'"',
    b"'", b"\\", b"/*", b"*/", b"...", b") = 5<", b"<unfinished ...>", b"if_nametoindex(\"x\")", b"htons(99999999)",
    b"makedev(-1, -1)", b"\xff\xfe", b"9" * 5000, b"(" * 200, b"0x", b"null", b"1e999", b"\n",
)
LARGEST = 20_000
"""Bytes of a file that is changed: small files are read often."""


def bodies() -> list[bytes]:
    """What is changed: the beginning of each capture and of some traces, in every format that there is."""
    found = [TEXT]
    for path in FILES:
        data = path.read_bytes()
        found.append((gzip.decompress(data) if path.suffix == ".gz" else data)[:LARGEST])
    found += [path.read_bytes()[:LARGEST] for path in sorted(TRACES.glob("*.jsonl"))[::20]]
    stream = io.BytesIO()
    writer = pcapng.Writer(stream)
    lease = (CAPTURES / "lease.pcap").read_bytes()
    for one in events(Source(io.BytesIO(lease[:LARGEST]), "lease")):
        if isinstance(one, Datagram):
            writer.write(one)
            if stream.tell() > LARGEST // 2:
                break
    found.append(stream.getvalue())
    return found


def changed(data: bytes, chance: random.Random) -> bytes:
    """A file with a few faults."""
    out = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 4, 16))):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(8):
            case 0:
                del out[at:]
            case 1:
                out[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                size = chance.choice((2, 4))
                out[at : at + size] = (chance.choice(LENGTHS) & (1 << 8 * size) - 1).to_bytes(size, "little")
            case 3:
                del out[at : at + chance.choice((1, 2, 4, 16, 300))]
            case 4:
                out[at:at] = out[at : at + chance.choice((1, 16, 300))] * chance.choice((1, 2, 50))
            case 5:
                out[at:at] = chance.choice(WORDS)
            case 6:
                out[at:at] = chance.choice(WORDS) * chance.choice((2, 40))
            case 7:
                start = chance.randrange(len(out) + 1)
                out[at:at] = out[start : start + chance.choice((4, 40, 400))]
    whole = bytes(out)
    match chance.randrange(6):
        case 0:
            whole = gzip.compress(whole, 1)
        case 1:
            whole = zstandard.ZstdCompressor().compress(whole)
        case _:
            return whole
    if chance.randrange(2):
        squeezed = bytearray(whole)
        squeezed[chance.randrange(4, len(squeezed))] = chance.randrange(256)
        whole = bytes(squeezed[: chance.choice((None, chance.randrange(4, len(squeezed))))])
    return whole


def files(seed: int) -> Iterator[bytes]:
    """Files without end, the same for the same seed."""
    chance, known = random.Random(seed), bodies()
    while True:
        yield changed(chance.choice(known), chance)


def look_at(data: bytes, path: Path) -> int:
    """Reads a file as `nlemu dissect` does and shows all of it in every way; how many messages there were."""
    path.write_bytes(data)
    count = 0
    try:
        with Dissection(str(path)) as dissection:
            for one in dissection.found():
                count += 1
                assert isinstance(one.brief(), str)
                assert all(isinstance(line, str) for line in [one.where(), *one.lines()])
                json.dumps(one.values())
            assert all(isinstance(line, str) for line in dissection.remarks())
    except CaptureError:
        assert not count, "what was read is given before the fault"
    return count


def main(seconds: float = 60, seed: int = 1) -> None:
    """Runs, and says what came of it."""
    ends, slowest, worst, messages, number = time.monotonic() + seconds, 0.0, 0, 0, 0
    with tempfile.NamedTemporaryFile() as file:
        for number, data in enumerate(files(seed), 1):
            before = time.monotonic()
            try:
                messages += look_at(data, Path(file.name))
            except Exception:
                kept = Path(tempfile.gettempdir()) / f"fuzz-{seed}-{number}"
                kept.write_bytes(data)
                print(f"file {number} of seed {seed} is kept as {kept}", file=sys.stderr)
                raise
            took = time.monotonic() - before
            if took > slowest:
                slowest, worst = took, number
            if time.monotonic() > ends:
                break
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{number} files, {messages} messages; the slowest {slowest:.2f} s (file {worst}); {memory} MiB at most")


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:3]))
