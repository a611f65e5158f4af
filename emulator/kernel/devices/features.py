"""Feature words: what a device can offload, could, and is asked to (include/linux/netdev_features.h, net/core/dev.c).

A word has a bit a feature. `features` are on; `hw_features` can be switched; `wanted_features` are what user space
asked for among those. Registration adds what the stack does in software, and rules that are the same for all drivers
take away what makes no sense without something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent
from nlemu.emulator.kernel.devices import settings
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.protocol.uapi.netdevice import GSO_MAX_SIZE, TSO_MAX_SEGS, NetifF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device


def word(*bits: NetifF) -> int:
    """The feature word of those bits."""
    return sum(1 << bit for bit in bits)


SG = word(NetifF.SG)
FRAGLIST = word(NetifF.FRAGLIST)
HIGHDMA = word(NetifF.HIGHDMA)
IP_CSUM = word(NetifF.IP_CSUM)
IPV6_CSUM = word(NetifF.IPV6_CSUM)
HW_CSUM = word(NetifF.HW_CSUM)
RXCSUM = word(NetifF.RXCSUM)
SCTP_CRC = word(NetifF.SCTP_CRC)
LOOPBACK = word(NetifF.LOOPBACK)
LRO = word(NetifF.LRO)
GRO = word(NetifF.GRO)
GRO_HW = word(NetifF.GRO_HW)
GSO = word(NetifF.GSO)
GSO_PARTIAL = word(NetifF.GSO_PARTIAL)
GSO_UDP_L4 = word(NetifF.GSO_UDP_L4)
HW_TC = word(NetifF.HW_TC)
HW_TLS_RX = word(NetifF.HW_TLS_RX)
HW_TLS_TX = word(NetifF.HW_TLS_TX)
NOCACHE_COPY = word(NetifF.NOCACHE_COPY)
RXFCS = word(NetifF.RXFCS)
RX_UDP_TUNNEL_PORT = word(NetifF.RX_UDP_TUNNEL_PORT)
TSO = word(NetifF.TSO)
TSO6 = word(NetifF.TSO6)
TSO_ECN = word(NetifF.TSO_ECN)
TSO_MANGLEID = word(NetifF.TSO_MANGLEID)
VLAN_CHALLENGED = word(NetifF.VLAN_CHALLENGED)
FCOE_CRC = word(NetifF.FCOE_CRC)
FSO = word(NetifF.FSO)
HW_MACSEC = word(NetifF.HW_MACSEC)

ALL_TSO = TSO | TSO6 | TSO_ECN | TSO_MANGLEID
GSO_SOFTWARE = ALL_TSO | word(NetifF.GSO_ACCECN, NetifF.GSO_SCTP, NetifF.GSO_UDP_L4, NetifF.GSO_FRAGLIST)
CSUM_MASK = HW_CSUM | IP_CSUM | IPV6_CSUM
GSO_MASK = (1 << NetifF.GSO_ACCECN + 1) - (1 << NetifF.TSO)
"""NETIF_F_GSO_MASK: all that is about segmentation by the hardware, bits without a name too."""
GSO_ENCAP_ALL = word(
    NetifF.GSO_GRE,
    NetifF.GSO_GRE_CSUM,
    NetifF.GSO_IPXIP4,
    NetifF.GSO_IPXIP6,
    NetifF.GSO_UDP_TUNNEL,
    NetifF.GSO_UDP_TUNNEL_CSUM,
)
HW_VLAN_TX = word(NetifF.HW_VLAN_CTAG_TX, NetifF.HW_VLAN_STAG_TX)
HW_VLAN_RX = word(NetifF.HW_VLAN_CTAG_RX, NetifF.HW_VLAN_STAG_RX)
HW_VLAN = HW_VLAN_TX | HW_VLAN_RX
SOFT_FEATURES = GSO | GRO
SOFT_FEATURES_OFF = word(NetifF.GRO_FRAGLIST, NetifF.GRO_UDP_FWD)
ONE_FOR_ALL = GSO_SOFTWARE | word(NetifF.GSO_ROBUST) | SG | HIGHDMA | FRAGLIST | VLAN_CHALLENGED
"""What several devices have together if one of them has it, and what if all have."""
ALL_FOR_ALL = NOCACHE_COPY | FSO
UPPER_VLAN_FEATURES = HW_CSUM | SG | FRAGLIST | GSO_SOFTWARE | GSO_ENCAP_ALL | HIGHDMA | LRO
"""MASTER_UPPER_DEV_VLAN_FEATURES"""
UPPER_GSO_PARTIAL = word(NetifF.GSO_ESP)
"""MASTER_UPPER_DEV_GSO_PARTIAL_FEATURES"""
UPPER_DISABLES = LRO
"""What is off in a device below as long as it is in one above."""
NEVER_CHANGE = VLAN_CHALLENGED
"""What user space can never switch."""


def add_software_features(dev: Device) -> None:
    """The part of register_netdevice() that completes what the driver offers."""
    dev.hw_features |= SOFT_FEATURES | SOFT_FEATURES_OFF
    dev.features |= SOFT_FEATURES
    if dev.ops.has_udp_tunnels:
        dev.features |= RX_UDP_TUNNEL_PORT
        dev.hw_features |= RX_UDP_TUNNEL_PORT
    dev.wanted_features = dev.features & dev.hw_features
    if not dev.flags & IFF_LOOPBACK:
        dev.hw_features |= NOCACHE_COPY
    if dev.hw_features & TSO:
        dev.hw_features |= TSO_MANGLEID
    if dev.vlan_features & TSO:
        dev.vlan_features |= TSO_MANGLEID
    dev.vlan_features |= HIGHDMA


IFF_LOOPBACK = 1 << 3


def fix_features(dev: Device, features: int) -> int:
    """netdev_fix_features(): without what cannot be."""
    if features & HW_CSUM and features & (IP_CSUM | IPV6_CSUM):
        features &= ~(IP_CSUM | IPV6_CSUM)
    if not features & SG:
        features &= ~ALL_TSO
    if features & TSO and not features & (HW_CSUM | IP_CSUM):
        features &= ~(TSO | TSO_ECN)
    if features & TSO6 and not features & (HW_CSUM | IPV6_CSUM):
        features &= ~TSO6
    if not features & TSO:
        features &= ~TSO_MANGLEID
    if features & ALL_TSO == TSO_ECN:
        features &= ~TSO_ECN
    if not features & SG:
        features &= ~GSO
    if not features & GSO_PARTIAL:
        features &= ~dev.gso_partial_features
    if not features & RXCSUM:
        features &= ~GRO_HW
    if features & RXFCS:
        features &= ~(LRO | GRO_HW)
    if features & GRO_HW:
        features &= ~LRO
    has_csum = features & HW_CSUM or features & (IP_CSUM | IPV6_CSUM) == IP_CSUM | IPV6_CSUM
    if not has_csum:
        features &= ~(HW_TLS_TX | GSO_UDP_L4)
    if not features & RXCSUM:
        features &= ~HW_TLS_RX
    return features


def recompute(dev: Device) -> bool:
    """__netdev_update_features(): from what is wanted to what is on; True when that is different now. What a device
    above has off cannot be on below."""
    features = dev.features & ~dev.hw_features | dev.wanted_features
    features = fix_features(dev, dev.ops.fix_features(dev, features))
    for upper in dev.uppers:
        features &= upper.wanted_features | ~UPPER_DISABLES
    changed = features != dev.features
    by_driver = changed and dev.ops.set_features(dev, features)
    off = UPPER_DISABLES & ~features
    for lower in [lower for lower in dev.lowers if lower.features & off] if off else ():
        sync_lower(lower, off)
    if changed and not by_driver:
        dev.features = features
    if changed:
        dev.changed()
    return changed


def sync_lower(lower: Device, off: int) -> None:
    """netdev_sync_lower_features(): off: what a device below has and a device above it must not have."""
    lower.wanted_features &= ~(lower.features & off)
    recompute(lower)
    lower.kernel.notify(NetdevEvent.FEAT_CHANGE, lower)


def intersect(one: int, other: int) -> int:
    """netdev_intersect_features(): what both have; HW_CSUM has what the checksums of the two protocols have."""
    if (one ^ other) & HW_CSUM:
        if one & HW_CSUM:
            one |= IP_CSUM | IPV6_CSUM
        else:
            other |= IP_CSUM | IPV6_CSUM
    return one & other


def update_features(dev: Device) -> None:
    """netdev_update_features(): and tells the chain when something changed."""
    if recompute(dev):
        dev.kernel.notify(NetdevEvent.FEAT_CHANGE, dev)


def increment(everything: int, one: int, mask: int) -> int:
    """netdev_increment_features(): what several devices have together, with one more of them."""
    if mask & HW_CSUM:
        mask |= CSUM_MASK
    mask |= VLAN_CHALLENGED
    everything |= one & (ONE_FOR_ALL | CSUM_MASK) & mask
    everything &= one | ~ALL_FOR_ALL
    return everything & ~(CSUM_MASK & ~HW_CSUM) if everything & HW_CSUM else everything


def add_tso(features: int, mask: int) -> int:
    """netdev_add_tso_features(): a master does in software what none of its slaves can."""
    return increment(features, ALL_TSO | ALL_FOR_ALL, mask)


def base(features: int) -> int:
    """netdev_base_features(): of those, where what several devices have together begins."""
    return features & ~ONE_FOR_ALL | ALL_FOR_ALL


def follow_slaves(dev: Device, *, update_header: bool = False) -> None:
    """netdev_compute_master_upper_features(): a master has what its slaves have, and tells of it in any case.
    update_header: it leaves as much room in packets as they want."""
    vlan_features = base(UPPER_VLAN_FEATURES)
    lowers = dev.lowers
    for theirs in dict.fromkeys([lower.vlan_features for lower in lowers]):  # the second of the same adds nothing
        vlan_features = increment(vlan_features, theirs, UPPER_VLAN_FEATURES)
    size = min([GSO_MAX_SIZE, *[lower.tso_max_size for lower in lowers]])
    segments = min([TSO_MAX_SEGS, *[lower.tso_max_segs for lower in lowers]])
    dev.vlan_features = vlan_features
    dev.gso_partial_features = UPPER_GSO_PARTIAL
    if update_header:
        dev.needed_headroom = max([lower.needed_headroom for lower in lowers], default=0)
        dev.needed_tailroom = max([lower.needed_tailroom for lower in lowers], default=0)
    settings.set_tso_max_segs(dev, segments)
    settings.set_tso_max_size(dev, size)
    recompute(dev)
    dev.kernel.notify(NetdevEvent.FEAT_CHANGE, dev)


def disable(dev: Device, which: int) -> None:
    """netif_disable_lro(), dev_disable_gro_hw(): nobody wants it any more, and so it is off."""
    dev.wanted_features &= ~which
    dev.changed()
    update_features(dev)


def set_xdp_features(dev: Device, features: int) -> None:
    """xdp_set_features_flag(): of a registered device the chain is told."""
    if features == dev.xdp_features:
        return
    dev.xdp_features = features
    dev.changed()
    if dev.reg_state == RegState.REGISTERED:
        dev.kernel.notify(NetdevEvent.XDP_FEAT_CHANGE, dev)
