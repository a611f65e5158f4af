"""pcap and pcapng: real files whole, both byte orders and units, what we write, and files that lie."""

from __future__ import annotations

import gzip
import io
import struct
from collections import Counter
from dataclasses import replace

import pytest
import zstandard

from nlemu.protocol.captures import pcap, pcapng
from nlemu.protocol.captures.events import CaptureError, Datagram, Way
from nlemu.protocol.frame import split
from tests.protocol.captures.files import CAPTURES, datagrams, read, read_on

LEASE = (CAPTURES / "lease.pcap").read_bytes()
GETLINK = bytes.fromhex("2000000012000500010000000000000000000000010000000000000000000000")
NEWLINK = bytes.fromhex("10000000100000000100000009000000")


@pytest.mark.parametrize(
    "name, frames, messages, protocols",
    [
        ("ip-netkit.pcap", 33, 41, {0: 33}),
        ("lease.pcap", 64, 184, {0: 18, 4: 10, 16: 36}),
        ("public/little-dude-rtnetlink.pcap.gz", 527, 1043, {0: 527}),
        ("public/pyroute2-nl0.pcap.gz", 19, 34, {0: 9, 16: 10}),
        ("public/xtcp2-5.15.164.pcap.gz", 20, 63, {0: 13, 4: 7}),
        ("public/xtcp2-7.0.3.pcap.gz", 33, 74, {0: 33}),
    ],
)
def test_real_captures_are_read_whole(name: str, frames: int, messages: int, protocols: dict[int, int]) -> None:
    found = datagrams((CAPTURES / name).read_bytes())
    assert len(found) == frames
    assert Counter(one.protocol for one in found) == protocols
    assert sum(len(list(split(one.data))) for one in found) == messages
    ends = (one.data[sum(header.length + 3 & ~3 for header, _ in split(one.data)) :] for one in found)
    assert not any(end.strip(b"\0") for end in ends)  # `ip` sends more than its message says


def test_what_a_frame_tells() -> None:
    first, second = datagrams(LEASE)[:2]
    assert (first.place, first.way, first.protocol) == ("frame 1", Way.TO_KERNEL, 0)
    assert first.time == 1795153034_699667000
    assert second.way is Way.TO_USER
    assert second.time is not None and second.time - first.time == 391_000


@pytest.mark.parametrize("writer", [pcap.Writer, pcapng.Writer])
def test_what_is_written_is_read_again(writer: type[pcap.Writer] | type[pcapng.Writer]) -> None:
    stream = io.BytesIO()
    write = writer(stream).write
    found = datagrams(LEASE)
    for one in found:
        write(one)
    again = datagrams(stream.getvalue())
    assert [replace(one, place="") for one in again] == [replace(one, place="") for one in found]


def test_pcapng_keeps_namespaces_comments_and_ports() -> None:
    stream = io.BytesIO()
    writer = pcapng.Writer(stream)
    written = [
        Datagram(GETLINK, 0, "frame 1", 5, Way.TO_KERNEL, length=32, network="init", port=7, comment="getlink request"),
        Datagram(NEWLINK, 0, "frame 2", 6, Way.TO_USER, length=40, network="pod"),
    ]
    for one in written:
        writer.write(one)
    first, second = datagrams(stream.getvalue())
    assert first == replace(written[0], comment="from port 7: getlink request")
    assert second == written[1]
    assert second.cut


def big_endian(data: bytes) -> bytes:
    """The same pcap, as a machine of the other byte order writes it; the packets stay."""
    out = [struct.pack(">IHHIIII", *struct.unpack("<IHHIIII", data[:24]))]
    at = 24
    while at < len(data):
        head = struct.unpack_from("<IIII", data, at)
        out += [struct.pack(">IIII", *head), data[at + 16 : at + 16 + head[2]]]
        at += 16 + head[2]
    return b"".join(out)


def test_the_other_byte_order() -> None:
    assert datagrams(big_endian(LEASE)) == datagrams(LEASE)


def test_nanoseconds() -> None:
    data = struct.pack("<I", pcap.NANOSECONDS) + LEASE[4:]
    assert datagrams(data)[0].time == 1795153034_000699667


def block(order: str, kind: int, body: bytes) -> bytes:
    body = body.ljust(len(body) + 3 & ~3, b"\0")
    return struct.pack(f"{order}II", kind, len(body) + 12) + body + struct.pack(f"{order}I", len(body) + 12)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def cooked(data: bytes, kind: int = 4) -> bytes:
    return struct.pack(">HHH8xH", kind, 824, 0, 0) + data


@pytest.mark.parametrize("order", "<>")
def test_pcapng_of_both_byte_orders_and_any_unit(order: str) -> None:
    """One section: an interface in milliseconds with an offset, one in halves of seconds; a block of no known kind; a
    simple packet, which has no time and is cut off."""
    milliseconds = struct.pack(f"{order}HHI", 253, 0, 0) + struct.pack(f"{order}HHB3xHHqHH", 9, 1, 3, 14, 8, 100, 0, 0)
    halves = struct.pack(f"{order}HHI", 253, 0, 0) + struct.pack(f"{order}HHB3x", 9, 1, 0x81)
    packet = cooked(GETLINK)
    data = section(order) + block(order, 1, milliseconds) + block(order, 1, halves) + block(order, 77, b"whatever")
    for interface in (0, 1):
        head = struct.pack(f"{order}IIIII", interface, 0, 3, len(packet), len(packet))
        data += block(order, 6, head + packet)
    data += block(order, 3, struct.pack(f"{order}I", len(packet) + 100) + packet)
    one, two, three = datagrams(data)
    assert (one.time, two.time, three.time) == (100_003_000_000, 1_500_000_000, None)
    assert one.data == two.data == three.data == GETLINK
    assert not one.cut and three.length == len(GETLINK) + 100


def test_a_second_section_may_have_the_other_byte_order() -> None:
    interface = {order: block(order, 1, struct.pack(f"{order}HHI", 253, 0, 0)) for order in "<>"}
    packet = {
        order: block(order, 6, struct.pack(f"{order}IIIII", 0, 0, 1, 48, 48) + cooked(GETLINK)) for order in "<>"
    }
    data = b"".join(section(order) + interface[order] + packet[order] for order in "<>")
    assert [one.time for one in datagrams(data)] == [1000, 1000]


@pytest.mark.parametrize("kind, way", [(6, Way.TO_USER), (7, Way.TO_KERNEL), (4, Way.TO_KERNEL)])
def test_the_direction_is_the_kernel_s_word_or_the_flag(kind: int, way: Way) -> None:
    packet = cooked(GETLINK, kind)
    data = LEASE[:24] + struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
    assert datagrams(data)[0].way is way


@pytest.mark.parametrize("squeeze", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_compressed(squeeze: object) -> None:
    squeezed = squeeze(LEASE)  # type: ignore[operator]
    assert datagrams(squeezed) == datagrams(LEASE)
    _found, error = read_on(squeezed[:-20])
    assert (error is not None and "damaged" in error) or "ends in" in str(error)
    _found, error = read_on(squeezed[:60] + bytes(20) + squeezed[80:])
    assert error is not None


def test_every_place_at_which_a_file_may_end() -> None:
    """What is whole is read; only between two packets it is no error."""
    ends = {24}
    at = 24
    while at < 3000:
        at += 16 + struct.unpack_from("<I", LEASE, at + 8)[0]
        ends.add(at)
    for length in range(4, 3000):
        found, error = read_on(LEASE[:length])
        assert (error is None) == (length in ends), length
        assert len(found) == sum(end <= length for end in ends if end > 24), length
        assert error is None or "the file ends in" in error


@pytest.mark.parametrize(
    "change, text",
    [
        ((20, struct.pack("<I", 1)), "capture: packets of link type 1, and netlink's is 253 (what nlmon devices have)"),
        ((32, b"\xff\xff\xff\xff"), "capture: byte 40: frame 1 of 4294967295 bytes; no more than 16777216 are taken"),
        ((32, b"\x08\0\0\0"), "capture: byte 24: frame 1: 8 bytes, and the header of a netlink packet has 16"),
        ((42, b"\0\1"), "capture: byte 24: frame 1: a packet of hardware type 1, and netlink's is 824"),
    ],
)
def test_a_pcap_that_lies(change: tuple[int, bytes], text: str) -> None:
    at, data = change
    assert read_on(LEASE[:at] + data + LEASE[at + len(data) :])[1] == text


@pytest.mark.parametrize(
    "data, text",
    [
        (section("<")[:8] + b"abcd" + section("<")[12:], "byte 0: a section whose byte order is 61626364"),
        (section("<") + struct.pack("<II", 1, 0xFFFFFFF0), "no more than 16777216 are taken"),
        (section("<") + struct.pack("<II", 1, 13), "byte 28: a block of 13 bytes"),
        (section("<") + struct.pack("<IIII", 9, 16, 0, 20), "begins with 16 bytes and ends with 20"),
        (section("<") + block("<", 1, b"1234"), "byte 28: an interface in 4 bytes"),
        (section("<") + block("<", 6, bytes(20)), "byte 28: a packet of interface 0, and 0 are described"),
        (section("<") + block("<", 1, struct.pack("<HHI", 1, 0, 0)) + block("<", 6, bytes(20)), "link type 1"),
        (
            section("<") + block("<", 1, struct.pack("<HHIHH", 253, 0, 0, 2, 400)),
            "an option of 400 bytes in a block with room for 0",
        ),
        (
            section("<")
            + block("<", 1, struct.pack("<HHI", 253, 0, 0))
            + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 500, 500)),
            "a packet of 500 bytes in a block with room for 0",
        ),
    ],
)
def test_a_pcapng_that_lies(data: bytes, text: str) -> None:
    found, error = read_on(data)
    assert not found and error is not None and text in error


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"GIF89a...", "Straße und Straßen\n".encode("latin-1")])
def test_what_is_no_capture(data: bytes) -> None:
    with pytest.raises(CaptureError, match=r"^capture: (empty|no format that is known; there are pcap and pcapng)"):
        read(data)
