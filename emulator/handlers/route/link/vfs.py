"""Virtual functions of a device: what is told of them, and what a request says (rtnl_fill_vf(), do_setvfinfo() of
net/core/rtnetlink.c). A request is taken apart function by function; what was set before a refusal stays set."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.route.link.parse import parse_quietly
from nlemu.protocol.families.route.link import Link
from nlemu.protocol.families.route.link_vf import (
    TAKEN_PORT,
    TAKEN_VF,
    VLAN_INFO,
    Vf,
    VfInfoList,
    VfStats,
    VfVlans,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.release import V7_3
from nlemu.protocol.schema.attributes import Attrs, walk
from nlemu.protocol.uapi.if_ether import ETH_P
from nlemu.protocol.uapi.netdevice import MAX_ADDR_LEN
from nlemu.protocol.uapi.rtnetlink import RTEXT_FILTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.vf import VfConfig

SKIP_STATS = int(RTEXT_FILTER.SKIP_STATS)
WITHOUT_STATS, WITH_STATS = 256, 128
"""Most functions that are told of, so that the nest fits its length."""
MAX_VLAN_LIST_LEN = 1
UNTOLD = 0xFFFFFFFF
"""-1, which a driver has not replaced."""
INT_MAX = 0x7FFFFFFF
NO_STATS = dict.fromkeys(VfStats.spec.order, 0)
"""No driver here counts what a function carries."""


def fill_vfs(dev: Device, mask: int) -> dict[Any, Any] | None:
    """rtnl_fill_vf(): IFLA_VFINFO_LIST, of a driver that knows virtual functions."""
    if not dev.ops.has_vfs:
        return None
    return {VfInfoList.info: [_fill(dev, vf, mask) for vf in range(told_vfs(dev, mask))]}


def told_vfs(dev: Device, mask: int) -> int:
    """How many functions are told of (rtnl_vfinfo_cap())."""
    count: int = dev.ops.num_vf(dev)
    if dev.kernel.build.release >= V7_3:
        count = min(count, WITHOUT_STATS if mask & SKIP_STATS else WITH_STATS)
    return count


def _fill(dev: Device, vf: int, mask: int) -> dict[Any, Any]:
    """rtnl_fill_vfinfo()."""
    info: VfConfig = dev.ops.vf_config(dev, vf)
    vlan = {"vf": vf, "vlan": info.vlan, "qos": info.qos}
    return {
        Vf.mac: vf.to_bytes(4, "little") + info.mac.ljust(MAX_ADDR_LEN, b"\0"),
        Vf.broadcast: dev.broadcast.ljust(MAX_ADDR_LEN, b"\0"),
        Vf.vlan: vlan,
        Vf.rate: {"vf": vf, "min_tx_rate": info.min_tx_rate, "max_tx_rate": info.max_tx_rate},
        Vf.tx_rate: {"vf": vf, "rate": info.max_tx_rate},
        Vf.spoofchk: {"vf": vf, "setting": int(info.spoofchk)},
        Vf.link_state: {"vf": vf, "link_state": info.link_state},
        Vf.rss_query_en: {"vf": vf, "setting": UNTOLD if info.rss_query_en is None else int(info.rss_query_en)},
        Vf.trust: {"vf": vf, "setting": int(info.trusted)},
        Vf.vlan_list: {VfVlans.info: [vlan | {"vlan_proto": info.vlan_proto}]},
        Vf.stats: None if mask & SKIP_STATS else NO_STATS,
    }


def set_vfs(dev: Device, attrs: Attrs) -> Iterator[None]:
    """IFLA_VFINFO_LIST: the functions one by one, each set when it is yielded. EINVAL, and what set_vf() refuses."""
    span = attrs.spans.get(Link.vfinfo_list.number)
    for number, start, end in () if span is None else walk(attrs.message, *span):
        if number != VfInfoList.info.number or end - start < 4:
            raise Refusal(errno.EINVAL)
        set_vf(dev, parse_quietly(TAKEN_VF, attrs.message, (start, end)))
        yield


def set_vf(dev: Device, attrs: Attrs) -> None:
    """do_setvfinfo(): EINVAL when nothing is said, EOPNOTSUPP of a driver without the function asked for, and what the
    driver refuses."""
    ops = dev.ops
    if not any(attr in attrs for attr in SAID):
        raise Refusal(errno.EINVAL)
    dev.changed()
    if Vf.mac in attrs:
        payload = attrs.payload(Vf.mac)
        ops.set_vf_mac(dev, _vf(int.from_bytes(payload[:4], "little")), payload[4:10])
    if Vf.vlan in attrs:
        told = attrs[Vf.vlan]
        ops.set_vf_vlan(dev, _vf(told.vf), told.vlan & 0xFFFF, told.qos & 0xFF, ETH_P.VLAN_8021Q)
    if Vf.vlan_list in attrs:
        told = _only_vlan(dev, attrs.payload(Vf.vlan_list))
        ops.set_vf_vlan(dev, _vf(told.vf), told.vlan & 0xFFFF, told.qos & 0xFF, told.vlan_proto)
    if Vf.tx_rate in attrs:
        told = attrs[Vf.tx_rate]
        _set_rate(dev, told.vf, ops.vf_config(dev, _vf(told.vf)).min_tx_rate, told.rate)
    if Vf.rate in attrs:
        told = attrs[Vf.rate]
        _set_rate(dev, _vf(told.vf), told.min_tx_rate, told.max_tx_rate)
    if Vf.spoofchk in attrs:
        told = attrs[Vf.spoofchk]
        ops.set_vf_spoofchk(dev, _vf(told.vf), bool(told.setting))
    if Vf.link_state in attrs:
        told = attrs[Vf.link_state]
        ops.set_vf_link_state(dev, _vf(told.vf), told.link_state)
    if Vf.rss_query_en in attrs:
        told = attrs[Vf.rss_query_en]
        ops.set_vf_rss_query_en(dev, _vf(told.vf), bool(told.setting))
    if Vf.trust in attrs:
        told = attrs[Vf.trust]
        ops.set_vf_trust(dev, _vf(told.vf), bool(told.setting))
    for guid in (Vf.ib_node_guid, Vf.ib_port_guid):
        if guid in attrs:
            _vf(attrs[guid].vf)
            raise Refusal(errno.EOPNOTSUPP)  # no driver here knows the ids of InfiniBand


SAID = (
    Vf.mac, Vf.vlan, Vf.vlan_list, Vf.tx_rate, Vf.rate, Vf.spoofchk, Vf.link_state, Vf.rss_query_en, Vf.trust,
    Vf.ib_node_guid, Vf.ib_port_guid,
)
"""What do_setvfinfo() looks at."""


def _vf(number: int) -> int:
    """The number of a function, which must be a positive int: EINVAL."""
    if number >= INT_MAX:
        raise Refusal(errno.EINVAL)
    return number


def _set_rate(dev: Device, vf: int, least: int, most: int) -> None:
    """rtnl_set_vf_rate(), of signed numbers."""
    if not dev.ops.has_vfs:
        raise Refusal(errno.EOPNOTSUPP)
    least, most = ((rate ^ 0x80000000) - 0x80000000 for rate in (least, most))
    if most and most < least:
        raise Refusal(errno.EINVAL)
    dev.ops.set_vf_rate(dev, vf, least, most)


def _only_vlan(dev: Device, payload: bytes) -> Any:
    """IFLA_VF_VLAN_LIST: struct ifla_vf_vlan_info, of which there may be one. EOPNOTSUPP, EINVAL."""
    if not dev.ops.has_vfs:
        raise Refusal(errno.EOPNOTSUPP)
    found: list[Any] = []
    for number, start, end in walk(payload, 0, len(payload)):
        if number != VfVlans.info.number or end - start < (VLAN_INFO.size or 0):
            raise Refusal(errno.EINVAL)
        if len(found) >= MAX_VLAN_LIST_LEN:
            raise Refusal(errno.EOPNOTSUPP)
        found.append(VLAN_INFO.decode(payload, start, end))
    if not found:
        raise Refusal(errno.EINVAL)
    return found[0]


def set_ports(attrs: Attrs) -> None:
    """IFLA_VF_PORTS, IFLA_PORT_SELF: no driver has ndo_set_vf_port."""
    if Link.vf_ports in attrs:
        raise Refusal(errno.EOPNOTSUPP)
    span = attrs.spans.get(Link.port_self.number)
    if span is not None:
        parse_quietly(TAKEN_PORT, attrs.message, span)
        raise Refusal(errno.EOPNOTSUPP)
