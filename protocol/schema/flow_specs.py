"""What rules of SIOCETHTOOL match: struct ethtool_rx_flow_spec and the unions in it, as in linux/ethtool.h.

A rule says which bits of a field are looked at (masks), and what they are to be (values), in one structure each, which
depends on the kind of packet. What a union has behind that structure is not looked at.
"""

import construct as c

from nlemu.protocol.schema.structs import u8, u32, u64
from nlemu.protocol.uapi.ethtool import FlowType

UNION, EXTRA = 52, 20
"""sizeof(union ethtool_flow_union), sizeof(struct ethtool_flow_ext)"""
be16, be32 = c.Int16ub, c.Int32ub
address = c.Bytes(6)
ip6 = c.Bytes(16)

tcpip4_spec = "ethtool_tcpip4_spec" / c.Struct(
    "ip4src" / be32, "ip4dst" / be32, "psrc" / be16, "pdst" / be16, "tos" / u8
)
ah_espip4_spec = "ethtool_ah_espip4_spec" / c.Struct("ip4src" / be32, "ip4dst" / be32, "spi" / be32, "tos" / u8)
usrip4_spec = "ethtool_usrip4_spec" / c.Struct(
    "ip4src" / be32, "ip4dst" / be32, "l4_4_bytes" / be32, "tos" / u8, "ip_ver" / u8, "proto" / u8
)
tcpip6_spec = "ethtool_tcpip6_spec" / c.Struct(
    "ip6src" / ip6, "ip6dst" / ip6, "psrc" / be16, "pdst" / be16, "tclass" / u8
)
ah_espip6_spec = "ethtool_ah_espip6_spec" / c.Struct("ip6src" / ip6, "ip6dst" / ip6, "spi" / be32, "tclass" / u8)
usrip6_spec = "ethtool_usrip6_spec" / c.Struct(
    "ip6src" / ip6, "ip6dst" / ip6, "l4_4_bytes" / be32, "tclass" / u8, "l4_proto" / u8
)
ethhdr = "ethhdr" / c.Struct("h_dest" / address, "h_source" / address, "h_proto" / be16)
flow_ext = "ethtool_flow_ext" / c.Struct(
    c.Padding(2), "h_dest" / address, "vlan_etype" / be16, "vlan_tci" / be16, "data" / c.Array(2, be32)
)

SPECS = {
    FlowType.TCP_V4: tcpip4_spec, FlowType.UDP_V4: tcpip4_spec, FlowType.SCTP_V4: tcpip4_spec,
    FlowType.AH_V4: ah_espip4_spec, FlowType.ESP_V4: ah_espip4_spec, FlowType.IPV4_USER: usrip4_spec,
    FlowType.TCP_V6: tcpip6_spec, FlowType.UDP_V6: tcpip6_spec, FlowType.SCTP_V6: tcpip6_spec,
    FlowType.AH_V6: ah_espip6_spec, FlowType.ESP_V6: ah_espip6_spec, FlowType.IPV6_USER: usrip6_spec,
    FlowType.ETHER: ethhdr,
}
"""The structure of each kind of packet that rules can match."""

rx_flow_spec = "ethtool_rx_flow_spec" / c.Struct(
    "flow_type" / u32, "h_u" / c.Bytes(UNION), "h_ext" / c.Bytes(EXTRA), "m_u" / c.Bytes(UNION),
    "m_ext" / c.Bytes(EXTRA), c.Padding(4), "ring_cookie" / u64, "location" / u32, c.Padding(4),
)
