"""The first attribute of a number, without the others."""

from __future__ import annotations

from nlemu.protocol.decode.glance import first

ATTRIBUTES = bytes.fromhex("0600030061000000" "0800048001020304" "0500030062000000")


def test_the_first_of_a_number_is_found() -> None:
    assert first(ATTRIBUTES, 0, 3) == b"a\0"
    assert first(ATTRIBUTES, 0, 4) == bytes([1, 2, 3, 4])  # whatever flags its type has
    assert first(ATTRIBUTES, 8, 3) == b"b"
    assert first(ATTRIBUTES, 0, 5) == first(b"", 0, 3) == b""


def test_what_makes_no_attribute_is_the_end() -> None:
    assert first(bytes.fromhex("02000300") + ATTRIBUTES, 0, 4) == b""
    assert first(ATTRIBUTES[:14], 0, 4) == b""
