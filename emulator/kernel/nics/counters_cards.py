"""What cards with ports of their own count by `ethtool -S`: mlx5_core, bnxt_en, fbnic and i40e (counters.py has the
others). Their ports' counters are zero, but for what the queues counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.nics.counters import Block, Counters, Each, both_sides
from nlemu.emulator.kernel.nics.link import is_virtual

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

SIDES, CASTS, PRIORITIES = ("rx", "tx"), ("unicast", "multicast", "broadcast"), range(8)


def of_port(dev: Device) -> bool:
    """Whether the device has the card's port, and not a virtual function of it."""
    return not is_virtual(dev)


def pauses(dev: Device) -> bool:
    """mlx5e_query_global_pause_combined()."""
    return bool(dev.priv.pause.rx or dev.priv.pause.tx)


# mlx5_core

XDP_SQ = ("xmit", "mpwqe", "inlnw", "nops", "full", "err")
RX_CSUM = ("csum_complete", "csum_complete_tail", "csum_complete_tail_slow", "csum_unnecessary",
           "csum_unnecessary_inner", "csum_none")
GRO = ("lro_packets", "lro_bytes", "gro_packets", "gro_bytes", "gro_skbs", "gro_large_hds", "hds_nodata_packets",
       "hds_nodata_bytes", "hds_nosplit_packets", "hds_nosplit_bytes", "ecn_mark", "removed_vlan_packets")
WQE = ("wqe_err", "mpwqe_filler_cqes", "mpwqe_filler_strides", "oversize_pkts_sw_drop", "buff_alloc_err",
       "cqe_compress_blks", "cqe_compress_pkts", "congst_umr")
ARFS = ("arfs_add", "arfs_request_in", "arfs_request_out", "arfs_expired", "arfs_err")
POOL = ("recover", *(f"pp_{name}" for name in (
    "alloc_fast", "alloc_slow", "alloc_slow_high_order", "alloc_empty", "alloc_refill", "alloc_waive",
    "recycle_cached", "recycle_cache_full", "recycle_ring", "recycle_ring_full", "recycle_released_ref",
)))
CHANNEL = ("events", "poll", "arm", "aff_change", "force_irq", "eq_rearm")
TSO = ("packets", "bytes", "tso_packets", "tso_bytes", "tso_inner_packets", "tso_inner_bytes")
SOFTWARE = (
    "rx_packets", "rx_bytes", *(f"tx_{name}" for name in (*TSO, "added_vlan_packets", "nop", "mpwqe_blks",
                                                         "mpwqe_pkts")),
    *(f"rx_{name}" for name in (*GRO, "csum_unnecessary", "csum_none", "csum_complete", "csum_complete_tail",
                                "csum_complete_tail_slow", "csum_unnecessary_inner", "xdp_drop", "xdp_redirect")),
    *(f"rx_xdp_tx_{name}" for name in (*XDP_SQ, "cqe")),
    *(f"tx_{name}" for name in ("csum_none", "csum_partial", "csum_partial_inner", "queue_stopped", "queue_dropped",
                                "xmit_more", "recover", "cqes", "queue_wake", "cqe_err")),
    *(f"tx_xdp_{name}" for name in (*XDP_SQ, "cqes")), *(f"rx_{name}" for name in (*WQE, *ARFS, *POOL)),
    *(f"ch_{name}" for name in CHANNEL),
    *(f"rx_xsk_{name}" for name in ("packets", "bytes", "csum_complete", "csum_unnecessary", "csum_unnecessary_inner",
                                    "csum_none", "ecn_mark", "removed_vlan_packets", "xdp_drop", "xdp_redirect", *WQE)),
    *(f"tx_xsk_{name}" for name in ("xmit", "mpwqe", "inlnw", "full", "err", "cqes")),
)
PORT = (
    "rx_out_of_buffer", "rx_if_down_packets", "rx_steer_missed_packets", "dev_internal_queue_oob",
    "rx_oversize_pkts_buffer",
    *(f"{side}_vport_{cast}_{what}" for cast in (*CASTS, "rdma_unicast", "rdma_multicast") for side in SIDES
      for what in ("packets", "bytes")),
    "vport_loopback_packets", "vport_loopback_bytes",
    *(f"{name}_phy" for name in (
        "tx_packets", "rx_packets", "rx_crc_errors", "tx_bytes", "rx_bytes", "tx_multicast", "tx_broadcast",
        "rx_multicast", "rx_broadcast", "rx_in_range_len_errors", "rx_out_of_range_len", "rx_oversize_pkts",
        "rx_symbol_err", "tx_mac_control", "rx_mac_control", "rx_unsupported_op", "rx_pause_ctrl", "tx_pause_ctrl",
        "rx_discards", "tx_discards", "tx_errors", "rx_undersize_pkts", "rx_fragments", "rx_jabbers",
        *(f"rx_{size}_bytes" for size in (
            "64", "65_to_127", "128_to_255", "256_to_511", "512_to_1023", "1024_to_1518", "1519_to_2047",
            "2048_to_4095", "4096_to_8191", "8192_to_10239",
        )),
        "link_down_events", "rx_pcs_symbol_err", "rx_corrected_bits", *(f"rx_err_lane_{lane}" for lane in range(4)),
        "rx_buffer_passed_thres",
    )),
    "rx_pci_signal_integrity", "tx_pci_signal_integrity", "outbound_pci_buffer_overflow", "outbound_pci_stalled_rd",
    "outbound_pci_stalled_wr", "outbound_pci_stalled_rd_events", "outbound_pci_stalled_wr_events",
    *(f"{side}_prio{priority}_{what}" for priority in PRIORITIES for side, whats in (
        ("rx", ("bytes", "packets", "discards")), ("tx", ("bytes", "packets"))) for what in whats),
)
"""mlx5e_nic_stats_grps from qcnt to per_prio, of a card that counts all of them but recoveries of its PHY."""
MLX5 = Counters(
    (
        Block(Each.ONCE, (*SOFTWARE, *PORT)),
        Block(Each.ONCE, ("rx_global_pause", "rx_global_pause_duration", "tx_global_pause",
                          "tx_global_pause_duration", "rx_global_pause_transition"), pauses),
        Block(Each.ONCE, ("tx_pause_storm_warning_events", "tx_pause_storm_error_events", "module_unplug",
                          "module_bus_stuck", "module_high_temp", "module_bad_shorted")),
        Block(Each.EVER, tuple(f"ch{{}}_{name}" for name in CHANNEL)),
        Block(Each.EVER, (
            *(f"rx{{}}_{name}" for name in (
                "packets", "bytes", *RX_CSUM, "xdp_drop", "xdp_redirect", *GRO, *WQE, *ARFS, *POOL,
            )),
            *(f"rx{{}}_xdp_tx_{name}" for name in (*XDP_SQ, "cqes")),
        )),
        Block(Each.EVER, tuple(f"tx{{}}_{name}" for name in (
            *TSO, "csum_partial", "csum_partial_inner", "added_vlan_packets", "nop", "timestamps", "mpwqe_blks",
            "mpwqe_pkts", "csum_none", "stopped", "dropped", "xmit_more", "recover", "cqes", "wake", "cqe_err",
        ))),
        Block(Each.EVER, tuple(f"tx{{}}_xdp_{name}" for name in (*XDP_SQ, "cqes"))),
        Block(Each.ONCE, tuple(f"rx_prio{priority}_{what}" for priority in PRIORITIES
                               for what in ("buf_discard", "cong_discard", "marked"))),
    ),
    both_sides("SIDE_packets", "SIDE_bytes") | both_sides("SIDE{}_packets", "SIDE{}_bytes"),
)
"""mlx5e_nic_stats_grps, of a kernel with accelerated RFS and without what encrypts (CONFIG_MLX5_EN_TLS, _IPSEC and
MLX5_MACSEC); how queues' names begin is of a header that was not at hand. Counters of AF_XDP's queues, which there are
once it was used, are not modelled."""

# bnxt_en

FRAMES = ("64b", "65b_127b", "128b_255b", "256b_511b", "512b_1023b", "1024b_1518b", "good_vlan", "1519b_2047b",
          "2048b_4095b", "4096b_9216b", "9217b_16383b")
BNXT_PORT = (
    *(f"rx_{name}_frames" for name in (
        *FRAMES, "total", "ucast", "mcast", "bcast", "fcs_err", "ctrl", "pause", "pfc", "align_err", "ovrsz", "jbr",
        "mtu_err", "tagged", "double_tagged", "good",
    )),
    *(f"rx_pfc_ena_frames_pri{priority}" for priority in PRIORITIES),
    *(f"rx_{name}" for name in ("undrsz_frames", "eee_lpi_events", "eee_lpi_duration", "bytes", "runt_bytes",
                                "runt_frames", "stat_discard", "stat_err")),
    *(f"tx_{name}_frames" for name in (
        *FRAMES, "good", "total", "ucast", "mcast", "bcast", "pause", "pfc", "jabber", "fcs_err",
    )),
    "tx_err", "tx_fifo_underruns", *(f"tx_pfc_ena_frames_pri{priority}" for priority in PRIORITIES),
    *(f"tx_{name}" for name in ("eee_lpi_events", "eee_lpi_duration", "total_collisions", "bytes", "xthol_frames",
                                "stat_discard", "stat_error")),
    "link_down_events", "continuous_pause_events", "resume_pause_events", "continuous_roce_pause_events",
    "resume_roce_pause_events",
    *(f"rx_{what}_cos{number}" for number in PRIORITIES for what in ("bytes", "packets")),
    *(f"pfc_pri{number}_rx_{what}" for number in PRIORITIES for what in ("duration_us", "transitions")),
    "rx_bits", "rx_buffer_passed_threshold", "rx_pcs_symbol_err", "rx_corrected_bits",
    *(f"rx_discard_{what}_cos{number}" for number in PRIORITIES for what in ("bytes", "packets")),
    "rx_fec_corrected_blocks", "rx_fec_uncorrectable_blocks", "rx_filter_miss",
    *(f"tx_{what}_cos{number}" for number in PRIORITIES for what in ("bytes", "packets")),
    *(f"pfc_pri{number}_tx_{what}" for number in PRIORITIES for what in ("duration_us", "transitions")),
    *(f"{side}_{what}_pri{number}" for side in SIDES for what in ("bytes", "packets") for number in PRIORITIES),
)
"""bnxt_port_stats_arr, bnxt_port_stats_ext_arr, bnxt_tx_port_stats_ext_arr and the arrays by priority, of firmware that
has all of them."""
BNXT = Counters(
    (
        Block(Each.QUEUE, tuple(f"[{{}}]: {name}" for name in (
            *(f"rx_{name}" for name in ("ucast_packets", "mcast_packets", "bcast_packets", "discards", "errors",
                                        "ucast_bytes", "mcast_bytes", "bcast_bytes")),
            *(f"tx_{name}" for name in ("ucast_packets", "mcast_packets", "bcast_packets", "errors", "discards",
                                        "ucast_bytes", "mcast_bytes", "bcast_bytes")),
            *(f"rx_tpa_{name}" for name in ("eligible_pkt", "eligible_bytes", "pkt", "bytes", "errors", "events")),
            "rx_l4_csum_errors", "rx_resets", "rx_buf_errors", "missed_irqs",
        ))),
        Block(Each.ONCE, (
            *(f"rx_total_{name}" for name in ("l4_csum_errors", "resets", "buf_errors", "oom_discards",
                                              "netpoll_discards", "ring_discards")),
            "tx_total_resets", "tx_total_ring_discards", "total_missed_irqs",
        )),
        Block(Each.ONCE, BNXT_PORT, of_port),
    ),
    both_sides("[{}]: SIDE_ucast_packets", "[{}]: SIDE_ucast_bytes"),
)
"""bnxt_get_strings(), of a chip that merges packets by six counters (P7), with channels for both directions."""

# fbnic

FBNIC_QUEUES = range(128)
"""FBNIC_MAX_QUEUES, FBNIC_MAX_XDPQS"""
FBNIC = Counters((
    Block(Each.ONCE, (
        *(f"tti_{why}_drop_{what}" for why in ("cm", "frame", "tbi") for what in ("frames", "bytes")),
        "ptp_illegal_req", "ptp_good_ts", "ptp_bad_ts",
        *(f"rpc_{name}" for name in ("unkn_etype", "unkn_ext_hdr", "ipv4_frag", "ipv6_frag", "ipv4_esp", "ipv6_esp",
                                     "tcp_opt_err", "out_of_hdr_err")),
        *(f"rxb_{name}" for number in range(4) for name in (
            f"integrity_err{number}", f"mac_err{number}", f"parser_err{number}", f"frm_err{number}",
            f"drbo{number}_frames", f"drbo{number}_bytes",
        )),
        *(f"rxb_fifo{number}_{name}" for number in range(8) for name in ("drop", "dropped_frames", "ecn", "level")),
        *(f"rxb_{kind}{number}_{what}" for number in range(4) for kind in ("intf", "pbuf")
          for what in ("frames", "bytes")),
        *(f"rde_{number}_pkt_{why}" for number in FBNIC_QUEUES for why in ("err", "cq_drop", "bdq_drop")),
        *(f"xdp_tx_queue_{number}_{what}" for number in FBNIC_QUEUES for what in ("packets", "bytes", "dropped")),
    )),
))
"""fbnic_get_strings()"""

# i40e

SIZES = ("64", "127", "255", "511", "1023", "1522", "big")
I40E = Counters(
    (
        Block(Each.ONCE, (
            "rx_packets", "tx_packets", "rx_bytes", "tx_bytes", "rx_errors", "tx_errors", "rx_dropped",
            "rx_missed_errors", "tx_dropped", "collisions", "rx_length_errors", "rx_crc_errors",
            *(f"{side}_{cast}" for cast in CASTS for side in SIDES), "rx_unknown_protocol", "tx_linearize",
            "tx_force_wb", "tx_busy", "tx_stopped", "rx_alloc_fail", "rx_pg_alloc_fail", "rx_cache_reuse",
            "rx_cache_alloc", "rx_cache_waive", "rx_cache_busy", "tx_restart",
        )),
        Block(Each.PLACE, ("tx-{}.packets", "tx-{}.bytes", "rx-{}.packets", "rx-{}.bytes")),
        Block(Each.ONCE, (
            *(f"veb.{name}" for name in (
                "rx_bytes", "tx_bytes", *(f"{side}_{cast}" for cast in CASTS for side in SIDES), "rx_discards",
                "tx_discards", "tx_errors", "rx_unknown_protocol",
                *(f"tc_{number}_{side}_{what}" for number in range(8) for side in ("tx", "rx")
                  for what in ("packets", "bytes")),
            )),
            *(f"port.{name}" for name in (
                "rx_bytes", "tx_bytes", *(f"{side}_{cast}" for cast in CASTS for side in SIDES), "tx_errors",
                "rx_discards", "tx_dropped_link_down", "rx_crc_errors", "illegal_bytes", "mac_local_faults",
                "mac_remote_faults", "tx_timeout", "rx_csum_bad", "rx_length_errors", "link_xon_rx", "link_xoff_rx",
                "link_xon_tx", "link_xoff_tx", *(f"{side}_size_{size}" for side in SIDES for size in SIZES),
                "rx_undersize", "rx_fragments", "rx_oversize", "rx_jabber", "VF_admin_queue_requests",
                "arq_overflows", "tx_hwtstamp_timeouts", "rx_hwtstamp_cleared", "tx_hwtstamp_skipped",
                "fdir_flush_cnt", "fdir_atr_match", "fdir_atr_tunnel_match", "fdir_atr_status", "fdir_sb_match",
                "fdir_sb_status", "tx_lpi_status", "rx_lpi_status", "tx_lpi_count", "rx_lpi_count",
                *(f"{side}_priority_{number}_{what}" for number in PRIORITIES for side, what in (
                    ("tx", "xon_tx"), ("tx", "xoff_tx"), ("rx", "xon_rx"), ("rx", "xoff_rx"), ("rx", "xon_2_xoff"),
                )),
            )),
        )),
    ),
    both_sides("SIDE_packets", "SIDE_bytes") | both_sides("SIDE-{}.packets", "SIDE-{}.bytes"),
)
"""i40e_get_stat_strings(), of a physical function."""
