"""Labels of IPv6 addresses, by which source addresses are chosen: RTM_NEWADDRLABEL, RTM_DELADDRLABEL, RTM_GETADDRLABEL.

As net/ipv6/addrlabel.c has them (ifal_policy, ip6addrlbl_fill()). Nobody is told when one comes or goes.
"""

import construct as c

from nlemu.protocol.families.route.addr import in6_addr
from nlemu.protocol.families.route.family import route
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Half, Registered, Strict, Unread
from nlemu.protocol.schema.kinds import binary, structure, u32
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.schema.structs import ifaddrlblmsg
from nlemu.protocol.uapi.if_addrlabel import IFAL_MAX
from nlemu.protocol.uapi.rtnetlink import RTM
from nlemu.protocol.uapi.socket import AF_INET6

HEADER = structure(ifaddrlblmsg, "ifaddrlblmsg")
U32_AT_LEAST = structure(c.Int32ul, "u32")


class Ifal(AttrSet):
    """IFAL_*."""

    address = Attr(1, binary)
    label = Attr(2, u32)


TAKEN = Policy(Ifal.address.but(kind=in6_addr), Ifal.label.but(kind=U32_AT_LEAST), top=IFAL_MAX, chosen_from=Ifal)
"""ifal_policy"""
TOLD = Layout(Ifal.address, Ifal.label)
SET = Registered(do=Half(TAKEN, level=LIBERAL))

NEWADDRLABEL = route.operation(RTM.NEWADDRLABEL, Ifal, fixed=HEADER, registered={AF_INET6: SET})
DELADDRLABEL = route.operation(RTM.DELADDRLABEL, Ifal, fixed=HEADER, registered={AF_INET6: SET})
GETADDRLABEL = route.operation(
    RTM.GETADDRLABEL, Ifal, fixed=HEADER, replies=TOLD, reply_cmd=RTM.NEWADDRLABEL,
    registered={
        AF_INET6: Registered(
            do=Half(
                TAKEN, level=LIBERAL, cut="ipv6: Invalid header for addrlabel get request",
                strict=Strict(
                    zero=("reserved", "flags", "seq"),
                    nonzero="ipv6: Invalid values in header for addrlabel get request",
                    allowed=(Ifal.address,), unsupported="ipv6: Unsupported attribute in addrlabel get request",
                ),
            ),
            dump=Half(
                None, unless_strict=Unread.IGNORED,
                strict=Strict(
                    cut="ipv6: Invalid header for address label dump request",
                    zero=("reserved", "prefixlen", "flags", "index", "seq"),
                    nonzero="ipv6: Invalid values in header for address label dump request",
                    bare="ipv6: Invalid data after header for address label dump request",
                ),
            ),
        ),
    },
)
