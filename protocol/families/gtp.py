"""The gtp family: whose packets go through which GTP tunnel (drivers/net/gtp.c).

There is no specification of it. One policy is all commands'; a dump is not looked at. What GETPDP answers bears the
number of the family where the command should stand.
"""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import be32, binary, structure, u8, u16, u32, u64
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.gtp import GTP_GENL_MCGRP_NAME, GtpCmd, GtpVersion
from nlemu.protocol.uapi.netlink import NLM_F

in6_addr = structure(c.Bytes(16), "in6_addr")


class Pdp(AttrSet):
    """GTPA_*, written as by gtp_genl_fill_info(); 10 is for padding."""

    link = Attr(1, u32)
    version = Attr(2, u32, shown=GtpVersion)
    tid = Attr(3, u64)
    peer_address = Attr(4, be32)
    ms_address = Attr(5, be32)
    flow = Attr(6, u16)
    net_ns_fd = Attr(7, u32)
    i_tei = Attr(8, u32)
    o_tei = Attr(9, u32)
    peer_addr6 = Attr(11, binary)
    ms_addr6 = Attr(12, binary)
    family = Attr(13, u8)
    order = (
        version, link, family, ms_address, ms_addr6, peer_address, peer_addr6, tid, flow, i_tei, o_tei, net_ns_fd,
    )


gtp = Family(
    "gtp", version=0, attributes=13, strict_from=GtpCmd.ECHOREQ + 1, groups=(GTP_GENL_MCGRP_NAME,),
    dump_flags=NLM_F.MULTI, option="GTP",
)

ADDRESSES = (Pdp.peer_address, Pdp.ms_address, Pdp.peer_addr6, Pdp.ms_addr6)
TAKEN = Policy(
    *(attr for attr in Pdp.order if attr not in ADDRESSES), Pdp.peer_address.but(kind=u32),
    Pdp.ms_address.but(kind=u32), Pdp.peer_addr6.but(kind=in6_addr), Pdp.ms_addr6.but(kind=in6_addr), chosen_from=Pdp,
)
"""gtp_genl_policy"""
ASKED = Half(TAKEN, flags=GenlFlag.ADMIN_PERM, level=LIBERAL)
TOLD = Layout(*Pdp.order[:-1])

NEWPDP = gtp.operation(GtpCmd.NEWPDP, Pdp, do=ASKED)
DELPDP = gtp.operation(GtpCmd.DELPDP, Pdp, do=ASKED)
GETPDP = gtp.operation(
    GtpCmd.GETPDP, Pdp, do=ASKED, dump=Half(None, flags=GenlFlag.ADMIN_PERM, done_apart=True), replies=TOLD,
    numbered=True,
)
ECHOREQ = gtp.operation(GtpCmd.ECHOREQ, Pdp, do=ASKED)

PDP_NEW = gtp.event(GtpCmd.NEWPDP, GTP_GENL_MCGRP_NAME, GETPDP, name="newpdp-ntf")
PDP_DEL = gtp.event(GtpCmd.DELPDP, GTP_GENL_MCGRP_NAME, GETPDP, name="delpdp-ntf")
