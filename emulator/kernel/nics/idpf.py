"""idpf, Intel's function of infrastructure processors: what it does otherwise than a profile can say
(drivers/net/ethernet/intel/idpf). Header and data are split unless that is switched off."""

from __future__ import annotations

from errno import EEXIST, EINVAL, ENOSPC, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.devices.rules import Rule
from nlemu.emulator.kernel.ethtool.settings import Channels, Coalesce, Rings
from nlemu.emulator.kernel.nics.feature_sets import RXHASH
from nlemu.emulator.kernel.nics.nic import NicOps, state_of
from nlemu.emulator.kernel.nics.rings import multiple
from nlemu.emulator.kernel.nics.rules import RuleFacts
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, TcpDataSplit

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

ROOM = 1024
"""idpf_fsteer_max_rules(): what the device says when it is asked what it can."""
LEAST_RING, RX_MULTIPLE, TX_MULTIPLE = 64, 64, 32
"""IDPF_MIN_TXQ_DESC and IDPF_MIN_RXQ_DESC, IDPF_REQ_RXQ_DESC_MULTIPLE, IDPF_REQ_DESC_MULTIPLE"""
MAILBOXES = 1
"""IDPF_MAX_MBXQ"""


class IdpfOps(NicOps):
    """idpf_netdev_ops and idpf_ethtool_ops."""

    rules = RuleFacts(room=ROOM, counts=ROOM, all_at_once=True)
    """idpf_get_rxnfc()"""

    # Channels and rings

    def get_channels(self, dev: Device) -> Channels:
        """idpf_get_channels()."""
        channels = super().get_channels(dev)
        channels.rx_max = channels.tx_max = channels.combined_max
        channels.other_max = channels.other_count = MAILBOXES
        return channels

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """idpf_set_channels(). That a channel may be for one direction alone is not modelled."""
        if channels.rx_count or channels.tx_count:
            raise Refusal(EINVAL)
        if channels.combined_count != state_of(dev).count:
            super().set_channels(dev, channels)

    def get_ringparam(self, dev: Device, rings: Rings) -> None:
        """idpf_get_ringparam()."""
        super().get_ringparam(dev, rings)
        off = dev.cfg.hds_config == TcpDataSplit.DISABLED
        rings.tcp_data_split = TcpDataSplit.DISABLED if off else TcpDataSplit.ENABLED

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """idpf_set_ringparam()."""
        if min(rings.tx, rings.rx) < LEAST_RING:
            raise Refusal(EINVAL)
        rings.rx, rings.tx = multiple(rings.rx, RX_MULTIPLE), multiple(rings.tx, TX_MULTIPLE)
        kept, told = state_of(dev).rings, Rings()
        self.get_ringparam(dev, told)
        return (rings.tx, rings.rx, rings.tcp_data_split) != (kept.tx, kept.rx, told.tcp_data_split)

    # Interrupts held back: nothing is told, and nothing taken, while the device is down (idpf_get_q_coalesce())

    def get_coalesce(self, dev: Device) -> Coalesce:
        return super().get_coalesce(dev) if dev.running else Coalesce()

    def set_coalesce(self, dev: Device, coalesce: Coalesce) -> None:
        if dev.running:
            super().set_coalesce(dev, coalesce)

    def get_per_queue_coalesce(self, dev: Device, queue: int) -> Coalesce:
        return super().get_per_queue_coalesce(dev, queue) if dev.running else Coalesce()

    # Receive-side scaling

    def get_rxfh(self, dev: Device) -> Rxfh:
        """idpf_get_rxfh(): all to the first queue while packets are not hashed."""
        told = super().get_rxfh(dev)
        if not dev.features & RXHASH:
            told.table = (0,) * len(told.table or ())
        return told

    # Rules

    def check_rule(self, dev: Device, rule: Rule) -> None:
        """idpf_add_flow_steer(), of a device that sends TCP and UDP over IPv4 to queues."""
        if rule.flags:
            raise Refusal(EINVAL)
        if rule.drops or rule.flow not in (FlowType.TCP_V4, FlowType.UDP_V4):
            raise Refusal(EOPNOTSUPP)
        if len(state_of(dev).rules) > ROOM:
            raise Refusal(ENOSPC)
        if rule.ring >= state_of(dev).count:
            raise Refusal(EINVAL)
        if rule.location in state_of(dev).rules:
            raise Refusal(EEXIST)
