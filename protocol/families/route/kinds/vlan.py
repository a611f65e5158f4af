"""vlan: IFLA_VLAN_* of uapi/linux/if_link.h."""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, nest, structure, u16
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.if_vlan import VlanFlag

FLAGS = structure("ifla_vlan_flags" / c.Struct("flags" / c.Int32ul, "mask" / c.Int32ul), "ifla_vlan_flags")
QOS_MAPPING = structure(
    "ifla_vlan_qos_mapping" / c.Struct("from_" / c.Int32ul, "to" / c.Int32ul), "ifla_vlan_qos_mapping"
)
"""struct ifla_vlan_flags, struct ifla_vlan_qos_mapping"""


class IflaVlanQos(AttrSet):
    """IFLA_VLAN_QOS_*."""

    mapping = Attr(1, QOS_MAPPING, multi=True)


class Vlan(AttrSet):
    """IFLA_VLAN_*, written as by vlan_fill_info()."""

    id = Attr(1, u16)
    flags = Attr(2, FLAGS)
    egress_qos = Attr(3, nest(IflaVlanQos, flagged=False))
    ingress_qos = Attr(4, nest(IflaVlanQos, flagged=False))
    protocol = Attr(5, be16, shown=ETH_P)
    order = (protocol, id, flags, ingress_qos, egress_qos)


NESTED = nest(None)
KIND = LinkKind(
    "vlan", Vlan,
    policy=Policy(
        Vlan.id, Vlan.flags, Vlan.egress_qos.but(kind=NESTED), Vlan.ingress_qos.but(kind=NESTED),
        Vlan.protocol.but(kind=u16),  # the kernel reads it in network order all the same
    ),
    inside=(
        (Vlan.ingress_qos, "8021q: Invalid ingress QOS map"), (Vlan.egress_qos, "8021q: Invalid egress QOS map"),
    ),
    sized=(Vlan.protocol, Vlan.id, Vlan.flags, Vlan.ingress_qos, Vlan.egress_qos),
    shown={("ifla_vlan_flags", "flags"): VlanFlag},
)
"""vlan_link_ops"""
