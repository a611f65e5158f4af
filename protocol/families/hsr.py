"""The HSR family: the nodes that a device of the kind hsr knows (net/hsr/hsr_netlink.c).

There is no specification of it.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import binary, u16, u32, unspec
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.hsr_netlink import HSR_GENL_NAME, HSR_GENL_VERSION, HSR_GROUP, HsrCmd
from nlemu.protocol.uapi.if_ether import ETH_ALEN


class Hsr(AttrSet):
    """HSR_A_*, written as by hsr_get_node_status()."""

    node_addr = Attr(1, binary, multi=True)
    ifindex = Attr(2, u32)
    if1_age = Attr(3, u32)
    if2_age = Attr(4, u32)
    node_addr_b = Attr(5, binary)
    if1_seq = Attr(6, u16)
    if2_seq = Attr(7, u16)
    if1_ifindex = Attr(8, u32)
    if2_ifindex = Attr(9, u32)
    addr_b_ifindex = Attr(10, u32)
    order = (
        ifindex, node_addr, node_addr_b, addr_b_ifindex, if1_age, if1_seq, if1_ifindex, if2_age, if2_seq, if2_ifindex,
    )


ADDRESS = Hsr.node_addr.but(kind=unspec, length=ETH_ALEN, multi=False)
TAKEN = Policy(
    ADDRESS, Hsr.ifindex, Hsr.if1_age, Hsr.if2_age, Hsr.node_addr_b.but(kind=unspec, length=ETH_ALEN), Hsr.if1_seq,
    Hsr.if2_seq, top=10, chosen_from=Hsr,
)
"""hsr_genl_policy"""

hsr = Family(
    HSR_GENL_NAME, version=HSR_GENL_VERSION, groups=(HSR_GROUP,), attributes=10, strict_from=HsrCmd.SET_NODE_LIST + 1,
    option="HSR",
)

GET_NODE_STATUS = hsr.operation(
    HsrCmd.GET_NODE_STATUS, Hsr, do=Half(TAKEN, level=LIBERAL), replies=Layout(*Hsr.order),
    reply_cmd=HsrCmd.SET_NODE_STATUS,
)
GET_NODE_LIST = hsr.operation(
    HsrCmd.GET_NODE_LIST, Hsr, do=Half(TAKEN, level=LIBERAL), replies=Layout(Hsr.ifindex, Hsr.node_addr),
    reply_cmd=HsrCmd.SET_NODE_LIST,
)
RING_ERROR = hsr.event(HsrCmd.RING_ERROR, HSR_GROUP, attributes=Hsr, layout=Layout(Hsr.node_addr, Hsr.ifindex))
NODE_DOWN = hsr.event(HsrCmd.NODE_DOWN, HSR_GROUP, attributes=Hsr, layout=Layout(Hsr.node_addr))
