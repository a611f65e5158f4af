"""Which frames a device lets in: addresses beside its own, and promiscuity (net/core/dev_addr_lists.c).

A device that stands on another and has an address of its own adds that to the one below. A device whose driver can
filter by several addresses takes it in; any other one becomes promiscuous for as long as there are such addresses.
Neither is announced, but the count shows (IFLA_PROMISCUITY). Groups are kept for who asks for
forwarding tables. Those that SIOCADDMULTI asked for, each once, can be taken back.

Drivers that may sleep, or hand flags down, are asked later (netdev_work.py); the others at once. Nothing happens to
the filters of a device that is down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from errno import EEXIST, ENOENT
from typing import TYPE_CHECKING

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

PROMISC = int(IFF.PROMISC)
ALLMULTI = int(IFF.ALLMULTI)
SYNCED = "synced"
"""Under which a device keeps which groups it has from devices above, and from how many."""
NOTHING: Mapping[bytes, int] = {}


def change_promiscuity(dev: Device, inc: int) -> bool:
    """__dev_set_promiscuity(): one more, or one less, who wants all frames; True when the flag is another one now."""
    old = dev.flags
    dev.promiscuity = dev.promiscuity + inc & 0xFFFFFFFF  # nobody looks whether there was one
    dev.flags = old | PROMISC if dev.promiscuity else old & ~PROMISC
    dev.changed()
    if dev.flags == old:
        return False
    dev.ops.change_rx_flags(dev, PROMISC)
    return True


def change_allmulti(dev: Device, inc: int, *, sync: bool = True) -> None:
    """dev_set_allmulti(): one more, or one less, who wants all multicast frames. Not announced: what changes in the
    flags that user space asked for would be, and that is nothing. sync: whether the driver is asked by then."""
    old = dev.flags
    dev.allmulti += inc
    dev.flags = old | ALLMULTI if dev.allmulti else old & ~ALLMULTI
    dev.changed()
    if dev.flags != old:
        dev.ops.change_rx_flags(dev, ALLMULTI)
        update(dev)
    if sync:
        dev.kernel.netdev_work.sync_rx_mode(dev)


def add_address(dev: Device, address: bytes) -> None:
    """dev_uc_add(): one more who wants frames to that address."""
    if not dev.unicast:
        dev.unicast = {}  # there is one empty dict for all devices
    dev.unicast[address] = dev.unicast.get(address, 0) + 1
    update(dev)


def delete_address(dev: Device, address: bytes) -> None:
    """dev_uc_del(): one less; nothing happens if it is not there."""
    count = dev.unicast.get(address)
    if count is None:
        return
    if count > 1:
        dev.unicast[address] = count - 1
    else:
        del dev.unicast[address]
    update(dev)


def add_address_alone(dev: Device, address: bytes) -> None:
    """dev_uc_add_excl(): EEXIST when somebody wants it already."""
    if address in dev.unicast:
        raise Refusal(EEXIST)
    add_address(dev, address)


def add_group(dev: Device, group: bytes) -> None:
    """dev_mc_add(): one more who wants frames to that group."""
    if not dev.multicast:
        dev.multicast = {}
    dev.multicast[group] = dev.multicast.get(group, 0) + 1
    update(dev)


def add_group_alone(dev: Device, group: bytes) -> None:
    """dev_mc_add_excl(): EEXIST when somebody wants it already."""
    if group in dev.multicast:
        raise Refusal(EEXIST)
    add_group(dev, group)


def delete_group(dev: Device, group: bytes) -> None:
    """dev_mc_del(): one less; nothing happens if it is not there."""
    count = dev.multicast.get(group, 0)
    if count > 1:
        dev.multicast[group] = count - 1
    elif count:
        del dev.multicast[group]
    if count:
        update(dev)


def hears(dev: Device) -> bool:
    """Whether the frame to a group that is being sent gets in: the device takes all, or listens to the group."""
    sending = dev.kernel.sending
    return bool(dev.flags & (PROMISC | ALLMULTI)) or (sending is not None and sending.lladdr in dev.multicast)


def forget(dev: Device, address: bytes) -> None:
    """dev_uc_del() or dev_mc_del(), by what it is: ENOENT."""
    group = bool(address[0] & 1)
    if address not in (dev.multicast if group else dev.unicast):
        raise Refusal(ENOENT)
    (delete_group if group else delete_address)(dev, address)


def sync(lower: Device, dev: Device, given: set[bytes]) -> None:
    """dev_uc_sync(): the device below gets the addresses of this one. given: those that it has got, kept by the
    caller."""
    for address in [one for one in given if one not in dev.unicast]:
        given.remove(address)
        delete_address(lower, address)
    for address in [one for one in dev.unicast if one not in given]:
        given.add(address)
        add_address(lower, address)


def unsync(lower: Device, given: set[bytes]) -> None:
    """dev_uc_unsync(): it loses them."""
    for address in sorted(given):
        delete_address(lower, address)
    given.clear()


def sync_groups(lower: Device, dev: Device, given: set[bytes], others: Iterable[set[bytes]] = ()) -> None:
    """dev_mc_sync(): the device below gets the groups of this one, each of which is wanted once more for that. given:
    those that it has got, kept by the caller; others: what other devices below have got (dev_mc_sync_multiple())."""
    for group, count in tuple(dev.multicast.items()):
        if group not in given:
            if count > sum(group in one for one in others):
                given.add(group)
                dev.multicast[group] = count + 1
                _note_synced(lower, group, 1)
                add_group(lower, group)
        elif count == 1 + sum(group in one for one in others):
            _unsync_group(lower, dev, group, given)


def unsync_groups(lower: Device, dev: Device, given: set[bytes]) -> None:
    """dev_mc_unsync(): it loses them."""
    for group in sorted(given):
        _unsync_group(lower, dev, group, given)


def _unsync_group(lower: Device, dev: Device, group: bytes, given: set[bytes]) -> None:
    """__hw_addr_unsync_one(): one of them; but where the device below has forgotten what it had from others, since it
    moved, nothing happens here either, and the group is kept for ever."""
    if group not in lower.attached.get(SYNCED, NOTHING):
        return
    given.remove(group)
    _note_synced(lower, group, -1)
    delete_group(lower, group)
    count = dev.multicast.get(group, 0)
    if count > 1:
        dev.multicast[group] = count - 1
    elif count:
        del dev.multicast[group]


def _note_synced(lower: Device, group: bytes, more: int) -> None:
    """How many devices above have given a group to this one (netdev_hw_addr::synced)."""
    synced: dict[bytes, int] = dict(lower.attached.get(SYNCED, NOTHING))
    synced[group] = synced.get(group, 0) + more
    if not synced[group]:
        del synced[group]
    lower.attach(SYNCED, synced or None)


def add_global_group(dev: Device, group: bytes) -> None:
    """dev_mc_add_global(): frames to that group are wanted, by nobody in particular."""
    if group not in dev.global_groups:
        add_group(dev, group)
    dev.global_groups |= {group}


def delete_global_group(dev: Device, group: bytes) -> None:
    """dev_mc_del_global(): no longer. ENOENT."""
    if group not in dev.global_groups:
        raise Refusal(ENOENT)
    dev.global_groups -= {group}
    delete_group(dev, group)


def flush(dev: Device) -> None:
    """dev_uc_flush(): the device goes, or moves; promiscuity stays as it is."""
    if dev.unicast:
        dev.unicast = {}
    if dev.multicast:
        dev.multicast = {}
    dev.attach(SYNCED, None)
    dev.global_groups = frozenset()


def update(dev: Device) -> None:
    """dev_set_rx_mode(): the driver is asked to filter as the device now wants, at once or soon."""
    if not dev.up or not dev.present:
        return
    if dev.ops_locked or dev.ops.has("change_rx_flags"):
        if dev.unicast or dev.unicast_promiscuous or dev.ops.has("set_rx_mode"):
            dev.kernel.netdev_work.schedule(dev, rx_mode=True)
    else:
        run(dev)


def run(dev: Device) -> None:
    """netif_rx_mode_run()."""
    if not dev.up or not dev.present:
        return
    if not dev.unicast_filter and bool(dev.unicast) != dev.unicast_promiscuous:
        dev.unicast_promiscuous = bool(dev.unicast)
        change_promiscuity(dev, 1 if dev.unicast else -1)
    dev.ops.set_rx_mode(dev)
