"""A client of the daemon: one family over one blocking socket, for the command line and for scripts.

There are two ways in, as for every client. A path of the daemon's directory leads to a netlink socket as it is; the
control socket (control.py) opens one with options, groups or another port.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nlemu.emulator.client.control import Control, NoDaemon
from nlemu.protocol.decode.printer import PLAIN, Style
from nlemu.protocol.encode.conversation import (
    Conversation,
    Notification,
    Request,
    Specification,
    specification,
)
from nlemu.protocol.encode.request import BadValue
from nlemu.protocol.names.known import GENERIC_NETLINK
from nlemu.protocol.uapi.genetlink import GENL_ID_CTRL
from nlemu.protocol.uapi.netlink import NetlinkOpt

RECEIVE_SIZE = 1 << 20
"""Room for any datagram: the daemon sends none that is longer than what netlink can send."""


class Client:
    """One family, spoken to over one netlink socket.

    ``path`` leads to a daemon's socket; or else ``control`` opens one in the namespace ``netns``. Closed by close(),
    or as a context manager. Requests raise NlError when they are refused, BadValue when they cannot be built, and
    NoDaemon when the daemon goes away.
    """

    def __init__(
        self,
        sock: socket.socket,
        family: str | Specification,
        *,
        style: Style = PLAIN,
        name: str | None = None,
    ) -> None:
        self.sock, self.name = sock, name
        self.specification = specification(family) if isinstance(family, str) else family
        self.groups: Mapping[str, int] = self.specification.groups
        self.conversation = Conversation(self.specification, GENL_ID_CTRL, style)
        if self.specification.protocol == GENERIC_NETLINK:
            self._resolve(style)

    @classmethod
    def connect(cls, path: str | os.PathLike[str], family: str, *, style: Style = PLAIN) -> Client:
        """Through a path: ``DIR/<namespace>/generic`` or ``route``."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            sock.connect(os.fspath(path))
            return cls(sock, family, style=style)
        except OSError as error:
            sock.close()
            raise NoDaemon(f"no daemon at {path} ({error.strerror or error})") from None
        except BaseException:
            sock.close()
            raise

    @classmethod
    def open(cls, control: Control, family: str, *, netns: str = "init", style: Style = PLAIN) -> Client:
        """Through the control socket, with the options of the kernel's own client."""
        known = specification(family)
        sock, name = control.open(netns=netns, proto=known.protocol)
        try:
            return cls(sock, known, style=style, name=name)
        except BaseException:
            sock.close()
            raise

    def _resolve(self, style: Style) -> None:
        """The numbers of a family and of its groups, on this machine."""
        controller = Conversation(specification("nlctrl"), GENL_ID_CTRL, seq=0x10000)
        request = controller.ask("getfamily", {"family-name": self.specification.family.name})
        self._converse(controller, [request])
        (found,) = request.replies
        self.conversation = Conversation(self.specification, found["family-id"], style)
        self.groups = {group["name"]: group["id"] for group in found.get("mcast-groups", ())}

    def close(self) -> None:
        """Closes the socket."""
        self.sock.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- requests -------------------------------------------------------------------------------

    def do(self, name: str, values: Mapping[str, Any] | None = None, flags: int = 0) -> list[dict[Any, Any]]:
        """Asks, and returns the replies: most often one, or none where an ack is all the answer."""
        return self.several([(name, values or {})], flags)[0].replies

    def dump(self, name: str, values: Mapping[str, Any] | None = None) -> list[dict[Any, Any]]:
        """Asks for everything there is, and returns it."""
        return self.dumped(name, values).replies

    def dumped(self, name: str, values: Mapping[str, Any] | None = None) -> Request:
        """The same, with everything else that came of it."""
        request = self.conversation.ask(name, values, dump=True)
        self._converse(self.conversation, [request])
        return request

    def several(self, asked: Sequence[tuple[str, Mapping[str, Any]]], flags: int = 0) -> list[Request]:
        """Several requests in one datagram; each with what came of it. Raises NlError for the first that is refused."""
        requests = [self.conversation.ask(name, values, flags=flags) for name, values in asked]
        self._converse(self.conversation, requests)
        return requests

    def _converse(self, conversation: Conversation, requests: Sequence[Request]) -> None:
        try:
            self.sock.send(b"".join(request.data for request in requests))
            while not all(request.done for request in requests):
                conversation.hear(self.receive())
                for request in requests:
                    if request.error is not None:
                        raise request.error
        except BrokenPipeError:
            raise NoDaemon("the daemon went away") from None

    def receive(self) -> bytes:
        """The next datagram, as it is. Raises NoDaemon when there will be none."""
        try:
            datagram = self.sock.recv(RECEIVE_SIZE)
        except ConnectionResetError:
            datagram = b""
        if not datagram:
            raise NoDaemon("the daemon went away")
        return datagram

    def cut_off(self) -> bool:
        """Whether the daemon has closed this socket, and nothing is left to be read."""
        try:
            return not self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def discard(self) -> bool:
        """Throws away what has been told and was not read; whether the daemon still has this socket."""
        self.conversation.notifications.clear()
        before = self.sock.gettimeout()
        self.sock.setblocking(False)
        try:
            while self.sock.recv(RECEIVE_SIZE):
                pass
        except BlockingIOError:
            return True
        except ConnectionResetError:
            pass
        finally:
            self.sock.settimeout(before)
        return False

    # -- notifications --------------------------------------------------------------------------

    def subscribe(self, control: Control, group: str) -> None:
        """Joins a multicast group; only a socket that the control socket opened can. Raises
        BadValue for a group that the family has not."""
        if group not in self.groups:
            known = ", ".join(self.groups) or "none"
            raise BadValue(f"{self.specification.name} has no group {group!r}; it has {known}")
        control.do(opt=self.name, name=int(NetlinkOpt.ADD_MEMBERSHIP), value=self.groups[group])

    def notifications(self, seconds: float | None = None) -> Iterator[Notification]:
        """News as they come, for so many seconds or without an end; 0 takes what is there already."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            while self.conversation.notifications:
                yield self.conversation.notifications.popleft()
            left = None if end is None else max(0.0, end - time.monotonic())
            self.sock.settimeout(left)
            try:
                self.conversation.hear(self.receive())
            except (TimeoutError, BlockingIOError):
                return
            finally:
                self.sock.settimeout(None)
