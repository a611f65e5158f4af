"""The names of bits: ethtool's string sets that are the same for every device (net/ethtool/common.c, stats.c).

A name's place in its tuple is its bit number. Some feature bits have no name: theirs is empty.
"""

from nlemu.protocol.uapi.ethtool import StringSet
from nlemu.protocol.uapi.link_modes import LINK_MODES
from nlemu.protocol.uapi.netdevice import NETDEV_FEATURE_COUNT, NetifF

_FEATURES = {
    NetifF.SG: "tx-scatter-gather",
    NetifF.IP_CSUM: "tx-checksum-ipv4",
    NetifF.HW_CSUM: "tx-checksum-ip-generic",
    NetifF.IPV6_CSUM: "tx-checksum-ipv6",
    NetifF.HIGHDMA: "highdma",
    NetifF.FRAGLIST: "tx-scatter-gather-fraglist",
    NetifF.HW_VLAN_CTAG_TX: "tx-vlan-hw-insert",
    NetifF.HW_VLAN_CTAG_RX: "rx-vlan-hw-parse",
    NetifF.HW_VLAN_CTAG_FILTER: "rx-vlan-filter",
    NetifF.VLAN_CHALLENGED: "vlan-challenged",
    NetifF.GSO: "tx-generic-segmentation",
    NetifF.GRO: "rx-gro",
    NetifF.LRO: "rx-lro",
    NetifF.TSO: "tx-tcp-segmentation",
    NetifF.GSO_ROBUST: "tx-gso-robust",
    NetifF.TSO_ECN: "tx-tcp-ecn-segmentation",
    NetifF.TSO_MANGLEID: "tx-tcp-mangleid-segmentation",
    NetifF.TSO6: "tx-tcp6-segmentation",
    NetifF.FSO: "tx-fcoe-segmentation",
    NetifF.GSO_GRE: "tx-gre-segmentation",
    NetifF.GSO_GRE_CSUM: "tx-gre-csum-segmentation",
    NetifF.GSO_IPXIP4: "tx-ipxip4-segmentation",
    NetifF.GSO_IPXIP6: "tx-ipxip6-segmentation",
    NetifF.GSO_UDP_TUNNEL: "tx-udp_tnl-segmentation",
    NetifF.GSO_UDP_TUNNEL_CSUM: "tx-udp_tnl-csum-segmentation",
    NetifF.GSO_PARTIAL: "tx-gso-partial",
    NetifF.GSO_TUNNEL_REMCSUM: "tx-tunnel-remcsum-segmentation",
    NetifF.GSO_SCTP: "tx-sctp-segmentation",
    NetifF.GSO_ESP: "tx-esp-segmentation",
    NetifF.GSO_UDP_L4: "tx-udp-segmentation",
    NetifF.GSO_FRAGLIST: "tx-gso-list",
    NetifF.GSO_ACCECN: "tx-tcp-accecn-segmentation",
    NetifF.FCOE_CRC: "tx-checksum-fcoe-crc",
    NetifF.SCTP_CRC: "tx-checksum-sctp",
    NetifF.NTUPLE: "rx-ntuple-filter",
    NetifF.RXHASH: "rx-hashing",
    NetifF.RXCSUM: "rx-checksum",
    NetifF.NOCACHE_COPY: "tx-nocache-copy",
    NetifF.LOOPBACK: "loopback",
    NetifF.RXFCS: "rx-fcs",
    NetifF.RXALL: "rx-all",
    NetifF.HW_VLAN_STAG_TX: "tx-vlan-stag-hw-insert",
    NetifF.HW_VLAN_STAG_RX: "rx-vlan-stag-hw-parse",
    NetifF.HW_VLAN_STAG_FILTER: "rx-vlan-stag-filter",
    NetifF.HW_L2FW_DOFFLOAD: "l2-fwd-offload",
    NetifF.HW_TC: "hw-tc-offload",
    NetifF.HW_ESP: "esp-hw-offload",
    NetifF.HW_ESP_TX_CSUM: "esp-tx-csum-hw-offload",
    NetifF.RX_UDP_TUNNEL_PORT: "rx-udp_tunnel-port-offload",
    NetifF.HW_TLS_TX: "tls-hw-tx-offload",
    NetifF.HW_TLS_RX: "tls-hw-rx-offload",
    NetifF.GRO_HW: "rx-gro-hw",
    NetifF.GRO_FRAGLIST: "rx-gro-list",
    NetifF.HW_MACSEC: "macsec-hw-offload",
    NetifF.GRO_UDP_FWD: "rx-udp-gro-forwarding",
    NetifF.HW_HSR_TAG_INS: "hsr-tag-ins-offload",
    NetifF.HW_HSR_TAG_RM: "hsr-tag-rm-offload",
    NetifF.HW_HSR_FWD: "hsr-fwd-offload",
    NetifF.HW_HSR_DUP: "hsr-dup-offload",
}
FEATURES = tuple(_FEATURES[NetifF(bit)] if bit in _FEATURES else "" for bit in range(NETDEV_FEATURE_COUNT))
MSG_CLASSES = (
    "drv", "probe", "link", "timer", "ifdown", "ifup", "rx_err", "tx_err", "tx_queued", "intr", "tx_done", "rx_status",
    "pktdata", "hw", "wol",
)
SOF_TIMESTAMPING = (
    "hardware-transmit", "software-transmit", "hardware-receive", "software-receive", "software-system-clock",
    "hardware-legacy-clock", "hardware-raw-clock", "option-id", "sched-transmit", "ack-transmit", "option-cmsg",
    "option-tsonly", "option-stats", "option-pktinfo", "option-tx-swhw", "bind-phc", "option-id-tcp",
    "option-rx-filter", "tx-completion",
)
TS_TX_TYPES = ("off", "on", "onestep-sync", "onestep-p2p")
TS_RX_FILTERS = (
    "none", "all", "some", "ptpv1-l4-event", "ptpv1-l4-sync", "ptpv1-l4-delay-req", "ptpv2-l4-event", "ptpv2-l4-sync",
    "ptpv2-l4-delay-req", "ptpv2-l2-event", "ptpv2-l2-sync", "ptpv2-l2-delay-req", "ptpv2-event", "ptpv2-sync",
    "ptpv2-delay-req", "ntp-all",
)
UDP_TUNNEL_TYPES = ("vxlan", "geneve", "vxlan-gpe")
STATS_STD = ("eth-phy", "eth-mac", "eth-ctrl", "rmon", "phydev")

STRING_SETS: dict[int, tuple[str, ...]] = {
    StringSet.FEATURES: FEATURES,
    StringSet.RSS_HASH_FUNCS: ("toeplitz", "xor", "crc32"),
    StringSet.TUNABLES: ("Unspec", "rx-copybreak", "tx-copybreak", "pfc-prevention-tout", "tx-copybreak-buf-size"),
    StringSet.PHY_TUNABLES: (
        "Unspec", "phy-downshift", "phy-fast-link-down", "phy-energy-detect-power-down", "phy-short-cable-preset",
        "phy-lpf-bandwidth", "phy-dsp-eq-init-value",
    ),
    StringSet.LINK_MODES: LINK_MODES,
    StringSet.MSG_CLASSES: MSG_CLASSES,
    StringSet.WOL_MODES: ("phy", "ucast", "mcast", "bcast", "arp", "magic", "magicsecure", "filter"),
    StringSet.SOF_TIMESTAMPING: SOF_TIMESTAMPING,
    StringSet.TS_TX_TYPES: TS_TX_TYPES,
    StringSet.TS_RX_FILTERS: TS_RX_FILTERS,
    StringSet.UDP_TUNNEL_TYPES: UDP_TUNNEL_TYPES,
    StringSet.STATS_STD: STATS_STD,
    StringSet.STATS_ETH_PHY: ("SymbolErrorDuringCarrier",),
    StringSet.STATS_ETH_MAC: (
        "FramesTransmittedOK", "SingleCollisionFrames", "MultipleCollisionFrames", "FramesReceivedOK",
        "FrameCheckSequenceErrors", "AlignmentErrors", "OctetsTransmittedOK", "FramesWithDeferredXmissions",
        "LateCollisions", "FramesAbortedDueToXSColls", "FramesLostDueToIntMACXmitError", "CarrierSenseErrors",
        "OctetsReceivedOK", "FramesLostDueToIntMACRcvError", "MulticastFramesXmittedOK", "BroadcastFramesXmittedOK",
        "FramesWithExcessiveDeferral", "MulticastFramesReceivedOK", "BroadcastFramesReceivedOK",
        "InRangeLengthErrors", "OutOfRangeLengthField", "FrameTooLongErrors",
    ),
    StringSet.STATS_ETH_CTRL: (
        "MACControlFramesTransmitted", "MACControlFramesReceived", "UnsupportedOpcodesReceived",
    ),
    StringSet.STATS_RMON: (
        "etherStatsUndersizePkts", "etherStatsOversizePkts", "etherStatsFragments", "etherStatsJabbers",
    ),
    StringSet.STATS_PHY: ("RxFrames", "RxOctets", "RxErrors", "TxFrames", "TxOctets", "TxErrors"),
    StringSet.TS_FLAGS: ("bonded-phc-index",),
}
"""What info_template of net/ethtool/strset.c holds; the sets that are not here are a driver's, or nobody's."""
