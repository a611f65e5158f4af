"""Settings of segment routing, for each namespace: struct seg6_pernet_data of net/ipv6/seg6.c.

No packet is carried, so they are kept and told, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EINVAL, ENOENT
from typing import TYPE_CHECKING, cast

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.seg6_genl import Seg6HmacAlgo

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net

KEY = "seg6"


@dataclass(frozen=True, slots=True)
class Key:
    """struct seg6_hmac_info. algorithm: Seg6HmacAlgo."""

    number: int
    secret: bytes
    algorithm: int


@dataclass(slots=True)
class Seg6:
    """source: from which address tunnels are sent, zeros for the device's; keys: by number."""

    source: bytes = bytes(16)
    keys: dict[int, Key] = field(default_factory=dict)

    def add(self, key: Key) -> None:
        """seg6_genl_sethmac(): it takes the place of one of that number, which is gone before it is known whether there
        is such an algorithm. EINVAL."""
        self.keys.pop(key.number, None)
        if key.algorithm not in tuple(Seg6HmacAlgo):
            raise Refusal(EINVAL)
        self.keys[key.number] = key

    def delete(self, number: int) -> None:
        """seg6_hmac_info_del(): ENOENT."""
        if self.keys.pop(number, None) is None:
            raise Refusal(ENOENT)


def of(net: Net) -> Seg6:
    """Those of that namespace."""
    return cast("Seg6", net.generic.setdefault(KEY, Seg6()))
