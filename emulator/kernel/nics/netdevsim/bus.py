"""netdevsim: the bus on which simulated NICs are plugged (drivers/net/netdevsim/bus.c, dev.c).

Writing to files of the bus makes a device with some ports, takes it away, and adds or removes single ports; each port
is a network device, a physical one because it has this bus device as its parent. The verbs here are those files, with
the errnos that a write to them gives.

A bus device is also a devlink instance, numbered from 0 in the order of plugging. It belongs to the namespace of
whoever made it, though its ports may move elsewhere; when that namespace dies, devlink reloads the instance into the
first namespace (device.py).

A bus device that was made but cannot be driven (no queues, or too many) stays on the bus without ports and holds its
number; the write that made it succeeded.
"""

from __future__ import annotations

from contextlib import suppress
from errno import EEXIST, EINVAL, ENODEV, ENOENT, ENOSPC, EOPNOTSUPP
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import NetdevEvent, Stage
from nlemu.emulator.kernel.core.kstrto import UINT_MAX
from nlemu.emulator.kernel.core.uevents import Action
from nlemu.emulator.kernel.devices.address import valid_ethernet
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.nics.netdevsim.device import BUS, BusDevice
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Info
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel

INT_MAX = 0x7FFFFFFF


class Bus:
    """The netdevsim bus of a machine. Ids are 0 to 2147483647."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.devices: dict[int, BusDevice] = {}
        self._next_instance = 0
        kernel.chain.exits.append(self.net_exit)
        kernel.register_notifier(Stage.DRIVERS, self._unregistered, (NetdevEvent.UNREGISTER,))

    def _unregistered(self, event: NetdevEvent, dev: Device, info: Info) -> None:
        """nsim_dev_netdevice_event(): nobody counts for a device that is gone."""
        for device in self.devices.values():
            if device.hw_stats is not None:
                device.hw_stats.forget(dev)

    def take_instance(self) -> int:
        """devlink_alloc_ns(): the number of an instance, of whatever bus. It is never used again while the machine
        runs; the kernel would begin anew after two thousand million."""
        self._next_instance += 1
        return self._next_instance - 1

    def new_device(
        self, device_id: int, ports: int = 1, queues: int = 1, net: Net | None = None
    ) -> BusDevice:
        """new_device: a device with that many ports of that many queues each, in the namespace of whoever writes (the
        first one by default). EINVAL: the numbers are none; ENOSPC: there is one of that id."""
        if not (0 <= device_id <= INT_MAX and 0 <= ports <= UINT_MAX and 0 <= queues <= UINT_MAX):
            raise Refusal(EINVAL, f"a netdevsim device has a number from 0 to {INT_MAX}, and as many ports and queues")
        if device_id in self.devices:
            raise Refusal(ENOSPC, f"there is a netdevsim device {device_id} already")
        device = BusDevice(self, device_id, ports, queues, net or self.kernel.init_net, self.take_instance())
        self.devices[device_id] = device
        device.announce(Action.ADD)
        device.probe()
        if device.driven:
            device.announce(Action.BIND, ("DRIVER", BUS))
        return device

    def del_device(self, device_id: int) -> None:
        """del_device. EINVAL, ENOENT."""
        if not 0 <= device_id <= INT_MAX:
            raise Refusal(EINVAL, f"a netdevsim device has a number from 0 to {INT_MAX}")
        device = self.devices.pop(device_id, None)
        if device is None:
            raise Refusal(ENOENT, f"there is no netdevsim device {device_id}")
        driven = device.driven
        device.remove()
        if driven:
            device.announce(Action.UNBIND)
        device.announce(Action.REMOVE)

    def new_port(self, device_id: int, index: int, perm_address: bytes | None = None) -> Device:
        """The device's new_port. ENOENT: no such device (the file is not there); EINVAL: no index, or not an address
        that a device can have; EEXIST: there is such a port."""
        device = self._driven(device_id)
        if not 0 <= index <= UINT_MAX or (perm_address is not None and not valid_ethernet(perm_address)):
            raise Refusal(EINVAL)
        if index in device.ports:
            raise Refusal(EEXIST)
        return device.add_port(index, perm_address)

    def del_port(self, device_id: int, index: int) -> None:
        """The device's del_port. ENOENT: no such device or port; EINVAL: no index."""
        device = self._driven(device_id)
        if not 0 <= index <= UINT_MAX:
            raise Refusal(EINVAL)
        if index not in device.ports:
            raise Refusal(ENOENT)
        device.remove_port(index)

    def set_vfs(self, device_id: int, count: int) -> None:
        """The device's sriov_numvfs. ENOENT: no such device; EBUSY, ENOMEM: see `BusDevice.set_vfs()`."""
        device = self.devices.get(device_id)
        if device is None:
            raise Refusal(ENOENT)
        device.set_vfs(count)

    def _driven(self, device_id: int) -> BusDevice:
        device = self.devices.get(device_id)
        if device is None:
            raise Refusal(ENOENT)
        if not device.driven:
            # The kernel would follow a null pointer here.
            raise Refusal(ENODEV)
        return device

    def net_exit(self, net: Net) -> None:
        """devlink_pernet_pre_exit(): a namespace dies, before its devices do; its devlink instances go on in the first
        one."""
        for device in list(self.devices.values()):
            if device.net is net and device.driven:
                with suppress(Refusal):
                    device.reload(self.kernel.init_net)


def new_device(
    kernel: Kernel, device_id: int, ports: int = 1, queues: int = 1, net: Net | None = None
) -> BusDevice:
    """`Bus.new_device()` of that machine."""
    return kernel.netdevsim_bus.new_device(device_id, ports, queues, net)


def del_device(kernel: Kernel, device_id: int) -> None:
    """`Bus.del_device()` of that machine."""
    kernel.netdevsim_bus.del_device(device_id)


class NetdevsimKind(Kind):
    """nsim_link_ops: there to be refused. The devices themselves are of no kind."""

    name = "netdevsim"
    option = "NETDEVSIM"

    def validate(self, params: LinkParams) -> None:
        raise Refusal(
            EOPNOTSUPP,
            'netdevsim: Please use: echo "[ID] [PORT_COUNT] [NUM_QUEUES]" > /sys/bus/netdevsim/new_device',
        )


NETDEVSIM = NetdevsimKind()
