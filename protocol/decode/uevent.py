"""Datagrams of NETLINK_KOBJECT_UEVENT, which are text and no netlink messages: what happened to which object of the
kernel, then variables, each ended by a zero byte (lib/kobject_uevent.c). udev sends such datagrams on to programs, with
a header of its own in front of the variables (struct monitor_netlink_header of libudev, "libudev" and a magic number).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nlemu.protocol.decode.printer import text
from nlemu.protocol.uapi.netlink import NetlinkProtocol

KOBJECT_UEVENT = int(NetlinkProtocol.KOBJECT_UEVENT)
UDEV = b"libudev\0"
OFFSET = 16
"""Where udev's header says where the variables begin, in the byte order of the machine."""
UDEV_HEADER = 40


@dataclass(frozen=True)
class Uevent:
    """What a datagram says. of: "add@/devices/...", or "libudev". variables: in their order."""

    of: str
    variables: Mapping[str, str]
    family: str = "uevent"

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return f"uevent {self.of}"

    def lines(self) -> list[str]:
        """A line for it, and one for each variable."""
        return [self.title, *(f"    {name}={text(value)}" for name, value in self.variables.items())]


def read(data: bytes) -> Uevent | None:
    """What a datagram says; None where it is no uevent."""
    if data.startswith(UDEV):
        start = int.from_bytes(data[OFFSET : OFFSET + 4], "little")
        if not UDEV_HEADER <= start <= len(data):
            return None
        return Uevent("libudev", variables(data[start:]))
    head, end, rest = data.partition(b"\0")
    if not end or b"@" not in head:
        return None
    return Uevent(head.decode("utf-8", "replace"), variables(rest))


def variables(data: bytes) -> dict[str, str]:
    """NAME=VALUE, each ended by a zero byte; what is none has an empty value."""
    found = {}
    for line in data.split(b"\0"):
        if line:
            name, _, value = line.decode("utf-8", "replace").partition("=")
            found[name] = value
    return found
