"""Wake-on-LAN: what a driver fills and takes (net/ethtool/wol.c)."""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import SOPASS_MAX, Wake

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.devices.device import Device

NO_PASSWORD = bytes(SOPASS_MAX)


@dataclass(slots=True)
class Wol:
    """struct ethtool_wolinfo: what can wake it, what does, and the password of those who ask securely."""

    supported: int = 0
    options: int = 0
    password: bytes = NO_PASSWORD


def get(dev: Device) -> Wol:
    """wol_prepare_data(). EOPNOTSUPP."""
    return dev.ops.get_wol(dev)


def set_options(dev: Device, choose: Callable[[int], tuple[int, bool]], password: bytes | None) -> bool:
    """ethnl_set_wol(). choose: given what wakes it, what is to, and whether that is a change; may refuse. Returns
    whether anything changed. EINVAL at "modes" or "sopass"."""
    if not (dev.ops.has("get_wol") and dev.ops.has("set_wol")):
        raise Refusal(EOPNOTSUPP)
    wol = get(dev)
    wol.options, changed = choose(wol.options)
    if wol.options & ~wol.supported:
        raise Refusal(EINVAL, "cannot enable unsupported WoL mode", at="modes")
    if password is not None:
        if not wol.supported & Wake.MAGICSECURE:
            raise Refusal(EINVAL, "magicsecure not supported, cannot set password", at="sopass")
        changed |= wol.password[: len(password)] != password
        wol.password = password + wol.password[len(password) :]
    if changed:
        dev.ops.set_wol(dev, wol)
    return changed
