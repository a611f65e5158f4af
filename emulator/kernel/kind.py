"""Kinds of links: struct rtnl_link_ops, and what a request to create a link says.

A kind knows how a device of its sort is made, joined to a peer, changed and taken away. Parameters are typed values:
whoever parses the request fills them in, and None is what it did not say.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulator.kernel.device import Device
    from emulator.kernel.kernel import Kernel
    from emulator.kernel.net import Net


@dataclass(slots=True)
class LinkParams:
    """What RTM_NEWLINK says of a device to be made, for rtnl_create_link() and rtnl_configure_link()."""

    name: str | None = None
    ifindex: int = 0
    """ifi_index."""
    flags: int = 0
    """ifi_flags."""
    change: int = 0
    """ifi_change."""
    num_tx_queues: int | None = None
    num_rx_queues: int | None = None
    mtu: int | None = None
    address: bytes | None = None
    broadcast: bytes | None = None
    txqlen: int | None = None
    operstate: int | None = None
    link_mode: int | None = None
    group: int | None = None
    gso_max_size: int | None = None
    gso_max_segs: int | None = None
    gro_max_size: int | None = None
    gso_ipv4_max_size: int | None = None
    gro_ipv4_max_size: int | None = None
    data: Any = None
    """IFLA_INFO_DATA as the kind's own dataclass (NetkitParams, VethParams); None when the request had none."""
    peer_net: Net | None = None
    """Where the peer goes (rtnl_newlink_peer_net()); None: the namespace of the requester's device."""


class Kind:
    """A kind of link. One object serves all kernels: it has no state."""

    name = ""

    def num_tx_queues(self, kernel: Kernel) -> int:
        """get_num_tx_queues."""
        return 1

    def num_rx_queues(self, kernel: Kernel) -> int:
        """get_num_rx_queues."""
        return 1

    def alloc(self, kernel: Kernel, name: str, num_tx_queues: int, num_rx_queues: int) -> Device:
        """alloc or setup: a device of this kind, not registered yet."""
        raise NotImplementedError

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """newlink: registers the device, and its peer first where there is one."""
        raise NotImplementedError

    def del_link(self, dev: Device, kill: list[Device]) -> None:
        """dellink: queues the device, and its peer, to be unregistered."""
        raise NotImplementedError

    def change_link(self, dev: Device, params: LinkParams) -> None:
        """changelink, with params.data never None."""
        raise NotImplementedError

    def can_change(self) -> bool:
        """Whether there is a changelink."""
        return type(self).change_link is not Kind.change_link

    def get_link_net(self, dev: Device) -> Net | None:
        """get_link_net: the namespace IFLA_LINK is an index in; None: the kind has no such thing."""
        return None


__all__ = ["Kind", "LinkParams", "field"]
