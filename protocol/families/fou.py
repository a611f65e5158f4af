"""The fou family: UDP ports at which other protocols arrive (net/ipv4/fou_core.c, fou_nl.c).

As Documentation/netlink/specs/fou.yaml has it. One policy is all commands'; a dump is not looked at.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import be16, be32, binary, flag, s32, u8, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.fou import FOU_GENL_NAME, FOU_GENL_VERSION, FouCmd, FouEncap
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.netlink import NLM_F


class Fou(AttrSet):
    """FOU_ATTR_*, written as by fou_fill_info()."""

    port = Attr(1, be16)
    af = Attr(2, u8)
    ipproto = Attr(3, u8, min=1)
    type = Attr(4, u8, shown=FouEncap)
    remcsum_nopartial = Attr(5, flag)
    local_v4 = Attr(6, be32)
    local_v6 = Attr(7, binary, min=16, max=16)
    peer_v4 = Attr(8, be32)
    peer_v6 = Attr(9, binary, min=16, max=16)
    peer_port = Attr(10, be16)
    ifindex = Attr(11, s32)
    order = (af, port, peer_port, ipproto, type, ifindex, remcsum_nopartial, local_v4, peer_v4, local_v6, peer_v6)


fou = Family(
    FOU_GENL_NAME, version=FOU_GENL_VERSION, attributes=11, option="NET_FOU", strict_from=FouCmd.GET + 1,
    dump_flags=NLM_F.MULTI,
)

TAKEN = Policy(
    Fou.port, Fou.af, Fou.ipproto, Fou.type, Fou.remcsum_nopartial, Fou.local_v4.but(kind=u32), Fou.local_v6,
    Fou.peer_v4.but(kind=u32), Fou.peer_v6, Fou.peer_port, Fou.ifindex, chosen_from=Fou,
)
"""fou_nl_policy"""
ASKED = Half(TAKEN, flags=GenlFlag.ADMIN_PERM, level=LIBERAL)

ADD = fou.operation(FouCmd.ADD, Fou, do=ASKED)
DEL = fou.operation(FouCmd.DEL, Fou, do=ASKED)
GET = fou.operation(
    FouCmd.GET, Fou, do=Half(TAKEN, level=LIBERAL), dump=Half(None, done_apart=True), replies=Layout(*Fou.order)
)
