"""Messages of the protocols beside rtnetlink and generic netlink, and what is inside routes: as values and as text."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from pathlib import Path

import pytest

from nlemu.protocol.captures.events import Datagram
from nlemu.protocol.captures.formats import events, opened
from nlemu.protocol.decode import uevent
from nlemu.protocol.decode.printer import decode, describe
from nlemu.protocol.frame import message
from nlemu.protocol.schema.attributes import pack
from nlemu.protocol.uapi.netlink import NLM_F, NetlinkProtocol

CAPTURES = Path(__file__).parents[3] / "fixtures" / "captures"
REQUEST, MULTI = int(NLM_F.REQUEST), int(NLM_F.MULTI)
SOCK_DIAG, XFRM, NETFILTER = (int(NetlinkProtocol[one]) for one in ("SOCK_DIAG", "XFRM", "NETFILTER"))


def told(protocol: int, kind: int, flags: int, body: bytes) -> dict[str, object]:
    return decode(message(kind, flags, 1, 0, body), protocol)


def test_what_ss_asked_and_heard() -> None:
    """Of a machine of somebody else's: listening sockets, and connections with their addresses and ports."""
    with opened(str(CAPTURES / "public/xtcp2-5.15.164.pcap.gz")) as source:
        found = [one for one in events(source) if isinstance(one, Datagram) and one.protocol == SOCK_DIAG]
    asked = decode(found[0].data, SOCK_DIAG)
    assert (asked["type"], asked["op"]) == ("sock_diag", "inet")
    header = asked["header"]
    assert (header["family"], header["protocol"], header["ext"], header["states"]) == ("inet", "tcp", 127, 16383)
    heard = decode(found[1].data[found[1].data[0] | found[1].data[1] << 8 :], SOCK_DIAG)
    assert heard["header"] == {
        "family": "inet", "state": "established", "timer": 2, "retrans": 0,
        "id": {
            "sport": 22, "dport": 57527, "src": "10.0.2.15", "dst": "10.0.2.2", "if": 0,
            "cookie": "0200000000000000",
        },
        "expires": 111160, "rqueue": 0, "wqueue": 0, "uid": 0, "inode": 14145,
    }
    attributes = heard["attributes"]
    assert (attributes["cong"], attributes["tos"], attributes["class-id"]) == ("cubic", 72, 2)
    assert attributes["info"]["bytes-acked"] == 210589
    assert attributes["skmeminfo"]["rcvbuf"] == 6384476


def test_sockets_of_other_families() -> None:
    """Numbers of attributes begin at 0 here; an abstract name begins with a zero byte."""
    body = struct.pack("<BBBxII4x", 1, 1, 10, 4711, 7) + pack(0, b"\0bus") + pack(4, struct.pack("<II", 1, 128))
    found = told(SOCK_DIAG, 20, MULTI, body)
    assert found["header"] == {
        "family": "unix", "type": 1, "state": "listen", "ino": 4711, "cookie": "0700000000000000",
    }
    assert found["attributes"] == {"name": "@bus", "rqlen": {"rqueue": 1, "wqueue": 128}}
    assert told(SOCK_DIAG, 20, MULTI, bytes([40, 0, 0, 0]))["op"] == 20


def test_an_association_of_ipsec() -> None:
    body = ip_address("192.0.2.1").packed.ljust(16, b"\0") + struct.pack(">I", 0x100) + struct.pack("<HBx", 2, 50)
    found = told(XFRM, 0x12, REQUEST, body + pack(21, bytes(8)))
    assert (found["type"], found["op"]) == ("xfrm", "getsa")
    assert found["header"] == {"daddr": "c0000201" + "00" * 12, "spi": 256, "family": 2, "proto": 50}
    assert found["attributes"] == {"mark": "00" * 8}
    assert told(XFRM, 0x22, 0, struct.pack("<I", 0) + pack(1, struct.pack("<I", 3)))["attributes"] == {"count": 3}


def test_a_connection_that_is_told() -> None:
    """Everything is in network order, whatever the policy says; counters are only told."""
    ip = pack(1, bytes([192, 0, 2, 1])) + pack(2, bytes([192, 0, 2, 2]))
    proto = pack(1, b"\6") + pack(2, struct.pack(">H", 4096)) + pack(3, struct.pack(">H", 80))
    body = b"\2\0\0\0" + pack(0x8001, pack(0x8001, ip) + pack(0x8002, proto))
    body += pack(7, struct.pack(">I", 432000)) + pack(0x8009, pack(1, struct.pack(">Q", 12)))
    found = told(NETFILTER, 0x100, 0, body)
    assert (found["type"], found["op"]) == ("netfilter", "ct-new")
    assert found["attributes"] == {
        "tuple-orig": {
            "ip": {"v4-src": "192.0.2.1", "v4-dst": "192.0.2.2"},
            "proto": {"num": 6, "src-port": 4096, "dst-port": 80},
        },
        "timeout": 432000, "counters-orig": {"packets": 12},
    }
    lines = describe(message(0x10, REQUEST, 1, 0, b"\0\0\0\x0a" + pack(1, struct.pack(">I", 5))), NETFILTER)
    assert lines == [
        "netfilter batch-begin request   (seq 1, port 0, request)", "    header: {res-id: 10}", "    genid: 5",
    ]
    (line, *_) = describe(message(0xA0F, 0, 1, 9, b"\0\0\0\1" + pack(1, struct.pack(">I", 1))), NETFILTER)
    assert line.startswith("netfilter nft-getgen reply")


def test_a_protocol_that_nobody_declared() -> None:
    assert told(9, 1000, 0, b"audit")["rest"] == b"audit".hex()


HOPS = (
    struct.pack("<HBBi", 16, 4, 9, 3) + pack(5, bytes([192, 0, 2, 1]))
    + struct.pack("<HBBi", 8 + 24, 0, 0, 4) + pack(18, b"\x0a\0" + ip_address("2001:db8::1").packed)
)


def test_routes_by_several_hops_and_tunnels() -> None:
    route = struct.pack("<BBBBBBBBI", 2, 24, 0, 0, 254, 3, 0, 1, 0)
    encap = pack(21, struct.pack("<H", 1)) + pack(22, pack(1, bytes.fromhex("00064140")) + pack(2, b"\x40"))
    found = told(0, 24, 0, route + pack(9, HOPS) + encap)
    assert found["attributes"] == {
        "multipath": [
            {"rtnh-len": 16, "rtnh-flags": ["onlink"], "rtnh-hops": 9, "rtnh-ifindex": 3, "gateway": "192.0.2.1"},
            {
                "rtnh-len": 32, "rtnh-flags": [], "rtnh-hops": 0, "rtnh-ifindex": 4,
                "via": {"family": "inet6", "address": "2001:db8::1"},
            },
        ],
        "encap-type": "mpls",
        "encap": {"mpls-dst": "00064140", "ttl": 64},
    }


@pytest.mark.parametrize("size", range(len(HOPS)))
def test_hops_that_are_cut_short_keep_their_bytes(size: int) -> None:
    """Whatever makes no hop is told in hex: nothing of it is lost."""
    lines = "\n".join(describe(message(24, 0, 1, 0, bytes(12) + pack(9, HOPS[:size])), 0))
    whole = 16 if size >= 16 else 0
    assert size == whole or HOPS[whole:size].hex() in lines


def test_uevents() -> None:
    text = b"add@/devices/virtual/net/nk0\0ACTION=add\0INTERFACE=nk0\0IFINDEX=4\0"
    found = uevent.read(text)
    assert found is not None
    assert (found.of, found.variables["INTERFACE"]) == ("add@/devices/virtual/net/nk0", "nk0")
    header = b"libudev\0\xfe\xed\xca\xfe" + struct.pack("<III", 40, 40, 12)
    udev = uevent.read(header.ljust(40, b"\0") + b"ACTION=add\0")
    assert udev is not None and (udev.of, dict(udev.variables)) == ("libudev", {"ACTION": "add"})
    assert uevent.read(b"libudev\0" + b"\xff" * 30) is None
    assert uevent.read(b"anything") is None
