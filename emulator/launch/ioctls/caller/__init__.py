"""Who makes an ioctl: all that its answer depends on beside the model."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nlemu.emulator.machine.faults.requests import Faults
from nlemu.protocol.uapi.if_ import IFNAMSIZ

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

IFREQ = 40
"""sizeof(struct ifreq): a name, and a union of 24 bytes."""
POINTER = struct.Struct("=Q")


class Memory(Protocol):
    """What the pointers of a caller point into."""

    def read(self, address: int, length: int) -> bytes:
        """That many bytes from there. OSError EFAULT."""

    def write(self, address: int, data: bytes) -> None:
        """Puts them there. OSError EFAULT."""


@dataclass(frozen=True, slots=True)
class Caller:
    """net: the namespace that is asked about; family: of the socket (AF_*); admin: whether the caller has CAP_NET_ADMIN
    over a namespace; faults: those that wait for the machine's requests."""

    net: Net
    memory: Memory
    family: int
    admin: Callable[[Net], bool]
    faults: Faults = field(default_factory=Faults)

    def want_admin(self, net: Net | None = None) -> None:
        """ns_capable(net->user_ns, CAP_NET_ADMIN): of the caller's namespace, or that one. OSError EPERM."""
        if not self.admin(net or self.net):
            raise OSError(errno.EPERM, "CAP_NET_ADMIN")


class Ifreq:
    """struct ifreq: a device's name, perhaps with a label behind a colon, and a value."""

    __slots__ = ("caller", "label", "name", "place", "value")

    def __init__(self, caller: Caller, place: int) -> None:
        """Reads it. OSError EFAULT."""
        data = caller.memory.read(place, IFREQ)
        self.caller = caller
        self.place = place
        self.label = text_of(data[: IFNAMSIZ - 1])
        self.name = self.label.partition(":")[0]
        self.value = data[IFNAMSIZ:]

    @property
    def aliased(self) -> bool:
        """Whether there is a colon."""
        return self.label != self.name

    @property
    def pointer(self) -> int:
        """ifr_data."""
        pointer: int = POINTER.unpack_from(self.value)[0]
        return pointer

    def device(self) -> Device:
        """The device of that name. OSError ENODEV."""
        dev = self.caller.net.by_name(self.name)
        if dev is None:
            raise OSError(errno.ENODEV, self.name)
        return dev

    def answer(self, value: bytes) -> None:
        """Puts a value in its place; what is behind it stays. OSError EFAULT."""
        self.caller.memory.write(self.place + IFNAMSIZ, value)


def name_of(name: str) -> bytes:
    """A name as in struct ifreq: IFNAMSIZ bytes."""
    return name.encode("utf-8", "surrogateescape")[: IFNAMSIZ - 1].ljust(IFNAMSIZ, b"\0")


def text_of(name: bytes) -> str:
    """A name as it stands in a structure, up to its end."""
    return name.split(b"\0")[0].decode("utf-8", "surrogateescape")
