"""Where the page is served, as people write it, and by which names it may be called."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass


class AddressError(ValueError):
    """An address that the page cannot be served at: one line."""


@dataclass(frozen=True, slots=True)
class Address:
    """host: an address of IPv4 or IPv6; port: 0 for any that is free; names: by which else it may be called, besides
    the address and, on a loopback address, localhost."""

    host: str
    port: int
    names: frozenset[str] = frozenset()

    def called(self) -> frozenset[str]:
        """What may stand in a request's Host, without the port."""
        loopback = {"localhost"} if ipaddress.ip_address(self.host).is_loopback else set()
        return frozenset({bracketed(self.host), *loopback, *self.names})

    def url(self, port: int, token: str) -> str:
        """The page's address, where it has been given that port."""
        host = bracketed(self.host)
        if ipaddress.ip_address(self.host).is_unspecified:  # nobody can go there
            host = min(self.names)
        return f"http://{host}:{port}/{token}/"


def parse(text: str, names: Iterable[str] = ()) -> Address:
    """An address as `--http` takes it, and the names of `--http-allow`. Raises AddressError: that is none, or other
    machines could reach it and nobody has said so."""
    host, colon, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        found = None
    wrong = not colon or not port.isdecimal() or int(port) > 0xFFFF
    if found is None or wrong or (found.version == 6) != ("[" in text):
        raise AddressError(f"takes ADDRESS:PORT, such as 127.0.0.1:8080, and not {text!r}")
    allowed = frozenset(name.lower() for name in names)
    if not found.is_loopback and not allowed:
        raise AddressError(
            f"{text}: other machines could reach that: say --http-allow NAME, by which name they may call it"
        )
    return Address(str(found), int(port), allowed)


def bracketed(host: str) -> str:
    """An address as a URL has it."""
    return f"[{host}]" if ":" in host else host
