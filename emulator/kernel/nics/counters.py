"""What NICs count by `ethtool -S`, by driver: the names in the driver's order. Packets and bytes of queues have
numbers, as far as something is counted here; the rest is zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

Counted = Mapping[str, tuple[str, str]]
"""By the name, with {} for the queue: the side ("rx", "tx") and what of it."""


class Each(Enum):
    """How often a block is there."""

    ONCE = "once"
    QUEUE = "for each queue in use"
    PLACE = "for each queue that there could be"
    EVER = "for each queue that was ever in use"


@dataclass(frozen=True, slots=True)
class Block:
    """Names that follow each other. when: of which devices."""

    each: Each
    names: tuple[str, ...]
    when: Callable[[Device], bool] | None = None


@dataclass(frozen=True, slots=True)
class Counters:
    """All of a driver's. counted: a name without a queue is of all of them together."""

    blocks: tuple[Block, ...] = ()
    counted: Counted = field(default_factory=dict)

    def _each(self, dev: Device) -> Iterator[tuple[str, int]]:
        kinds = {
            Each.ONCE: 1, Each.QUEUE: dev.priv.count, Each.PLACE: dev.num_rx_queues, Each.EVER: dev.priv.ever,
        }
        for block in self.blocks:
            times = kinds[block.each] if block.when is None or block.when(dev) else 0
            for queue in range(times):
                for name in block.names:
                    yield name, queue

    def names(self, dev: Device) -> tuple[str, ...]:
        """As they are shown."""
        return tuple(name.format(queue) for name, queue in self._each(dev))

    def values(self, dev: Device) -> tuple[int, ...]:
        """In the same order."""
        return tuple(self._value(dev, name, queue) for name, queue in self._each(dev))

    def _value(self, dev: Device, name: str, queue: int) -> int:
        if name not in self.counted:
            return 0
        side, what = self.counted[name]
        kept = getattr(dev.priv, side)
        queues = (queue,) if "{}" in name else range(dev.priv.count)
        return sum(getattr(kept.get(index), what, 0) or 0 for index in queues)


def both_sides(packets: str, octets: str) -> dict[str, tuple[str, str]]:
    """Those names, with SIDE in the place of the side."""
    return {
        template.replace("SIDE", side): (side, what)
        for side in ("rx", "tx") for template, what in ((packets, "packets"), (octets, "bytes"))
    }


NONE = Counters()
GVE = Counters(
    (
        Block(Each.ONCE, (
            "rx_packets", "rx_hsplit_pkt", "tx_packets", "rx_bytes", "tx_bytes", "rx_dropped", "tx_dropped",
            "tx_timeouts", "rx_skb_alloc_fail", "rx_buf_alloc_fail", "rx_desc_err_dropped_pkt", "rx_hsplit_unsplit_pkt",
            "interface_up_cnt", "interface_down_cnt", "reset_cnt", "page_alloc_fail", "dma_mapping_error",
            "stats_report_trigger_cnt",
        )),
        Block(Each.QUEUE, tuple(f"rx_{name}[{{}}]" for name in (
            "posted_desc", "completed_desc", "consumed_desc", "bytes", "hsplit_bytes", "cont_packet_cnt",
            "frag_flip_cnt", "frag_copy_cnt", "frag_alloc_cnt", "dropped_pkt", "copybreak_pkt", "copied_pkt",
            "queue_drop_cnt", "no_buffers_posted", "drops_packet_over_mru", "drops_invalid_checksum", "xdp_aborted",
            "xdp_drop", "xdp_pass", "xdp_tx", "xdp_redirect", "xdp_tx_errors", "xdp_redirect_errors",
            "xdp_alloc_fails",
        ))),
        Block(Each.QUEUE, tuple(f"tx_{name}[{{}}]" for name in (
            "posted_desc", "completed_desc", "consumed_desc", "bytes", "wake", "stop", "event_counter",
            "dma_mapping_error", "xsk_sent", "xdp_xmit", "xdp_xmit_errors",
        ))),
        Block(Each.ONCE, tuple(f"adminq_{name}" for name in (
            "prod_cnt", "cmd_fail", "timeouts", "describe_device_cnt", "cfg_device_resources_cnt",
            "register_page_list_cnt", "unregister_page_list_cnt", "create_tx_queue_cnt", "create_rx_queue_cnt",
            "destroy_tx_queue_cnt", "destroy_rx_queue_cnt", "dcfg_device_resources_cnt", "set_driver_parameter_cnt",
            "report_stats_cnt", "report_link_speed_cnt", "get_ptype_map_cnt", "query_flow_rules", "cfg_flow_rule",
            "cfg_rss_cnt", "query_rss_cnt", "report_nic_timestamp_cnt",
        ))),
    ),
    both_sides("SIDE_packets", "SIDE_bytes") | {"rx_bytes[{}]": ("rx", "bytes"), "tx_bytes[{}]": ("tx", "bytes")},
)
"""gve_get_strings()"""
SIZES = ("64", "127", "255", "511", "1023", "1522", "big")
CASTS = ("unicast", "multicast", "broadcast")
ICE = Counters(
    (
        Block(Each.ONCE, (
            *(f"{side}_{cast}" for cast in CASTS for side in ("rx", "tx")), "rx_bytes", "tx_bytes", "rx_dropped",
            "rx_unknown_protocol", "rx_alloc_fail", "rx_pg_alloc_fail", "tx_errors", "tx_linearize", "tx_busy",
            "tx_restart",
        )),
        Block(Each.PLACE, ("tx_queue_{}_packets", "tx_queue_{}_bytes")),
        Block(Each.PLACE, ("rx_queue_{}_packets", "rx_queue_{}_bytes")),
        Block(Each.ONCE, tuple(f"{name}.nic" for name in (
            "rx_bytes", "tx_bytes", *(f"{side}_{cast}" for cast in CASTS for side in ("rx", "tx")), "tx_errors",
            "tx_timeout", *(f"{side}_size_{size}" for size in SIZES for side in ("rx", "tx")), "link_xon_rx",
            "link_xon_tx", "link_xoff_rx", "link_xoff_tx", "tx_dropped_link_down", "rx_undersize", "rx_fragments",
            "rx_oversize", "rx_jabber", "rx_csum_bad", "rx_eipe_error", "rx_dropped", "rx_crc_errors", "illegal_bytes",
            "mac_local_faults", "mac_remote_faults", "fdir_sb_match", "fdir_sb_status",
        ))),
        Block(Each.ONCE, (
            "tx_hwtstamp_skipped", "tx_hwtstamp_timeouts", "tx_hwtstamp_flushed", "tx_hwtstamp_discarded",
            "late_cached_phc_updates",
            *(f"{side}_priority_{priority}_{what}.nic" for side in ("tx", "rx") for priority in range(8)
              for what in ("xon", "xoff")),
        )),
    ),
    both_sides("SIDE_queue_{}_packets", "SIDE_queue_{}_bytes")
    | {"rx_bytes": ("rx", "bytes"), "tx_bytes": ("tx", "bytes")},
)
"""__ice_get_strings(), of a physical function."""
ENA = Counters(
    (
        Block(Each.ONCE, (
            "tx_timeout", "suspend", "resume", "wd_expired", "interface_up", "interface_down", "admin_q_pause",
            "reset_fail",
        )),
        Block(Each.QUEUE, (
            *(f"queue_{{}}_tx_{name}" for name in (
                "cnt", "bytes", "queue_stop", "queue_wakeup", "dma_mapping_err", "linearize", "linearize_failed",
                "napi_comp", "tx_poll", "doorbells", "prepare_ctx_err", "bad_req_id", "llq_buffer_copy", "missed_tx",
                "unmask_interrupt",
            )),
            *(f"queue_{{}}_rx_{name}" for name in (
                "cnt", "bytes", "rx_copybreak_pkt", "csum_good", "refil_partial", "csum_bad", "page_alloc_fail",
                "skb_alloc_fail", "dma_mapping_err", "bad_desc_num", "bad_req_id", "empty_rx_ring", "csum_unchecked",
                "xdp_aborted", "xdp_drop", "xdp_pass", "xdp_tx", "xdp_invalid", "xdp_redirect",
            )),
        )),
        Block(Each.ONCE, tuple(f"ena_admin_q_{name}" for name in (
            "aborted_cmd", "submitted_cmd", "completed_cmd", "out_of_space", "no_completion",
        ))),
    ),
    both_sides("queue_{}_SIDE_cnt", "queue_{}_SIDE_bytes"),
)
"""ena_get_strings(), of a device that counts nothing itself; queues for XDP are not modelled."""
MANA = Counters(
    (
        Block(Each.ONCE, (
            "stop_queue", "wake_queue", "tx_cq_err", "tx_cqe_unknown_type", "tx_linear_pkt_cnt", "rx_cqe_unknown_type",
        )),
        Block(Each.ONCE, tuple(f"hc_{name}" for name in (
            "rx_discards_no_wqe", "rx_err_vport_disabled", "rx_bytes",
            *(f"rx_{cast}_{what}" for cast in ("ucast", "bcast", "mcast") for what in ("pkts", "bytes")),
            *(f"tx_err_{why}" for why in (
                "gf_disabled", "vport_disabled", "inval_vportoffset_pkt", "vlan_enforcement", "eth_type_enforcement",
                "sa_enforcement", "sqpdid_enforcement", "cqpdid_enforcement", "mtu_violation", "inval_oob", "gdma",
            )),
            "tx_bytes", *(f"tx_{cast}_{what}" for cast in ("ucast", "bcast", "mcast") for what in ("pkts", "bytes")),
            "rx_pkt_drop_phy", "tx_pkt_drop_phy",
            *(f"tc{number}_{side}_{what}_phy" for number in range(8) for side in ("rx", "tx")
              for what in ("pkt", "byte")),
            *(f"tc{number}_{side}_pause_phy" for number in range(8) for side in ("rx", "tx")),
        ))),
        Block(Each.QUEUE, tuple(f"rx_{{}}_{name}" for name in (
            "packets", "bytes", "xdp_drop", "xdp_tx", "xdp_redirect", "pkt_len0_err", "coalesced_cqe_2",
            "coalesced_cqe_3", "coalesced_cqe_4",
        ))),
        Block(Each.QUEUE, tuple(f"tx_{{}}_{name}" for name in (
            "packets", "bytes", "xdp_xmit", "tso_packets", "tso_bytes", "tso_inner_packets", "tso_inner_bytes",
            "long_pkt_fmt", "short_pkt_fmt", "csum_partial", "mana_map_err",
        ))),
    ),
    both_sides("SIDE_{}_packets", "SIDE_{}_bytes"),
)
"""mana_get_strings_stats()"""
E1000E = Counters(
    (
        Block(Each.ONCE, (
            *(f"{side}_{what}" for what in ("packets", "bytes", "broadcast", "multicast", "errors")
              for side in ("rx", "tx")),
            "tx_dropped", "multicast", "collisions",
            *(f"rx_{what}" for what in (
                "length_errors", "over_errors", "crc_errors", "frame_errors", "no_buffer_count", "missed_errors",
            )),
            *(f"tx_{what}" for what in (
                "aborted_errors", "carrier_errors", "fifo_errors", "heartbeat_errors", "window_errors",
                "abort_late_coll", "deferred_ok", "single_coll_ok", "multi_coll_ok", "timeout_count", "restart_queue",
            )),
            "rx_long_length_errors", "rx_short_length_errors", "rx_align_errors", "tx_tcp_seg_good",
            "tx_tcp_seg_failed", *(f"{side}_flow_control_{what}" for side in ("rx", "tx") for what in ("xon", "xoff")),
            "rx_csum_offload_good", "rx_csum_offload_errors", "rx_header_split", "alloc_rx_buff_failed", "tx_smbus",
            "rx_smbus", "dropped_smbus", "rx_dma_failed", "tx_dma_failed", "rx_hwtstamp_cleared", "uncorr_ecc_errors",
            "corr_ecc_errors", "tx_hwtstamp_timeouts", "tx_hwtstamp_skipped",
        )),
    ),
    both_sides("SIDE_packets", "SIDE_bytes"),
)
"""e1000_gstrings_stats"""
IDPF = Counters(
    (
        Block(Each.ONCE, (
            "rx-csum_errors", "rx-hsplit", "rx-hsplit_hbo", "rx-bad_descs", "tx-skb_drops", "tx-dma_map_errs",
            "tx-linearized_pkts", "tx-busy_events", "rx-unicast_pkts", "rx-multicast_pkts", "rx-broadcast_pkts",
            "rx-unknown_protocol", "tx-unicast_pkts", "tx-multicast_pkts", "tx-broadcast_pkts",
        )),
        Block(Each.PLACE, ("tx_q-{}_pkts", "tx_q-{}_bytes", "tx_q-{}_lso_pkts")),
        Block(Each.PLACE, ("rx_q-{}_pkts", "rx_q-{}_bytes", "rx_q-{}_rx_gro_hw_pkts")),
    ),
    both_sides("SIDE_q-{}_pkts", "SIDE_q-{}_bytes"),
)
"""idpf_get_stat_strings()"""
VIRTIO = Counters(
    tuple(
        Block(each, tuple(f"{side}{number}_{name}" for name in names))
        for each, number in ((Each.ONCE, ""), (Each.QUEUE, "{}"))
        for side, names in (
            ("rx", ("drops", "xdp_packets", "xdp_tx", "xdp_redirects", "xdp_drops", "kicks")),
            ("tx", ("xdp_tx", "xdp_tx_drops", "kicks", "tx_timeouts")),
        )
    )
)
"""virtnet_get_strings(), of a device that counts nothing itself; recorded (i06)."""
