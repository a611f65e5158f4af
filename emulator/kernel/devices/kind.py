"""Kinds of links: struct rtnl_link_ops, and what a request to create a link says.

A kind knows how a device of its sort is made, joined to a peer or put on another device, changed and taken away. It
is a file of emulator/kernel/links, which walks its folder; what of it stands in messages is declared in
protocol/families/route/kinds. Parameters are typed values: the handler that parses the request fills them in, and
None is what it did not say.

    class WidgetKind(Kind):
        name = "widget"
        params = WidgetParams               # a dataclass; its fields are named as the attributes of the declaration

        ops = WidgetOps()                   # what its driver does
        setup = staticmethod(setup)         # what a device is like before it is registered
        def new_link(self, dev, params): ...                    # params.data is a WidgetParams, or None
        def fill_info(self, dev): return {"colour": ...}        # by the names of attributes

    KIND = WidgetKind()
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EINVAL, ENODEV
from typing import TYPE_CHECKING, Any, ClassVar

from nlemu.emulator.kernel.devices import register
from nlemu.protocol.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nlemu.emulator.kernel.core.events import NetdevEvent, Notifier, Stage
    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.devices.ops import DeviceOps
    from nlemu.emulator.kernel.devices.register import KillList
    from nlemu.emulator.kernel.devices.states import NameAssignment
    from nlemu.emulator.kernel.kernel import Kernel


def of_link(number: int) -> str:
    """Whom to blame (`Refusal.at`): an attribute of the link itself, by its number (IFLA_*), if the request has it."""
    return f"link:{number}"


@dataclass(slots=True)
class LinkParams:
    """What RTM_NEWLINK says of a device to be made, or IFLA_INFO_DATA of its peer (struct rtnl_newlink_params)."""

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
    link: int | None = None
    """IFLA_LINK: the index of the device below, in ``link_net``."""
    master: int | None = None
    """IFLA_MASTER: the index of the device that becomes the master, 0 for none."""
    check_af: Callable[[Device], None] | None = None
    """The last step of validate_linkmsg(): IFLA_AF_SPEC, which is for others to judge; may refuse."""
    file_of: Callable[[int], object | None] = lambda number: None
    """What the requester has open under a number; None: nothing."""
    data: Any = None
    """IFLA_INFO_DATA as the kind's own dataclass (NetkitParams, VethParams); None when the request had none."""
    link_net: Net | None = None
    """rtnl_newlink_link_net(): the namespace that ``link`` is an index in: IFLA_LINK_NETNSID, else the requester's."""
    named_net: Net | None = None
    """struct rtnl_newlink_params: link_net, the namespace that IFLA_LINK_NETNSID says. Tunnels are in it, else in that
    of the device."""
    peer_net: Net | None = None
    """rtnl_newlink_peer_net(): where the peer goes: what IFLA_NET_NS_* in the peer's attributes (or, without peer
    attributes, in the link's own) says, else IFLA_LINK_NETNSID, else the requester's namespace. None: the namespace of
    the link itself."""

    @property
    def lower(self) -> Device | None:
        """The device that IFLA_LINK names, if there is one."""
        return None if self.link is None or self.link_net is None else self.link_net.device(self.link)

    def demanded_lower(self) -> Device:
        """The device below, of a kind that has to lie on one. EINVAL: none is named; ENODEV: it is not there."""
        if self.link is None:
            raise Refusal(EINVAL)
        lower = self.lower
        if lower is None:
            raise Refusal(ENODEV)
        return lower


class Kind:
    """A kind of link. One object serves all kernels: it has no state.

    name: IFLA_INFO_KIND. ops, setup: of its devices. option: the option without which a kernel does not have it.
    params: the dataclass of IFLA_INFO_DATA, slave_params that of IFLA_INFO_SLAVE_DATA; None for a kind that takes
    none. notifiers: its places on the netdevice notifier chain, and the events that each heeds. devtype: DEVTYPE in
    the uevents of its devices (SET_NETDEV_DEVTYPE()), "" for none. needs: the kind whose driver is loaded with this
    one's, for it has the devices in its keeping; "" for none.
    """

    name = ""
    option = ""
    ops: DeviceOps
    setup: Callable[[Device], None]
    devtype = ""
    needs = ""
    timed = False
    """What is told of its devices, and of their slaves, is another thing at another time."""
    goes_first = False
    """Its devices are deleted before all others when a namespace goes (exit_rtnl of struct pernet_operations)."""
    guarded: frozenset[str] = frozenset()
    """What fill_info() says that is for those alone who may administer the network (capable(CAP_NET_ADMIN))."""
    params: type[Any] | None = None
    slave_params: type[Any] | None = None
    sysctls: ClassVar[Mapping[str, Callable[[Net, int], None]]] = {}
    """Settings of a namespace that it knows, by their names below /proc/sys/net, in a folder of its own name: each is
    asked before it is another number, and may refuse."""
    notifiers: tuple[tuple[Stage, Notifier, Iterable[NetdevEvent]], ...] = ()

    def num_tx_queues(self, kernel: Kernel) -> int:
        """get_num_tx_queues."""
        return 1

    def num_rx_queues(self, kernel: Kernel) -> int:
        """get_num_rx_queues."""
        return 1

    def alloc(self, net: Net, name: str, assignment: NameAssignment, tx: int, rx: int) -> Device:
        """alloc, or alloc_netdev_mqs() with setup: a device of this kind that is not registered yet."""
        return register.alloc_device(net, name, self.ops, self.setup, tx=tx, rx=rx, assignment=assignment)

    def validate(self, params: LinkParams) -> None:
        """validate: the request alone, before anything else is looked at; also called for a peer's attributes."""

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """newlink: registers the device, and its peer first where there is one."""
        register.register(dev)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """dellink: queues the device, and its peer, to be unregistered."""
        register.queue_unregister(dev, kill)

    def exit_rtnl(self, net: Net, kill: KillList) -> None:
        """exit_rtnl of struct pernet_operations: a namespace goes, and what is queued here goes before all else."""
        for dev in net if self.goes_first else ():
            if dev.kind is self:
                self.del_link(dev, kill)

    def can_change(self) -> bool:
        """Whether there is a changelink."""
        return type(self).change_link is not Kind.change_link or type(self).change is not Kind.change

    def change(self, dev: Device, data: Any, params: LinkParams) -> None:
        """changelink of a kind that looks at the attributes of the link as well; others have change_link()."""
        self.change_link(dev, data)

    def change_link(self, dev: Device, data: Any) -> None:
        """changelink, with the kind's own dataclass."""
        raise NotImplementedError

    def fill_info(self, dev: Device) -> Mapping[str, Any] | None:
        """fill_info: what the kind says of the device, by the names of its attributes with underscores; None without a
        fill_info. What is None, or missing, is not written."""
        return None

    def fill_xstats(self, dev: Device) -> Any:
        """fill_xstats: the value of the declared structure; None: nothing."""
        return None

    def fill_linkxstats(self, dev: Device, slave: Device | None) -> Mapping[str, Any] | None:
        """fill_linkxstats: statistics that the kind keeps of a device, or of a slave of it; None without one."""
        return None

    def get_link_net(self, dev: Device) -> Net | None:
        """get_link_net: the namespace IFLA_LINK is an index in; None: the kind has no such thing."""
        return None

    # Of a kind whose devices are masters

    def can_change_slave(self) -> bool:
        """Whether there is a slave_changelink."""
        return type(self).change_slave is not Kind.change_slave

    def change_slave(self, dev: Device, slave: Device, data: Any) -> None:
        """slave_changelink, with the kind's own dataclass."""
        raise NotImplementedError

    def fill_slave_info(self, dev: Device, slave: Device) -> Mapping[str, Any] | None:
        """fill_slave_info: what the master says of a slave, as fill_info() does of a device."""
        return None
