"""Which link a NIC has, by its driver."""

from __future__ import annotations

from nlemu.emulator.kernel.nics.link import NicLink
from nlemu.emulator.kernel.nics.link_bnxt import BnxtLink
from nlemu.emulator.kernel.nics.link_e1000e import E1000eLink
from nlemu.emulator.kernel.nics.link_intel import I40eLink, IceLink
from nlemu.emulator.kernel.nics.link_mlx5 import Mlx5Link
from nlemu.emulator.kernel.nics.link_plain import (
    EnaLink,
    FbnicLink,
    GveLink,
    IavfLink,
    IdpfLink,
    ManaLink,
    VirtioLink,
)

LINKS: dict[str, type[NicLink]] = {
    "bnxt_en": BnxtLink, "e1000e": E1000eLink, "ena": EnaLink, "fbnic": FbnicLink, "gve": GveLink, "i40e": I40eLink,
    "iavf": IavfLink, "ice": IceLink, "idpf": IdpfLink, "mana": ManaLink, "mlx5_core": Mlx5Link,
    "virtio_net": VirtioLink,
}


def link_of(driver: str) -> type[NicLink]:
    """The link of a driver's NICs."""
    return LINKS.get(driver, NicLink)
