"""Virtual functions as a driver is asked about them: ndo_get_vf_config and ndo_set_vf_* of include/linux/netdevice.h.

The functions of a device are numbered from 0. A driver without a method refuses with EOPNOTSUPP.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(slots=True)
class VfConfig:
    """struct ifla_vf_info. link_state: IFLA_VF_LINK_STATE_*; rates: in Mbit/s, 0 for no limit; vlan_proto: an Ethernet
    type, 0 as long as no VLAN was set. rss_query_en: None, where the driver does not say."""

    link_state: int = 0
    min_tx_rate: int = 0
    max_tx_rate: int = 0
    vlan: int = 0
    vlan_proto: int = 0
    qos: int = 0
    mac: bytes = bytes(6)
    spoofchk: bool = False
    trusted: bool = False
    rss_query_en: bool | None = False


class VfOps:
    """The methods, of a driver that has none. vf: a number from 0 to INT_MAX, of a function that need not be there."""

    has_vfs = False
    """Whether it has them."""

    def num_vf(self, dev: Device) -> int:
        """dev_num_vf() of the device's parent: how many there are."""
        return 0

    def vf_config(self, dev: Device, vf: int) -> VfConfig:
        """ndo_get_vf_config."""
        raise Refusal(EOPNOTSUPP)

    def set_vf_mac(self, dev: Device, vf: int, mac: bytes) -> None:
        """ndo_set_vf_mac."""
        raise Refusal(EOPNOTSUPP)

    def set_vf_vlan(self, dev: Device, vf: int, vlan: int, qos: int, proto: int) -> None:
        """ndo_set_vf_vlan; proto: an Ethernet type."""
        raise Refusal(EOPNOTSUPP)

    def set_vf_rate(self, dev: Device, vf: int, min_tx_rate: int, max_tx_rate: int) -> None:
        """ndo_set_vf_rate, in Mbit/s."""
        raise Refusal(EOPNOTSUPP)

    def set_vf_spoofchk(self, dev: Device, vf: int, on: bool) -> None:
        """ndo_set_vf_spoofchk."""
        raise Refusal(EOPNOTSUPP)

    def set_vf_link_state(self, dev: Device, vf: int, state: int) -> None:
        """ndo_set_vf_link_state."""
        raise Refusal(EOPNOTSUPP)

    def set_vf_rss_query_en(self, dev: Device, vf: int, on: bool) -> None:
        """ndo_set_vf_rss_query_en."""
        raise Refusal(EOPNOTSUPP)

    def set_vf_trust(self, dev: Device, vf: int, on: bool) -> None:
        """ndo_set_vf_trust."""
        raise Refusal(EOPNOTSUPP)
