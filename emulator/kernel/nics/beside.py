"""What drivers of NICs have beside queues and links: clocks, what wakes a machine up, numbers that can be tuned, tests
of oneself, resets, messages to log, and tables of tunnels' ports. A table a subject, by driver; who is not in it has
none.

What the hardware is asked for is said as a large card has it: only the hardware would tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from errno import EAGAIN, EBUSY, EINVAL, ENODEV, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.ethtool.link import SOFTWARE_STAMPS, TsInfo, TsStats
from nlemu.emulator.kernel.ethtool.wake import Wol
from nlemu.emulator.kernel.nics.link import again, is_virtual
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    ETH_RESET_ALL,
    PFC_STORM_PREVENTION_AUTO,
    PFC_STORM_PREVENTION_DISABLE,
    NetifMsg,
    Tunable,
    UdpTunnelType,
    Wake,
)
from nlemu.protocol.uapi.net_tstamp import SOF_TIMESTAMPING, HwtstampFilter, HwtstampTx

if TYPE_CHECKING:
    from collections.abc import Collection

    from nlemu.emulator.kernel.devices.device import Device

# Clocks

SENDING = int(SOF_TIMESTAMPING.TX_HARDWARE | SOF_TIMESTAMPING.TX_SOFTWARE)
HEARING = int(SOF_TIMESTAMPING.RX_HARDWARE | SOF_TIMESTAMPING.RAW_HARDWARE)
TX_TYPES = 1 << HwtstampTx.OFF | 1 << HwtstampTx.ON
NONE, ALL = HwtstampFilter.NONE, HwtstampFilter.ALL


@dataclass(frozen=True, slots=True)
class Stamps:
    """filters: what is stamped as it comes in; none: the driver has no clock, and stamps what it sends by software.
    counts: of time stamps, by the names of TsStats. virtual: a virtual function has a clock, too. own: those that it
    stamps by software beside its clock."""

    filters: tuple[HwtstampFilter, ...] = ()
    counts: tuple[str, ...] = ()
    virtual: bool = False
    own: int = 0
    stack: int = int(SOF_TIMESTAMPING.TX_SOFTWARE)


PTP = HwtstampFilter
STAMPS = {
    "mlx5_core": Stamps((NONE, ALL), ("tx_pkts",), virtual=True),  # mlx5e_ethtool_get_ts_info(), mlx5e_stats_ts_get()
    "bnxt_en": Stamps(  # bnxt_get_ts_info(), of firmware that stamps all; bnxt_get_ptp_stats()
        (NONE, PTP.PTP_V2_L2_EVENT, PTP.PTP_V2_L4_EVENT, ALL), ("tx_pkts", "tx_lost", "tx_err"),
    ),
    "gve": Stamps(stack=SOFTWARE_STAMPS),  # gve_get_ts_info(), of a device without a clock
    "fbnic": Stamps(  # fbnic_get_ts_info(), fbnic_get_ts_stats()
        (NONE, PTP.PTP_V1_L4_EVENT, PTP.PTP_V2_L4_EVENT, PTP.PTP_V2_L2_EVENT, PTP.PTP_V2_EVENT, ALL),
        ("tx_pkts", "tx_lost"),
    ),
    "ice": Stamps((NONE, ALL), ("tx_pkts", "tx_lost", "tx_err")),  # ice_get_ts_info(), ice_get_ts_stats()
    "i40e": Stamps(  # i40e_get_ts_info(), of a card that knows no PTP over UDP (I40E_HW_CAP_PTP_L4)
        (NONE, PTP.PTP_V2_L2_EVENT, PTP.PTP_V2_L2_SYNC, PTP.PTP_V2_L2_DELAY_REQ),
    ),
    "idpf": Stamps((NONE, ALL), ("tx_pkts", "tx_lost", "tx_err")),  # idpf_get_timestamp_filters()
    "ena": Stamps(),  # ena_get_ts_info(), of a device whose clock nobody switched on
    "e1000e": Stamps((  # e1000e_get_ts_info()
        NONE, PTP.PTP_V1_L4_SYNC, PTP.PTP_V1_L4_DELAY_REQ, PTP.PTP_V2_L4_SYNC, PTP.PTP_V2_L4_DELAY_REQ,
        PTP.PTP_V2_L2_SYNC, PTP.PTP_V2_L2_DELAY_REQ, PTP.PTP_V2_EVENT, PTP.PTP_V2_SYNC, PTP.PTP_V2_DELAY_REQ, ALL,
    ), own=SOFTWARE_STAMPS),
    "virtio_net": Stamps(stack=SOFTWARE_STAMPS),  # ethtool_op_get_ts_info(), recorded
}

# What wakes a machine up

WAKES = {
    "mlx5_core": (Wake.MAGIC, 0),  # mlx5e_get_wol()
    "bnxt_en": (0, 0),  # bnxt_get_wol(), without BNXT_FLAG_WOL_CAP
    "ice": (Wake.MAGIC, 0),  # ice_get_wol()
    "i40e": (0, 0),  # i40e_get_wol(), of a port that its memory says cannot
    "e1000e": (Wake.UCAST | Wake.MCAST | Wake.BCAST | Wake.MAGIC | Wake.PHY, Wake.MAGIC),  # e1000_get_wol()
}
"""What can, and what does at first."""

# Numbers

LONGEST_COPYBREAK = 1024
"""BNXT_MAX_RX_HDR_BUF"""
PAGE = 4096
MLX5_AUTO, MLX5_TIMEOUTS = 100, range(80, 8001)
"""MLX5E_PFC_PREVEN_AUTO_TOUT_MSEC, MLX5E_PFC_PREVEN_TOUT_MIN_MSEC and _MAX_MSEC"""
FBNIC_AUTO, FBNIC_LONGEST = 500, ((1 << 20) - 1) // 100
"""FBNIC_MAC_PS_TO_DEFAULT_MS, FBNIC_MAC_PS_TO_MAX_MS"""
TUNABLES = {
    "mlx5_core": {Tunable.PFC_PREVENTION_TOUT: 8000},
    "bnxt_en": {Tunable.RX_COPYBREAK: 0},
    "gve": {Tunable.RX_COPYBREAK: 256},
    "fbnic": {Tunable.PFC_PREVENTION_TOUT: FBNIC_AUTO},
    "ena": {Tunable.RX_COPYBREAK: 256},
}
"""Which, and what they are at first. Whether bnxt_en's firmware watches over pause frames is its to say: here not."""
UNTUNABLE = {"mlx5_core": EINVAL, "ena": EINVAL}
"""What a driver says of others: mlx5e_get_tunable(), ena_get_tunable(); EOPNOTSUPP those that are not named."""

# Tests

TESTS = {
    "mlx5_core": ("Link Test", "Speed Test", "Health Test", "Loopback Test"),  # mlx5e_sts
    "bnxt_en": (  # bnxt_ethtool_init(); the first ones are the firmware's to name
        "nvm test (online)", "link test (online)", "register test (online)", "Mac loopback test (offline)",
        "Phy loopback test (offline)", "Ext loopback test (offline)", "Interrupt_test (offline)",
    ),
    "fbnic": ("Register test (offline)", "MSI-X Interrupt test (offline)", "FW mailbox test (on/offline)"),
    "ice": (  # ice_gstrings_test
        "Register test  (offline)", "EEPROM test    (offline)", "Interrupt test (offline)", "Loopback test  (offline)",
        "Link test   (on/offline)",
    ),
    "i40e": (  # i40e_gstrings_test
        "Register test  (offline)", "Eeprom test    (offline)", "Interrupt test (offline)", "Link test   (on/offline)",
    ),
    "e1000e": (  # e1000_gstrings_test
        "Register test  (offline)", "Eeprom test    (offline)", "Interrupt test (offline)", "Loopback test  (offline)",
        "Link test   (on/offline)",
    ),
}
NEEDS_LINK = frozenset(("Link Test", "Speed Test", "link test (online)", "Link test   (on/offline)"))
NO_DEVICE = (1 << 64) - ENODEV

# Messages, tunnels and the rest

MESSAGES = {
    "bnxt_en": NetifMsg.DRV | NetifMsg.HW | NetifMsg.TX_ERR,  # BNXT_DEF_MSG_ENABLE
    "gve": NetifMsg.DRV | NetifMsg.LINK,  # DEFAULT_MSG_LEVEL
    "ice": NetifMsg.DRV | NetifMsg.PROBE | NetifMsg.LINK,  # ICE_DFLT_NETIF_M
    "i40e": NetifMsg.DRV | NetifMsg.PROBE | NetifMsg.LINK,  # i40e_probe()
    "idpf": NetifMsg.DRV | NetifMsg.PROBE | NetifMsg.LINK,  # IDPF_AVAIL_NETIF_M
    "ena": NetifMsg.DRV | NetifMsg.PROBE | NetifMsg.IFUP | NetifMsg.IFDOWN | NetifMsg.TX_ERR | NetifMsg.RX_ERR,
    "e1000e": NetifMsg.DRV | NetifMsg.PROBE | NetifMsg.LINK,  # DEFAULT_MSG_ENABLE
}
VXLAN, GENEVE, GPE = (1 << kind for kind in (UdpTunnelType.VXLAN, UdpTunnelType.GENEVE, UdpTunnelType.VXLAN_GPE))
TUNNELS = {
    "mlx5_core": ((7, VXLAN),),  # mlx5e_vxlan_set_netdev_info(), of a card with room for eight
    "bnxt_en": ((1, VXLAN), (1, GENEVE), (1, GPE)),  # bnxt_udp_tunnels_p7
    "ice": ((8, VXLAN), (8, GENEVE)),  # ice_init_pf(); how many is said by the package of the device
    "i40e": ((16, VXLAN | GENEVE),),  # i40e_setup_pf_switch(), I40E_MAX_PF_UDP_OFFLOAD_PORTS
}
RESTARTS = frozenset(("bnxt_en", "ice", "i40e", "e1000e"))
RESETS = frozenset(("bnxt_en", "gve", "ice"))
BLINKS = frozenset(("mlx5_core", "bnxt_en", "ice", "i40e", "e1000e"))
METHODS: dict[str, Collection[str]] = {
    "get_ts_info": STAMPS, "get_wol": WAKES, "set_wol": WAKES, "get_tunable": TUNABLES, "set_tunable": TUNABLES,
    "self_test": TESTS, "get_msglevel": MESSAGES, "set_msglevel": MESSAGES, "nway_reset": RESTARTS, "reset": RESETS,
    "set_phys_id": BLINKS,
}
"""Whose driver has which methods."""
NO_NUMBERS: dict[Tunable, int] = {}


@dataclass(slots=True)
class Beside:
    """What of it is a NIC's own. clock: the number of its clock, -1 for none."""

    clock: int = -1
    wol: Wol = field(default_factory=Wol)
    numbers: dict[Tunable, int] = field(default_factory=dict)
    messages: int = 0


def at_first(driver: str) -> Beside:
    """As a driver begins with it."""
    supported, options = WAKES.get(driver, (0, 0))
    return Beside(
        wol=Wol(int(supported), int(options)), numbers=dict(TUNABLES.get(driver, NO_NUMBERS)),
        messages=int(MESSAGES.get(driver, 0)),
    )


class NicBeside(DeviceOps):
    """Those methods of ethtool_ops."""

    BESIDE_METHODS = frozenset(METHODS)

    def has_beside(self, name: str) -> bool:
        """Whether the driver has that method."""
        return self.driver in METHODS[name]

    def has_clock(self, virtual: bool) -> bool:
        """Whether a function of such a card has a clock."""
        stamps = STAMPS.get(self.driver)
        return stamps is not None and bool(stamps.filters) and (stamps.virtual or not virtual)

    def get_ts_info(self, dev: Device, info: TsInfo) -> None:
        stamps, clock = STAMPS.get(self.driver), dev.priv.beside.clock
        if stamps is None:
            return
        if clock < 0:
            info.so_timestamping |= stamps.stack
            return
        info.so_timestamping |= SENDING | HEARING | stamps.own
        info.phc_index, info.tx_types = clock, TX_TYPES
        info.rx_filters = sum(1 << one for one in stamps.filters)

    def get_ts_stats(self, dev: Device) -> TsStats | None:
        stamps = STAMPS.get(self.driver)
        if stamps is None or not stamps.counts or dev.priv.beside.clock < 0:
            return None
        return TsStats(**dict.fromkeys(stamps.counts, 0))

    def get_wol(self, dev: Device) -> Wol:
        if not self.has_beside("get_wol"):
            raise Refusal(EOPNOTSUPP)
        kept: Wol = dev.priv.beside.wol
        return replace(kept)

    def set_wol(self, dev: Device, wol: Wol) -> None:
        dev.priv.beside.wol = wol

    def get_tunable(self, dev: Device, which: int) -> int:
        numbers: dict[int, int] = dev.priv.beside.numbers
        if which not in numbers:
            raise Refusal(UNTUNABLE.get(self.driver, EOPNOTSUPP))
        return numbers[which]

    def set_tunable(self, dev: Device, which: int, value: int) -> None:
        """mlx5e_set_pfc_prevention_tout(), bnxt_set_tunable(), gve_set_tunable(), fbnic_mac_ps_protect_to_config(),
        ena_set_rx_copybreak()."""
        kept = self.get_tunable(dev, which)
        if self.driver == "mlx5_core":
            value = MLX5_AUTO if value == PFC_STORM_PREVENTION_AUTO else value
            wrong = value != PFC_STORM_PREVENTION_DISABLE and value not in MLX5_TIMEOUTS
        elif self.driver == "fbnic":
            value = FBNIC_AUTO if value == PFC_STORM_PREVENTION_AUTO else value
            wrong = value > FBNIC_LONGEST
        elif self.driver == "bnxt_en":
            if value > LONGEST_COPYBREAK:
                raise Refusal(ERANGE)
            if value != kept and dev.running:
                raise Refusal(EBUSY)
            wrong = False
        else:
            wrong = value > (dev.priv.rings.rx_buf_len if self.driver == "gve" else min(dev.mtu, PAGE))
        if wrong:
            raise Refusal(EINVAL)
        dev.priv.beside.numbers[Tunable(which)] = value

    def self_test(self, dev: Device, offline: bool) -> tuple[tuple[int, ...], bool]:
        """mlx5e_self_test(), bnxt_self_test(), fbnic_self_test(), ice_self_test(), i40e_diag_test(), e1000_diag_test():
        all is well but links that are not there; offline the device goes down for a while, which one with virtual
        functions does not."""
        driver, sriov = self.driver, dev.priv.function.sriov
        held = offline and sriov is not None and bool(sriov.vfs)
        fared = {name: int(not dev.carrier and name in NEEDS_LINK) for name in TESTS[driver]}
        if driver == "mlx5_core":
            if not dev.running:
                fared["Loopback Test"] = NO_DEVICE
        elif driver == "bnxt_en" and (held or not dev.running or is_virtual(dev)):
            return (0,) * len(fared), not is_virtual(dev)
        elif held and driver in ("ice", "i40e"):
            return (1,) * len(fared), True
        elif offline and dev.running:
            dev.ops.stop(dev)
            dev.ops.open(dev)
        failed = any(fared.values())
        if driver == "bnxt_en" and offline:
            fared["Ext loopback test (offline)"] = 1  # nothing is plugged in to loop, and it is not asked for
        return tuple(fared.values()), failed

    def nway_reset(self, dev: Device) -> None:
        """bnxt_nway_reset(), ice_nway_reset(), i40e_nway_reset(), e1000_nway_reset()."""
        if self.driver == "bnxt_en" and is_virtual(dev):
            raise Refusal(EOPNOTSUPP)
        if self.driver == "e1000e" and not dev.running:
            raise Refusal(EAGAIN)
        if self.driver in ("bnxt_en", "e1000e") and not dev.priv.link.settings(dev).autoneg:
            raise Refusal(EINVAL)
        again(dev)

    def reset(self, dev: Device, which: int) -> int:
        """gve_user_reset(): all or nothing; bnxt_reset(), ice_ethtool_reset(): here nothing of what is asked is
        done."""
        if self.driver == "gve":
            if which != ETH_RESET_ALL:
                raise Refusal(EOPNOTSUPP)
            if dev.running:
                dev.ops.stop(dev)
                dev.ops.open(dev)
            return 0
        if self.driver == "bnxt_en" and not which:
            raise Refusal(EINVAL)
        if self.driver == "ice" or is_virtual(dev):
            raise Refusal(EOPNOTSUPP)
        return which

    def set_phys_id(self, dev: Device) -> None:
        """It blinks where nobody sees it."""

    def get_msglevel(self, dev: Device) -> int:
        if not self.has_beside("get_msglevel"):
            raise Refusal(EOPNOTSUPP)
        level: int = dev.priv.beside.messages
        return level

    def set_msglevel(self, dev: Device, level: int) -> None:
        dev.priv.beside.messages = level
