"""Address families that have a part in a link: struct rtnl_af_ops, a file a family, found by walking this folder.

Each file holds an AF. What it says of a link stands in IFLA_AF_SPEC, in the order in which the families register;
what a request says there is first checked by every family it names, and then set by each in turn.
"""

from __future__ import annotations

import errno
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.protocol.wire.extack import Extack


class LinkAf:
    """One family. number: AF_*; attr: its attribute in IFLA_AF_SPEC, None if it says nothing; initcall: its place among
    those that register at boot; option: what the kernel has to be built with, if anything."""

    number = 0
    attr: Attr[Any] | None = None
    initcall = 0
    option = ""

    def check(self, dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
        """validate_link_af. EOPNOTSUPP of a family without set_link_af, and its own refusals."""
        raise Refusal(errno.EOPNOTSUPP)

    def set(self, dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
        """set_link_af."""

    def fill(self, dev: Device, mask: int) -> Any:
        """fill_link_af: its attributes; None: nothing. mask: RTEXT_FILTER_*."""
        return None

    def size(self, dev: Device) -> int | None:
        """get_link_af_size: the room for its attributes, in bytes; None of a family that has none counted."""
        return 0


FAMILIES: dict[int, LinkAf] = {
    af.number: af
    for af in sorted(
        (import_module(found.name).AF for found in iter_modules(__path__, f"{__name__}.")),
        key=lambda af: af.initcall,
    )
}
"""By number, in the order of registration."""
