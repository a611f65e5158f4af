"""What RTA_ENCAP and NHA_ENCAP hold: a light-weight tunnel, each kind with attributes and a policy of its own.

They are written in the order of the kinds' fill_encap(), without NLA_F_NESTED around them.
"""

from nlemu.protocol.release import V7_2, V7_3
from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import (
    ByNumber,
    be16,
    be32,
    be64,
    binary,
    nest,
    string,
    u8,
    u16,
    u32,
    u64,
    unspec,
)
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.lwtunnel import LwtunnelEncap
from nlemu.protocol.uapi.seg6 import Seg6LocalAction


class MplsTunnel(AttrSet):
    """MPLS_IPTUNNEL_*: labels, and no address."""

    mpls_dst = Attr(1, binary)
    ttl = Attr(2, u8)


MPLS = Policy(MplsTunnel.mpls_dst.but(kind=unspec, length=4), MplsTunnel.ttl, chosen_from=MplsTunnel)
"""mpls_iptunnel_policy"""


class GeneveOption(AttrSet):
    """LWTUNNEL_IP_OPT_GENEVE_*."""

    class_ = Attr(1, be16)
    type = Attr(2, u8)
    data = Attr(3, binary, length=127)


GENEVE = Policy(GeneveOption.class_.but(kind=u16), GeneveOption.type, GeneveOption.data, chosen_from=GeneveOption)
"""geneve_opt_policy"""


class VxlanOption(AttrSet):
    """LWTUNNEL_IP_OPT_VXLAN_*."""

    gbp = Attr(1, u32)


VXLAN = Policy(VxlanOption.gbp, chosen_from=VxlanOption)
"""vxlan_opt_policy"""


class ErspanOption(AttrSet):
    """LWTUNNEL_IP_OPT_ERSPAN_*."""

    ver = Attr(1, u8)
    index = Attr(2, be32)
    dir = Attr(3, u8)
    hwid = Attr(4, u8)


ERSPAN = Policy(
    ErspanOption.ver, ErspanOption.index.but(kind=u32), ErspanOption.dir, ErspanOption.hwid, chosen_from=ErspanOption
)
"""erspan_opt_policy"""


class IpOptions(AttrSet):
    """LWTUNNEL_IP_OPTS_*: of one sort."""

    geneve = Attr(1, nest(GeneveOption, flagged=False))
    vxlan = Attr(2, nest(VxlanOption, flagged=False))
    erspan = Attr(3, nest(ErspanOption, flagged=False))


IP_OPTIONS = Policy(
    *(attr.but(kind=nest(None)) for attr in (IpOptions.geneve, IpOptions.vxlan, IpOptions.erspan)),
    chosen_from=IpOptions,
)
"""ip_opts_policy"""


class IpTunnel(AttrSet):
    """LWTUNNEL_IP_*, and LWTUNNEL_IP6_*, which are the same."""

    id = Attr(1, be64)
    dst = Attr(2, binary)
    src = Attr(3, binary)
    ttl = Attr(4, u8)
    tos = Attr(5, u8)
    flags = Attr(6, be16)
    opts = Attr(8, nest(IpOptions, flagged=False))
    order = (id, dst, src, tos, ttl, flags, opts)


_IP = (
    IpTunnel.id.but(kind=u64), IpTunnel.ttl, IpTunnel.tos, IpTunnel.flags.but(kind=u16),
    IpTunnel.opts.but(kind=nest(None)),
)
IP = Policy(
    *_IP, *(attr.but(kind=u32) for attr in (IpTunnel.dst, IpTunnel.src)),
    strict_from=IpTunnel.opts.number, chosen_from=IpTunnel,
)
"""ip_tun_policy"""
IP6 = Policy(
    *_IP, *(attr.but(kind=unspec, length=16) for attr in (IpTunnel.dst, IpTunnel.src)),
    strict_from=IpTunnel.opts.number, chosen_from=IpTunnel,
)
"""ip6_tun_policy"""


class Seg6Tunnel(AttrSet):
    """SEG6_IPTUNNEL_*. srh: a mode (struct seg6_iptunnel_encap) and a header with segments behind it."""

    srh = Attr(1, binary)
    src = Attr(2, binary, since=V7_2)
    table = Attr(3, u32, since=V7_3)


SEG6 = Policy(Seg6Tunnel.srh, Seg6Tunnel.src.but(min=16, max=16), Seg6Tunnel.table, chosen_from=Seg6Tunnel)
"""seg6_iptunnel_policy"""


class Seg6Counters(AttrSet):
    """SEG6_LOCAL_CNT_*."""

    packets = Attr(2, u64)
    bytes = Attr(3, u64)
    errors = Attr(4, u64)


class Seg6Flavors(AttrSet):
    """SEG6_LOCAL_FLV_*."""

    operation = Attr(1, u32)
    lcblock_bits = Attr(2, u8)
    lcnode_fn_bits = Attr(3, u8)


class Seg6Bpf(AttrSet):
    """SEG6_LOCAL_BPF_PROG*."""

    prog = Attr(1, u32)
    prog_name = Attr(2, string)


class Seg6Local(AttrSet):
    """SEG6_LOCAL_*."""

    action = Attr(1, u32, shown=Seg6LocalAction)
    srh = Attr(2, binary)
    table = Attr(3, u32)
    nh4 = Attr(4, binary)
    nh6 = Attr(5, binary)
    iif = Attr(6, u32)
    oif = Attr(7, u32)
    bpf = Attr(8, nest(None, told=Seg6Bpf))
    vrftable = Attr(9, u32)
    counters = Attr(10, nest(Seg6Counters))
    flavors = Attr(11, nest(Seg6Flavors))


SEG6_LOCAL = Policy(
    Seg6Local.action.but(shown=None), Seg6Local.srh, Seg6Local.table, Seg6Local.vrftable,
    Seg6Local.nh4.but(min=4, max=4), Seg6Local.nh6.but(min=16, max=16), Seg6Local.iif, Seg6Local.oif,
    *(attr.but(kind=nest(None)) for attr in (Seg6Local.bpf, Seg6Local.counters, Seg6Local.flavors)),
    chosen_from=Seg6Local,
)
"""seg6_local_policy"""
COUNTERS = Policy(Seg6Counters.packets, Seg6Counters.bytes, Seg6Counters.errors, chosen_from=Seg6Counters)
"""seg6_local_counters_policy"""
FLAVORS = Policy(
    Seg6Flavors.operation, Seg6Flavors.lcblock_bits, Seg6Flavors.lcnode_fn_bits, chosen_from=Seg6Flavors
)
"""seg6_local_flavors_policy"""

ENCAPS = ByNumber(
    "encap-type", LwtunnelEncap,
    {
        LwtunnelEncap.MPLS: MplsTunnel, LwtunnelEncap.IP: IpTunnel, LwtunnelEncap.IP6: IpTunnel,
        LwtunnelEncap.SEG6: Seg6Tunnel, LwtunnelEncap.SEG6_LOCAL: Seg6Local,
    },
)
"""What is inside, for whoever reads it; each kind of tunnel checks it by itself."""
