"""Who is let in, and where the page may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlemu.emulator.daemon.page.address import Address, AddressError, parse
from nlemu.emulator.daemon.page.gate import Gate, Refused, read

TOKEN = "abc-DEF_123"
NAMES = parse("127.0.0.1:8080").called()


def enter(path: str, **headers: str) -> str:
    return Gate(NAMES, TOKEN).enter(path, {"host": "127.0.0.1:8080", **headers})


def refused(path: str, **headers: str) -> int:
    with pytest.raises(Refused) as refused:
        enter(path, **headers)
    return refused.value.status


def test_the_token_is_the_first_part_of_a_path() -> None:
    assert enter(f"/{TOKEN}/") == ""
    assert enter(f"/{TOKEN}/device/init/eth0") == "device/init/eth0"


@pytest.mark.parametrize("path", ["/", "/events", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/", "/ünsinn/", f"/x/{TOKEN}/", ""])
def test_another_token_is_none(path: str) -> None:
    assert refused(path) == 403


def test_a_program_may_send_it_in_a_header() -> None:
    assert enter("/events", authorization=f"Bearer {TOKEN}") == "events"
    assert refused("/events", authorization=f"Bearer {TOKEN}x") == 403
    assert refused("/events", authorization=f"Basic {TOKEN}") == 403


def test_a_token_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789-abcdef\n")
    assert read(str(file)) == "0123456789-abcdef"
    for wrong in ("", "short", "0123456789/abcdef", "0123456789 abcdef"):
        file.write_text(wrong)
        with pytest.raises(ValueError, match="at least 16 characters"):
            read(str(file))


def test_tokens_differ_and_are_long() -> None:
    one, other = Gate(NAMES).token, Gate(NAMES).token
    assert one != other and len(one) >= 32


@pytest.mark.parametrize("host", ["localhost:8080", "LOCALHOST", "127.0.0.1", "127.0.0.1:9000"])
def test_names_of_ours(host: str) -> None:
    assert enter(f"/{TOKEN}/", host=host) == ""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example:8080", "", "[::1]:8080"])
def test_a_name_that_means_our_address_is_not_ours(host: str) -> None:
    assert refused(f"/{TOKEN}/", host=host) == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:8081", "https://127.0.0.1:8080", ""]
)
def test_another_page_is_refused(origin: str) -> None:
    assert refused(f"/{TOKEN}/", origin=origin) == 403


def test_our_own_page_is_not() -> None:
    assert enter(f"/{TOKEN}/events", origin="http://127.0.0.1:8080") == "events"


def test_addresses() -> None:
    assert parse("127.0.0.1:0") == Address("127.0.0.1", 0)
    assert parse("localhost:80") == Address("127.0.0.1", 80)
    assert parse("[::1]:80") == Address("::1", 80)
    assert parse("[::1]:80").called() == {"[::1]", "localhost"}
    assert parse("[::1]:80").url(80, "t") == "http://[::1]:80/t/"


def test_an_address_that_others_reach_has_to_be_allowed() -> None:
    for text in ("0.0.0.0:80", "192.0.2.1:80", "[::]:80"):
        with pytest.raises(AddressError, match="other machines could reach that: say --http-allow NAME"):
            parse(text)
    open_to_all = parse("0.0.0.0:80", ["Box.example"])
    assert open_to_all.called() == {"0.0.0.0", "box.example"}
    assert open_to_all.url(80, "t") == "http://box.example:80/t/"


@pytest.mark.parametrize(
    "text", ["8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "box:80", "::1:80"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressError, match="takes ADDRESS:PORT"):
        parse(text)
