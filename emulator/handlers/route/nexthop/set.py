"""Next hop objects are made, replaced and taken away: rtm_new_nexthop(), rtm_del_nexthop() of net/ipv4/nexthop.c."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.route.route import tunnels
from nlemu.emulator.kernel.inet import nexthop
from nlemu.emulator.kernel.inet.nexthop import Nexthop, Wanted
from nlemu.emulator.kernel.ipv4 import nexthop as ways
from nlemu.emulator.netlink.registry import doit_of
from nlemu.emulator.netlink.request import nested
from nlemu.protocol.families.route.nexthop import DELNEXTHOP, MEMBER, NEWNEXTHOP, RES_NEW, Nha, ResGroup
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.nexthop import NEXTHOP_GRP_TYPE
from nlemu.protocol.uapi.rtnetlink import RTNH_F
from nlemu.protocol.uapi.socket import AF_INET, AF_INET6, AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Attrs

REPLACE, CREATE = int(NLM_F.REPLACE), int(NLM_F.CREATE)
ONLINK = int(RTNH_F.ONLINK)
MPATH, RES = int(NEXTHOP_GRP_TYPE.MPATH), int(NEXTHOP_GRP_TYPE.RES)
SIZES = {AF_INET: 4, AF_INET6: 16}
BESIDE_A_GROUP = frozenset(attr.number for attr in (Nha.id, Nha.group, Nha.group_type, Nha.hw_stats_enable, Nha.fdb))
HEAVIEST = 0xFFFF


def refuse(text: str) -> Refusal:
    """EINVAL, with that text."""
    return Refusal(errno.EINVAL, text)


def check_header(call: Call, attrs: Attrs) -> None:
    """The beginning of rtm_to_nh_config(): EINVAL, with texts."""
    header = call.fixed
    if header.resvd or header.scope:
        raise refuse("Invalid values in ancillary header")
    if header.flags & ~ONLINK:
        raise refuse("Invalid nexthop flags in ancillary header")
    if header.family not in SIZES and not (header.family == AF_UNSPEC and Nha.group in attrs):
        raise refuse("Invalid address family")
    if Nha.fdb in attrs:
        if any(attr in attrs for attr in (Nha.oif, Nha.blackhole, Nha.encap, Nha.encap_type)):
            raise refuse("Fdb attribute can not be used with encap, oif or blackhole")
        if header.flags:
            raise refuse("Unsupported nexthop flags in ancillary header")
    if Nha.dst_port in attrs and not (Nha.fdb in attrs and Nha.gateway in attrs):
        raise refuse("Destination port can only be set on fdb nexthops that have a gateway")


def members_of(call: Call, attrs: Attrs) -> tuple[list[tuple[int, int]], Wanted | None]:
    """nh_check_attr_group(): the numbers and weights of a group's members, and of a resilient one what is said of its
    buckets. EINVAL, with texts."""
    if call.fixed.family != AF_UNSPEC:
        raise refuse("Invalid family for group")
    kind = attrs.get(Nha.group_type, MPATH)
    if kind > RES:
        raise refuse("Invalid group type")
    payload = attrs[Nha.group]
    if not payload or len(payload) & 7:
        raise refuse("Invalid length for nexthop group attribute")
    entries = [MEMBER.decode(payload, at, at + 8) for at in range(0, len(payload), 8)]
    seen = [entry.id for entry in entries]
    for place, entry in enumerate(entries):
        if entry.resvd2:
            raise refuse("Reserved field in nexthop_grp must be 0")
        if entry.weight_high << 8 | entry.weight == HEAVIEST:
            raise refuse("Invalid value for weight")
        if entry.id in seen[place + 1 :]:
            raise refuse("Nexthop id can not be used twice in a group")
    if not attrs.spans.keys() <= BESIDE_A_GROUP | ({Nha.res_group.number} if kind == RES else frozenset()):
        raise refuse("No other attributes can be set in nexthop groups")
    members = [(entry.id, (entry.weight_high << 8 | entry.weight) + 1) for entry in entries]
    return members, buckets_of(call, attrs) if kind == RES else None


def buckets_of(call: Call, attrs: Attrs) -> Wanted:
    """rtm_to_nh_config_grp_res(): EINVAL, with texts."""
    if Nha.res_group not in attrs:
        return Wanted()
    said = nested(call, RES_NEW, attrs.spans[Nha.res_group.number])
    if said.get(ResGroup.buckets) == 0:
        raise refuse("Number of buckets needs to be non-0")
    return Wanted(said.get(ResGroup.buckets), said.get(ResGroup.idle_timer), said.get(ResGroup.unbalanced_timer))


def gateway_of(call: Call, attrs: Attrs) -> int:
    """The gateway of one that is no group; 0 for none. EINVAL, EOPNOTSUPP, with texts."""
    if Nha.blackhole in attrs:
        if any(attr in attrs for attr in (Nha.gateway, Nha.oif, Nha.encap, Nha.encap_type, Nha.fdb)):
            raise refuse("Blackhole attribute can not be used with gateway, oif, encap or fdb")
        return 0
    if Nha.fdb not in attrs and Nha.oif not in attrs:
        raise refuse("Device attribute required for non-blackhole and non-fdb nexthops")
    gateway = 0
    if Nha.gateway in attrs:
        payload = attrs[Nha.gateway]
        if len(payload) != SIZES[call.fixed.family]:
            raise refuse("Invalid gateway")
        gateway = int.from_bytes(payload, "big")
    elif call.fixed.flags & ONLINK:
        raise refuse("ONLINK flag can not be set for nexthop without a gateway")
    if Nha.encap in attrs:
        if Nha.encap_type not in attrs:
            raise refuse("LWT encapsulation type is missing")
        tunnels.check_type(call.net.kernel.build, attrs[Nha.encap_type])
    elif Nha.encap_type in attrs:
        raise refuse("LWT encapsulation attribute is missing")
    if Nha.hw_stats_enable in attrs:
        raise refuse("Cannot enable nexthop hardware statistics for non-group nexthops")
    return gateway


def check_device(call: Call, attrs: Attrs) -> int:
    """rtm_to_nh_config_rtnl(): the index of the device, 0 for none. EINVAL, ENETDOWN, with texts."""
    if Nha.oif not in attrs:
        return 0
    dev = call.net.device(attrs[Nha.oif])
    if dev is None:
        raise refuse("Invalid device index")
    if not dev.up:
        raise Refusal(errno.ENETDOWN, "Nexthop device is not up")
    if not dev.carrier:
        raise Refusal(errno.ENETDOWN, "Carrier for nexthop device is down")
    return dev.ifindex


def newnexthop(call: Call) -> None:
    """rtm_new_nexthop()."""
    attrs, header, net = call.attrs, call.fixed, call.net
    check_header(call, attrs)
    grouped = Nha.group in attrs
    members, wanted = members_of(call, attrs) if grouped else ([], None)
    gateway = 0 if grouped else gateway_of(call, attrs)
    number = attrs.get(Nha.id, 0)
    if call.flags & REPLACE and not number:
        raise refuse("Replace requires nexthop id")
    new = Nexthop(number, header.protocol, fdb=grouped and Nha.fdb in attrs, wanted=wanted)
    found = nexthop.check_members(net, members, fdb=new.fdb) if grouped else []
    ifindex = 0 if grouped else check_device(call, attrs)
    if not number:
        new.id = nexthop.of(net).unused()
    if grouped:
        new.members = found
    else:
        kind = tunnels.type_of(attrs, Nha.encap_type)
        new.way = ways.create_way(
            net, header.family, ifindex, gateway, header.flags, blackhole=Nha.blackhole in attrs, fdb=Nha.fdb in attrs,
            tunnel=tunnels.asked(call, attrs, header.family, kind, Nha.encap),
        )
        if new.way.fdb:
            new.way.dst_port = attrs.get(Nha.dst_port, 0)
    ways.add(net, new, replace=bool(call.flags & REPLACE), create=bool(call.flags & CREATE), origin=call)


for family in (AF_UNSPEC, AF_INET, AF_INET6):
    doit_of(NEWNEXTHOP, family)(newnexthop)


def number_of(call: Call) -> int:
    """nh_valid_get_del_req(): which one is meant. EINVAL, with texts."""
    header, attrs = call.fixed, call.attrs
    if header.protocol or header.resvd or header.scope or header.flags:
        raise refuse("Invalid values in header")
    if Nha.id not in attrs:
        raise refuse("Nexthop id is missing")
    if not attrs[Nha.id]:
        raise refuse("Invalid nexthop id")
    number: int = attrs[Nha.id]
    return number


def named(call: Call) -> Nexthop:
    """The one that is meant: EINVAL with texts, ENOENT."""
    one = nexthop.of(call.net).find(number_of(call))
    if one is None:
        raise Refusal(errno.ENOENT)
    return one


@doit_of(DELNEXTHOP, AF_UNSPEC)
def delnexthop(call: Call) -> None:
    """rtm_del_nexthop()."""
    ways.remove(call.net, named(call), call)
