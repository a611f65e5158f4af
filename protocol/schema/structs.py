"""The fixed structures of netlink, as in the uapi headers.

Everything is little endian. Netlink is spoken in the byte order of the machine, and the machine that this project
imitates is x86-64; a client on a big-endian one would have to be answered in its own order, and there is no such
client. What netlink itself keeps in network order (NLA_F_NET_BYTEORDER, addresses) stands in attributes, not here.

Fields are named as in C without the prefix (``ifi_index`` is ``index``). Padding has a name where the kernel refuses
a request in which it is not zero; elsewhere it is Padding, written as zeros and never looked at.
"""

import construct as c

u8, u16, u32, u64 = c.Int8ul, c.Int16ul, c.Int32ul, c.Int64ul
s32 = c.Int32sl

# linux/netlink.h
nlmsghdr = "nlmsghdr" / c.Struct("len" / u32, "type" / u16, "flags" / u16, "seq" / u32, "pid" / u32)
nlmsgerr = "nlmsgerr" / c.Struct("error" / s32, "msg" / nlmsghdr)
nlattr = "nlattr" / c.Struct("len" / u16, "type" / u16)
sockaddr_nl = "sockaddr_nl" / c.Struct("family" / u16, c.Padding(2), "pid" / u32, "groups" / u32)

# linux/genetlink.h
genlmsghdr = "genlmsghdr" / c.Struct("cmd" / u8, "version" / u8, "reserved" / u16)

# linux/rtnetlink.h
rtgenmsg = "rtgenmsg" / c.Struct("family" / u8)
ifinfomsg = "ifinfomsg" / c.Struct(
    "family" / u8, "pad" / u8, "type" / u16, "index" / s32, "flags" / u32, "change" / u32
)
rtmsg = "rtmsg" / c.Struct(
    "family" / u8,
    "dst_len" / u8,
    "src_len" / u8,
    "tos" / u8,
    "table" / u8,
    "protocol" / u8,
    "scope" / u8,
    "type" / u8,
    "flags" / u32,
)
rtnexthop = "rtnexthop" / c.Struct("len" / u16, "flags" / u8, "hops" / u8, "ifindex" / s32)
rtvia = "rtvia" / c.Struct("family" / u16)
rta_cacheinfo = "rta_cacheinfo" / c.Struct(
    "clntref" / u32,
    "lastuse" / u32,
    "expires" / s32,
    "error" / u32,
    "used" / u32,
    "id" / u32,
    "ts" / u32,
    "tsage" / u32,
)

# linux/if_addr.h
ifaddrmsg = "ifaddrmsg" / c.Struct("family" / u8, "prefixlen" / u8, "flags" / u8, "scope" / u8, "index" / u32)
ifa_cacheinfo = "ifa_cacheinfo" / c.Struct("prefered" / u32, "valid" / u32, "cstamp" / u32, "tstamp" / u32)

# linux/if_addrlabel.h
ifaddrlblmsg = "ifaddrlblmsg" / c.Struct(
    "family" / u8, "reserved" / u8, "prefixlen" / u8, "flags" / u8, "index" / u32, "seq" / u32
)

# linux/neighbour.h
ndmsg = "ndmsg" / c.Struct(
    "family" / u8, "pad1" / u8, "pad2" / u16, "ifindex" / s32, "state" / u16, "flags" / u8, "type" / u8
)
nda_cacheinfo = "nda_cacheinfo" / c.Struct("confirmed" / u32, "used" / u32, "updated" / u32, "refcnt" / u32)

ndtmsg = "ndtmsg" / c.Struct("family" / u8, "pad1" / u8, "pad2" / u16)
ndt_config = "ndt_config" / c.Struct(
    "key_len" / u16, "entry_size" / u16, "entries" / u32, "last_flush" / u32, "last_rand" / u32, "hash_rnd" / u32,
    "hash_mask" / u32, "hash_chain_gc" / u32, "proxy_qlen" / u32,
)
ndt_stats = "ndt_stats" / c.Struct(
    *(
        name / u64 for name in (
            "allocs", "destroys", "hash_grows", "res_failed", "lookups", "hits", "rcv_probes_mcast",
            "rcv_probes_ucast", "periodic_gc_runs", "forced_gc_runs", "table_fulls",
        )
    )
)

# linux/fib_rules.h
fib_rule_hdr = "fib_rule_hdr" / c.Struct(
    "family" / u8,
    "dst_len" / u8,
    "src_len" / u8,
    "tos" / u8,
    "table" / u8,
    "res1" / u8,
    "res2" / u8,
    "action" / u8,
    "flags" / u32,
)

# linux/netconf.h
netconfmsg = "netconfmsg" / c.Struct("family" / u8)

# linux/nexthop.h
nhmsg = "nhmsg" / c.Struct("family" / u8, "scope" / u8, "protocol" / u8, "resvd" / u8, "flags" / u32)
nexthop_grp = "nexthop_grp" / c.Struct("id" / u32, "weight" / u8, "weight_high" / u8, "resvd2" / u16)

# linux/if_link.h
_COUNTERS = (
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
    "rx_nohandler",
)
rtnl_link_stats = "rtnl_link_stats" / c.Struct(*(name / u32 for name in _COUNTERS))
rtnl_link_stats64 = "rtnl_link_stats64" / c.Struct(
    *(name / u64 for name in (*_COUNTERS, "rx_otherhost_dropped"))
)
rtnl_hw_stats64 = "rtnl_hw_stats64" / c.Struct(
    *(name / u64 for name in (*_COUNTERS[:8], "multicast"))
)
if_stats_msg = "if_stats_msg" / c.Struct(
    "family" / u8, "pad1" / u8, "pad2" / u16, "ifindex" / u32, "filter_mask" / u32
)
# Aligned to eight bytes, as the compiler does it.
rtnl_link_ifmap = "rtnl_link_ifmap" / c.Struct(
    "mem_start" / u64,
    "mem_end" / u64,
    "base_addr" / u64,
    "irq" / u16,
    "dma" / u8,
    "port" / u8,
    c.Padding(4),
)
ifla_cacheinfo = "ifla_cacheinfo" / c.Struct(
    "max_reasm_len" / u32, "tstamp" / u32, "reachable_time" / u32, "retrans_time" / u32
)

# linux/rtnetlink.h
tcmsg = "tcmsg" / c.Struct(
    "family" / u8, "pad1" / u8, "pad2" / u16, "ifindex" / s32, "handle" / u32, "parent" / u32, "info" / u32
)
tcamsg = "tcamsg" / c.Struct("family" / u8, "pad1" / u8, "pad2" / u16)

# linux/gen_stats.h, linux/pkt_sched.h; aligned to eight bytes where the compiler does it
gnet_stats_basic = "gnet_stats_basic" / c.Struct("bytes" / u64, "packets" / u32, c.Padding(4))
gnet_stats_queue = "gnet_stats_queue" / c.Struct(
    "qlen" / u32, "backlog" / u32, "drops" / u32, "requeues" / u32, "overlimits" / u32
)
tc_stats = "tc_stats" / c.Struct(
    "bytes" / u64, "packets" / u32, "drops" / u32, "overlimits" / u32, "bps" / u32, "pps" / u32, "qlen" / u32,
    "backlog" / u32, c.Padding(4),
)
tc_prio_qopt = "tc_prio_qopt" / c.Struct("bands" / s32, "priomap" / c.Bytes(16))
