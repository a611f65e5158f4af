"""IFLA_AF_SPEC: the parts that address families have in a link (rtnl_fill_link_af() of net/core/rtnetlink.c).

All of it is checked before anything of the request is done, then each family is set in turn. What the families do is in
the folder af.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link.af import FAMILIES, LinkAf
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, walk

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.protocol.wire.extack import Extack


def check_af(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
    """The last part of validate_linkmsg(): every family's validate_link_af. EAFNOSUPPORT, EOPNOTSUPP, and theirs."""
    for number, first, last in walk(message, start, end):
        family = _find(dev, number)
        family.check(dev, message, first, last, extack)


def set_af(dev: Device, message: bytes, start: int, end: int, extack: Extack) -> Iterator[int]:
    """What do_setlink() does with it: each family in turn, whose number is then yielded. What one refuses ends it, and
    those before it are set."""
    for number, first, last in walk(message, start, end):
        family = _find(dev, number)
        family.set(dev, message, first, last, extack)
        yield number


def _find(dev: Device, number: int) -> LinkAf:
    """rtnl_af_lookup(): EAFNOSUPPORT."""
    family = FAMILIES.get(number)
    if family is None or (family.option and not dev.kernel.build.has(family.option)):
        raise Refusal(errno.EAFNOSUPPORT)
    return family


def fill_af(dev: Device, mask: int) -> dict[Attr[Any], Any]:
    """rtnl_fill_link_af(). mask: RTEXT_FILTER_*."""
    return {attr: family.fill(dev, mask) for attr, family in TELLING}


def af_size(dev: Device) -> int:
    """rtnl_link_get_af_size(): a nest as it is often counted, with the size of its header twice, and one a family."""
    sizes = (family.size(dev) for family in FAMILIES.values())
    return NEST + sum(NEST + size for size in sizes if size is not None)


NEST = 8
TELLING = tuple((family.attr, family) for family in FAMILIES.values() if family.attr is not None)
