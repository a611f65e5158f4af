"""Tables of neighbours and their parameters are listed and set: neightbl_dump_info() and neightbl_set() of
net/core/neighbour.c. How often a table is looked through is not counted."""

from __future__ import annotations

import errno
import random
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.clock import NSEC_PER_SEC
from nlemu.emulator.kernel.inet import neighbour, neighbour_parms
from nlemu.emulator.kernel.inet.neighbour import AF_INET, AF_INET6
from nlemu.emulator.kernel.inet.neighbour_parms import TRUESIZE
from nlemu.emulator.netlink.registry import doit_of, dumpit_of
from nlemu.emulator.netlink.request import family_of
from nlemu.protocol.families.route.neightbl import (
    GETNEIGHTBL,
    HEADER,
    SETNEIGHTBL,
    TAKEN_PARMS,
    TOLD,
    Ndta,
    Ndtpa,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attrs
from nlemu.protocol.schema.policy import LIBERAL
from nlemu.protocol.uapi.socket import AF_UNSPEC
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.inet.neighbour_parms import NeighbourParms
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Attr

NAMES = {AF_INET: "arp_cache", AF_INET6: "ndisc_cache"}
"""neigh_table.id"""
KEYS = {AF_INET: (4, 336), AF_INET6: (16, 344)}
"""How long an address is, and how large an entry on x86-64."""
HASH_MASK = 7
"""A table begins with eight buckets."""
MILLISECOND = NSEC_PER_SEC // 1000
U32, U64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
FOREVER = -2
"""MAX_JIFFY_OFFSET, as an int."""
COUNTS: dict[Attr[int], str] = {
    Ndtpa.proxy_qlen: "proxy_qlen", Ndtpa.app_probes: "app_solicit", Ndtpa.ucast_probes: "ucast_solicit",
    Ndtpa.mcast_probes: "mcast_solicit", Ndtpa.mcast_reprobes: "mcast_resolicit",
    Ndtpa.queue_lenbytes: "unres_qlen_bytes",
}
TIMES: dict[Attr[int], str] = {
    Ndtpa.base_reachable_time: "base_reachable_time", Ndtpa.gc_staletime: "gc_stale_time",
    Ndtpa.delay_probe_time: "delay_first_probe_time", Ndtpa.interval_probe_time_ms: "interval_probe_time",
    Ndtpa.retrans_time: "retrans_time", Ndtpa.anycast_delay: "anycast_delay", Ndtpa.proxy_delay: "proxy_delay",
    Ndtpa.locktime: "locktime",
}
LIMITS: dict[Attr[int], str] = {
    Ndta.thresh1: "gc_thresh1", Ndta.thresh2: "gc_thresh2", Ndta.thresh3: "gc_thresh3",
}


def _parms(parms: NeighbourParms, users: int = 0) -> dict[Attr[Any], Any]:
    """neightbl_fill_parms(). users: how many neighbours hold them (neigh_parms_clone())."""
    values = parms.values
    return {
        Ndtpa.ifindex: None if parms.dev is None else parms.dev.ifindex,
        Ndtpa.refcnt: 1 + users,
        Ndtpa.queue_len: (values["unres_qlen_bytes"] & U64) // TRUESIZE & U32,
        Ndtpa.reachable_time: parms.reachable_time,
        **{attr: values[name] & U32 for attr, name in (COUNTS | TIMES).items()},
    }


def body(kernel: Kernel, family: int) -> bytes:
    """neightbl_fill_info(): a table, with what its devices begin with."""
    key_len, entry_size = KEYS[family]
    parms = kernel.neighbour_parms[family]
    entries = sum(entry.family == family for net in kernel.alive for entry in neighbour.of(net))
    age = kernel.clock.now // MILLISECOND & U32
    chance = random.Random(NAMES[family])
    config = {
        "key_len": key_len, "entry_size": entry_size, "entries": entries, "last_flush": age,
        "last_rand": age - 20 * parms.reachable_time & U32,  # neigh_table_init() puts it into the future
        "hash_rnd": chance.getrandbits(32) | 1, "hash_mask": HASH_MASK,
    }
    return HEADER.codec.pack(family=family, pad1=0, pad2=0) + TOLD.encode(
        {
            Ndta.name: NAMES[family], Ndta.gc_interval: parms.table["gc_interval"] & U32, Ndta.config: config,
            **{attr: parms.table[name] & U32 for attr, name in LIMITS.items()},
            Ndta.stats: {}, Ndta.parms: _parms(parms),
        }
    )


def device_body(dev: Device, family: int) -> bytes:
    """neightbl_fill_param_info(): the parameters of one device."""
    users = len(neighbour.of(dev.net).on(dev, family))
    return HEADER.codec.pack(family=family, pad1=0, pad2=0) + TOLD.encode(
        {Ndta.name: NAMES[family], Ndta.parms: _parms(neighbour_parms.of(dev, family), users)}
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


@doit_of(SETNEIGHTBL, AF_UNSPEC)
def setneightbl(call: Call) -> None:
    """neightbl_set(): EINVAL, ENOENT. What comes before a refusal is set."""
    attrs, kernel = call.attrs, call.net.kernel
    if Ndta.name not in attrs:
        raise Refusal(errno.EINVAL)
    called = attrs.payload(Ndta.name).removesuffix(b"\0")
    family = next(
        (one for one, name in NAMES.items() if family_of(call) in (AF_UNSPEC, one) and called == name.encode()), None
    )
    if family is None:
        raise Refusal(errno.ENOENT)
    span = attrs.spans.get(Ndta.parms.number)
    if span is not None:
        inside = Attrs(call.message, validate(TAKEN_PARMS, call.message, *span, LIBERAL, call.extack), *span)
        parms = neighbour_parms.lookup(call.net, family, inside.get(Ndtpa.ifindex, 0))
        if parms is None:
            raise Refusal(errno.ENOENT)
        for name, value in _wanted(inside).items():
            parms.put(name, value, kernel.random)
    table = {name: attrs[attr] for attr, name in LIMITS.items() if attr in attrs}
    if Ndta.gc_interval in attrs:
        table["gc_interval"] = _jiffies(attrs[Ndta.gc_interval])
    if table and call.net is not kernel.init_net:
        raise Refusal(errno.ENOENT)
    for name, value in table.items():
        kernel.neighbour_parms[family].put(name, _int(value), kernel.random)


def _wanted(attrs: Attrs) -> Mapping[str, int]:
    """The parameters that a request sets: of two for one, the one with the higher number counts."""
    wanted: dict[str, int] = {}
    if Ndtpa.queue_len in attrs:
        wanted["unres_qlen_bytes"] = _int(attrs[Ndtpa.queue_len] * TRUESIZE)
    wanted |= {name: _int(attrs[attr]) for attr, name in COUNTS.items() if attr in attrs}
    wanted |= {name: _jiffies(attrs[attr]) for attr, name in TIMES.items() if attr in attrs}
    return wanted


def _int(value: int) -> int:
    """As a signed number of 32 bits."""
    return (value & U32 ^ 0x80000000) - 0x80000000


def _jiffies(milliseconds: int) -> int:
    """nla_get_msecs() into an int."""
    value = _int(milliseconds)
    return value if value >= 0 else FOREVER
