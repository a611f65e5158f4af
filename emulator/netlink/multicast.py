"""Multicast: who listens to which group, and what reaches whom (nlmsg_notify(), netlink_broadcast_filtered()).

A notification reaches the members of its group in its own namespace, and those elsewhere that asked to listen to all
namespaces and know this one by an id. Its message is made only if there is someone to read it, and once for all.
Whoever caused it and wants an echo gets it as a reply, member or not, and not a second time. The kernel leaves him out
by his port id; where nobody wants an echo that is 0, and so a socket that has no port yet hears nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.netlink.call import Call


class Multicast:
    """The groups of one machine."""

    def __init__(self) -> None:
        self.members: dict[tuple[int, int], dict[Endpoint, None]] = {}
        self.disturb: Callable[[Net, Endpoint, bytes, int, int | None], None] | None = None
        """Who delivers notifications instead, when a test wants them lost or late."""

    def join(self, endpoint: Endpoint, group: int) -> None:
        """The endpoint hears the group from now on."""
        self.members.setdefault((endpoint.protocol, group), {})[endpoint] = None

    def leave(self, endpoint: Endpoint, group: int) -> None:
        """It no longer does."""
        members = self.members.get((endpoint.protocol, group))
        if members is not None:
            members.pop(endpoint, None)
            if not members:
                del self.members[endpoint.protocol, group]

    def heard(self, protocol: int, group: int) -> bool:
        """netlink_has_listeners(): whether anybody, anywhere, is a member."""
        return (protocol, group) in self.members

    def ask(self, protocol: int, group: int) -> Callable[[], bool]:
        """The same as a question to be asked often."""
        return partial(self.members.__contains__, (protocol, group))

    def reaches(self, net: Net, protocol: int, group: int) -> bool:
        """Whether a notification from that namespace would reach anybody."""
        return any(
            endpoint.portid and (endpoint.net is net or (endpoint.all_nsid and endpoint.net.id_of(net) is not None))
            for endpoint in self.members.get((protocol, group), ())
        )

    def notify(
        self, net: Net, protocol: int, group: int, build: Callable[[], bytes], origin: Call | None = None,
        wanted: Callable[[Endpoint], bool] | None = None,
    ) -> None:
        """Sends a notification: ``build`` makes the message, if it is needed. ``origin`` caused it; ``wanted`` says who
        of the members is to have it."""
        echo = origin is not None and origin.echo
        members = self.members.get((protocol, group))
        if not members and not echo:
            return
        excluded = origin.portid if echo and origin is not None else 0
        data: bytes | None = None
        for endpoint in tuple(members or ()):
            if endpoint.portid == excluded or (wanted is not None and not wanted(endpoint)):
                continue
            nsid = None
            if endpoint.net is not net:
                if not endpoint.all_nsid:
                    continue
                nsid = endpoint.net.id_of(net)
                if nsid is None:
                    continue
            if data is None:
                data = build()
            if self.disturb is None:
                endpoint.deliver(data, group, nsid)
            else:
                self.disturb(net, endpoint, data, group, nsid)
        if echo and origin is not None:
            # As in the kernel: to whoever has that port in the namespace where it happened.
            asker = origin.machine.ports.find(net, protocol, origin.portid)
            if asker is not None:
                asker.deliver(build() if data is None else data)

    def broadcast(self, sender: Endpoint, group: int, data: bytes, skip: int = 0) -> None:
        """What a program sends to a group itself (netlink_broadcast()): it reaches the other members, but not the one
        with port id ``skip``, to which it goes anyway."""
        for endpoint in tuple(self.members.get((sender.protocol, group), ())):
            if endpoint is sender or endpoint.portid == skip:
                continue
            nsid = None
            if endpoint.net is not sender.net:
                if not endpoint.all_nsid:
                    continue
                nsid = endpoint.net.id_of(sender.net)
                if nsid is None:
                    continue
            endpoint.deliver(data, group, nsid, sender.portid)
