"""macvlan, macvtap: IFLA_MACVLAN_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import binary, members, nest, s32, u16, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_link import MacvlanFlag, MacvlanMacaddrMode, MacvlanMode
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN


class MacaddrData(AttrSet):
    """What IFLA_MACVLAN_MACADDR_DATA holds: addresses."""

    macaddr = Attr(4, binary, multi=True)


class Macvlan(AttrSet):
    """IFLA_MACVLAN_*, written as by macvlan_fill_info()."""

    mode = Attr(1, u32, shown=MacvlanMode)
    flags = Attr(2, u16, shown=MacvlanFlag)
    macaddr_mode = Attr(3, u32, shown=MacvlanMacaddrMode)
    macaddr = Attr(4, binary, length=MAX_ADDR_LEN)
    macaddr_data = Attr(5, members(MacaddrData, flagged=False))
    macaddr_count = Attr(6, u32)
    bc_queue_len = Attr(7, u32)
    bc_queue_len_used = Attr(8, u32)
    bc_cutoff = Attr(9, s32)
    order = (
        mode, flags, macaddr_count, macaddr_data, bc_queue_len, bc_queue_len_used, bc_cutoff, macaddr_mode, macaddr,
    )


NESTED = nest(None)
POLICY = Policy(
    Macvlan.mode, Macvlan.flags, Macvlan.macaddr_mode, Macvlan.macaddr, Macvlan.macaddr_data.but(kind=NESTED),
    Macvlan.macaddr_count, Macvlan.bc_queue_len, Macvlan.bc_queue_len_used.but(reject=""), Macvlan.bc_cutoff,
)
SIZED = (
    Macvlan.mode, Macvlan.flags, Macvlan.macaddr_count, Macvlan.macaddr_data, Macvlan.bc_queue_len,
    Macvlan.bc_queue_len_used, Macvlan.bc_cutoff,
)
KINDS = tuple(
    LinkKind(
        name, Macvlan, policy=POLICY, sized=SIZED, told_only=(Macvlan.macaddr_count,),
        asked_along={"macaddr-data": {"macaddr-mode": MacvlanMacaddrMode.SET}},
    )
    for name in ("macvlan", "macvtap")
)
"""macvlan_link_ops, macvtap_link_ops: macvlan_link_register() gives both the same"""
