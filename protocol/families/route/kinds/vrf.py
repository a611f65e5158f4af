"""vrf: IFLA_VRF_* and IFLA_VRF_PORT_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import u32
from nlemu.protocol.schema.link_kind import LinkKind


class Vrf(AttrSet):
    """IFLA_VRF_*."""

    table = Attr(1, u32)


class VrfPort(AttrSet):
    """IFLA_VRF_PORT_*, of a slave."""

    table = Attr(1, u32)


KIND = LinkKind("vrf", Vrf, sized=(Vrf.table,), slave=VrfPort, slave_sized=(VrfPort.table,))
"""vrf_link_ops"""
