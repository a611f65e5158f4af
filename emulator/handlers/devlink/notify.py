"""What devlink tells its group `config`: instances, their objects and ports as they come, change and go; and filters.

Messages answer nobody, so port and sequence number are 0. They are made whenever anybody listens, in whatever
namespace, and reach those in the instance's. A socket can say which instance, or which port, it wants to hear of: what
it says is compared only with what a message has, so whoever names a port hears of instances too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.devlink.device import fill_instance
from nlemu.emulator.handlers.devlink.flash import fill_flash
from nlemu.emulator.handlers.devlink.health import fill_reporter
from nlemu.emulator.handlers.devlink.param import fill_param
from nlemu.emulator.handlers.devlink.port import fill_port
from nlemu.emulator.handlers.devlink.rate import fill_rate
from nlemu.emulator.handlers.devlink.region import fill_region_told, fill_snapshot
from nlemu.emulator.handlers.devlink.trap import fill_group, fill_policer, fill_trap
from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devlink.flash import FlashStatus
from nlemu.emulator.kernel.devlink.health import Reporter
from nlemu.emulator.kernel.devlink.objects import Port
from nlemu.emulator.kernel.devlink.param import Param
from nlemu.emulator.kernel.devlink.rate import Rate
from nlemu.emulator.kernel.devlink.region import Region, Snapshot
from nlemu.emulator.kernel.devlink.trap import Group, Policer, Trap
from nlemu.emulator.kernel.nics.netdevsim.ethtool import PortState
from nlemu.emulator.kernel.nics.ports import function_of
from nlemu.emulator.netlink.registry import doit
from nlemu.protocol.families.devlink.attributes import Devlink
from nlemu.protocol.families.devlink.commands import CONFIG, NOTIFY_FILTER_SET, devlink
from nlemu.protocol.frame import message
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.devlink import DevlinkCmd, DevlinkPortType
from nlemu.protocol.uapi.netlink import NetlinkProtocol

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devlink.instance import Instance
    from nlemu.emulator.kernel.devlink.objects import Object
    from nlemu.emulator.machine.endpoint import Endpoint
    from nlemu.emulator.machine.machine import Machine
    from nlemu.emulator.netlink.call import Call
    from nlemu.protocol.schema.attributes import Values

GENERIC = int(NetlinkProtocol.GENERIC)
CHAIN = {
    NetdevEvent.POST_INIT: False, NetdevEvent.REGISTER: True, NetdevEvent.CHANGENAME: True,
    NetdevEvent.UNREGISTER: False, NetdevEvent.PRE_UNINIT: False,
}
"""What devlink heeds, and whether the port has a network device then."""
IN_NAMESPACE = frozenset({NetdevEvent.REGISTER, NetdevEvent.CHANGENAME, NetdevEvent.UNREGISTER})
"""Of these only what happens in the instance's namespace."""


@dataclass(frozen=True)
class Description:
    """struct devlink_obj_desc: what a message is about, or what a socket wants to hear of. None: not said."""

    bus: str | None = None
    name: str | None = None
    index: int | None = None
    port: int | None = None

    def meets(self, other: Description) -> bool:
        """devlink_obj_desc_match()."""
        pairs = ((self.bus, other.bus), (self.name, other.name), (self.index, other.index), (self.port, other.port))
        return all(ours is None or theirs is None or ours == theirs for ours, theirs in pairs)


FILLS: dict[type, Callable[[Instance, Any], Values]] = {
    type(None): lambda instance, thing: fill_instance(instance), Port: fill_port, Param: fill_param,
    Region: fill_region_told, Snapshot: fill_snapshot, Policer: fill_policer, Group: fill_group, Trap: fill_trap,
    Rate: fill_rate, Reporter: fill_reporter, FlashStatus: fill_flash,
}
"""The message about an object of an instance; None: the instance itself."""


def instance_behind(dev: Device) -> Instance | None:
    """The instance that has the port of a device."""
    if isinstance(dev.priv, PortState):
        return dev.priv.bus_device
    port = dev.devlink_port
    instances = function_of(dev).instances
    return next((one for one in instances if port is not None and one.instance == port.instance), None)


class DevlinkNotify:
    """What one machine's devlink tells, and what its sockets want to hear."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.group = machine.families.group_ids[devlink, CONFIG]
        self.filters: dict[Endpoint, Description] = {}

    def tell(self, instance: Instance, command: DevlinkCmd, thing: Object) -> None:
        """devlink_nl_notify_send_desc()."""
        machine = self.machine
        if not machine.multicast.heard(GENERIC, self.group):
            return
        op = devlink.events[command]
        try:
            values = FILLS[type(thing)](instance, thing)
        except Refusal:  # the driver fails to count: nobody is told
            return
        data = message(machine.number(op), 0, 0, 0, op.body(values))
        port = thing.index if isinstance(thing, Port) else None
        about = Description(instance.bus_name, instance.name, instance.instance, port)

        def wanted(endpoint: Endpoint) -> bool:
            chosen = self.filters.get(endpoint)
            return chosen is None or about.meets(chosen)

        machine.multicast.notify(instance.net, GENERIC, self.group, lambda: data, wanted=wanted)

    def on_event(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        """devlink_port_netdevice_event()."""
        if dev.devlink_port is None:
            return
        instance = instance_behind(dev)
        if instance is None or (event in IN_NAMESPACE and instance.net is not dev.net):
            return
        kind = DevlinkPortType.NOTSET if event is NetdevEvent.PRE_UNINIT else DevlinkPortType.ETH
        port = Port(dev.devlink_port.index, kind, dev if CHAIN[event] else None)
        self.tell(instance, DevlinkCmd.PORT_NEW, port)

    def released(self, endpoint: Endpoint) -> None:
        """devlink_nl_sock_priv_destroy()."""
        self.filters.pop(endpoint, None)


def start(machine: Machine) -> None:
    """From now on the machine's model tells devlink of its instances. Its notifier is registered behind ethtool's."""
    machine.devlink = notify = DevlinkNotify(machine)
    machine.register_notifier(Stage.ETHTOOL, notify.on_event, CHAIN)


@doit(NOTIFY_FILTER_SET)
def notify_filter_set(call: Call) -> None:
    """devlink_nl_notify_filter_set_doit(): what the socket wants to hear from now on; all, if nothing is said."""
    attrs, notify = call.attrs, call.machine.devlink
    assert notify is not None
    chosen = Description(
        attrs.get(Devlink.bus_name), attrs.get(Devlink.dev_name), attrs.get(Devlink.index),
        attrs.get(Devlink.port_index),
    )
    if chosen == Description():
        notify.filters.pop(call.endpoint, None)
    else:
        notify.filters[call.endpoint] = chosen
