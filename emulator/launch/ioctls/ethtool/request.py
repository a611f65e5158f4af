"""A command of SIOCETHTOOL as who answers it sees it: a device, and a structure in the caller's memory."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlemu.emulator.launch.ioctls.caller import Caller
from nlemu.protocol.schema import ethtool_ioctls as structs
from nlemu.protocol.schema.codec import prepare

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.protocol.schema.interpret import Codec

VALUE = prepare(structs.ethtool_value)


@dataclass(frozen=True, slots=True)
class Request:
    """caller: whose memory it is; command: ETHTOOL_*; place: where the structure is."""

    caller: Caller
    dev: Device
    command: int
    place: int

    def read(self, codec: Codec, behind: int = 0) -> Any:
        """copy_from_user(): the structure that is there, or so many bytes behind. OSError EFAULT."""
        return codec.unpack(self.caller.memory.read(self.place + behind, codec.size))

    def write(self, data: bytes, behind: int = 0) -> None:
        """copy_to_user(). OSError EFAULT."""
        if data:
            self.caller.memory.write(self.place + behind, data)

    def number(self) -> int:
        """ethtool_set_value(): the number of a struct ethtool_value. OSError EFAULT."""
        value: int = self.read(VALUE).data
        return value

    def answer_number(self, number: int) -> None:
        """ethtool_get_value(). OSError EFAULT."""
        self.write(VALUE.pack(cmd=self.command, data=number))

    def tell(self, *messages: int) -> None:
        """ethtool_notify(): what listeners of netlink hear (KernelMsg)."""
        for message in messages:
            self.dev.kernel.announcer.ethtool(self.dev, message)


Answer = Callable[[Request], "int | None"]
"""Answers a command, with a number to return if it is not 0. OSError, Refusal."""


def unsupported(request: Request) -> None:
    """What needs a method that no driver here has. OSError EOPNOTSUPP."""
    raise OSError(errno.EOPNOTSUPP, f"ethtool command {request.command:#x}")


def unsupported_behind(codec: Codec) -> Answer:
    """The same, found out after the structure has been read: EFAULT, EOPNOTSUPP."""

    def answer(request: Request) -> None:
        request.read(codec)
        unsupported(request)

    return answer


def want(request: Request, *methods: str) -> None:
    """Looks for methods of the driver. OSError EOPNOTSUPP."""
    if not all(request.dev.ops.has(method) for method in methods):
        unsupported(request)
