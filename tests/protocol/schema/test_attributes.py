"""Declarations: what is written, in which order, and what may not be."""

import pytest

from nlemu.protocol.frame import GENERIC, NLMSGHDR
from nlemu.protocol.schema.attributes import NLATTR, Attr, AttrSet, Layout, Stretch, pack, walk
from nlemu.protocol.schema.kinds import array, binary, chosen, flag, nest, string, u8, u16, u32, uint
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.schema.structs import genlmsghdr, nlattr, nlmsghdr
from nlemu.protocol.uapi.netdev import QueueType, XdpAct


class Leaf(AttrSet):
    a = Attr(1, u8)
    b = Attr(2, u16)
    order = (b, a)


class Tree(AttrSet):
    leaf = Attr(1, nest(Leaf))
    old = Attr(2, nest(Leaf, flagged=False))
    text = Attr(3, string)
    many = Attr(4, u32, multi=True)
    row = Attr(5, array(nest(Leaf)))
    kind_data = Attr(6, chosen("kind", {"leaf": Leaf}))
    yes = Attr(7, flag)
    size = Attr(8, uint)
    raw_bytes = Attr(9, binary, name="raw")


LAYOUT = Tree.spec.layout


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({Tree.text: "ab"}, "0700 0300 616200 00"),
        ({Tree.leaf: {Leaf.a: 1, Leaf.b: 2}}, "1400 0180 0600 0200 0200 0000 0500 0100 01 000000"),
        ({Tree.old: {Leaf.a: 1}}, "0c00 0200 0500 0100 01 000000"),
        ({Tree.many: [1, 2]}, "0800 0400 01000000 0800 0400 02000000"),
        ({Tree.many: []}, ""),
        ({Tree.row: [{Leaf.a: 1}]}, "1000 0580 0c00 0180 0500 0100 01 000000"),
        ({Tree.row: {7: {Leaf.a: 1}}}, "1000 0580 0c00 0780 0500 0100 01 000000"),
        ({Tree.kind_data: (Leaf, {Leaf.a: 1})}, "0c00 0600 0500 0100 01 000000"),
        ({Tree.yes: True, Tree.text: None}, "0400 0700"),
        ({Tree.size: 1}, "0800 0800 01000000"),
        ({Tree.size: 1 << 32}, "0c00 0800 0000000001000000"),
        ({Tree.raw_bytes: b"x", Tree.text: ""}, "0500 0300 00 000000 0500 0900 78 000000"),
    ],
)
def test_written(values: dict[Attr[object], object], expected: str) -> None:
    assert LAYOUT.encode(values) == bytes.fromhex(expected)


def test_a_value_without_a_place_is_our_mistake() -> None:
    with pytest.raises(KeyError, match="Leaf"):
        Layout(Tree.text).encode({Leaf.a: 1})


def test_names_are_those_of_a_specification() -> None:
    assert set(Tree.spec.by_name) >= {"leaf", "kind-data", "raw"}
    assert repr(Tree.raw_bytes) == "Tree.raw"


def test_limits_follow_from_the_names_of_values() -> None:
    assert Attr(1, u32, enum=QueueType).max == 1
    mask = Attr(1, u32, flags=XdpAct).mask
    assert mask == 0x7F and type(mask) is int
    assert Attr(1, u32, shown=QueueType).max is None


def test_the_same_attribute_under_other_limits() -> None:
    other = Tree.many.but(max=3)
    assert (other.number, other.max, other.name, Tree.many.max) == (4, 3, "many", None)


def test_a_shared_attribute_keeps_its_first_home() -> None:
    class Part(AttrSet):
        text = Tree.text

    assert repr(Part.text) == "Tree.text" and Part.spec.policy.top == 3


def test_a_policy_knows_what_it_chose_from() -> None:
    assert Tree.spec.policy.chosen_from is Tree
    assert nest(Policy(Leaf.a, chosen_from=Leaf)).encode({Leaf.a: 1}) == pack(1, b"\1")


def test_the_walk_ends_at_the_first_that_is_not_whole() -> None:
    good = pack(1, b"a") + pack(2, b"")
    assert list(walk(good, 0, len(good))) == [(1, 4, 5), (2, 12, 12)]
    for cut in (b"\x03\0\1\0", b"\x09\0\1\0abcd", b"\x08\0"):
        assert len(list(walk(good + cut, 0, len(good) + len(cut)))) == 2


def test_the_headers_are_those_of_the_structures() -> None:
    assert NLATTR.pack(5, 6) == nlattr.build({"len": 5, "type": 6})
    assert NLMSGHDR.pack(1, 2, 3, 4, 5) == nlmsghdr.build({"len": 1, "type": 2, "flags": 3, "seq": 4, "pid": 5})
    assert GENERIC.pack(1, 2, 3) == genlmsghdr.build({"cmd": 1, "version": 2, "reserved": 3})



def test_a_stretch_is_what_its_attributes_are() -> None:
    stretch = Stretch(Leaf.b, Leaf.a)
    together = Layout(Tree.text, Leaf.b, Leaf.a, Tree.size, stretches=(stretch,))
    apart = Layout(Tree.text, Leaf.b, Leaf.a, Tree.size)
    assert together.attrs == apart.attrs
    for two, one in ((1, 2), (3, 4), (1, 2)):
        told = together.encode({Tree.text: "x", stretch: (two, one), Tree.size: 9})
        assert told == apart.encode({Tree.text: "x", Leaf.b: two, Leaf.a: one, Tree.size: 9})
    assert together.encode({Tree.text: "x"}) == apart.encode({Tree.text: "x"})


def test_a_nest_may_come_as_bytes() -> None:
    inside = Leaf.spec.layout.encode({Leaf.a: 1})
    assert Tree.leaf.encode(inside) == Tree.leaf.encode({Leaf.a: 1})
