"""Standard statistics, and the UDP ports of tunnels (net/ethtool/stats.c, tunnels.c).

A group is told with its name and with what the driver counts of it, which may be nothing; and no tunnel has told a
device its port.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.devices import devices
from nlemu.emulator.handlers.ethtool.bitset import put_bitset, update_bitset
from nlemu.emulator.handlers.ethtool.common import (
    Request,
    check_phy,
    named_header,
    parse_header,
    query,
    start_dump,
)
from nlemu.emulator.handlers.ethtool.pause import check_source
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.ethtool.commands import STATS_GET, TUNNEL_INFO_GET
from nlemu.protocol.families.ethtool.device import (
    StatsGet,
    StatsGrp,
    StatsGrpHist,
    TunnelInfo,
    TunnelUdp,
    TunnelUdpEntry,
    TunnelUdpTable,
)
from nlemu.protocol.families.ethtool.strings import STATS_STD, STRING_SETS, UDP_TUNNEL_TYPES
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Values
from nlemu.protocol.uapi.ethtool import Stats, StringSet, UdpTunnelType

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.standard_stats import Bucket

IANA_VXLAN_UDP_PORT = 4789
NAMED_IN = {
    Stats.ETH_PHY: StringSet.STATS_ETH_PHY,
    Stats.ETH_MAC: StringSet.STATS_ETH_MAC,
    Stats.ETH_CTRL: StringSet.STATS_ETH_CTRL,
    Stats.RMON: StringSet.STATS_RMON,
    Stats.PHY: StringSet.STATS_PHY,
}
"""Which string set has the names of a group's counters."""


def chosen(request: Request) -> tuple[int, int]:
    """stats_parse_request(): the groups, and which half of the MAC."""
    groups, changed = update_bitset(0, request, StatsGet.groups, STATS_STD)
    if not changed:
        raise Refusal(errno.EINVAL, "no stats requested")
    return groups, request.attrs.get(StatsGet.src, 0)


@query(STATS_GET, parse=chosen)
def stats(dev: Device, request: Request) -> Values:
    """stats_fill_reply()."""
    groups, source = request.options
    check_phy(request)
    check_source(source)
    told = [fill_group(dev, group) for group in Stats if groups >> group & 1]
    return {StatsGet.src: source, StatsGet.grp: told}


def fill_group(dev: Device, group: Stats) -> Values:
    """stats_put_stats(): counters in the order of their names."""
    names, counted = STRING_SETS[NAMED_IN[group]], dev.ops.get_standard_stats(dev, group)
    return {
        StatsGrp.id: int(group),
        StatsGrp.ss_id: int(NAMED_IN[group]),
        StatsGrp.hist_rx: [fill_bucket(one) for one in counted.rx],
        StatsGrp.hist_tx: [fill_bucket(one) for one in counted.tx],
        StatsGrp.stat: [{number: counted.values[name]} for number, name in enumerate(names) if name in counted.values],
    }


def fill_bucket(one: Bucket) -> Values:
    """stats_put_rmon_hist()."""
    return {
        StatsGrpHist.hist_bkt_low: one.low, StatsGrpHist.hist_bkt_hi: one.high, StatsGrpHist.hist_val: one.count,
    }


def fill_tunnels(dev: Device, compact: bool) -> Values:
    """ethnl_tunnel_info_fill_reply(). Refusal EOPNOTSUPP."""
    tables = dev.ops.udp_tunnel_tables
    if not tables:
        raise Refusal(errno.EOPNOTSUPP)
    told: list[Values] = [
        {
            TunnelUdpTable.size: entries,
            TunnelUdpTable.types: put_bitset(types, None, UDP_TUNNEL_TYPES, compact),
        }
        for entries, types in tables
    ]
    if dev.ops.knows_iana_vxlan:
        told.append({
            TunnelUdpTable.size: 1,
            TunnelUdpTable.types: put_bitset(0, None, UDP_TUNNEL_TYPES, compact),
            TunnelUdpTable.entry: [
                {TunnelUdpEntry.port: IANA_VXLAN_UDP_PORT, TunnelUdpEntry.type: int(UdpTunnelType.VXLAN)}
            ],
        })
    return named_header(TUNNEL_INFO_GET, dev) | {TunnelInfo.udp_ports: {TunnelUdp.table: told}}


@doit(TUNNEL_INFO_GET)
def tunnel_info(call: Call) -> Values:
    """ethnl_tunnel_info_doit()."""
    request = parse_header(call, demanded=True)
    assert request.dev is not None
    try:
        return fill_tunnels(request.dev, request.compact)
    except Refusal as refusal:
        refusal.text = "device does not report tunnel offload info"
        raise


@dumpit(TUNNEL_INFO_GET)
def tunnel_info_dump(call: Call) -> Dump:
    """ethnl_tunnel_info_dumpit(). How it fared with the last device is how the dump ends."""
    request = start_dump(call)
    ending: list[Refusal] = []

    def fill(dev: Device) -> Values | None:
        ending.clear()
        try:
            return fill_tunnels(dev, request.compact)
        except Refusal as refusal:
            ending.append(refusal)
            return None

    def messages() -> Messages:
        for dev in devices(call.net):
            yield partial(fill, dev)
        if ending:
            raise ending[0]

    return Dump(call, messages(), multi=False)
