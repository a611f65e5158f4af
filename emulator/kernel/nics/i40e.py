"""i40e: what it does otherwise than a profile can say (drivers/net/ethernet/intel/i40e)."""

from __future__ import annotations

from errno import EBUSY, EINVAL
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices.queue import xsk_pool
from nlemu.emulator.kernel.devices.rss import Rxfh
from nlemu.emulator.kernel.ethtool.rss import default_table
from nlemu.emulator.kernel.ethtool.settings import Channels, Rings
from nlemu.emulator.kernel.nics.feature_sets import NTUPLE
from nlemu.emulator.kernel.nics.i40e_rules import I40eRules
from nlemu.emulator.kernel.nics.nic import NicOps, state_of
from nlemu.emulator.kernel.nics.rings import multiple
from nlemu.emulator.kernel.nics.rss import BY_ADDRESSES, BY_PORTS, PORTS
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.ethtool import FlowType, Rxh

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LEAST_RING, MULTIPLE = 64, 32
"""I40E_MIN_NUM_DESCRIPTORS, I40E_REQ_DESCRIPTOR_MULTIPLE"""
OF_PORTS = int(Rxh.L4_B_0_1 | Rxh.L4_B_2_3)


class I40eOps(I40eRules, NicOps):
    """i40e_netdev_ops and i40e_ethtool_ops."""

    def set_features(self, dev: Device, features: int) -> bool:
        """i40e_set_features(): without ntuple there are no rules."""
        if dev.features & NTUPLE and not features & NTUPLE:
            self.forget_rules(dev)
        return False

    def get_channels(self, dev: Device) -> Channels:
        """i40e_get_channels(): Flow Director has an interrupt of its own."""
        channels = super().get_channels(dev)
        channels.other_max = channels.other_count = int(bool(dev.features & NTUPLE))
        return channels

    def set_channels(self, dev: Device, channels: Channels) -> None:
        """i40e_set_channels()."""
        if channels.rx_count or channels.tx_count or channels.other_count != int(bool(dev.features & NTUPLE)):
            raise Refusal(EINVAL)
        super().set_channels(dev, channels)

    def check_rings(self, dev: Device, rings: Rings) -> bool:
        """i40e_set_ringparam()."""
        if min(rings.rx, rings.tx) < LEAST_RING:
            raise Refusal(EINVAL)
        rings.rx, rings.tx = multiple(rings.rx, MULTIPLE), multiple(rings.tx, MULTIPLE)
        kept = state_of(dev).rings
        if (rings.rx, rings.tx) == (kept.rx, kept.tx):
            return False
        if any(xsk_pool(dev, index) for index in range(state_of(dev).count)):
            raise Refusal(EBUSY)
        return True

    # Receive-side scaling

    def set_rxfh(self, dev: Device, wanted: Rxfh) -> None:
        """i40e_set_rxfh(): a table that is not said is the default one again."""
        self.check_rxfh(dev, wanted)
        state = state_of(dev)
        if wanted.key is not None:
            state.rxfh.key = wanted.key
        state.rxfh.table = wanted.table or default_table(self.table_for(state.count), state.count)

    def set_rxfh_fields(self, dev: Device, flow: FlowType, context: int, fields: int) -> None:
        """i40e_set_rxfh_fields(): what is said of any but TCP and UDP comes to nothing."""
        if fields & ~PORTS or flow not in self.facts.fields:
            raise Refusal(EINVAL)
        if flow in BY_PORTS:
            state_of(dev).fields[flow] = fields
        elif fields & OF_PORTS and flow not in BY_ADDRESSES:
            raise Refusal(EINVAL)
