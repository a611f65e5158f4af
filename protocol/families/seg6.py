"""The SEG6 family: where tunnels of segment routing are sent from, and keys (net/ipv6/seg6.c).

There is no specification of it. One policy is all commands'; a dump is not looked at.
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import binary, nest, s32, u8, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.seg6_genl import SEG6_GENL_NAME, SEG6_GENL_VERSION, Seg6Cmd, Seg6HmacAlgo


class Seg6(AttrSet):
    """SEG6_ATTR_*, keys written as by __seg6_hmac_fill_info()."""

    dst = Attr(1, binary, min=16, max=16)
    dstlen = Attr(2, s32)
    hmackeyid = Attr(3, u32)
    secret = Attr(4, binary)
    secretlen = Attr(5, u8)
    algid = Attr(6, u8, shown=Seg6HmacAlgo)
    hmacinfo = Attr(7, nest(None))


seg6 = Family(
    SEG6_GENL_NAME, version=SEG6_GENL_VERSION, attributes=7, strict_from=Seg6Cmd.GET_TUNSRC + 1, dump_flags=NLM_F.MULTI,
)

ADMIN = GenlFlag.ADMIN_PERM
ASKED = Half(Policy(*Seg6.order, chosen_from=Seg6), flags=ADMIN, level=LIBERAL)
"""seg6_genl_policy"""

SETHMAC = seg6.operation(Seg6Cmd.SETHMAC, Seg6, do=ASKED)
DUMPHMAC = seg6.operation(
    Seg6Cmd.DUMPHMAC, Seg6, dump=Half(None, flags=ADMIN, done_apart=True),
    replies=Layout(Seg6.hmackeyid, Seg6.secretlen, Seg6.secret, Seg6.algid),
)
SET_TUNSRC = seg6.operation(Seg6Cmd.SET_TUNSRC, Seg6, do=ASKED)
GET_TUNSRC = seg6.operation(Seg6Cmd.GET_TUNSRC, Seg6, do=ASKED, replies=Layout(Seg6.dst))
