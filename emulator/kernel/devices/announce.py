"""What rtnetlink says of devices by itself: rtnetlink_event() and rtmsg_ifinfo() of net/core/rtnetlink.c.

Some changes are announced by the verb that makes them, because only it knows the change mask; those that are announced
with an empty mask come through the notifier chain, some with a hint at the event.

The kernel writes every message, whether or not somebody listens, and a message that names another namespace gives that
namespace an id. So ids are given here; the announcer may be as lazy as it likes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.core.events import Info, NetdevEvent
from nlemu.emulator.kernel.devices.states import RegState
from nlemu.protocol.uapi.if_link import IflaEvent

if TYPE_CHECKING:
    from nlemu.emulator.kernel.core.events import Origin
    from nlemu.emulator.kernel.devices.device import Device

ALL = 0xFFFFFFFF
"""The change mask of a device that came, went or moved."""

ANNOUNCED: dict[NetdevEvent, int] = {
    NetdevEvent.REBOOT: IflaEvent.REBOOT,
    NetdevEvent.CHANGEMTU: IflaEvent.NONE,
    NetdevEvent.CHANGEADDR: IflaEvent.NONE,
    NetdevEvent.CHANGENAME: IflaEvent.NONE,
    NetdevEvent.FEAT_CHANGE: IflaEvent.FEATURES,
    NetdevEvent.BONDING_FAILOVER: IflaEvent.BONDING_FAILOVER,
    NetdevEvent.POST_TYPE_CHANGE: IflaEvent.NONE,
    NetdevEvent.NOTIFY_PEERS: IflaEvent.NOTIFY_PEERS,
    NetdevEvent.CHANGEUPPER: IflaEvent.NONE,
    NetdevEvent.RESEND_IGMP: IflaEvent.IGMP_RESEND,
    NetdevEvent.CHANGEINFODATA: IflaEvent.BONDING_OPTIONS,
    NetdevEvent.CHANGELOWERSTATE: IflaEvent.NONE,
    NetdevEvent.CHANGE_TX_QUEUE_LEN: IflaEvent.NONE,
}
"""The events that are told to user space, and the IFLA_EVENT that goes with each (rtnl_get_event())."""


def on_event(event: NetdevEvent, dev: Device, info: Info) -> None:
    """rtnetlink_event()."""
    announce(dev, 0, event=ANNOUNCED[event])


def name_link_net(dev: Device) -> None:
    """rtnl_fill_link_netnsid(): a message about the device names the namespace its other end is in."""
    link_net = None if dev.kind is None else dev.kind.get_link_net(dev)
    if link_net is not None and link_net is not dev.net:
        dev.net.id_alloc(link_net)


def announce(dev: Device, change: int, *, event: int = IflaEvent.NONE, origin: Origin | None = None) -> None:
    """rtmsg_ifinfo(RTM_NEWLINK): says how the device is now; nothing of one that is not registered."""
    if dev.reg_state == RegState.REGISTERED:
        name_link_net(dev)
        dev.kernel.announcer.link_new(dev, change, event=event, origin=origin)


def announce_going(dev: Device, *, new_nsid: int | None = None, new_ifindex: int = 0,
                   origin: Origin | None = None) -> Callable[[], None]:
    """rtmsg_ifinfo_build_skb(RTM_DELLINK): says that the device is gone, or where it went, as it is now; the answer,
    when called, sends it."""
    name_link_net(dev)
    return dev.kernel.announcer.link_going(
        dev, ALL, new_nsid=new_nsid, new_ifindex=new_ifindex, origin=origin
    )
