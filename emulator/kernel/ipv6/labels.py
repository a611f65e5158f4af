"""Labels of IPv6 addresses: the policy table of RFC 6724, as net/ipv6/addrlabel.c keeps it for each namespace.

The longest prefix stands first, and of two of one length the one of a device before that of all. Some prefixes hold for
one type of address alone: ::/96 is of addresses that are compatible with IPv4, not of ::1.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EEXIST, EINVAL, ESRCH
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.ipv6 import netns as ip6
from nlemu.emulator.kernel.ipv6.netns import AddrType, classify, prefix_of
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

SPECIAL = int(AddrType.MAPPED | AddrType.COMPATV4 | AddrType.LOOPBACK)
WHOLE = {int(AddrType.MAPPED): 96, int(AddrType.COMPATV4): 96, int(AddrType.LOOPBACK): 128}
"""How long a prefix of addresses of that type is that holds for them alone."""
DEFAULTS = (
    (0, 0, 1),
    (0xFC << 120, 7, 5),
    (0xFEC0 << 112, 10, 11),
    (0x2002 << 112, 16, 2),
    (0x3FFE << 112, 16, 12),
    (0x20010000 << 96, 32, 6),
    (0x20010010 << 96, 28, 7),
    (0xFFFF << 32, 96, 4),
    (0, 96, 3),
    (1, 128, 0),
)
"""ip6addrlbl_init_table: address, length of the prefix, label, in the order in which they are added."""


@dataclass(frozen=True, slots=True)
class Label:
    """struct ip6addrlbl_entry. ifindex: 0 for all devices; type: of addresses, 0 for all."""

    prefix: int
    length: int
    ifindex: int
    label: int
    type: int


class Labels:
    """Those of one namespace (struct netns_ipv6.ip6addrlbl_table). seq: how often one was added."""

    __slots__ = ("_listed", "seq")

    def __init__(self) -> None:
        self._listed: list[Label] = []
        self.seq = 0
        for prefix, length, label in DEFAULTS:
            self.add(prefix, length, 0, label, replace=False)

    def add(self, prefix: int, length: int, ifindex: int, label: int, *, replace: bool) -> None:
        """ip6addrlbl_add(): EINVAL for a prefix of IPv4 that is too long, EEXIST."""
        kind = classify(prefix)[0] & SPECIAL
        if kind == AddrType.MAPPED and length > WHOLE[kind]:
            raise Refusal(EINVAL)
        if kind and length != WHOLE[kind]:
            kind = 0
        new = Label(prefix_of(prefix, length), length, ifindex, label, kind)
        for at, old in enumerate(self._listed):
            if (old.prefix, old.length, old.ifindex) == (new.prefix, length, ifindex):
                if not replace:
                    raise Refusal(EEXIST)
                self._listed[at] = new
                break
            if old.length < length or (old.length == length and not old.ifindex):
                self._listed.insert(at, new)
                break
        else:
            self._listed.append(new)
        self.seq = self.seq + 1 & 0xFFFFFFFF

    def delete(self, prefix: int, length: int, ifindex: int) -> None:
        """ip6addrlbl_del(): ESRCH."""
        wanted = (prefix_of(prefix, length), length, ifindex)
        for at, old in enumerate(self._listed):
            if (old.prefix, old.length, old.ifindex) == wanted:
                del self._listed[at]
                return
        raise Refusal(ESRCH)

    def find(self, address: int, ifindex: int) -> Label | None:
        """__ipv6_addr_label()."""
        kind = classify(address)[0]
        for label in self._listed:
            if (
                label.ifindex in (0, ifindex)
                and label.type in (0, kind)
                and prefix_of(address, label.length) == label.prefix
            ):
                return label
        return None

    def at(self, place: int) -> Label | None:
        """The one at that place of the list; None behind its end."""
        return self._listed[place] if place < len(self._listed) else None


def of(net: Net) -> Labels:
    """Those of that namespace."""
    state = ip6.of(net)
    if state.labels is None:
        state.labels = Labels()
    return state.labels
