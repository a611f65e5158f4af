"""Hexadecimal digits, as people have them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from nlemu.protocol.captures.events import Datagram
from tests.protocol.captures.files import CAPTURES, datagrams, read_on

TEXT = b"""
getlink request:
20 00 00 00 12 00 05 00
00 00 00 00

0000   20 00 00 00 12 00 05 00  00 11 22 33 44 55 66 77   ........ ..."3DUf
0010   aa bb                                              ..
0000   01 02 03 04

00000000: 2000 0000 1200 0500 0000 0000 0000 0000   ...............
00000010: 0100 0000                                ....

    let raw: Vec<u8> = vec![
        0x02, 0x08, // family
        // nothing here

        0x80, 0xfe, /* scope */
    ];
const ACK: [u8; 2] = [0x01, 0x02];
20:00:00:01
# a comment
request = b"\\x20\\0eth0\\n"

deadbeef
static const unsigned char reply[] = { 0x0a, 0x0b }
"""


def test_as_people_paste_them() -> None:
    found = [(one.place, one.comment, one.data.hex()) for one in datagrams(TEXT)]
    assert found == [
        ("line 3", "getlink request", "200000001200050000000000"),
        ("line 6", None, "20000000120005000011223344556677aabb"),
        ("line 8", None, "01020304"),
        ("line 10", None, "2000000012000500000000000000000001000000"),
        ("line 14", "raw", "020880fe"),
        ("line 19", "ACK", "0102"),
        ("line 20", None, "20000001" + "2000657468300a"),
        ("line 24", None, "deadbeef"),
        ("line 25", "reply", "0a0b"),
    ]


@pytest.mark.parametrize(
    "line, text",
    [
        (b"20 00 zz 00", "line 2: hexadecimal digits and something else: 20 00 zz 00"),
        (b"0x20 0x00 and", "line 2: hexadecimal digits and something else: 0x20 0x00 and"),
        (b"20 000 00", "line 2: an odd number of digits: 000"),
        (b"[ 0x20\nwords", "line 3: no hexadecimal digits: words"),
        (b"\xff\xfe", "line 2: not text (byte 0)"),
    ],
)
def test_a_slip_is_told_with_its_line(line: bytes, text: str) -> None:
    _found, error = read_on(b"20 00 00 00\n" + line + b"\n")
    assert error == f"capture: {text}"


def test_the_arrays_of_a_rust_library() -> None:
    """Written down in the four ways, each of the 173 comes back."""
    arrays = json.loads(gzip.decompress((CAPTURES / "public/netlink-packet-route.json.gz").read_bytes()))
    wanted = [bytes.fromhex(one["hex"]) for one in arrays]
    ways: dict[str, Callable[[bytes], str]] = {
        "plain": lambda data: data.hex(),
        "pairs": lambda data: data.hex(" "),
        "rust": lambda data: "let raw = vec![\n" + "".join(f"    0x{byte:02x},\n" for byte in data) + "];",
        "string": lambda data: 'b"' + "".join(f"\\x{byte:02x}" for byte in data) + '"',
    }
    for way, write in ways.items():
        text = "\n\n".join(f"// {number}\n{write(data)}" for number, data in enumerate(wanted))
        found = [one.data for one in datagrams(text.encode()) if isinstance(one, Datagram)]
        assert found == wanted, way
