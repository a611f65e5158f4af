"""Features of NICs, by driver: which are on at first, which can be set, which VLANs on them inherit.

A driver says so in one place when it makes its device; that is named with each set. What hangs on the card's abilities
is as a large card of the kind has it.
"""

from __future__ import annotations

from nlemu.emulator.kernel.devices.features import (
    GRO,
    GRO_HW,
    GSO,
    GSO_PARTIAL,
    HIGHDMA,
    HW_CSUM,
    HW_VLAN,
    IP_CSUM,
    IPV6_CSUM,
    LOOPBACK,
    LRO,
    RXCSUM,
    RXFCS,
    SCTP_CRC,
    SG,
    TSO,
    TSO6,
    TSO_ECN,
    word,
)
from nlemu.protocol.uapi.netdevice import NetifF

NTUPLE, RXHASH, RXALL, HW_TC = word(NetifF.NTUPLE), word(NetifF.RXHASH), word(NetifF.RXALL), word(NetifF.HW_TC)
TUNNELS = word(NetifF.GSO_UDP_TUNNEL, NetifF.GSO_UDP_TUNNEL_CSUM, NetifF.GSO_GRE, NetifF.GSO_GRE_CSUM)
UDP_L4 = word(NetifF.GSO_UDP_L4)

COMMON = SG | HIGHDMA | HW_CSUM | RXCSUM | TSO | TSO6
"""Of profiles whose driver has not been read for this."""

MLX5_FIRST = SG | HW_CSUM | GRO | TSO | TSO6 | RXCSUM | RXHASH | GSO_PARTIAL | GRO_HW
MLX5_VLAN = MLX5_FIRST | TUNNELS
MLX5_SETTABLE = (
    MLX5_FIRST | TUNNELS | UDP_L4 | RXALL | RXFCS | HW_TC | NTUPLE
    | word(NetifF.HW_VLAN_CTAG_TX, NetifF.HW_VLAN_CTAG_RX, NetifF.HW_VLAN_CTAG_FILTER, NetifF.HW_VLAN_STAG_TX)
    | word(NetifF.GSO_IPXIP4, NetifF.GSO_IPXIP6)
)
MLX5 = MLX5_SETTABLE & ~(GRO_HW | RXALL | RXFCS | NTUPLE) | HIGHDMA | word(NetifF.HW_VLAN_STAG_FILTER)
"""mlx5e_build_nic_netdev(), with CONFIG_MLX5_EN_ARFS."""

BNXT_FIRST = (
    IP_CSUM | IPV6_CSUM | SG | TSO | TSO6 | TUNNELS | word(NetifF.GSO_IPXIP4) | GSO_PARTIAL | RXHASH | RXCSUM | GRO
    | UDP_L4 | LRO
)
BNXT_VLAN = BNXT_FIRST | HIGHDMA
BNXT_SETTABLE = BNXT_FIRST | HW_VLAN | GRO_HW | NTUPLE
BNXT = (BNXT_SETTABLE | HIGHDMA) & ~LRO
"""bnxt_init_one(), bnxt_set_dflt_rfs()."""

GVE_FIRST = SG | HIGHDMA | HW_CSUM | TSO | TSO6 | TSO_ECN | RXCSUM | RXHASH
GVE = GVE_FIRST | GRO_HW | UDP_L4
GVE_SETTABLE = GVE | NTUPLE
"""gve_probe(), gve_adminq_describe_device() of a device with DQO, gve_enable_supported_features() of one with rules."""

ICE_VLAN = (
    SG | HIGHDMA | NTUPLE | RXHASH | RXCSUM | IP_CSUM | IPV6_CSUM | SCTP_CRC | TSO | TSO_ECN | TSO6 | TUNNELS
    | GSO_PARTIAL | word(NetifF.GSO_IPXIP4, NetifF.GSO_IPXIP6) | UDP_L4
)
ICE = ICE_VLAN | word(NetifF.HW_VLAN_CTAG_TX, NetifF.HW_VLAN_CTAG_RX, NetifF.HW_VLAN_CTAG_FILTER)
ICE_SETTABLE = ICE | HW_TC | LOOPBACK | RXFCS
"""ice_set_netdev_features(), of a card for one VLAN a frame."""

FBNIC_PARTIAL = TUNNELS | word(NetifF.GSO_IPXIP4)
FBNIC_SETTABLE = (
    FBNIC_PARTIAL | word(NetifF.GSO_IPXIP6) | RXHASH | SG | HW_CSUM | RXCSUM | TSO | TSO_ECN | TSO6 | GSO_PARTIAL
    | UDP_L4
)
FBNIC = FBNIC_SETTABLE | NTUPLE
"""fbnic_netdev_alloc(): rules are always there."""

I40E_VLAN = (
    SG | HW_CSUM | HIGHDMA | GSO | GRO | TSO | TSO_ECN | TSO6 | TUNNELS | GSO_PARTIAL
    | word(NetifF.GSO_IPXIP4, NetifF.GSO_IPXIP6) | UDP_L4 | SCTP_CRC | RXHASH | RXCSUM
)
I40E_FIRST = I40E_VLAN | word(NetifF.HW_VLAN_CTAG_TX, NetifF.HW_VLAN_CTAG_RX) | NTUPLE
I40E = I40E_FIRST | word(NetifF.HW_VLAN_CTAG_FILTER)
I40E_SETTABLE = I40E_FIRST | HW_TC | LOOPBACK | word(NetifF.HW_L2FW_DOFFLOAD)
I40E_PARTIAL = TUNNELS | word(NetifF.GSO_IPXIP4, NetifF.GSO_IPXIP6)
"""i40e_config_netdev()"""

ENA = IP_CSUM | IPV6_CSUM | TSO | TSO6 | RXCSUM | SG | RXHASH | HIGHDMA
"""ena_set_dev_offloads(), of a device that has them all but ECN."""

MANA_SETTABLE = SG | IP_CSUM | IPV6_CSUM | RXCSUM | TSO | TSO6 | RXHASH
MANA = MANA_SETTABLE | word(NetifF.HW_VLAN_CTAG_TX, NetifF.HW_VLAN_CTAG_RX)
"""mana_probe_port()"""

IDPF = SG | HIGHDMA | RXHASH | NTUPLE | IP_CSUM | IPV6_CSUM | RXCSUM | SCTP_CRC | TSO | TSO6 | UDP_L4
IDPF_SETTABLE = IDPF | GRO_HW | LOOPBACK
"""idpf_cfg_netdev(), of a device that has them all."""

E1000E_VLAN = SG | TSO | TSO6 | HW_CSUM | HIGHDMA
E1000E_FIRST = (
    SG | TSO | TSO6 | HW_CSUM | RXHASH | RXCSUM | word(NetifF.HW_VLAN_CTAG_TX, NetifF.HW_VLAN_CTAG_RX)
)
E1000E = E1000E_FIRST | HIGHDMA | word(NetifF.HW_VLAN_CTAG_FILTER)
E1000E_SETTABLE = E1000E_FIRST | RXFCS | RXALL
"""e1000_probe(), read in an older Linux."""

VIRTIO_FIRST = SG | HW_CSUM | TSO | TSO_ECN | TSO6 | GRO_HW
VIRTIO_SETTABLE = VIRTIO_FIRST | RXHASH
VIRTIO_VLAN = VIRTIO_FIRST | HIGHDMA | word(NetifF.GSO_ROBUST) | RXCSUM
VIRTIO = VIRTIO_VLAN | word(NetifF.HW_VLAN_CTAG_FILTER)
"""virtnet_probe(), with what QEMU offers (trace i01)."""
