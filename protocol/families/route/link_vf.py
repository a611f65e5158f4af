"""Virtual functions in a link message: IFLA_VFINFO_LIST, IFLA_VF_PORTS and IFLA_PORT_SELF.

What is told of one stands in the order of rtnl_fill_vfinfo() of net/core/rtnetlink.c. No device here has ports.
"""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import Structure, binary, nest, string, structure, u8, u16, u32, u64, unspec
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN


def of_vf(name: str, *fields: c.Construct) -> Structure:
    """A structure that begins with the number of a function."""
    return structure(name / c.Struct("vf" / c.Int32ul, *fields), name)


class VfStats(AttrSet):
    """IFLA_VF_STATS_*; 6 is for padding."""

    rx_packets = Attr(0, u64)
    tx_packets = Attr(1, u64)
    rx_bytes = Attr(2, u64)
    tx_bytes = Attr(3, u64)
    broadcast = Attr(4, u64)
    multicast = Attr(5, u64)
    rx_dropped = Attr(7, u64)
    tx_dropped = Attr(8, u64)


VLAN_INFO = of_vf(
    "ifla_vf_vlan_info", "vlan" / c.Int32ul, "qos" / c.Int32ul, "vlan_proto" / c.Int16ub, c.Padding(2)
)


class VfVlans(AttrSet):
    """IFLA_VF_VLAN_*."""

    info = Attr(1, VLAN_INFO, multi=True)


class Vf(AttrSet):
    """IFLA_VF_*: what can be said of a virtual function."""

    mac = Attr(1, unspec, length=4 + MAX_ADDR_LEN)
    vlan = Attr(2, of_vf("ifla_vf_vlan", "vlan" / c.Int32ul, "qos" / c.Int32ul))
    tx_rate = Attr(3, of_vf("ifla_vf_tx_rate", "rate" / c.Int32ul))
    spoofchk = Attr(4, of_vf("ifla_vf_spoofchk", "setting" / c.Int32ul))
    link_state = Attr(5, of_vf("ifla_vf_link_state", "link_state" / c.Int32ul))
    rate = Attr(6, of_vf("ifla_vf_rate", "min_tx_rate" / c.Int32ul, "max_tx_rate" / c.Int32ul))
    rss_query_en = Attr(7, of_vf("ifla_vf_rss_query_en", "setting" / c.Int32ul))
    stats = Attr(8, nest(VfStats, flagged=False))
    trust = Attr(9, of_vf("ifla_vf_trust", "setting" / c.Int32ul))
    ib_node_guid = Attr(10, of_vf("ifla_vf_guid", c.Padding(4), "guid" / c.Int64ul))
    ib_port_guid = Attr(11, of_vf("ifla_vf_guid", c.Padding(4), "guid" / c.Int64ul))
    vlan_list = Attr(12, nest(VfVlans, flagged=False))
    broadcast = Attr(13, binary)
    order = (
        mac, broadcast, vlan, rate, tx_rate, spoofchk, link_state, rss_query_en, trust, ib_node_guid, ib_port_guid,
        vlan_list, stats,
    )


class VfInfoList(AttrSet):
    """IFLA_VF_INFO: a function each."""

    info = Attr(1, nest(Vf, flagged=False), multi=True)


class Port(AttrSet):
    """IFLA_PORT_*."""

    vf = Attr(1, u32)
    profile = Attr(2, string, length=40)
    vsi_type = Attr(3, binary, length=8)
    instance_uuid = Attr(4, binary, length=16)
    host_uuid = Attr(5, string, length=16)
    request = Attr(6, u8)
    response = Attr(7, u16)


class VfPorts(AttrSet):
    """IFLA_VF_PORT: a function each."""

    port = Attr(1, nest(Port, flagged=False), multi=True)


TAKEN_VF = Policy(
    Vf.mac, Vf.vlan, Vf.tx_rate, Vf.spoofchk, Vf.link_state, Vf.rate, Vf.rss_query_en,
    Vf.stats.but(kind=nest(None)), Vf.trust, Vf.ib_node_guid, Vf.ib_port_guid, Vf.vlan_list.but(kind=nest(None)),
    Vf.broadcast.but(reject=""),
)
"""ifla_vf_policy"""
TAKEN_PORT = Port.spec.policy
"""ifla_port_policy"""
