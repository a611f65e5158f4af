"""Kinds that stand on another device, and kinds that have nothing to say."""

from __future__ import annotations

import struct

from tests.conformance.kinds.row import Row
from tests.conformance.kinds.values import Make, be16, mac, many, pair, s32, u16, u32
from tests.conformance.world import World

REORDER, LOOSE, BOUND = 1, 4, 16


def mapping(world: World) -> bytes:
    """struct ifla_vlan_qos_mapping."""
    return struct.pack("<II", world.rng.randrange(9), world.rng.randrange(9))


def addresses(world: World) -> bytes:
    return many(mac, 4)(world)


QOS: Make = many(mapping, 1)
VLAN = Row(
    "vlan",
    {
        "id": u16(*[1, 2, 3, 100] * 5, 0, 4094, 4095, 4096),
        "flags": pair(
            "<II", (REORDER, REORDER), (0, REORDER), (LOOSE, LOOSE), (0, LOOSE), (LOOSE, 5), (0, 0), (BOUND, BOUND),
            (0, BOUND),
        ),
        "egress-qos": QOS,
        "ingress-qos": QOS,
        "protocol": be16(*[0x8100, 0x88A8] * 6, 0x0800),
    },
    needs=("id",),
    odd=False,  # GVRP and MVRP are flags and no more
    stands=True,
    likely=2.0,
)
MACVLAN_SAID = {
    "mode": u32(*[1, 2, 4, 4, 8, 16] * 3, 0, 3, 32),
    "flags": u16(0, 1, 2, 3, 4),
    "macaddr-mode": u32(0, 1, 2, 3, 4),
    "macaddr": mac,
    "macaddr-data": addresses,
    "bc-queue-len": u32(0, 1, 1000, 5000),
    "bc-cutoff": s32(-1, 0, 1, 1000),
}
MACVLAN = Row("macvlan", MACVLAN_SAID, stands=True, likely=1.5)
MACVTAP = Row("macvtap", MACVLAN_SAID, stands=True)
IPVLAN_SAID = {"mode": u16(*[0, 1, 2] * 4, 3), "flags": u16(0, 1, 2, 3, 4)}
IPVLAN = Row("ipvlan", IPVLAN_SAID, stands=True, ethernet=False, likely=1.5)
IPVTAP = Row("ipvtap", IPVLAN_SAID, stands=True, ethernet=False)
UPPERS = (VLAN, MACVLAN, MACVTAP, IPVLAN, IPVTAP)

PLAIN = (
    Row("dummy", likely=3.0),
    Row("veth", odd=False, likely=2.0),
    Row("netkit", odd=False),
    Row("ifb"),
    Row("nlmon", ethernet=False, likely=0.5),
    Row("wireguard", ethernet=False),
)
BOTTOM = ("dummy", "veth", "bridge", "bond", "vlan", "macvlan")
"""Kinds that others like to stand on."""

