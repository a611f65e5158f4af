"""Next hop objects as they are told: nh_fill_node() of net/ipv4/nexthop.c."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.route import tunnels
from nlemu.emulator.kernel.ipv4.netns import AF_INET
from nlemu.protocol.families.route.nexthop import (
    HEADER,
    MEMBER,
    TOLD,
    TOLD_OF_BUCKET,
    Nha,
    ResBucket,
    ResGroup,
)
from nlemu.protocol.uapi.nexthop import NEXTHOP_GRP_TYPE, NHA_OP_FLAG_RESP_GRP_RESVD_0
from nlemu.protocol.uapi.rtnetlink import RTNH_F

if TYPE_CHECKING:
    from nlemu.emulator.kernel.inet.nexthop import Nexthop, Way
    from nlemu.emulator.kernel.inet.nexthop_buckets import Buckets
    from nlemu.protocol.schema.attributes import Attr

TRAP = int(RTNH_F.TRAP)
MPATH, RES = int(NEXTHOP_GRP_TYPE.MPATH), int(NEXTHOP_GRP_TYPE.RES)
pack_header, pack_member = HEADER.codec.pack, MEMBER.codec.pack


def body(one: Nexthop) -> bytes:
    """nh_fill_node()."""
    if one.way is not None:
        return _alone(one, one.way)
    members = b"".join(
        pack_member(id=member.id, weight=weight - 1 & 0xFF, weight_high=weight - 1 >> 8, resvd2=0)
        for member, weight in one.members
    )
    head = pack_header(family=0, scope=0, protocol=one.protocol, resvd=0, flags=TRAP if one.trap else 0)
    return head + TOLD.encode(
        {
            Nha.id: one.id,
            Nha.fdb: one.fdb or None,
            Nha.group_type: MPATH if one.buckets is None else RES,
            Nha.group: members,
            Nha.res_group: None if one.buckets is None else _of_buckets(one.buckets),
            Nha.op_flags: NHA_OP_FLAG_RESP_GRP_RESVD_0,
        }
    )


def _of_buckets(buckets: Buckets) -> dict[Attr[Any], int]:
    """nla_put_nh_group_res()."""
    return {
        ResGroup.buckets: len(buckets.buckets), ResGroup.idle_timer: buckets.idle_timer,
        ResGroup.unbalanced_timer: buckets.unbalanced_timer, ResGroup.unbalanced_time: buckets.unbalanced_time,
    }


def of_bucket(one: Nexthop, index: int) -> bytes:
    """nh_fill_res_bucket(): a bucket of a resilient group."""
    buckets = one.buckets
    assert buckets is not None
    bucket = buckets.buckets[index]
    assert bucket.share is not None
    head = pack_header(family=0, scope=0, protocol=one.protocol, resvd=0, flags=TRAP if bucket.trap else 0)
    return head + TOLD_OF_BUCKET.encode(
        {
            Nha.id: one.id,
            Nha.res_bucket: {
                ResBucket.index: index, ResBucket.nh_id: bucket.share.member.id,
                ResBucket.idle_time: buckets.idle(bucket),
            },
        }
    )


def _alone(one: Nexthop, way: Way) -> bytes:
    values: dict[Attr[Any], Any] = {Nha.id: one.id}
    scope = 0
    if way.blackhole:
        values[Nha.blackhole] = True
    else:
        scope = way.scope
        values[Nha.fdb] = way.fdb or None
        values[Nha.dst_port] = way.dst_port or None
        values[Nha.oif] = None if way.dev is None else way.dev.ifindex
        if way.gateway:
            values[Nha.gateway] = way.gateway.to_bytes(4 if way.family == AF_INET else 16, "big")
        values |= tunnels.values(way.tunnel, Nha.encap, Nha.encap_type)
    flags = way.flags | TRAP if one.trap else way.flags
    head = pack_header(family=way.family, scope=scope, protocol=one.protocol, resvd=0, flags=flags)
    return head + TOLD.encode(values)
