"""Private flags: what a driver can be told to do that has no other name than its own (`ethtool --show-priv-flags`).

The names are the driver's, in its order, which is that of the bits. A driver that refuses one says so by an errno; the
reason goes to its log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.nics import pci
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


@dataclass(frozen=True, slots=True)
class PrivateFlags:
    """names: of all functions of a card; of_card: of its first one alone, behind them. first: which are on at first.
    fixed: those that cannot be switched, with the errno. beside_vfs: those that cannot while the card has virtual
    functions (EOPNOTSUPP)."""

    names: tuple[str, ...] = ()
    of_card: tuple[str, ...] = ()
    first: frozenset[str] = frozenset()
    fixed: Mapping[str, int] = field(default_factory=dict)
    beside_vfs: frozenset[str] = frozenset()

    def bits(self, *names: str) -> int:
        """Those flags, as bits."""
        return sum(1 << (*self.names, *self.of_card).index(name) for name in names)


class NicPrivateFlags(DeviceOps):
    """get_priv_flags and set_priv_flags of ethtool_ops."""

    private: PrivateFlags

    def flag_names(self, dev: Device) -> tuple[str, ...]:
        """i40e_get_priv_flag_strings() and its like."""
        place = pci.parsed(dev.priv.function.address)
        return self.private.names + (() if place and place[3] else self.private.of_card)

    def get_priv_flags(self, dev: Device) -> int:
        flags: int = dev.priv.flags
        return flags

    def set_priv_flags(self, dev: Device, flags: int) -> None:
        """Takes all of them, or none."""
        flags &= (1 << len(self.flag_names(dev))) - 1
        for name, errno in self.private.fixed.items():
            if (flags ^ dev.priv.flags) & self.private.bits(name):
                raise Refusal(errno)
        if self.held_by_vfs(dev, flags):
            raise Refusal(EOPNOTSUPP)
        dev.priv.flags = flags

    def held_by_vfs(self, dev: Device, flags: int) -> int:
        """Which bits would be others and cannot, because the card has virtual functions."""
        sriov = dev.priv.function.sriov
        if sriov is None or not sriov.vfs:
            return 0
        held: int = (flags ^ dev.priv.flags) & self.private.bits(*self.private.beside_vfs)
        return held


NONE = PrivateFlags()
MLX5 = PrivateFlags(
    ("rx_cqe_moder", "tx_cqe_moder", "rx_cqe_compress", "rx_striding_rq", "rx_no_csum_complete", "xdp_tx_mpwqe",
     "skb_tx_mpwqe", "tx_port_ts"),
    first=frozenset(("rx_striding_rq", "xdp_tx_mpwqe", "skb_tx_mpwqe")),
)
"""mlx5e_priv_flags; mlx5e_build_nic_params() of a card with all that it asks for, in a fast slot. It counts from a
completion at first (use_cqe_mode_rx), and has no flag for that before it is told."""
ICE = PrivateFlags(
    ("link-down-on-close", "fw-lldp-agent", "vf-true-promisc-support", "mdd-auto-reset-vf", "vf-vlan-pruning"),
    beside_vfs=frozenset(("vf-vlan-pruning",)),
)
"""ice_gstrings_priv_flags. Whether the firmware speaks LLDP is its own to say: here it does not."""
I40E = PrivateFlags(
    ("MFP", "total-port-shutdown", "LinkPolling", "flow-director-atr", "veb-stats", "hw-atr-eviction",
     "link-down-on-close", "legacy-rx", "disable-source-pruning", "disable-fw-lldp", "rs-fec", "base-r-fec",
     "vf-vlan-pruning", "mdd-auto-reset-vf"),
    of_card=("vf-true-promisc-support",),
    first=frozenset(("flow-director-atr",)),
    fixed=dict.fromkeys(("MFP", "total-port-shutdown", "hw-atr-eviction", "rs-fec", "base-r-fec"), EOPNOTSUPP),
    beside_vfs=frozenset(("vf-vlan-pruning",)),
)
"""i40e_gstrings_priv_flags, i40e_gl_gstrings_priv_flags; i40e_sw_init() and i40e_set_priv_flags() of a card that is not
one of 25 gigabits. That the hardware evicts nothing is of older kernels (I40E_HW_CAP_ATR_EVICT)."""
GVE = PrivateFlags(("report-stats",))
"""gve_gstrings_priv_flags"""
E1000E = PrivateFlags(("s0ix-enabled", "disable-k1"), fixed=dict.fromkeys(("s0ix-enabled", "disable-k1"), EINVAL))
"""e1000e_priv_flags_strings; e1000e_set_priv_flags() of a card that is older than either."""
