"""Uevents: what the kernel says when a device of its device model comes, moves or goes (lib/kobject_uevent.c).

Every uevent has a number, counted over the whole machine from its boot on, whether or not somebody listens. One of a
network device is for the namespace that the device is in; one of anything else is for all namespaces, each of which
hears of it separately.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.kernel import Kernel


class Action(StrEnum):
    """enum kobject_action, as user space reads it."""

    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    MOVE = "move"
    ONLINE = "online"
    OFFLINE = "offline"
    BIND = "bind"
    UNBIND = "unbind"


class Uevent(NamedTuple):
    """One uevent (struct kobj_uevent_env). path: of the object below /sys, from its slash on; variables: name and value
    of what stands between SUBSYSTEM and SEQNUM, in order."""

    action: Action
    path: str
    subsystem: str
    variables: tuple[tuple[str, object], ...]
    seqnum: int


class Uevents:
    """Those of one machine. seqnum: the number of the last one. heard: tells whether anybody, in any namespace,
    listens. Those that nobody hears are only counted: who would make some then adds to seqnum instead."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.seqnum = 0
        self.heard: Callable[[], bool] = bool  # False: nobody does before there are sockets

    def send(
        self, net: Net | None, action: Action, path: str, subsystem: str, *variables: tuple[str, object]
    ) -> None:
        """kobject_uevent_env(): one more, in that namespace; None is in all."""
        self.seqnum += 1
        if not self.heard():
            return
        event = Uevent(action, path, subsystem, variables, self.seqnum)
        for where in (net,) if net is not None else tuple(self.kernel.alive):
            self.kernel.announcer.uevent(where, event)
