"""Acks under the two options that shape them. The bytes are recorded in traces c04 and c05; here is the reading."""

import pytest

from nlemu.protocol.frame import split
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.wire.acks import Error, ack, done
from nlemu.protocol.wire.extack import Extack

REQUEST = bytes.fromhex("1500000010000500070000000000000003010000ff")  # 21 bytes: a message need not be aligned


def explained() -> Extack:
    extack = Extack()
    extack.merge(Refusal(22, "because", at=20))
    extack.cookie = b"12345678"
    return extack


def parts(data: bytes) -> tuple[int, int, bytes]:
    """The flags, the errno, and what follows it."""
    (header, message), *rest = split(data)
    assert not rest and header.length == len(data) and (header.seq, header.portid) == (7, 9)
    return header.flags, int.from_bytes(message[16:20], "little", signed=True), message[20:]


@pytest.mark.parametrize("extended", [False, True])
def test_an_ack_repeats_only_the_header(extended: bool) -> None:
    flags, errno, rest = parts(ack(REQUEST, 7, 9, 0, Extack(), capped=False, extended=extended))
    assert (flags, errno, rest) == (0x100, 0, REQUEST[:16])


def test_an_error_repeats_the_request_unless_capped() -> None:
    flags, errno, rest = parts(ack(REQUEST, 7, 9, 22, Extack(), capped=False, extended=True))
    assert (flags, errno, rest) == (0, -22, REQUEST + bytes(3))
    flags, errno, rest = parts(ack(REQUEST, 7, 9, 22, Extack(), capped=True, extended=True))
    assert (flags, errno, rest) == (0x100, -22, REQUEST[:16])


def test_an_explanation_needs_the_option() -> None:
    assert parts(ack(REQUEST, 7, 9, 22, explained(), capped=True, extended=False))[2] == REQUEST[:16]
    flags, _, rest = parts(ack(REQUEST, 7, 9, 22, explained(), capped=True, extended=True))
    told = Attrs.index(rest, 16, len(rest))
    assert flags == 0x300
    assert (told[Error.msg], told[Error.offs], told[Error.cookie]) == ("because", 20, b"12345678")


def test_a_success_tells_text_and_cookie_only() -> None:
    rest = parts(ack(REQUEST, 7, 9, 0, explained(), capped=True, extended=True))[2]
    assert set(Attrs.index(rest, 16, len(rest)).spans) == {1, 3}


def test_the_end_of_a_dump_leaves_out_what_does_not_fit() -> None:
    flags, errno, rest = parts(done(7, 9, 0, 22, explained(), extended=True, room=200))
    assert (flags, errno) == (0x202, -22) and Error.msg in Attrs.index(rest, 0, len(rest))
    room = 20 + len(rest)
    assert parts(done(7, 9, 0, 22, explained(), extended=True, room=room))[2] == rest
    flags, errno, rest = parts(done(7, 9, 0, 22, explained(), extended=True, room=room - 1))
    assert (flags, errno, rest) == (0x202, -22, b"")


def test_the_order_of_an_explanation() -> None:
    # netlink_ack_tlv_fill(): the text, the cookie, where, the policy, what is missing and in which nest.
    extack = explained()
    extack.policy = Error.offs
    extack.missing, extack.nest = 3, 28
    rest = parts(ack(REQUEST, 7, 9, 22, extack, capped=True, extended=True))[2]
    assert [kind & 0x3FFF for kind in Attrs.index(rest, 16, len(rest)).spans] == [1, 3, 2, 4, 5, 6]


def test_a_later_fault_replaces_the_earlier_but_not_what_it_does_not_speak_of() -> None:
    extack = explained()
    extack.merge(Refusal(1, "later"))
    assert (extack.text, extack.offset) == ("later", 20)
    extack.merge(Refusal(1, missing=3, nest=24))
    assert (extack.text, extack.missing, extack.nest) == ("later", 3, 24)
