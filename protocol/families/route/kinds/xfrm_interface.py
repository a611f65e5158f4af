"""xfrm: IFLA_XFRM_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import flag, u32
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy


class XfrmInterface(AttrSet):
    """IFLA_XFRM_*, written as by xfrmi_fill_info()."""

    link = Attr(1, u32)
    if_id = Attr(2, u32)
    collect_metadata = Attr(3, flag)


ALL = (XfrmInterface.link, XfrmInterface.if_id, XfrmInterface.collect_metadata)
KIND = LinkKind("xfrm", XfrmInterface, policy=Policy(*ALL, strict_from=3, chosen_from=XfrmInterface), sized=ALL)
"""xfrmi_link_ops"""
