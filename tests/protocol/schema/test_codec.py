"""Constructs and the codecs prepared from them say the same: built and parsed both ways, equal bytes, equal values."""

import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import construct as c
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nlemu
from nlemu.protocol.schema import ethtool_ioctls, structs
from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.schema.interpret import Codec, bare, interpret, is_padding, record

INTEGERS = (
    *(c.Int8ul, c.Int8sl, c.Int16ul, c.Int16sl, c.Int32ul, c.Int32sl, c.Int64ul, c.Int64sl),
    *(c.Int16ub, c.Int32ub, c.Int64sb),
)
STRUCTS = {
    name: it
    for module in (structs, ethtool_ioctls)
    for name, it in vars(module).items()
    if isinstance(bare(it), c.Struct)
}

# All that the schema language has, at once: nesting, padding, bytes, arrays, both byte orders.
everything = "everything" / c.Struct(
    "kind" / c.Int8ul,
    c.Padding(3),
    "port" / c.Int16ub,
    "mac" / c.Bytes(6),
    "header" / structs.nlmsghdr,
    "conf" / c.Array(3, c.Int32sl),
    "ports" / c.Array(2, c.Int16ub),
    "entries" / c.Array(2, structs.sockaddr_nl),
)

BOTH: list[Callable[[c.Construct], Codec]] = [prepare, interpret]


def values(described: c.Construct) -> st.SearchStrategy[Any]:
    """Any value that fits."""
    inner = bare(described)
    if isinstance(inner, c.Struct):
        fields = [field for field in inner.subcons if not is_padding(bare(field))]
        return st.builds(record(described), *map(values, fields))
    if isinstance(inner, c.Array):
        return st.tuples(*[values(inner.subcon)] * inner.count)
    if isinstance(inner, c.Bytes):
        return st.binary(min_size=inner.length, max_size=inner.length)
    bits = 8 * inner.sizeof()
    signed = inner.fmtstr[1].islower()
    return st.integers(-1 << bits - 1, (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)


def check(described: c.Construct, value: Any, before: bytes) -> None:
    fast, slow = prepare(described), interpret(described)
    data = fast.pack(value)
    assert data == slow.pack(value)
    assert len(data) == fast.size == slow.size
    for codec in (fast, slow):
        assert codec.unpack(data) == value
        assert codec.unpack(before + data + b"after", len(before)) == value


def test_the_table_of_structures_is_not_empty() -> None:
    assert {"nlmsghdr", "nlmsgerr", "ifinfomsg", "rtnl_link_stats64"} <= set(STRUCTS)


@pytest.mark.parametrize("described", [*STRUCTS.values(), everything], ids=[*STRUCTS, "everything"])
@given(data=st.data(), before=st.binary(max_size=5))
def test_structures(described: c.Construct, data: st.DataObject, before: bytes) -> None:
    check(described, data.draw(values(described)), before)


@pytest.mark.parametrize("described", INTEGERS, ids=lambda described: described.fmtstr)
@given(data=st.data(), before=st.binary(max_size=5))
def test_integers(described: c.Construct, data: st.DataObject, before: bytes) -> None:
    check(described, data.draw(values(described)), before)


@pytest.mark.parametrize("described", [c.Bytes(6), c.Array(4, c.Int32ul), c.Array(2, everything)])
@given(data=st.data())
def test_bytes_and_arrays_alone(described: c.Construct, data: st.DataObject) -> None:
    check(described, data.draw(values(described)), b"")


@given(data=st.binary(min_size=everything.sizeof(), max_size=everything.sizeof()))
def test_any_bytes_mean_the_same(data: bytes) -> None:
    fast, slow = prepare(everything), interpret(everything)
    value = fast.unpack(data)
    assert value == slow.unpack(data)
    assert fast.pack(value) == slow.pack(value)
    assert fast.unpack(fast.pack(value)) == value


SIZES = {  # sizeof() as the compiler has it on x86-64
    "nlmsghdr": 16, "nlmsgerr": 20, "nlattr": 4, "sockaddr_nl": 12,
    "genlmsghdr": 4, "rtgenmsg": 1, "ifinfomsg": 16, "rtmsg": 12, "rtnexthop": 8, "rtvia": 2, "rta_cacheinfo": 32,
    "ifaddrmsg": 8, "ifa_cacheinfo": 16, "ndmsg": 12, "nda_cacheinfo": 16, "fib_rule_hdr": 12, "netconfmsg": 1,
    "ndtmsg": 4, "ndt_config": 32, "ndt_stats": 88,
    "rtnl_hw_stats64": 72, "if_stats_msg": 12,
    "ifaddrlblmsg": 12, "nhmsg": 8, "nexthop_grp": 8, "tcmsg": 20, "tcamsg": 4, "gnet_stats_basic": 16,
    "gnet_stats_queue": 20, "tc_stats": 40, "tc_prio_qopt": 20,
    "rtnl_link_stats": 96, "rtnl_link_stats64": 200, "rtnl_link_ifmap": 32, "ifla_cacheinfo": 16,
    "ethtool_value": 8, "ethtool_cmd": 44, "ethtool_link_settings": 48, "link_mode_masks": 48, "ethtool_drvinfo": 196,
    "ethtool_coalesce": 92, "ethtool_ringparam": 36, "ethtool_channels": 36, "ethtool_pauseparam": 16,
    "ethtool_fecparam": 16, "ethtool_perm_addr": 8, "ethtool_gstrings": 12, "ethtool_sset_info": 16, "ethtool_stats": 8,
    "ethtool_gfeatures": 8, "ethtool_get_features_block": 16, "ethtool_set_features_block": 8, "ethtool_ts_info": 44,
    "ethtool_modinfo": 44, "ethtool_eeprom": 16, "ethtool_wolinfo": 20, "ethtool_tunable": 16, "ethtool_test": 16,
    "ethtool_rxnfc": 192, "ethtool_rxfh_indir": 8, "ethtool_rxfh": 24, "ethtool_flash": 136,
    "ethtool_per_queue_op": 520,
}


def test_sizes() -> None:
    assert {name: described.sizeof() for name, described in STRUCTS.items()} == SIZES


def test_a_recorded_error_message() -> None:
    data = bytes.fromhex("480000000200000303000000e8030000eaffffff28000000150005000300000000000000")
    header = prepare(structs.nlmsghdr).unpack(data)
    assert header == (72, 2, 0x300, 3, 1000)
    error = prepare(structs.nlmsgerr).unpack(data, 16)
    assert (error.error, error.msg.len, error.msg.type, error.msg.seq) == (-22, 40, 21, 3)


@pytest.mark.parametrize("make", BOTH)
def test_a_record_a_mapping_and_keywords_are_the_same(make: Callable[[c.Construct], Codec]) -> None:
    codec = make(structs.ifinfomsg)
    assert codec.record
    expected = bytes([2, 0, 0, 0, 7, 0, 0, 0]) + bytes(8)
    assert codec.pack(codec.record(family=2, index=7)) == expected
    assert codec.pack({"family": 2, "index": 7}) == expected
    assert codec.pack(family=2, index=7) == expected
    assert codec.pack({"family": 2}, index=7) == expected
    assert codec.pack(codec.record(family=2), index=7) == expected
    assert codec.pack() == bytes(16)


@pytest.mark.parametrize("make", BOTH)
def test_structures_inside_take_mappings_and_records(make: Callable[[c.Construct], Codec]) -> None:
    header = make(structs.nlmsghdr)
    codec = make(structs.nlmsgerr)
    assert header.record
    expected = b"\xea\xff\xff\xff" + header.pack(len=40, seq=3)
    assert codec.pack(error=-22, msg={"len": 40, "seq": 3}) == expected
    assert codec.pack(error=-22, msg=header.record(len=40, seq=3)) == expected
    assert make(everything).pack() == bytes(everything.sizeof())


@pytest.mark.parametrize("make", BOTH)
def test_what_does_not_fit_is_refused(make: Callable[[c.Construct], Codec]) -> None:
    header, flat = make(structs.nlmsghdr), make(everything)
    with pytest.raises(struct.error):
        header.pack(type=0x10000)
    with pytest.raises(struct.error):
        header.pack(len=-1)
    with pytest.raises(struct.error):
        header.unpack(bytes(15))
    with pytest.raises(struct.error):
        header.unpack(bytes(20), 5)
    with pytest.raises(struct.error):
        flat.pack(mac=b"12345")
    with pytest.raises(struct.error):
        flat.pack(conf=(1, 2))
    with pytest.raises(struct.error):
        make(c.Int8ul).pack(256)
    with pytest.raises(TypeError):
        header.pack(length=1)


@pytest.mark.parametrize("make", BOTH)
def test_padding_is_not_looked_at(make: Callable[[c.Construct], Codec]) -> None:
    codec = make(structs.sockaddr_nl)
    value = codec.unpack(bytes([16, 0, 9, 9, 1, 0, 0, 0, 2, 0, 0, 0]))
    assert value == (16, 1, 2)
    assert codec.pack(value) == bytes([16, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])


@pytest.mark.parametrize("make", BOTH)
@pytest.mark.parametrize("described", [c.GreedyBytes, c.VarInt, "odd" / c.Struct("name" / c.CString("utf8"))])
def test_what_the_schema_language_lacks_is_refused(
    make: Callable[[c.Construct], Codec], described: c.Construct
) -> None:
    with pytest.raises(TypeError):
        make(described)


def test_without_the_fast_codecs_the_language_still_stands() -> None:
    program = """
import sys
sys.modules["nlemu.protocol.schema.codec"] = None
from nlemu.protocol.schema.kinds import prepare
from nlemu.protocol.schema import structs
assert prepare.__module__ == "nlemu.protocol.schema.interpret"
assert prepare(structs.rtgenmsg).pack(family=10) == bytes([10])
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(nlemu.__file__).parents[1])
