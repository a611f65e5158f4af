"""What settings that are only kept may be, as the kernel's tables have it (struct ctl_table: handler, extra1, extra2).

A line is a name, the least value and the largest. What is not here takes what a C int holds (proc_dointvec()). Tables:
net/core/sysctl_net_core.c, net/ipv4/sysctl_net_ipv4.c, ip_fragment.c and route.c beside it, net/ipv6/
sysctl_net_ipv6.c, route.c, icmp.c and reassembly.c beside it, net/xfrm/xfrm_sysctl.c, net/mpls/af_mpls.c. 255 is
proc_dou8vec_minmax(), seconds that become jiffies are those of 1000 a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

LIMITS = """
core/bypass_prot_mem 0 1
core/optmem_max 0 2147483647
core/somaxconn 0 2147483647
core/tstamp_allow_data 0 1
core/txrehash 0 1
core/xfrm_aevent_etime 0 4294967295
core/xfrm_aevent_rseqth 0 4294967295
ipv4/fib_multipath_hash_fields 1 4095
ipv4/fib_multipath_hash_policy 0 3
ipv4/fib_multipath_use_neigh 0 1
ipv4/fib_notify_on_flag_change 0 2
ipv4/fwmark_reflect 0 255
ipv4/icmp_echo_enable_probe 0 1
ipv4/icmp_echo_ignore_all 0 1
ipv4/icmp_echo_ignore_broadcasts 0 1
ipv4/icmp_errors_extension_mask 0 1
ipv4/icmp_errors_use_inbound_ifaddr 0 1
ipv4/icmp_ignore_bogus_error_responses 0 1
ipv4/icmp_msgs_burst 0 2147483647
ipv4/icmp_msgs_per_sec 0 2147483647
ipv4/igmp_link_local_mcast_reports 0 255
ipv4/igmp_qrv 1 2147483647
ipv4/ip_autobind_reuse 0 1
ipv4/ip_default_ttl 1 255
ipv4/ip_dynaddr 0 255
ipv4/ip_early_demux 0 255
ipv4/ip_forward_update_priority 0 1
ipv4/ip_forward_use_pmtu 0 255
ipv4/ip_local_port_range 1 65535
ipv4/ip_local_port_step_width 0 4294967295
ipv4/ip_no_pmtu_disc 0 255
ipv4/ip_nonlocal_bind 0 255
ipv4/ipfrag_high_thresh 0 18446744073709551615
ipv4/ipfrag_low_thresh 0 18446744073709551615
ipv4/ipfrag_max_dist 0 2147483647
ipv4/ipfrag_time -2147483 2147483
ipv4/nexthop_compat_mode 0 1
ipv4/raw_l3mdev_accept 0 1
ipv4/route/min_pmtu 68 2147483647
ipv4/route/mtu_expires -2147483 2147483
ipv4/tcp_abort_on_overflow 0 255
ipv4/tcp_adv_win_scale -31 31
ipv4/tcp_app_win 0 31
ipv4/tcp_autocorking 0 1
ipv4/tcp_backlog_ack_defer 0 1
ipv4/tcp_child_ehash_entries 0 16777216
ipv4/tcp_comp_sack_delay_ns 0 18446744073709551615
ipv4/tcp_comp_sack_nr 0 255
ipv4/tcp_comp_sack_rtt_percent 1 1000
ipv4/tcp_comp_sack_slack_ns 0 18446744073709551615
ipv4/tcp_dsack 0 255
ipv4/tcp_early_demux 0 255
ipv4/tcp_early_retrans 0 4
ipv4/tcp_ecn 0 5
ipv4/tcp_ecn_fallback 0 1
ipv4/tcp_ecn_option 0 3
ipv4/tcp_ecn_option_beacon 0 3
ipv4/tcp_fack 0 255
ipv4/tcp_fastopen_blackhole_timeout_sec 0 2147483647
ipv4/tcp_fin_timeout -2147483 2147483
ipv4/tcp_frto 0 255
ipv4/tcp_fwmark_accept 0 255
ipv4/tcp_keepalive_intvl -2147483 2147483
ipv4/tcp_keepalive_probes 0 255
ipv4/tcp_keepalive_time -2147483 2147483
ipv4/tcp_l3mdev_accept 0 1
ipv4/tcp_max_reordering 1 2147483647
ipv4/tcp_migrate_req 0 1
ipv4/tcp_min_rtt_wlen 0 86400
ipv4/tcp_min_snd_mss 48 65535
ipv4/tcp_min_tso_segs 1 255
ipv4/tcp_moderate_rcvbuf 0 255
ipv4/tcp_mtu_probe_floor 48 65535
ipv4/tcp_mtu_probing 0 255
ipv4/tcp_no_metrics_save 0 255
ipv4/tcp_no_ssthresh_metrics_save 0 1
ipv4/tcp_notsent_lowat 0 4294967295
ipv4/tcp_orphan_retries 0 255
ipv4/tcp_pacing_ca_ratio 0 1000
ipv4/tcp_pacing_ss_ratio 0 1000
ipv4/tcp_pingpong_thresh 1 255
ipv4/tcp_plb_cong_thresh 0 256
ipv4/tcp_plb_enabled 0 1
ipv4/tcp_plb_idle_rehash_rounds 0 31
ipv4/tcp_plb_rehash_rounds 0 31
ipv4/tcp_plb_suspend_rto_sec 0 255
ipv4/tcp_probe_interval 0 4294967
ipv4/tcp_rcvbuf_low_rtt 0 2147483647
ipv4/tcp_recovery 0 255
ipv4/tcp_reflect_tos 0 1
ipv4/tcp_reordering 1 300
ipv4/tcp_retrans_collapse 0 255
ipv4/tcp_retries1 0 255
ipv4/tcp_retries2 0 255
ipv4/tcp_rfc1337 0 255
ipv4/tcp_rmem 4096 2147483647
ipv4/tcp_rto_max_ms 1000 120000
ipv4/tcp_rto_min_us 1 2147483647
ipv4/tcp_sack 0 255
ipv4/tcp_shrink_window 0 1
ipv4/tcp_slow_start_after_idle 0 255
ipv4/tcp_stdurg 0 255
ipv4/tcp_syn_linear_timeouts 0 127
ipv4/tcp_syn_retries 1 127
ipv4/tcp_synack_retries 0 255
ipv4/tcp_syncookies 0 255
ipv4/tcp_thin_linear_timeouts 0 255
ipv4/tcp_timestamps 0 255
ipv4/tcp_tso_rtt_log 0 255
ipv4/tcp_tso_win_divisor 0 255
ipv4/tcp_tw_reuse 0 2
ipv4/tcp_tw_reuse_delay 1 60000
ipv4/tcp_window_scaling 0 255
ipv4/tcp_wmem 1 2147483647
ipv4/tcp_workaround_signed_windows 0 255
ipv4/udp_child_hash_entries 0 65536
ipv4/udp_early_demux 0 255
ipv4/udp_l3mdev_accept 0 1
ipv4/udp_rmem_min 1 2147483647
ipv4/udp_wmem_min 1 2147483647
ipv6/anycast_src_echo_reply 0 255
ipv6/auto_flowlabels 0 3
ipv6/bindv6only 0 255
ipv6/fib_multipath_hash_fields 1 4095
ipv6/fib_multipath_hash_policy 0 3
ipv6/fib_notify_on_flag_change 0 2
ipv6/flowlabel_consistency 0 255
ipv6/flowlabel_reflect 0 7
ipv6/flowlabel_state_ranges 0 255
ipv6/fwmark_reflect 0 255
ipv6/icmp/echo_ignore_all 0 255
ipv6/icmp/echo_ignore_anycast 0 255
ipv6/icmp/echo_ignore_multicast 0 255
ipv6/icmp/error_anycast_as_unicast 0 1
ipv6/icmp/errors_extension_mask 0 1
ipv6/idgen_delay -2147483 2147483
ipv6/ioam6_id 0 16777215
ipv6/ioam6_id_wide 0 72057594037927935
ipv6/ip6frag_high_thresh 0 18446744073709551615
ipv6/ip6frag_low_thresh 0 18446744073709551615
ipv6/ip6frag_time -2147483 2147483
ipv6/ip_nonlocal_bind 0 255
ipv6/route/gc_interval -2147483 2147483
ipv6/route/gc_min_interval -2147483 2147483
ipv6/route/gc_timeout -2147483 2147483
ipv6/route/mtu_expires -2147483 2147483
ipv6/route/skip_notify_on_dev_down 0 1
core/rmem_default 2304 2147483647
core/rmem_max 2304 2147483647
core/wmem_default 4608 2147483647
core/wmem_max 4608 2147483647
core/busy_poll 0 2147483647
core/busy_read 0 2147483647
core/dev_weight 1 2147483647
core/dev_weight_rx_bias 1 2147483647
core/dev_weight_tx_bias 1 2147483647
core/devconf_inherit_init_net 0 3
core/fb_tunnels_only_for_init_net 0 2
core/gro_normal_batch 1 2147483647
core/max_skb_frags 1 17
core/mem_pcpu_rsv 256 2147483647
core/message_cost -2147483 2147483
core/netdev_budget_usecs 2000 2147483647
core/netdev_unregister_timeout_secs 1 3600
core/skb_defer_max 0 2147483647
ipv4/fib_sync_mem 65536 67108864
ipv4/inet_peer_maxttl -2147483 2147483
ipv4/inet_peer_minttl -2147483 2147483
ipv4/ipfrag_secret_interval -2147483 2147483
ipv4/route/gc_interval -2147483 2147483
ipv4/route/gc_min_interval -2147483 2147483
ipv4/route/gc_timeout -2147483 2147483
ipv4/tcp_mem 0 18446744073709551615
ipv4/udp_mem 0 18446744073709551615
ipv6/ip6frag_secret_interval -2147483 2147483
ipv6/mld_qrv 1 2147483647
mpls/default_ttl 1 255
mpls/ip_ttl_propagate 0 1
"""

NOT_BELOW = {
    "ipv4/ipfrag_high_thresh": "ipv4/ipfrag_low_thresh", "ipv6/ip6frag_high_thresh": "ipv6/ip6frag_low_thresh",
}
"""Settings that are no less than others: the limit of each is the other's value (ip4_frags_ns_ctl_register())."""
NOT_ABOVE = {low: high for high, low in NOT_BELOW.items()}


@cache
def limits() -> Mapping[str, tuple[int, int]]:
    """The least and the largest value of each, by name below /proc/sys/net."""
    rows = (line.split() for line in LIMITS.strip().splitlines())
    return {name: (int(least), int(most)) for name, least, most in rows}
