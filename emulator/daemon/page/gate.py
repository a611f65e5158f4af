"""Who is let in: a request that comes by a name of ours, from our own page or from no page, and knows the token.

The token is the first part of every path, so that nothing has to be stored in a browser, where a cookie would go to
every other port of the same host too; a program may send it as `Authorization: Bearer` instead. A name that is not ours
in Host is that of a page elsewhere whose name was made to mean our address (DNS rebinding); an Origin other than
ourselves is another page's script. Both are refused whether or not the token is right.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

TOKEN_BYTES = 24
BEARER = "bearer "


def read(path: str) -> str:
    """The token in a file. OSError; ValueError: it is none."""
    token = Path(path).read_text().strip()
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", token):
        raise ValueError("a token has at least 16 characters, which are letters, digits, - and _")
    return token


class Refused(Exception):
    """A request that is not answered: its status, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gate:
    """names: what Host may say, without a port."""

    def __init__(self, names: frozenset[str], token: str | None = None) -> None:
        self.names = names
        self.token = secrets.token_urlsafe(TOKEN_BYTES) if token is None else token

    def enter(self, path: str, headers: Mapping[str, str]) -> str:
        """The rest of a request's path, behind the token. Raises Refused."""
        host = headers.get("host", "").lower()
        name, colon, port = host.rpartition(":")
        if (name if colon and port.isdecimal() else host) not in self.names:
            raise Refused(421, f"this page is not called {host!r}")
        origin = headers.get("origin")
        if origin is not None and origin.lower() != f"http://{host}":
            raise Refused(403, "another page may not ask this one")
        shown, _, rest = path.removeprefix("/").partition("/")
        authorization = headers.get("authorization", "")
        if authorization.lower().startswith(BEARER):
            shown, rest = authorization[len(BEARER) :].strip(), path.removeprefix("/")
        if not hmac.compare_digest(shown.encode(), self.token.encode()):
            raise Refused(403, "the address that `nlemu serve --http` printed lets you in, and this is another one")
        return rest
