"""IPv4 in a link: inet_af_ops of net/ipv4/devinet.c."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link.af import LinkAf
from nlemu.emulator.kernel.ipv4.settings import set_conf
from nlemu.protocol.families.route.link_af import SET_DEVCONF, SET_INET, AfSpec, InetLink
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.schema.policy import LIBERAL, STRICT
from nlemu.protocol.uapi.ip import Ipv4Devconf
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.protocol.wire.extack import Extack

WORD = struct.Struct("<I")


class Inet(LinkAf):
    """inet_af_ops"""

    number = AfSpec.inet.number
    attr = AfSpec.inet

    def check(self, dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
        """inet_validate_link_af()."""
        if dev.ip4 is None:
            raise Refusal(errno.EAFNOSUPPORT)
        spans = validate(SET_INET, message, start, end, LIBERAL, extack)
        conf = spans.get(InetLink.conf.number)
        if conf is not None:
            validate(SET_DEVCONF, message, *conf, STRICT, extack)

    def set(self, dev: Device, message: bytes, start: int, end: int, extack: Extack) -> None:
        """inet_set_link_af()."""
        if dev.ip4 is None:
            raise Refusal(errno.EAFNOSUPPORT)
        conf = Attrs.index(message, start, end).spans.get(InetLink.conf.number)
        if conf is None:
            return
        for number, first, _ in walk(message, *conf):
            set_conf(dev, Ipv4Devconf(number), WORD.unpack_from(message, first)[0])

    def fill(self, dev: Device, mask: int) -> Any:
        """inet_fill_link_af()."""
        return None if dev.ip4 is None else {InetLink.settings: (tuple(dev.ip4.conf.words),)}

    def size(self, dev: Device) -> int:
        """inet_get_link_af_size()."""
        return 0 if dev.ip4 is None else 4 + (InetLink.conf.kind.size or 0)


AF = Inet()
