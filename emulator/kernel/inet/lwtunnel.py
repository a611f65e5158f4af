"""Light-weight tunnels: what is put around the packets of one way of a route (struct lwtunnel_state).

No packet is carried, so a tunnel is what has been said of it. Two are the same when all of that is
(lwtunnel_cmp_encap()), and so the classes are values: what makes no difference to the kernel is not in them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Mpls:
    """struct mpls_iptunnel_encap. labels: the outermost first; ttl: 0 for that of the packet, None for whatever the
    namespace has."""

    labels: tuple[int, ...]
    ttl: int | None = None


@dataclass(slots=True, frozen=True)
class Geneve:
    """struct geneve_opt: what Geneve's header is to hold."""

    option_class: int
    type: int
    data: bytes


@dataclass(slots=True, frozen=True)
class Vxlan:
    """struct vxlan_metadata. gbp: a policy and its flags."""

    gbp: int


@dataclass(slots=True, frozen=True)
class Erspan:
    """struct erspan_metadata: an index of version 1; a direction and a number of hardware of version 2."""

    version: int
    index: int = 0
    direction: int = 0
    hwid: int = 0


Option = Geneve | Vxlan | Erspan


@dataclass(slots=True, frozen=True)
class Ip:
    """struct ip_tunnel_info, of a tunnel of either family. flags: IP_TUNNEL_*_BIT, but those of options, which are of
    one sort."""

    family: int
    id: int = 0
    dst: int = 0
    src: int = 0
    ttl: int = 0
    tos: int = 0
    flags: int = 0
    options: tuple[Option, ...] = ()


@dataclass(slots=True, frozen=True)
class Segments:
    """struct ipv6_sr_hdr. segments: the last first, as the header has them; left: how many are still to come; tlvs:
    types and what is in them, behind the segments."""

    next_header: int
    left: int
    flags: int
    tag: int
    segments: tuple[int, ...]
    tlvs: tuple[tuple[int, bytes], ...] = ()


@dataclass(slots=True, frozen=True)
class Seg6:
    """struct seg6_lwt. mode: SEG6_IPTUN_MODE_*; source: of the outer header, 0 for the namespace's; table: where the
    first segment is looked up, 0 for anywhere."""

    mode: int
    header: Segments
    source: int = 0
    table: int = 0


@dataclass(slots=True, frozen=True)
class Flavors:
    """struct seg6_flavors_info. operations: bits of SEG6_LOCAL_FLV_OP_*; block, function: lengths in bits of a
    compressed segment's parts, 0 where segments are not compressed."""

    operations: int
    block: int = 0
    function: int = 0


@dataclass(slots=True, frozen=True)
class Seg6Local:
    """struct seg6_local_lwt: what is done with packets to a segment of ours. action: SEG6_LOCAL_ACTION_*; what the
    action has no use for, or has not been told, is None. counted: packets are."""

    action: int
    header: Segments | None = None
    table: int | None = None
    nh4: int | None = None
    nh6: int | None = None
    oif: int | None = None
    vrf_table: int | None = None
    counted: bool = False
    flavors: Flavors | None = None


Tunnel = Mpls | Ip | Seg6 | Seg6Local
