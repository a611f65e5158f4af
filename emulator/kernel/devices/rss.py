"""Receive-side scaling as a driver is asked about it: the ethtool_ops that have rxfh in their names.

Packets are hashed, and the hash picks a queue from the indirection table. A device has one such table, with a key and a
function; some can have more, each in a context of its own, to which rules send flows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.protocol.uapi.ethtool import FlowType

Table = tuple[int, ...]
"""An indirection table: a queue an entry."""


@dataclass(slots=True)
class Rxfh:
    """struct ethtool_rxfh_param. table, key: None where they stay as they are; function: one of RssHash, 0 for the one
    that is (ETH_RSS_HASH_NO_CHANGE); transform: bits of RxhXfrm, None for what is."""

    table: Table | None = None
    key: bytes | None = None
    function: int = 0
    transform: int | None = None


@dataclass(slots=True)
class Context:
    """struct ethtool_rxfh_context. user_size: of how many entries its table was said to be, 0 for none."""

    table: Table
    key: bytes
    function: int = 0
    transform: int = 0
    user_size: int = 0


@dataclass(slots=True)
class Spread:
    """What the core keeps of a device (struct ethtool_netdev_state): contexts by their numbers, from 1; user_size: of
    how many entries user space said the table is, 0 as long as it is the driver's own."""

    user_size: int = 0
    contexts: dict[int, Context] = field(default_factory=dict)


def keep(kept: Rxfh | Context, said: Rxfh) -> None:
    """rss_set_ctx_update(), and what a driver does with its own: what is said is so from now on."""
    if said.table is not None:
        kept.table = said.table
    if said.key is not None:
        kept.key = said.key
    if said.function:
        kept.function = said.function
    if said.transform is not None:
        kept.transform = said.transform


class RssOps:
    """The methods, of a driver that has none."""

    supported_input_xfrm = 0
    """Which transformations (RxhXfrm) the device can do."""
    rxfh_per_ctx_key = False
    """Key, function and transformation are a context's own."""
    rxfh_per_ctx_fields = False
    """And so is which fields are hashed."""
    rxfh_max_num_contexts = 0
    """How many contexts there are, the first included; 0 for no limit."""

    def get_rxfh_indir_size(self, dev: Device) -> int:
        """How many entries its table has."""
        return 0

    def get_rxfh_key_size(self, dev: Device) -> int:
        """How many bytes its key has."""
        return 0

    def get_rxfh(self, dev: Device) -> Rxfh:
        """The first context as it is."""
        raise Refusal(EOPNOTSUPP)

    def set_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """Takes what is said of the first context."""
        raise Refusal(EOPNOTSUPP)

    def create_rxfh_context(self, dev: Device, context: Context, wanted: Rxfh) -> None:
        """Makes a context; fills in what was not said."""
        raise Refusal(EOPNOTSUPP)

    def modify_rxfh_context(self, dev: Device, context: Context, wanted: Rxfh) -> None:
        """Takes what is said of it."""
        raise Refusal(EOPNOTSUPP)

    def remove_rxfh_context(self, dev: Device, number: int) -> None:
        """It goes."""
        raise Refusal(EOPNOTSUPP)

    def get_rxfh_fields(self, dev: Device, flow: FlowType, context: int) -> int:
        """Which fields of such packets are hashed: bits of Rxh."""
        raise Refusal(EOPNOTSUPP)

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        """Takes which are."""
        raise Refusal(EOPNOTSUPP)

    def get_rx_ring_count(self, dev: Device) -> int:
        """Of how many queues a table may speak."""
        raise Refusal(EOPNOTSUPP)
