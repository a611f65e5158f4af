"""Kinds of links: struct rtnl_link_ops, and what a request to create a link says.

A kind knows how a device of its sort is made, joined to a peer, changed and taken away. Parameters are typed values:
whoever parses the request fills them in, and None is what it did not say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.devices import register

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.register import KillList
    from nlemu.emulator.kernel.devices.states import NameAssignment
    from nlemu.emulator.kernel.kernel import Kernel


@dataclass(slots=True)
class LinkParams:
    """What RTM_NEWLINK says of a device to be made, or IFLA_INFO_DATA of its peer."""

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
    check_af: Callable[[Device], None] | None = None
    """The last step of validate_linkmsg(): IFLA_AF_SPEC, which is for others to judge; may refuse."""
    data: Any = None
    """IFLA_INFO_DATA as the kind's own dataclass (NetkitParams, VethParams); None when the request had none."""
    peer_net: Net | None = None
    """rtnl_newlink_peer_net(): where the peer goes: what IFLA_NET_NS_* in the peer's attributes (or, without peer
    attributes, in the link's own) says, else IFLA_LINK_NETNSID, else the requester's namespace. None: the namespace of
    the link itself."""


class Kind:
    """A kind of link. One object serves all kernels: it has no state."""

    name = ""

    def num_tx_queues(self, kernel: Kernel) -> int:
        """get_num_tx_queues."""
        return 1

    def num_rx_queues(self, kernel: Kernel) -> int:
        """get_num_rx_queues."""
        return 1

    def alloc(self, net: Net, name: str, assignment: NameAssignment, tx: int, rx: int) -> Device:
        """alloc, or alloc_netdev_mqs() with setup: a device of this kind that is not registered yet."""
        raise NotImplementedError

    def validate(self, params: LinkParams) -> None:
        """validate: the link's own attributes, before anything else; also called for a peer's."""

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """newlink: registers the device, and its peer first where there is one."""
        register.register(dev)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """dellink: queues the device, and its peer, to be unregistered."""
        register.queue_unregister(dev, kill)

    def can_change(self) -> bool:
        """Whether there is a changelink."""
        return type(self).change_link is not Kind.change_link

    def change_link(self, dev: Device, data: Any) -> None:
        """changelink, with the kind's own dataclass."""
        raise NotImplementedError

    def get_link_net(self, dev: Device) -> Net | None:
        """get_link_net: the namespace IFLA_LINK is an index in; None: the kind has no such thing."""
        return None
