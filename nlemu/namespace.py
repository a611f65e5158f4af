"""A namespace of a kernel: what Kernel does with ``netns=``, said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import os
    import subprocess
    from collections.abc import Mapping
    from types import TracebackType

    from nlemu.client import AsyncClient
    from nlemu.emulator.client.client import Client
    from nlemu.emulator.client.stand_in import StandIn
    from nlemu.kernel import Kernel
    from nlemu.nic import Nic


class Namespace:
    """One that is there, by its name. As a context it loses its name at the end, and is gone with its last user.

        with kernel.namespace("pod") as pod:
            pod.run("ip", "link", "add", "red", "type", "dummy")
            assert [link["ifname"] for link in pod.family("rt-link").dump("getlink")] == ["lo", "red"]
    """

    def __init__(self, kernel: Kernel, name: str) -> None:
        self.kernel, self.name = kernel, name

    def family(self, name: str) -> Client:
        """Kernel.family() in it."""
        return self.kernel.family(name, self.name)

    def async_family(self, name: str) -> AsyncClient:
        """Kernel.async_family() in it."""
        return self.kernel.async_family(name, self.name)

    def listen(self, name: str, group: str) -> Client:
        """Kernel.listen() in it."""
        return self.kernel.listen(name, group, self.name)

    def nic(self, profile: str | os.PathLike[str] | Mapping[str, Any], **more: Any) -> Nic:
        """Kernel.nic() in it."""
        return self.kernel.nic(profile, netns=self.name, **more)

    def iproute(self) -> Any:
        """Kernel.iproute() in it."""
        return self.kernel.iproute(self.name)

    def socket(self) -> type[StandIn]:
        """Kernel.socket() in it."""
        return self.kernel.socket(self.name)

    def run(self, *command: str | os.PathLike[str], **options: Any) -> subprocess.CompletedProcess[Any]:
        """Kernel.run() in it."""
        return self.kernel.run(*command, netns=self.name, **options)

    def delete(self) -> None:
        """Takes its name away. Raises ControlError where it has none any more."""
        self.kernel.do(netns_del=self.name)

    def __repr__(self) -> str:
        one = self.kernel.state()["namespaces"].get(self.name)
        told = "gone" if one is None else ", ".join(device["name"] for device in one["devices"])
        return f"<nlemu namespace {self.name}: {told}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.name in self.kernel.state()["namespaces"]:
            self.delete()
