"""/proc/net/vlan: a table of a namespace's VLANs, and a file each (net/8021q/vlanproc.c)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.links.vlan import names_of
from nlemu.emulator.launch.files.tree import Directory, file_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.links.vlan import Vlan

IFF_802_1Q_VLAN, IFF_XMIT_DST_RELEASE, IFF_BRIDGE_PORT, IFF_UNICAST_FLT, IFF_NO_QUEUE = (
    1 << 0, 1 << 5, 1 << 9, 1 << 12, 1 << 19
)
"""Of enum netdev_priv_flags (linux/netdevice.h), those that a VLAN has."""
KEEPS_DST = frozenset((
    "bareudp", "bond", "bridge", "erspan", "geneve", "gre", "gretap", "gtp", "ifb", "ip6erspan", "ip6gre", "ip6gretap",
    "ip6tnl", "ipip", "macvlan", "macvtap", "sit", "team", "vti", "vti6", "vxlan", "wireguard", "xfrm",
))
"""Kinds whose devices want to see where a packet goes (netif_keep_dst()); lo does too, but has no VLANs."""


def proc_vlan(net: Net) -> Directory:
    """The directory. One of these names is the table's, and a VLAN that has it has no file."""
    entries = {dev.name: partial(file_of, one, dev) for dev in _vlans(net)}
    return Directory(entries | {"config": partial(file_of, config, net)})


def _vlans(net: Net) -> Iterator[Device]:
    return (dev for dev in net if dev.kind is not None and dev.kind.name == "vlan")


def config(net: Net) -> str:
    """vlan_seq_show(): the devices of VLANs, by what they are called and what they stand on."""
    lines = ["VLAN Dev name\t | VLAN ID\n", f"Name-Type: VLAN_NAME_TYPE_{names_of(net).name}\n"]
    lines += [f"{dev.name:<15}| {dev.priv.id}  | {dev.priv.below.name}\n" for dev in _vlans(net)]
    return "".join(lines)


def one(dev: Device) -> str:
    """vlandev_seq_show()."""
    vlan: Vlan = dev.priv
    stats = dev.stats
    received = (
        ("total frames received", stats.rx_packets), ("total bytes received", stats.rx_bytes),
        ("Broadcast/Multicast Rcvd", stats.multicast),
    )
    sent = ("total frames transmitted", stats.tx_packets), ("total bytes transmitted", stats.tx_bytes)
    tags = [str(priority) for priority in vlan.ingress]
    ingress = "  ".join(f"{tag}:{priority}" for tag, priority in enumerate(tags[:6]))
    egress = "".join(f"{priority}:{tag} " for priority, tag in vlan.egress_tags())
    return (
        f"{dev.name}  VID: {vlan.id}\t REORDER_HDR: {vlan.flags & 1}  dev->priv_flags: {_private_flags(dev):x}\n"
        + "".join(f"{name:>30} {count:12}\n" for name, count in received)
        + "\n"
        + "".join(f"{name:>30} {count:12}\n" for name, count in sent)
        + f"Device: {vlan.below.name}\nINGRESS priority mappings: {ingress}  6:{tags[6]} 7:{tags[7]}\n"
        + f" EGRESS priority mappings: {egress}\n"
    )


def _private_flags(dev: Device) -> int:
    """What is seen of dev->priv_flags. Those that other devices on top of it set are left away."""
    below = dev
    while below.kind is not None and below.kind.name == "vlan":
        below = below.priv.below
    flags = IFF_802_1Q_VLAN | IFF_UNICAST_FLT | IFF_NO_QUEUE
    if below.kind is None or below.kind.name not in KEEPS_DST:
        flags |= IFF_XMIT_DST_RELEASE
    if dev.master is not None and dev.master.kind is not None and dev.master.kind.name == "bridge":
        flags |= IFF_BRIDGE_PORT
    return flags
