"""A NIC that a test has plugged in: a device of a profile, or a netdevsim."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from nlemu.kernel import Kernel


class Nic:
    """One that is there, by its address. As a context it is pulled out at the end.

        nic = kernel.nic("mlx5_core", queues=8)
        kernel.family("netdev").dump("queue-get", {"ifindex": nic.ifindex})
    """

    def __init__(self, kernel: Kernel, address: str, pull: dict[str, Any]) -> None:
        self.kernel, self.address, self._pull = kernel, address, pull

    @property
    def devices(self) -> list[dict[str, Any]]:
        """Its devices as Kernel.state() tells them, each with its namespace beside: one, or one a port."""
        return [
            {**device, "netns": name} for name, one in self.kernel.state()["namespaces"].items()
            for device in one["devices"] if device.get("parent") == self.address
        ]

    def _device(self) -> dict[str, Any]:
        """The first of them. LookupError: it is pulled out."""
        for device in self.devices:
            return device
        raise LookupError(f"there is no device of {self.address}")

    @property
    def name(self) -> str:
        """Of its device, the first one of several; as it is called now. LookupError."""
        return str(self._device()["name"])

    @property
    def ifindex(self) -> int:
        """Of the same. LookupError."""
        return int(self._device()["ifindex"])

    @property
    def netns(self) -> str:
        """In which namespace that is. LookupError."""
        return str(self._device()["netns"])

    def unplug(self) -> None:
        """It is pulled out. Raises ControlError for one that was already."""
        self.kernel.do(**self._pull)

    def __repr__(self) -> str:
        return f"<nlemu NIC {self.address}: {', '.join(one['name'] for one in self.devices) or 'unplugged'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.devices:
            self.unplug()


def free_address(kernel: Kernel) -> str:
    """An address on the PCI bus at which nothing is."""
    taken = {
        device.get("parent") for one in kernel.state()["namespaces"].values() for device in one["devices"]
    }
    return next(one for bus in count(1) if (one := f"0000:{bus:02x}:00.0") not in taken)


def free_number(kernel: Kernel) -> int:
    """A number that no netdevsim has."""
    taken = {
        device.get("parent") for one in kernel.state()["namespaces"].values() for device in one["devices"]
    }
    return next(one for one in count(1) if f"netdevsim{one}" not in taken)
