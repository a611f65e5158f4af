"""How a NIC spreads packets over its queues: the driver's side of emulator/kernel/ethtool/rss.py, as its profile says.

What a NIC begins with is the driver's: queues take turns in the table, the key is the machine's (netdev_rss_key_fill()
gives all drivers the same), flows of TCP are hashed by addresses and ports. A table that nobody has chosen follows the
channels.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from errno import EINVAL, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Context, RssOps, Rxfh, keep
from nlemu.emulator.kernel.ethtool.rss import default_table
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, RssHash, Rxh

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel

KEY_LEN = 256
"""NETDEV_RSS_KEY_LEN"""
ADDRESSES = int(Rxh.IP_SRC | Rxh.IP_DST)
PORTS = ADDRESSES | int(Rxh.L4_B_0_1 | Rxh.L4_B_2_3)
BY_PORTS = (FlowType.TCP_V4, FlowType.TCP_V6, FlowType.UDP_V4, FlowType.UDP_V6)
BY_ADDRESSES = (FlowType.IPV4, FlowType.IPV6)


@dataclass(frozen=True, slots=True)
class RssFacts:
    """What a driver can do. table: entries; key: bytes; functions: those that it takes (RssHash), the first of them at
    first; contexts: how many, the first included, 0 for a driver without; key_per_context, fields_per_context: what a
    context has of its own; transforms: bits of RxhXfrm; fields: what is hashed at first, by kind of packet; settable:
    what may be hashed of those that can be set."""

    table: int
    key: int
    functions: tuple[RssHash, ...] = (RssHash.TOP,)
    contexts: int = 0
    key_per_context: bool = False
    fields_per_context: bool = False
    transforms: int = 0
    fields: Mapping[FlowType, int] = field(default_factory=dict)
    settable: Mapping[FlowType, frozenset[int]] = field(default_factory=dict)


class NicRss(RssOps):
    """The methods of a driver with such facts; of one without, none is there."""

    rss: RssFacts | None
    METHODS = frozenset((
        "get_rxfh_indir_size", "get_rxfh_key_size", "get_rxfh", "set_rxfh", "get_rxfh_fields", "set_rxfh_fields",
        "get_rx_ring_count",
    ))
    OF_CONTEXTS = frozenset(("create_rxfh_context", "modify_rxfh_context", "remove_rxfh_context"))

    def has_rss(self, name: str) -> bool:
        """Whether it has that method of theirs."""
        facts = self.rss
        if facts is None:
            return False
        if name in self.OF_CONTEXTS:
            return facts.contexts > 0
        return bool(facts.fields) or not name.endswith("_fields")

    def take_facts(self, facts: RssFacts | None) -> None:
        """What the core asks of the driver itself."""
        self.rss = facts
        if facts is not None:
            self.supported_input_xfrm = facts.transforms
            self.rxfh_per_ctx_key = facts.key_per_context
            self.rxfh_per_ctx_fields = facts.fields_per_context
            self.rxfh_max_num_contexts = facts.contexts

    @property
    def facts(self) -> RssFacts:
        """Those that there are, of a driver that has some."""
        assert self.rss is not None
        return self.rss

    def table_for(self, count: int) -> int:
        """How many entries the table has while there are that many channels."""
        return self.facts.table

    def begin(self, dev: Device, count: int) -> tuple[Rxfh, dict[FlowType, int]]:
        """How it spreads packets over that many queues when it comes."""
        facts = self.facts
        table, key = default_table(self.table_for(count), count), machine_key(dev.kernel)[: facts.key]
        return Rxfh(table, key, facts.functions[0], 0), dict(facts.fields)

    def follow_channels(self, dev: Device, count: int) -> None:
        """A table that nobody has chosen is made anew."""
        if self.rss is not None and not dev.spread.user_size:
            dev.priv.rxfh.table = default_table(self.table_for(count), count)

    # ethtool_ops

    def get_rxfh_indir_size(self, dev: Device) -> int:
        return self.table_for(dev.priv.count)

    def get_rxfh_key_size(self, dev: Device) -> int:
        return self.facts.key

    def get_rxfh(self, dev: Device) -> Rxfh:
        kept: Rxfh = dev.priv.rxfh
        return Rxfh(kept.table, kept.key, kept.function, kept.transform)

    def check_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """EOPNOTSUPP for a function that it does not know."""
        if wanted.function and wanted.function not in self.facts.functions:
            raise Refusal(EOPNOTSUPP)

    def set_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        self.check_rxfh(dev, wanted)
        keep(dev.priv.rxfh, wanted)

    def create_rxfh_context(self, dev: Device, context: Context, wanted: Rxfh) -> None:
        """What is not said is as by default."""
        self.check_rxfh(dev, wanted)
        context.table = default_table(self.table_for(dev.priv.count), dev.priv.count)
        context.key = dev.priv.rxfh.key
        context.function = dev.priv.rxfh.function

    def modify_rxfh_context(self, dev: Device, context: Context, wanted: Rxfh) -> None:
        self.check_rxfh(dev, wanted)

    def remove_rxfh_context(self, dev: Device, number: int) -> None:
        """Nothing else belongs to it."""

    def get_rxfh_fields(self, dev: Device, flow: FlowType, context: int) -> int:
        found: int | None = dev.priv.fields.get(flow)
        if found is None:
            raise Refusal(EINVAL)
        return found

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        if fields not in self.facts.settable.get(flow, ()):
            raise Refusal(EINVAL)
        dev.priv.fields[flow] = fields

    def get_rx_ring_count(self, dev: Device) -> int:
        count: int = dev.priv.count
        return count


def machine_key(kernel: Kernel) -> bytes:
    """netdev_rss_key_fill(): drawn once a boot."""
    return random.Random(f"netdev_rss_key {kernel.seed}").randbytes(KEY_LEN)
