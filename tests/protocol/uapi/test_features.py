"""Feature bit numbers are not in any uapi header; the kernel's own string set says which names there are."""

import json
import struct
from collections.abc import Iterator

from fixtures import TRACES
from nlemu.protocol.uapi.ethtool import StringSet
from nlemu.protocol.uapi.netdevice import NETDEV_FEATURE_COUNT, NetifF

# A few of each kind are enough: the order in between is fixed by their numbers.
NAMES = {
    NetifF.SG: "tx-scatter-gather",
    NetifF.HW_CSUM: "tx-checksum-ip-generic",
    NetifF.HIGHDMA: "highdma",
    NetifF.GSO: "tx-generic-segmentation",
    NetifF.GRO: "rx-gro",
    NetifF.TSO: "tx-tcp-segmentation",
    NetifF.GSO_ACCECN: "tx-tcp-accecn-segmentation",
    NetifF.SCTP_CRC: "tx-checksum-sctp",
    NetifF.RXCSUM: "rx-checksum",
    NetifF.LOOPBACK: "loopback",
    NetifF.HW_TC: "hw-tc-offload",
    NetifF.GRO_HW: "rx-gro-hw",
    NetifF.GRO_UDP_FWD: "rx-udp-gro-forwarding",
    NetifF.HW_HSR_DUP: "hsr-dup-offload",
}


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        length, kind = struct.unpack_from("<HH", data, at)
        yield kind & 0x3FFF, data[at + 4 : at + length]
        at += (length + 3) & ~3


def recorded_names() -> dict[int, str]:
    for line in (TRACES / "e03_queries.jsonl").read_text().splitlines():
        step = json.loads(line)
        if step.get("about") == "strset without a device: feature names":
            body = bytes.fromhex(step["got"]["a"][0])[20:]
            string_set = dict(attributes(dict(attributes(dict(attributes(body))[2]))[1]))
            assert int.from_bytes(string_set[1], "little") == StringSet.FEATURES
            assert int.from_bytes(string_set[2], "little") == NETDEV_FEATURE_COUNT
            strings = [dict(attributes(string)) for _, string in attributes(string_set[3])]
            return {int.from_bytes(s[1], "little"): s[2].rstrip(b"\0").decode() for s in strings}
    raise AssertionError("the trace has lost its string set")


def test_feature_bits_are_those_of_the_recorded_string_set() -> None:
    names = recorded_names()
    assert {bit for bit, name in names.items() if name} == {int(bit) for bit in NetifF}
    assert {bit: names[bit] for bit in NAMES} == NAMES
