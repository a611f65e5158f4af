"""What the driver of a card keeps of its virtual functions, and what it refuses: ndo_get_vf_config and ndo_set_vf_*.

Each driver looks at its arguments in its own way: mlx5's at functions that need not be there yet, bnxt's and ice's at
those that are. eswitch.c of mlx5, i40e_virtchnl_pf.c and iavf were not at hand in 7.2.13: what is said of them here is
what they have long been.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from errno import EACCES, EADDRNOTAVAIL, EINVAL, EOPNOTSUPP, EPERM, EPROTONOSUPPORT
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.link_watch import carrier_off, carrier_on
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.vf import VfConfig
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkEswitchMode
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.if_link import VfLinkState

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.nics.function import BusFunction
    from nlemu.emulator.kernel.nics.sriov import Sriov

VLAN_MAX, QOS_MAX = 4095, 7
NO_ADDRESS = bytes(6)
Q, AD = int(ETH_P.VLAN_8021Q), int(ETH_P.VLAN_8021AD)


@dataclass(frozen=True, slots=True)
class VfRules:
    """How a driver looks at its virtual functions.

    none: what it says where there can be none, as on a virtual function itself; coming: those too can be set that are
    not there yet. protocols: of VLANs; tells_protocol: which of them is told; priority_alone: a priority without a
    VLAN is taken. rate: up to which a limit is taken: any, each up to the speed of the link, the most alone, or the
    least ones of all functions together. any_state: a state of the link that is none means "auto". own_address: when
    the address is told that a function chose for itself: always, or while it is up, or not. zeroed: what the driver
    does not know it tells as zero, and leaves it no more as rtnl_fill_vfinfo() began it. legacy: what is EOPNOTSUPP
    while the kernel switches the card."""

    none: int = EINVAL
    coming: bool = False
    protocols: tuple[int, ...] = (Q, AD)
    tells_protocol: bool = False
    priority_alone: bool = True
    rate: str = "any"
    any_state: bool = False
    own_address: str = ""
    zeroed: bool = False
    legacy: frozenset[str] = frozenset()


RULES = {
    "mlx5_core": VfRules(EPERM, coming=True, protocols=(Q,), any_state=True, zeroed=True,
                         legacy=frozenset(("vlan", "spoofchk", "trust", "link_state"))),
    "bnxt_en": VfRules(priority_alone=False, rate="each", own_address="always"),
    "ice": VfRules(tells_protocol=True, rate="together", own_address="up", legacy=frozenset(("trust",))),
    "i40e": VfRules(protocols=(Q,), rate="most", own_address="up"),
}
"""By driver, of those that have these functions.

mlx5e_get_vf_config(), mlx5_eswitch_get_vport(); bnxt_vf_ndo_prep(), bnxt_set_vf_vlan(), bnxt_set_vf_bw();
ice_get_vf_cfg(), ice_set_vf_bw()."""


@dataclass(frozen=True, slots=True)
class OwnRules:
    """How the driver of a virtual function comes to its address. reopened: it takes the one that the card's driver set
    when its device is up or comes up; at_once: always. refused: what it says when its device should have another one,
    0 when it lets it. Without either, the address is looked at when the driver takes the function."""

    reopened: bool = False
    at_once: bool = False
    refused: int = 0


OWN = {
    "mlx5_core": OwnRules(),  # mlx5e_set_netdev_dev_addr()
    "bnxt_en": OwnRules(reopened=True, refused=EADDRNOTAVAIL),  # bnxt_update_vf_mac(), bnxt_approve_mac()
    "iavf": OwnRules(at_once=True, refused=EACCES),  # __ice_set_vf_mac() has it reset; iavf_set_mac()
}
"""By the driver of the virtual function."""


def config_of(function: BusFunction) -> VfConfig | None:
    """What the card's driver keeps of a virtual function; None of one that is none."""
    card = function.physfn
    return None if card is None or card.sriov is None else card.sriov.configs[function.number]


def address_from(function: BusFunction) -> bytes | None:
    """The address that a virtual function has from its card's driver; None: none."""
    config = config_of(function)
    return None if config is None or config.mac == NO_ADDRESS else config.mac


class NicVfs(DeviceOps):
    """The part of a NIC's driver that knows virtual functions: its card's, or that it is one."""

    def num_vf(self, dev: Device) -> int:
        """pci_num_vf()."""
        sriov = function_of(dev).sriov
        return 0 if sriov is None else len(sriov.vfs)

    def _found(self, dev: Device, vf: int) -> tuple[VfRules, Sriov, VfConfig]:
        """The rules, the card and what is kept of one of its functions. EINVAL, EPERM: there is none."""
        rules, sriov = RULES[self.driver], function_of(dev).sriov
        if sriov is None:
            raise Refusal(rules.none)
        if vf >= (sriov.total if rules.coming else len(sriov.vfs)):
            raise Refusal(EINVAL)
        return rules, sriov, sriov.configs[vf]

    def vf_config(self, dev: Device, vf: int) -> VfConfig:
        """What is told of a function."""
        if self.driver not in RULES:
            raise Refusal(EOPNOTSUPP)
        rules, sriov, kept = self._found(dev, vf)
        proto = kept.vlan_proto
        if not rules.zeroed and not (rules.tells_protocol and (kept.vlan or kept.qos)):
            proto = Q
        mac = kept.mac
        own = sriov.vfs[vf].dev if vf < len(sriov.vfs) else None
        if mac == NO_ADDRESS and own is not None and (
            rules.own_address == "always" or (rules.own_address == "up" and own.running)
        ):
            mac = own.address
        return replace(kept, mac=mac, vlan_proto=proto, rss_query_en=False if rules.zeroed else None)

    def set_vf_mac(self, dev: Device, vf: int, mac: bytes) -> None:
        """No group's; none at all lets the function choose one."""
        self._refuse_unknown()
        _, sriov, kept = self._found(dev, vf)
        if mac[0] & 1:
            raise Refusal(EINVAL)
        kept.mac = mac
        own = sriov.vfs[vf].dev if vf < len(sriov.vfs) else None
        if own is not None and mac != NO_ADDRESS:
            rules = OWN[own.ops.driver]
            if rules.at_once or (rules.reopened and own.running):
                _have(own, mac)

    def set_vf_vlan(self, dev: Device, vf: int, vlan: int, qos: int, proto: int) -> None:
        """EPROTONOSUPPORT: a kind of tag that the card cannot put on."""
        self._refuse_unknown()
        rules, beyond = RULES[self.driver], vlan > VLAN_MAX or qos > QOS_MAX
        if proto not in rules.protocols and not (beyond and rules.tells_protocol):
            raise Refusal(EPROTONOSUPPORT)
        if "vlan" in rules.legacy and self._switched(dev):
            if vlan:
                raise Refusal(EOPNOTSUPP)
            return  # mlx5_eswitch_set_vport_vlan(), as libvirt wants it
        _, _, kept = self._found(dev, vf)
        if beyond or (qos and not vlan and not rules.priority_alone):
            raise Refusal(EINVAL)
        kept.vlan, kept.qos = vlan, qos
        kept.vlan_proto = proto if rules.tells_protocol else 0

    def set_vf_rate(self, dev: Device, vf: int, min_tx_rate: int, max_tx_rate: int) -> None:
        """EINVAL: more than the link can carry."""
        self._refuse_unknown()
        rules, sriov, kept = self._found(dev, vf)
        speed = function_of(dev).profile.speed
        if rules.rate in ("each", "most") and dev.carrier and max(min_tx_rate, max_tx_rate) > speed:
            raise Refusal(EINVAL)
        if rules.rate == "most" and min_tx_rate:
            raise Refusal(EINVAL)
        if rules.rate == "together" and min_tx_rate:
            others = sum(one.min_tx_rate for one in sriov.configs if one is not kept)
            if others + min_tx_rate > (speed if dev.carrier else 0):
                raise Refusal(EINVAL)
        kept.min_tx_rate, kept.max_tx_rate = min_tx_rate, max_tx_rate

    def set_vf_spoofchk(self, dev: Device, vf: int, on: bool) -> None:
        """What is set is kept."""
        self._refuse_unknown("spoofchk", dev)
        self._found(dev, vf)[2].spoofchk = on

    def set_vf_trust(self, dev: Device, vf: int, on: bool) -> None:
        """What is set is kept."""
        self._refuse_unknown("trust", dev)
        self._found(dev, vf)[2].trusted = on

    def set_vf_link_state(self, dev: Device, vf: int, state: int) -> None:
        """The function's device hears of it."""
        self._refuse_unknown("link_state", dev)
        rules, sriov, kept = self._found(dev, vf)
        if state not in tuple(VfLinkState):
            if not rules.any_state:
                raise Refusal(EINVAL)
            state = VfLinkState.AUTO
        kept.link_state = state
        own = sriov.vfs[vf].dev if vf < len(sriov.vfs) else None
        if own is not None and own.running:
            carrier_off(own) if state == VfLinkState.DISABLE else carrier_on(own)

    def _refuse_unknown(self, what: str = "", dev: Device | None = None) -> None:
        """EOPNOTSUPP: the driver has no such functions, or not while the kernel switches the card."""
        rules = RULES.get(self.driver)
        if rules is None or (what in rules.legacy and dev is not None and self._switched(dev)):
            raise Refusal(EOPNOTSUPP)

    @staticmethod
    def _switched(dev: Device) -> bool:
        switch = function_of(dev).eswitch
        return switch is not None and switch.mode == DevlinkEswitchMode.SWITCHDEV

    # The driver of a virtual function

    def link_wanted(self, dev: Device) -> bool:
        """Whether the device has a link when it comes up."""
        config = config_of(function_of(dev))
        return config is None or config.link_state != VfLinkState.DISABLE

    def take_address(self, dev: Device) -> None:
        """bnxt_update_vf_mac(), when the device comes up."""
        mac = address_from(function_of(dev))
        if mac is not None and OWN[self.driver].reopened:
            _have(dev, mac)

    def check_own_address(self, dev: Device, address: bytes) -> None:
        """Whether a virtual function may have that address: another than the card's driver gave it only if it is
        trusted."""
        config = config_of(function_of(dev))
        if config is None or config.trusted or config.mac in (NO_ADDRESS, address):
            return
        if OWN[self.driver].refused:
            raise Refusal(OWN[self.driver].refused)


def _have(dev: Device, mac: bytes) -> None:
    dev.address = mac
    dev.changed()
