"""The net-shaper family: how fast a device, a queue or a group of queues may send.

As Documentation/netlink/specs/net_shaper.yaml of Linux 7.2 has it. Only what a device can do is emulated; the commands
that make shapers are listed, and refused as those of other families are that are not (listed.py).
"""

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import flag, u32
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.net_shaper import (
    NET_SHAPER_FAMILY_NAME,
    NET_SHAPER_FAMILY_VERSION,
    NetShaperCmd,
    NetShaperScope,
)


class Caps(AttrSet):
    """NET_SHAPER_A_CAPS_*."""

    ifindex = Attr(1, u32)
    scope = Attr(2, u32, enum=NetShaperScope)
    support_metric_bps = Attr(3, flag)
    support_metric_pps = Attr(4, flag)
    support_nesting = Attr(5, flag)
    support_bw_min = Attr(6, flag)
    support_bw_max = Attr(7, flag)
    support_burst = Attr(8, flag)
    support_priority = Attr(9, flag)
    support_weight = Attr(10, flag)


net_shaper = Family(
    NET_SHAPER_FAMILY_NAME,
    version=NET_SHAPER_FAMILY_VERSION,
    listed={1: 0xe, 2: 0xb, 3: 0xb, 4: 0xb},
)

CAP_GET = net_shaper.operation(
    NetShaperCmd.CAP_GET,
    Caps,
    do=Half(Policy(Caps.ifindex, Caps.scope), requires=(Caps.ifindex,)),
    dump=Half(Policy(Caps.ifindex), requires=(Caps.ifindex,)),
    replies=Layout(*Caps.order),
)
