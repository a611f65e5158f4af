"""The rules of fbnic (drivers/net/ethernet/meta/fbnic/fbnic_ethtool.c, fbnic_rpc.c).

A rule is a line of a table that the card looks up (a TCAM); the driver chooses the line, from the last upwards, and
tells of a rule what stands in it: IP with the protocol of UDP is shown as UDP, of Ethernet only where it goes.
Addresses stand in tables of their own, of eight entries, that rules share. While the device is down no line is in use:
rules are not shown then, and come again when it is up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from errno import EBUSY, EINVAL, EMSGSIZE, ENOSPC
from typing import TYPE_CHECKING, Literal, NamedTuple

from nlemu.emulator.kernel.devices.rules import Rule, empty
from nlemu.emulator.kernel.nics.rules import NicRules, RuleFacts
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import (
    ETH_RX_NFC_IP4,
    FLOW_MAC_EXT,
    FLOW_RSS,
    RX_CLS_FLOW_DISC,
    RX_CLS_LOC_ANY,
    RX_CLS_LOC_SPECIAL,
    FlowType,
)
from nlemu.protocol.uapi.in_ import IpProto

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ROOM = 64 - 14 - 2
"""FBNIC_RPC_ACT_TBL_NFC_ENTRIES: without those of receive-side scaling and of the board's controller."""
ENTRIES, UNICAST, MULTICAST = 8, 7, 19
"""FBNIC_RPC_TCAM_IP_ADDR_NUM_ENTRIES; and of the 32 for Ethernet's addresses those that __fbnic_uc_sync() and
__fbnic_mc_sync() look through."""
WHOLE, EVERY_BIT, NOBODY = 0xFF, b"\xff" * 6, bytes(6)

Version = Literal[4, 6]
PORTS: dict[Version, dict[int, FlowType]] = {
    4: {IpProto.TCP: FlowType.TCP_V4, IpProto.UDP: FlowType.UDP_V4},
    6: {IpProto.TCP: FlowType.TCP_V6, IpProto.UDP: FlowType.UDP_V6},
}
VERSIONS: dict[int, Version] = {
    FlowType.TCP_V4: 4, FlowType.UDP_V4: 4, FlowType.IPV4_USER: 4,
    FlowType.TCP_V6: 6, FlowType.UDP_V6: 6, FlowType.IPV6_USER: 6,
}
Address = int | bytes


class OfPorts(NamedTuple):
    """struct ethtool_tcpip4_spec and ethtool_tcpip6_spec, in their order."""

    source: Address
    target: Address
    psrc: int
    pdst: int
    traffic_class: int = 0


class OfIpv4(NamedTuple):
    """struct ethtool_usrip4_spec."""

    source: Address
    target: Address
    l4_4_bytes: int = 0
    tos: int = 0
    ip_ver: int = 0
    proto: int = 0


class OfIpv6(NamedTuple):
    """struct ethtool_usrip6_spec."""

    source: Address
    target: Address
    l4_4_bytes: int = 0
    tclass: int = 0
    l4_proto: int = 0


class OfEthernet(NamedTuple):
    """struct ethhdr."""

    h_dest: bytes
    h_source: bytes = NOBODY
    h_proto: int = 0


Told = tuple[FlowType, tuple[object, ...], tuple[object, ...]]
"""The kind that a line tells of, values and masks."""


@dataclass(slots=True)
class Entry:
    """struct fbnic_ip_addr: an address, and at which lines the rules stand that look for it."""

    version: Version
    value: Address
    mask: int
    users: set[int] = field(default_factory=set)


def no_entries() -> list[Entry | None]:
    """A table in which nothing stands."""
    return [None] * ENTRIES


@dataclass(slots=True)
class Addresses:
    """The tables of addresses of a card: ip_src, ip_dst, and ipo_src, ipo_dst for those outside a tunnel."""

    inner: tuple[list[Entry | None], list[Entry | None]] = field(default_factory=lambda: (no_entries(), no_entries()))
    outer: tuple[list[Entry | None], list[Entry | None]] = field(default_factory=lambda: (no_entries(), no_entries()))

    def free(self, line: int) -> None:
        """__fbnic_ip_unsync(): what only that rule looked for goes."""
        for table in (*self.inner, *self.outer):
            for index, entry in enumerate(table):
                if entry is not None and line in entry.users:
                    entry.users.discard(line)
                    if not entry.users:
                        table[index] = None


def place(table: list[Entry | None], version: Version, mask: int, value: Address) -> int:
    """__fbnic_ip4_sync(), __fbnic_ip6_sync(): at which entry that address stands, or could: no longer prefix behind a
    shorter one. IPv4 is looked for from the first on, IPv6 from the last. ENOSPC."""
    found = None
    for index in range(ENTRIES) if version == 4 else reversed(range(ENTRIES)):
        entry = table[index]
        if entry is None:
            found = index
        elif entry.version == version:
            if entry.mask & ~mask if version == 4 else mask & ~entry.mask:
                found = None
            elif entry.mask != mask:
                break
            elif entry.value == value:
                return index
    if found is None:
        raise Refusal(ENOSPC)
    return found


class FbnicRules(NicRules):
    """What fbnic does with rules."""

    rules = RuleFacts(room=ROOM)
    shown_data = ROOM

    def seen(self, dev: Device) -> dict[int, Rule]:
        """Those whose line is FBNIC_TCAM_S_VALID: fbnic_clear_rules() makes all others of it when the device goes
        down."""
        kept: dict[int, Rule] = dev.priv.rules
        return kept if dev.running else {}

    def rule_count(self, dev: Device) -> tuple[int, int | None]:
        return len(self.seen(dev)), ROOM | RX_CLS_LOC_SPECIAL

    def rule_locations(self, dev: Device, room: int) -> tuple[int, list[int]]:
        """fbnic_get_cls_rule_all(): without room for any they are counted."""
        found = sorted(self.seen(dev))
        if 0 < room < len(found):
            raise Refusal(EMSGSIZE)
        return ROOM, found

    def get_rule(self, dev: Device, location: int) -> Rule:
        """fbnic_get_cls_rule()."""
        found = self.seen(dev).get(location)
        if found is None:
            raise Refusal(EINVAL)
        return found

    def insert_rule(self, dev: Device, rule: Rule) -> Rule:
        """fbnic_set_cls_rule_ins()."""
        if rule.location != RX_CLS_LOC_ANY:
            raise Refusal(EINVAL)
        seen = self.seen(dev)
        line = next((at for at in reversed(range(ROOM)) if at not in seen), None)
        if line is None:
            raise Refusal(ENOSPC)
        if not rule.drops and not rule.spread and rule.ring >= dev.priv.count:
            raise Refusal(EINVAL)
        if line in dev.priv.rules:
            raise Refusal(EBUSY)
        kept = self.kept(rule)
        self._place(dev, line, kept)
        dev.priv.rules[line] = replace(kept, location=line)
        return replace(rule, location=line)

    def kept(self, rule: Rule) -> Rule:
        """What its line says of it, as fbnic_get_cls_rule() reads that. EINVAL."""
        if rule.flags & FLOW_MAC_EXT:
            raise Refusal(EINVAL)
        if rule.drops:
            action = (0, RX_CLS_FLOW_DISC, 0)
        elif rule.spread:
            action = (FLOW_RSS, 0, int(rule.context == 1))
        else:
            action = (0, rule.ring, 0)
        version = VERSIONS.get(rule.flow)
        if rule.flow != FlowType.ETHER and version is None:
            raise Refusal(EINVAL)
        flow, values, masks = _ethernet(rule) if version is None else _ip(rule, version)
        flags, cookie, context = action
        return Rule(flow, flags, values, masks, None, None, cookie, rule.location, context)

    def _place(self, dev: Device, line: int, kept: Rule) -> None:
        """Its addresses get their entries. ENOSPC."""
        if kept.flow == FlowType.ETHER:
            _check_ethernet(dev, kept)
            return
        if dev.priv.own is None:
            dev.priv.own = Addresses()
        version = VERSIONS[kept.flow]
        tunnel = isinstance(kept.values, OfIpv6) and bool(kept.masks.l4_proto)
        tables = dev.priv.own.outer if tunnel else dev.priv.own.inner
        fresh: list[tuple[list[Entry | None], int]] = []
        for table, value, mask in zip(tables, kept.values[:2], kept.masks[:2], strict=True):
            if empty(mask):
                continue
            bits = mask if isinstance(mask, int) else int.from_bytes(mask)
            try:
                index = place(table, version, bits, value)
            except Refusal:
                for taken, at in fresh:
                    taken[at] = None
                raise
            entry = table[index]
            if entry is None:
                entry = table[index] = Entry(version, value, bits)
                fresh.append((table, index))
            entry.users.add(line)

    def delete_rule(self, dev: Device, location: int) -> None:
        """fbnic_set_cls_rule_del()."""
        if location not in self.seen(dev):
            raise Refusal(EINVAL)
        del dev.priv.rules[location]
        if dev.priv.own is not None:
            dev.priv.own.free(location)


def _check_ethernet(dev: Device, kept: Rule) -> None:
    """__fbnic_uc_sync(), __fbnic_mc_sync(), as if the device had no addresses of its own there. ENOSPC."""
    wanted: bytes = kept.values.h_dest
    group = wanted[0] & 1
    known = {
        rule.values.h_dest for rule in dev.priv.rules.values()
        if rule.flow == FlowType.ETHER and not empty(rule.masks.h_dest) and rule.values.h_dest[0] & 1 == group
    }
    if not empty(kept.masks.h_dest) and wanted not in known and len(known) >= (MULTICAST if group else UNICAST):
        raise Refusal(ENOSPC)


def _ethernet(rule: Rule) -> Told:
    """By a whole address, or by nothing."""
    value, mask = rule.values.h_dest, rule.masks.h_dest
    if empty(mask):
        return FlowType.ETHER, OfEthernet(NOBODY), OfEthernet(NOBODY)
    if empty(value) or mask != EVERY_BIT:
        raise Refusal(EINVAL)
    return FlowType.ETHER, OfEthernet(value), OfEthernet(mask)


def _ip(rule: Rule, version: Version) -> Told:
    """EINVAL: a protocol that the card does not know."""
    user, name = (FlowType.IPV4_USER, "proto") if version == 4 else (FlowType.IPV6_USER, "l4_proto")
    flow, tunnel = FlowType(rule.flow), 0
    if flow == user and getattr(rule.masks, name):
        proto = getattr(rule.values, name)
        tunnel = IpProto.IPV6 if version == 6 and proto == IpProto.IPV6 else 0
        if getattr(rule.masks, name) != WHOLE or not (tunnel or proto in PORTS[version]):
            raise Refusal(EINVAL)
        flow = PORTS[version].get(proto, user)

    names = (f"ip{version}src", f"ip{version}dst")
    nothing: Address = 0 if version == 4 else bytes(16)
    source, target = (nothing if empty(getattr(rule.masks, each)) else getattr(rule.values, each) for each in names)
    of_source, of_target = (getattr(rule.masks, each) for each in names)
    if flow != user:
        return (
            flow, OfPorts(source, target, *_ports(rule.values)), OfPorts(of_source, of_target, *_ports(rule.masks))
        )
    if version == 4:
        return flow, OfIpv4(source, target, ip_ver=ETH_RX_NFC_IP4), OfIpv4(of_source, of_target)
    looked_at = WHOLE if tunnel else 0
    return flow, OfIpv6(source, target, l4_proto=tunnel), OfIpv6(of_source, of_target, l4_proto=looked_at)


def _ports(record: object) -> tuple[int, int]:
    """In any IP they are the first four bytes behind it."""
    first = getattr(record, "l4_4_bytes", None)
    return divmod(first, 1 << 16) if first is not None else (getattr(record, "psrc", 0), getattr(record, "pdst", 0))
