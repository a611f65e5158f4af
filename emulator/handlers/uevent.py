"""Uevents on their way to user space: NETLINK_KOBJECT_UEVENT (lib/kobject_uevent.c).

They are no netlink messages but lines of text, each ended by a zero byte: what happened to which object, then the same
again as variables, and what else there is to say. Group 1 hears those of the kernel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.uevents import Uevent

KOBJECT_UEVENT = int(NetlinkProtocol.KOBJECT_UEVENT)
KERNEL_GROUP = 1


def text(event: Uevent) -> bytes:
    """kobject_uevent_env(): the datagram. Names are text whose bytes are UTF-8 with surrogateescape."""
    lines = [
        f"{event.action}@{event.path}",
        f"ACTION={event.action}",
        f"DEVPATH={event.path}",
        f"SUBSYSTEM={event.subsystem}",
        *(f"{name}={value}" for name, value in event.variables),
        f"SEQNUM={event.seqnum}",
    ]
    return "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
