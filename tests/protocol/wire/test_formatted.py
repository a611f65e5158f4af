"""Texts of extended acks that are put together at run time end where the kernel's buffer does."""

from nlemu.protocol.refusal import formatted


def test_a_long_text_is_cut() -> None:
    assert formatted("x" * 100) == "x" * 79


def test_bytes_are_counted_and_not_letters() -> None:
    assert len(formatted("ä" * 60).encode("utf-8", "surrogateescape")) == 79


def test_a_short_one_is_not() -> None:
    assert formatted("requested ring size exceeds maximum") == "requested ring size exceeds maximum"
