"""Tables of neighbours and their parameters are listed: neightbl_dump_info() of net/core/neighbour.c.

Nothing here sets a parameter, so all are what the kernel begins with. The time for which a neighbour counts as
reachable is random, for each device; how often a table is looked through is not counted.
"""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.inet import neighbour
from nlemu.emulator.kernel.inet.neighbour import AF_INET, AF_INET6
from nlemu.emulator.netlink.registry import dumpit_of
from nlemu.emulator.netlink.request import family_of
from nlemu.protocol.families.route.neightbl import GETNEIGHTBL, HEADER, TOLD, Ndta, Ndtpa
from nlemu.protocol.uapi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Attr

NAMES = {AF_INET: "arp_cache", AF_INET6: "ndisc_cache"}
"""neigh_table.id"""
KEYS = {AF_INET: (4, 336), AF_INET6: (16, 344)}
"""How long an address is, and how large an entry on x86-64."""
LOCKTIMES = {AF_INET: 1000, AF_INET6: 0}
BASE_REACHABLE_TIME = 30000
HASH_MASK = 7
"""A table begins with eight buckets."""
QUEUE_BYTES, QUEUE_PACKETS = 212992, 101
"""SK_WMEM_DEFAULT, and how many frames of ETH_FRAME_LEN that is."""
MILLISECOND = NSEC_PER_SEC // 1000
PARMS: dict[Attr[Any], Any] = {
    Ndtpa.refcnt: 1, Ndtpa.queue_lenbytes: QUEUE_BYTES, Ndtpa.queue_len: QUEUE_PACKETS, Ndtpa.proxy_qlen: 64,
    Ndtpa.app_probes: 0, Ndtpa.ucast_probes: 3, Ndtpa.mcast_probes: 3, Ndtpa.mcast_reprobes: 0,
    Ndtpa.base_reachable_time: BASE_REACHABLE_TIME, Ndtpa.gc_staletime: 60000, Ndtpa.delay_probe_time: 5000,
    Ndtpa.retrans_time: 1000, Ndtpa.anycast_delay: 1000, Ndtpa.proxy_delay: 800, Ndtpa.interval_probe_time_ms: 5000,
}
"""arp_tbl.parms, nd_tbl.parms"""


def _reachable_time(what: str) -> int:
    """neigh_rand_reach_time(): between half and one and a half of the base, the same whenever it is asked for."""
    return BASE_REACHABLE_TIME // 2 + random.Random(what).randrange(BASE_REACHABLE_TIME)


def _parms(family: int, reachable_time: int, dev: Device | None = None) -> dict[Attr[Any], Any]:
    """neightbl_fill_parms()."""
    return {
        Ndtpa.ifindex: None if dev is None else dev.ifindex,
        **PARMS,
        Ndtpa.reachable_time: reachable_time,
        Ndtpa.locktime: LOCKTIMES[family],
    }


def body(kernel: Kernel, family: int) -> bytes:
    """neightbl_fill_info(): a table, with what its devices begin with."""
    key_len, entry_size = KEYS[family]
    entries = sum(entry.family == family for net in kernel.alive for entry in neighbour.of(net))
    age = kernel.clock.now // MILLISECOND & 0xFFFFFFFF
    reachable_time = _reachable_time(NAMES[family])
    chance = random.Random(NAMES[family])
    config = {
        "key_len": key_len, "entry_size": entry_size, "entries": entries, "last_flush": age,
        "last_rand": age - 20 * reachable_time & 0xFFFFFFFF,  # neigh_table_init() puts it into the future
        "hash_rnd": chance.getrandbits(32) | 1, "hash_mask": HASH_MASK,
    }
    return HEADER.codec.pack(family=family, pad1=0, pad2=0) + TOLD.encode(
        {
            Ndta.name: NAMES[family], Ndta.gc_interval: 30000, Ndta.thresh1: 128, Ndta.thresh2: 512,
            Ndta.thresh3: 1024, Ndta.config: config, Ndta.stats: {},
            Ndta.parms: _parms(family, reachable_time),
        }
    )


def device_body(dev: Device, family: int) -> bytes:
    """neightbl_fill_param_info(): the parameters of one device."""
    if family == AF_INET6 and dev.ip6 is not None:
        reachable_time = dev.ip6.reachable_time
    else:
        reachable_time = _reachable_time(f"{dev.net.cookie}/{dev.ifindex}")
    return HEADER.codec.pack(family=family, pad1=0, pad2=0) + TOLD.encode(
        {Ndta.name: NAMES[family], Ndta.parms: _parms(family, reachable_time, dev)}
    )


def walk(net: Net, family: int) -> Messages:
    """neightbl_dump_info(): the newest device of a table is the first."""
    for one in NAMES:
        if family not in (AF_UNSPEC, one):
            continue
        yield partial(body, net.kernel, one)
        for dev in reversed(list(net)):
            if (dev.ip4 if one == AF_INET else dev.ip6) is not None:
                yield partial(device_body, dev, one)


@dumpit_of(GETNEIGHTBL, AF_UNSPEC)
def dump(call: Call) -> Messages:
    """neightbl_dump_info()."""
    return walk(call.net, family_of(call))
