"""What real NICs look like from user space: a profile a driver, as data.

But for virtio_net, which QEMU has, nothing here was recorded: there is no kernel to ask about hardware that is not
there. The facts are those of the drivers' sources of the 7.x kernels as far as netlink shows them, and each is said
once; numbers of headers that were not at hand in 7.2.13 are listed in docs/nics.md. Where a driver's abilities hang on
its firmware or settings, the profile is one that has been set up to lend its queues. Whatever a test wants otherwise,
it says when it plugs the NIC (`nic_new`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from errno import EAGAIN, ENETDOWN, ENODEV
from typing import Any

from nlemu.emulator.kernel.devices.features import word
from nlemu.emulator.kernel.nics import coalescing, counters, counters_cards, feature_sets, private_flags
from nlemu.emulator.kernel.nics.coalescing import CoalesceFacts
from nlemu.emulator.kernel.nics.counters import Counters
from nlemu.emulator.kernel.nics.hash_fields import HASHED_BY_ICE
from nlemu.emulator.kernel.nics.pci import Identity
from nlemu.emulator.kernel.nics.private_flags import PrivateFlags
from nlemu.emulator.kernel.nics.rss import ADDRESSES, BY_ADDRESSES, BY_PORTS, PORTS, RssFacts
from nlemu.protocol.uapi.ethtool import FlowType, RssHash, Rxh, RxhXfrm
from nlemu.protocol.uapi.if_ether import ETH_DATA_LEN, ETH_MIN_MTU
from nlemu.protocol.uapi.netdev import XdpAct, XdpRxMetadata
from nlemu.protocol.uapi.netdevice import NetifF

XDP = XdpAct.BASIC | XdpAct.REDIRECT
PACKETS = ("packets", "bytes")
SPLIT = frozenset(("tcp_data_split",))
SPLIT_AT = frozenset(("tcp_data_split", "hds_thresh"))


@dataclass(frozen=True, slots=True)
class Profile:
    """A driver, and a NIC of its.

    combined: channels are for both directions; else each has its own. queue_mgmt: netdev_queue_mgmt_ops, without
    which no queue can be lent or fed by a program; rx_page_size: the largest page that a memory provider may ask for,
    in bytes, 0 when it may not ask; down_errno: what the driver says to a queue that is to be made while the device is
    down, 0 when it makes it. dma: the bus device has a DMA mask; dma_down: it is told even while the device is down;
    functions: how many bus devices the queues are spread over (multi-PF), queue by queue. rx_counters, tx_counters:
    what is counted a queue, as named in qstats.py; none: the driver has no netdev_stat_ops. version: what the driver
    calls its own, "" where that is Linux's. tx_ring, tx_ring_max: 0 where they are as those for receiving; buffer_ring,
    buffer_ring_max: of the rings that buffers for headers and for data are taken from (rx-mini, rx-jumbo); pause: it
    tells of pause frames; counters: what `ethtool -S` shows; private: the flags of its own.
    identity: its numbers on the bus, where they are not those of the table (pci.py). said: the words of a profile of
    one's own."""

    driver: str
    about: str
    bus: str = "pci"
    queues: int = 4
    max_queues: int = 64
    combined: bool = True
    speed: int = 25000
    max_mtu: int = 9000
    features: int = feature_sets.COMMON
    settable: int | None = None
    vlan_features: int | None = None
    gso_partial: int = 0
    firmware: str = ""
    version: str = ""
    ring: int = 1024
    ring_max: int = 8192
    tx_ring: int = 0
    tx_ring_max: int = 0
    buffer_ring: int = 0
    buffer_ring_max: int = 0
    rx_buf_len: int = 0
    settable_rings: frozenset[str] = frozenset()
    hds_thresh: int = 0
    hds_thresh_max: int = 0
    queue_mgmt: bool = False
    request_ops_lock: bool = False
    rx_page_size: int = 0
    down_errno: int = 0
    dma: bool = True
    dma_down: bool = True
    functions: int = 1
    netmem_tx: bool = False
    xdp_features: int = 0
    xdp_zc_max_segs: int = 1
    rx_metadata: int = 0
    rss: RssFacts | None = None
    coalesce: CoalesceFacts = coalescing.UNREAD
    private: PrivateFlags = private_flags.NONE
    pause: bool = True
    counters: Counters = counters.NONE
    rx_counters: tuple[str, ...] = ()
    tx_counters: tuple[str, ...] = ()
    min_mtu: int = ETH_MIN_MTU
    identity: Identity | None = None
    said: Mapping[str, Any] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """What worlds and steps call it."""
        return self.driver if self.said is None else str(self.said["name"])


PROFILES = {
    profile.driver: profile
    for profile in (
        Profile(
            "mlx5_core", "NVIDIA ConnectX-7: lends queues, AF_XDP zero-copy",
            queues=8, max_queues=128, speed=200000, max_mtu=9978, firmware="28.43.2026 (MT_0000000838)",
            settable_rings=SPLIT_AT, queue_mgmt=True, request_ops_lock=True,
            # mlx5e_queue_mem_alloc(); mlx5e_mpwrq_max_page_size(), of a card that is no infrastructure processor's.
            down_errno=ENODEV, rx_page_size=1 << 17,
            # mlx5e_queue_get_dma_dev() looks for the queue's channel, and there is none while the device is down.
            dma_down=False, netmem_tx=True,
            xdp_features=int(XDP | XdpAct.XSK_ZEROCOPY | XdpAct.RX_SG),
            features=feature_sets.MLX5, settable=feature_sets.MLX5_SETTABLE, vlan_features=feature_sets.MLX5_VLAN,
            gso_partial=word(
                NetifF.GSO_UDP_TUNNEL_CSUM, NetifF.GSO_GRE_CSUM, NetifF.GSO_IPXIP4, NetifF.GSO_IPXIP6, NetifF.GSO_UDP_L4
            ),
            # mlx5e_rss_params_hash, rss_default_config, MLX5E_MAX_NUM_RSS
            rss=RssFacts(
                table=256, key=40, functions=(RssHash.TOP, RssHash.XOR), contexts=16, key_per_context=True,
                fields_per_context=True, transforms=int(RxhXfrm.SYM_OR_XOR),
                fields=dict.fromkeys(BY_PORTS, PORTS) | dict.fromkeys(
                    (*BY_ADDRESSES, FlowType.AH_V4, FlowType.AH_V6, FlowType.ESP_V4, FlowType.ESP_V6), ADDRESSES
                ),
            ),
            coalesce=coalescing.MLX5, private=private_flags.MLX5, counters=counters_cards.MLX5,
            rx_counters=(*PACKETS, "alloc_fail"), tx_counters=PACKETS,
        ),
        Profile(
            "bnxt_en", "Broadcom BCM57608: lends queues, large pages for memory providers, no AF_XDP zero-copy",
            queues=8, max_queues=74, speed=200000, max_mtu=9500, firmware="231.0.153.0/pkg 231.1.162.1",
            ring=511, ring_max=8191, tx_ring_max=2047, settable_rings=SPLIT_AT,
            # bnxt_init_ring_params(): a quarter of a page, less what stands before and behind a packet in it.
            hds_thresh=640, hds_thresh_max=1023,
            queue_mgmt=True, request_ops_lock=True, rx_page_size=32768, down_errno=ENETDOWN, netmem_tx=True,
            xdp_features=int(XDP | XdpAct.RX_SG),
            features=feature_sets.BNXT, settable=feature_sets.BNXT_SETTABLE, vlan_features=feature_sets.BNXT_VLAN,
            gso_partial=word(NetifF.GSO_UDP_TUNNEL_CSUM, NetifF.GSO_GRE_CSUM),
            # bnxt_get_nr_rss_ctxs() with the large table of newer firmware, BNXT_MAX_ETH_RSS_CTX
            rss=RssFacts(
                table=512, key=40, contexts=33, key_per_context=True,
                fields=dict.fromkeys(BY_PORTS, PORTS) | dict.fromkeys(
                    (*BY_ADDRESSES, FlowType.AH_ESP_V4, FlowType.AH_ESP_V6, FlowType.SCTP_V4, FlowType.SCTP_V6,
                     FlowType.AH_V4, FlowType.AH_V6, FlowType.ESP_V4, FlowType.ESP_V6), ADDRESSES
                ),
                settable=dict.fromkeys(BY_PORTS, frozenset((0, ADDRESSES, PORTS))) | dict.fromkeys(
                    BY_ADDRESSES, frozenset((0, ADDRESSES))
                ),
            ),
            coalesce=coalescing.BNXT, counters=counters_cards.BNXT,
            rx_counters=(*PACKETS, "alloc_fail"), tx_counters=PACKETS,
        ),
        Profile(
            "gve", "Google Virtual NIC (DQO): lends queues, AF_XDP zero-copy, channels of either direction",
            queues=4, max_queues=16, combined=False, speed=100000, max_mtu=1460, version="1.0.0",
            rx_buf_len=2048, settable_rings=SPLIT | {"rx_buf_len"},
            queue_mgmt=True, request_ops_lock=True, down_errno=EAGAIN, netmem_tx=True,
            xdp_features=int(XDP | XdpAct.XSK_ZEROCOPY),
            features=feature_sets.GVE, settable=feature_sets.GVE_SETTABLE, vlan_features=0,
            rss=RssFacts(table=128, key=40),  # GVE_RSS_INDIR_SIZE, GVE_RSS_KEY_SIZE
            coalesce=coalescing.GVE, private=private_flags.GVE, pause=False, counters=counters.GVE,
            rx_counters=(*PACKETS, "alloc_fail"), tx_counters=PACKETS,
        ),
        Profile(
            "fbnic", "Meta Host Network Interface: lends queues, no AF_XDP zero-copy",
            queues=4, max_queues=128, speed=100000, min_mtu=1280, max_mtu=9728,
            # fbnic_netdev_alloc(): IPV6_MIN_MTU; FBNIC_RCQ_SIZE_DEFAULT and its like, FBNIC_QUEUE_SIZE_MAX,
            # FBNIC_HDS_THRESH_DEFAULT, FBNIC_HDS_THRESH_MAX
            ring=1024, ring_max=65536, buffer_ring=256, buffer_ring_max=65536,
            settable_rings=SPLIT_AT, hds_thresh=1536, hds_thresh_max=3584,
            features=feature_sets.FBNIC, settable=feature_sets.FBNIC_SETTABLE,
            vlan_features=feature_sets.FBNIC_SETTABLE, gso_partial=feature_sets.FBNIC_PARTIAL,
            queue_mgmt=True, netmem_tx=True, xdp_features=int(XdpAct.BASIC | XdpAct.RX_SG),
            # FBNIC_RPC_RSS_TBL_SIZE, FBNIC_RPC_RSS_KEY_BYTE_LEN, FBNIC_RPC_RSS_TBL_COUNT, fbnic_rss_init_en_mask()
            rss=RssFacts(
                table=256, key=54, contexts=2,
                fields={FlowType.TCP_V4: PORTS, FlowType.TCP_V6: PORTS, FlowType.ETHER: int(Rxh.L2DA)}
                | dict.fromkeys((FlowType.UDP_V4, FlowType.UDP_V6, *BY_ADDRESSES), ADDRESSES),
            ),
            coalesce=coalescing.FBNIC, counters=counters_cards.FBNIC,
            rx_counters=(*PACKETS, "alloc_fail", "hw_drops", "hw_drop_overruns", "csum_complete", "csum_none"),
            tx_counters=(*PACKETS, "csum_none", "needs_csum", "stop", "wake"),
        ),
        Profile(
            "ice", "Intel E810: AF_XDP zero-copy in segments, but no queue management",
            queues=8, max_queues=128, speed=100000, max_mtu=9702, firmware="4.60 0x8001e8b1 1.3682.0",
            ring=2048, ring_max=8160, tx_ring=256, settable_rings=SPLIT,
            # ice_set_ops(); it sends frames of others when it has a program itself.
            xdp_features=int(XDP | XdpAct.XSK_ZEROCOPY | XdpAct.RX_SG), xdp_zc_max_segs=8,
            features=feature_sets.ICE, settable=feature_sets.ICE_SETTABLE, vlan_features=feature_sets.ICE_VLAN,
            gso_partial=word(NetifF.GSO_UDP_TUNNEL_CSUM, NetifF.GSO_GRE_CSUM),
            # ice_vsi_set_rss_params() of a card with the whole table, ICE_VSIQF_HKEY_ARRAY_SIZE
            rss=RssFacts(table=2048, key=52, transforms=int(RxhXfrm.SYM_XOR), fields=HASHED_BY_ICE),
            coalesce=coalescing.ICE, private=private_flags.ICE, counters=counters.ICE,
        ),
        Profile(
            "i40e", "Intel XL710: AF_XDP zero-copy in segments, no queue management",
            queues=8, max_queues=128, speed=40000, max_mtu=9702, firmware="9.20 0x8000d8c5 1.3353.0",
            ring=512, ring_max=8160,
            xdp_features=int(XDP | XdpAct.XSK_ZEROCOPY | XdpAct.RX_SG), xdp_zc_max_segs=8,
            features=feature_sets.I40E, settable=feature_sets.I40E_SETTABLE, vlan_features=feature_sets.I40E_VLAN,
            gso_partial=feature_sets.I40E_PARTIAL,
            # I40E_HLUT_ARRAY_SIZE, I40E_HKEY_ARRAY_SIZE, i40e_get_rxfh_fields()
            rss=RssFacts(
                table=512, key=52, fields=dict.fromkeys(BY_PORTS, PORTS) | dict.fromkeys(
                    (*BY_ADDRESSES, FlowType.AH_ESP_V4, FlowType.AH_ESP_V6, FlowType.SCTP_V4, FlowType.SCTP_V6,
                     FlowType.AH_V4, FlowType.AH_V6, FlowType.ESP_V4, FlowType.ESP_V6), ADDRESSES
                ),
            ),
            coalesce=coalescing.I40E, private=private_flags.I40E, counters=counters_cards.I40E,
        ),
        Profile(
            "idpf", "Intel's infrastructure function: header split, rules, no queue management",
            queues=8, max_queues=128, speed=200000, max_mtu=9194, ring=512, ring_max=8160, settable_rings=SPLIT,
            # idpf_xdp_set_features(), libeth_xdp_set_features_noredir()
            xdp_features=int(XDP | XdpAct.XSK_ZEROCOPY | XdpAct.RX_SG),
            features=feature_sets.IDPF, settable=feature_sets.IDPF_SETTABLE, vlan_features=feature_sets.IDPF_SETTABLE,
            rss=RssFacts(table=128, key=52), coalesce=coalescing.IDPF, pause=False, counters=counters.IDPF,
        ),
        Profile(
            "ena", "Amazon Elastic Network Adapter: XDP while half of its queues are free, no queue management",
            queues=8, max_queues=32, speed=25000, min_mtu=128, max_mtu=9216, ring_max=16384, tx_ring_max=1024,
            settable_rings=frozenset(("tx_push", "tx_push_buf_len")), xdp_features=int(XDP),
            features=feature_sets.ENA, settable=feature_sets.ENA, vlan_features=feature_sets.ENA,
            # ENA_RX_RSS_TABLE_SIZE, ENA_HASH_KEY_SIZE; ena_flow_hash_to_flow_type() of what is hashed at first
            rss=RssFacts(
                table=128, key=40, functions=(RssHash.TOP, RssHash.CRC32),
                fields=dict.fromkeys(BY_PORTS, PORTS) | dict.fromkeys(BY_ADDRESSES, ADDRESSES)
                | {FlowType.ETHER: int(Rxh.L2DA)},
            ),
            coalesce=coalescing.ENA, pause=False, counters=counters.ENA,
        ),
        Profile(
            "mana", "Microsoft Azure Network Adapter: XDP, no queue management",
            queues=16, max_queues=64, speed=200000, max_mtu=ETH_DATA_LEN, ring=1024, tx_ring=256, tx_ring_max=16384,
            xdp_features=int(XDP | XdpAct.NDO_XMIT),
            features=feature_sets.MANA, settable=feature_sets.MANA_SETTABLE, vlan_features=feature_sets.MANA,
            rss=RssFacts(table=64, key=40),  # MANA_INDIRECT_TABLE_DEF_SIZE, MANA_HASH_KEY_SIZE
            coalesce=coalescing.MANA, pause=False, counters=counters.MANA,
        ),
        Profile(
            "iavf", "A virtual function of Intel's cards", queues=4, max_queues=16, max_mtu=9702, firmware="N/A",
            ring=512, ring_max=4096, pause=False,
        ),
        Profile(
            "e1000e", "Intel 82574L: one queue and nothing else",
            queues=1, max_queues=1, speed=1000, max_mtu=ETH_DATA_LEN, firmware="1.8-0", ring=256, ring_max=4096,
            features=feature_sets.E1000E, settable=feature_sets.E1000E_SETTABLE, vlan_features=feature_sets.E1000E_VLAN,
            coalesce=coalescing.E1000E, private=private_flags.E1000E, counters=counters.E1000E,
        ),
        Profile(
            "virtio_net", "A virtual machine's NIC: no DMA of its own, per-queue statistics",
            bus="virtio", queues=2, max_queues=16, speed=0, max_mtu=65535, version="1.0.0", ring=256,
            ring_max=256, dma=False,
            features=feature_sets.VIRTIO, settable=feature_sets.VIRTIO_SETTABLE, vlan_features=feature_sets.VIRTIO_VLAN,
            xdp_features=int(XDP | XdpAct.XSK_ZEROCOPY | XdpAct.RX_SG), rx_metadata=int(XdpRxMetadata.HASH),
            rss=RssFacts(table=128, key=40, fields=dict.fromkeys((*BY_ADDRESSES, *BY_PORTS), 0)),
            coalesce=coalescing.VIRTIO, pause=False, counters=counters.VIRTIO,
            rx_counters=PACKETS, tx_counters=(*PACKETS, "stop", "wake"),
        ),
    )
}
