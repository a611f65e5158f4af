"""What goes over the sockets of a machine, told to somebody as it goes: what an nlmon device is to Linux.

A machine without a tap pays nothing: an endpoint looks once, when it is made, whether there is one. When the first
hearer comes, the endpoints that there are get two methods of their own, which tell and go on; when the last one has
gone, these are taken away again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nlemu.emulator.machine.endpoint import Datagram, Endpoint


class Heard(NamedTuple):
    """A datagram that went over a socket, to the kernel or from it. group: that it was told to; 0 for an answer."""

    endpoint: Endpoint
    data: bytes
    to_kernel: bool
    group: int = 0


class Tap:
    """Tells everybody in `hearers` of each datagram of the endpoints that it follows: of requests before they are
    processed, of answers and notifications when they are queued (netlink_deliver_tap())."""

    def __init__(self) -> None:
        self.hearers: list[Callable[[Heard], object]] = []

    def hear(self, heard: Heard) -> None:
        """Passes a datagram on."""
        for one in self.hearers:
            one(heard)

    def follow(self, endpoint: Endpoint) -> None:
        """From now on that endpoint is heard."""
        send, queue, hear = endpoint.send, endpoint.queue, self.hear

        def heard_send(datagram: bytes) -> None:
            if datagram:
                hear(Heard(endpoint, bytes(datagram), True))
            send(datagram)

        def heard_queue(datagram: Datagram) -> None:
            hear(Heard(endpoint, bytes(datagram.data), False, datagram.group))
            queue(datagram)

        endpoint.send = heard_send  # type: ignore[method-assign]
        endpoint.queue = heard_queue  # type: ignore[method-assign]

    @staticmethod
    def leave(endpoint: Endpoint) -> None:
        """It is heard no longer."""
        vars(endpoint).pop("send", None)
        vars(endpoint).pop("queue", None)
