"""Interrupt coalescing of NICs, by driver: which parameters can be set (supported_coalesce_params), and what they are
at first where the driver's own source says so; where the firmware or a header does, zero is told, but for those that
are marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

USECS = frozenset(("rx_usecs", "tx_usecs"))
FRAMES = frozenset(("rx_max_frames", "tx_max_frames"))
USECS_IRQ = frozenset(("rx_usecs_irq", "tx_usecs_irq"))
FRAMES_IRQ = frozenset(("rx_max_frames_irq", "tx_max_frames_irq"))
ADAPTIVE = frozenset(("use_adaptive_rx", "use_adaptive_tx"))
CQE = frozenset(("use_cqe_mode_tx", "use_cqe_mode_rx"))


@dataclass(frozen=True, slots=True)
class CoalesceFacts:
    """settable: by their names as attributes; first: those that are not zero."""

    settable: frozenset[str]
    first: Mapping[str, int] = field(default_factory=dict)


UNREAD = CoalesceFacts(USECS | FRAMES | ADAPTIVE)
"""Of profiles whose driver has not been read for this."""
MLX5 = CoalesceFacts(
    USECS | FRAMES | ADAPTIVE | CQE,
    {"rx_usecs": 8, "rx_max_frames": 128, "tx_usecs": 8, "tx_max_frames": 128, "use_adaptive_rx": 1,
     "use_adaptive_tx": 1, "use_cqe_mode_rx": 1},
)
"""mlx5e_build_nic_params(): the adaptive one begins with the middle of its profiles, which are those of older kernels
(lib/dim was not at hand in 7.2.13)."""
BNXT = CoalesceFacts(
    USECS | FRAMES | USECS_IRQ | FRAMES_IRQ | CQE | {"stats_block_usecs", "use_adaptive_rx"},
    {"rx_usecs": 10, "rx_max_frames": 15, "rx_usecs_irq": 1, "rx_max_frames_irq": 1, "tx_usecs": 28,
     "tx_max_frames": 30, "tx_usecs_irq": 2, "tx_max_frames_irq": 2, "stats_block_usecs": 1000000},
)
"""bnxt_init_dflt_coal()"""
GVE = CoalesceFacts(USECS, {"rx_usecs": 20, "tx_usecs": 50})
"""GVE_RX_IRQ_RATELIMIT_US_DQO, GVE_TX_IRQ_RATELIMIT_US_DQO"""
FBNIC = CoalesceFacts(USECS | {"rx_max_frames"}, {"rx_usecs": 30, "tx_usecs": 35})
"""FBNIC_RX_USECS_DEFAULT, FBNIC_TX_USECS_DEFAULT"""
ADAPTS = {"rx_usecs": 50, "tx_usecs": 50, "use_adaptive_rx": 1, "use_adaptive_tx": 1}
"""ICE_DFLT_RX_ITR, I40E_ITR_RX_DEF, IDPF_ITR_RX_DEF and their like: 20,000 interrupts a second. As older kernels begin:
the headers were not at hand in 7.2.13."""
ICE = CoalesceFacts(USECS | ADAPTIVE | {"rx_usecs_high"}, ADAPTS)
I40E = CoalesceFacts(
    USECS | ADAPTIVE | {"tx_max_frames_irq", "rx_usecs_high", "tx_usecs_high"}, ADAPTS | {"tx_max_frames_irq": 256}
)
"""I40E_DEFAULT_IRQ_WORK, likewise."""
IDPF = CoalesceFacts(USECS | ADAPTIVE, ADAPTS)
ENA = CoalesceFacts(USECS | {"use_adaptive_rx"})
MANA = CoalesceFacts(frozenset(("rx_cqe_frames",)), {"rx_cqe_frames": 1})
E1000E = CoalesceFacts(frozenset(("rx_usecs",)), {"rx_usecs": 3})
"""As older kernels begin: itr_setting comes from param.c, which was not at hand in 7.2.13."""
VIRTIO = CoalesceFacts(USECS | FRAMES | {"use_adaptive_rx"}, {"rx_max_frames": 1, "tx_max_frames": 1})
"""Recorded (i01)."""
