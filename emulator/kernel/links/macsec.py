"""macsec: links whose frames are protected on the device that they stand on (drivers/net/macsec.c).

A MACsec device has a channel identifier of its own there, by default of its address, and takes the frames of the device
below, like others that may stand there too. It follows that device: its state, its MTU less what protection takes, its
features; and goes when the device goes or moves. What it protects with is the macsec family's to say
(handlers/macsec.py). The device below may do the work, if its driver can (netdevsim).
"""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import dataclass
from errno import EADDRNOTAVAIL, EBUSY, EINVAL, EOPNOTSUPP, ERANGE
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.core.events import Info, NetdevEvent, Stage
from nlemu.emulator.kernel.devices import (
    adjacency,
    features,
    flags,
    link_watch,
    rx_handler,
    rx_mode,
    settings,
)
from nlemu.emulator.kernel.devices.address import NO_ADDRESS, ether_setup, valid_ethernet
from nlemu.emulator.kernel.devices.device import RX_HANDLER
from nlemu.emulator.kernel.devices.kind import Kind, LinkParams
from nlemu.emulator.kernel.devices.links import delete_links
from nlemu.emulator.kernel.devices.ops import DeviceOps
from nlemu.emulator.kernel.devices.register import KillList, queue_unregister, register, unregister
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.macsec import frames
from nlemu.emulator.kernel.macsec.offload import MacsecOps
from nlemu.emulator.kernel.macsec.secy import (
    CIPHERS,
    DEFAULT_ICV_LEN,
    KEY,
    PORT_ES,
    UNDEF_SCI,
    XPN_MAX_REPLAY_WINDOW,
    Macsec,
    Secy,
    check_icv_len,
    extra_len,
    generation,
    make_sci,
    no_associations,
    on,
    ops_for,
    state_of,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_ import IFF
from nlemu.protocol.uapi.if_arp import ARPHRD
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_MAX_MTU
from nlemu.protocol.uapi.if_link import MacsecOffload
from nlemu.protocol.uapi.if_macsec import MacsecCipherId
from nlemu.protocol.uapi.netdevice import NetifF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlemu.emulator.kernel.core.net import Net
    from nlemu.emulator.kernel.devices.device import Device

PROMISC = int(IFF.PROMISC)
ALLMULTI = int(IFF.ALLMULTI)
OFF = int(MacsecOffload.OFF)
U32 = (1 << 32) - 1
FEATURES = (
    features.SG
    | features.HIGHDMA
    | features.FRAGLIST
    | features.word(NetifF.HW_VLAN_STAG_FILTER, NetifF.HW_VLAN_CTAG_FILTER)
)
OFFLOAD_FEATURES = (
    FEATURES
    | features.GSO_SOFTWARE
    | features.SOFT_FEATURES
    | features.LRO
    | features.word(NetifF.RXHASH)
    | features.CSUM_MASK
    | features.RXCSUM
)


@dataclass(slots=True)
class MacsecParams:
    """IFLA_INFO_DATA of a MACsec device; None: it was not there. sci, port: in network order."""

    sci: int | None = None
    port: int | None = None
    icv_len: int | None = None
    cipher_suite: int | None = None
    window: int | None = None
    encoding_sa: int | None = None
    encrypt: int | None = None
    protect: int | None = None
    inc_sci: int | None = None
    es: int | None = None
    scb: int | None = None
    replay_protect: int | None = None
    validation: int | None = None
    offload: int | None = None


class MacsecDeviceOps(DeviceOps):
    """macsec_netdev_ops. There are no ethtool_ops."""

    reduces_vlan_mtu = True

    def init(self, dev: Device) -> None:
        """macsec_dev_init()."""
        macsec = state_of(dev)
        lower = macsec.lower
        if macsec.offloaded:
            settings.inherit_tso_max(dev, lower)
        dev.hw_features = lower.hw_features & OFFLOAD_FEATURES | features.GSO_SOFTWARE
        dev.features = lower.features & OFFLOAD_FEATURES | features.GSO_SOFTWARE
        make_room(dev)
        if dev.broadcast == NO_ADDRESS:
            dev.broadcast = lower.broadcast

    def open(self, dev: Device) -> None:
        """macsec_dev_open()."""
        lower = state_of(dev).lower
        rx_mode.add_address(lower, dev.address)
        if dev.flags & ALLMULTI:
            rx_mode.change_allmulti(lower, 1)
        if dev.flags & PROMISC:
            flags.set_promiscuity(lower, 1)
        if lower.carrier:
            link_watch.carrier_on(dev)

    def stop(self, dev: Device) -> None:
        """macsec_dev_stop()."""
        macsec = state_of(dev)
        lower = macsec.lower
        link_watch.carrier_off(dev)
        rx_mode.unsync_groups(lower, dev, macsec.groups_given)
        rx_mode.unsync(lower, macsec.given)
        if dev.flags & ALLMULTI:
            rx_mode.change_allmulti(lower, -1)
        if dev.flags & PROMISC:
            flags.set_promiscuity(lower, -1)
        rx_mode.delete_address(lower, dev.address)

    def change_rx_flags(self, dev: Device, change: int) -> None:
        lower = state_of(dev).lower
        if not dev.up:
            return
        if change & ALLMULTI:
            rx_mode.change_allmulti(lower, 1 if dev.flags & ALLMULTI else -1)
        if change & PROMISC:
            flags.set_promiscuity(lower, 1 if dev.flags & PROMISC else -1)

    def set_rx_mode(self, dev: Device) -> None:
        macsec = state_of(dev)
        rx_mode.sync_groups(macsec.lower, dev, macsec.groups_given)
        rx_mode.sync(macsec.lower, dev, macsec.given)

    def set_mac(self, dev: Device, address: bytes) -> None:
        """macsec_set_mac_address(): EADDRNOTAVAIL, and what who offloads refuses."""
        macsec = state_of(dev)
        lower = macsec.lower
        if not valid_ethernet(address):
            raise Refusal(EADDRNOTAVAIL)
        new, old = address[:ETH_ALEN], dev.address
        if dev.up:
            rx_mode.add_address(lower, new)
        dev.address = new
        dev.changed()
        try:
            if macsec.offloaded:
                driver_of(macsec).update_secy(macsec.secy)
        except Refusal:
            if dev.up:
                rx_mode.delete_address(lower, new)
            dev.address = old
            raise
        if dev.up:
            rx_mode.delete_address(lower, old)

    def change_mtu(self, dev: Device, mtu: int) -> None:
        """macsec_change_mtu(): ERANGE. The kernel counts without a sign: below a device that is too small for any
        frame there is room for all."""
        if room_for(state_of(dev)) < mtu:
            raise Refusal(ERANGE)
        dev.mtu = mtu

    def fix_features(self, dev: Device, features_: int) -> int:
        macsec = state_of(dev)
        mask = OFFLOAD_FEATURES if macsec.offloaded else FEATURES
        return features_ & (macsec.lower.features & mask | features.GSO_SOFTWARE | features.SOFT_FEATURES)

    def transmit(self, dev: Device, size: int) -> tuple[Xmit, Device | None]:
        return frames.transmit(dev, size)

    def get_iflink(self, dev: Device) -> int:
        return state_of(dev).lower.ifindex


OPS = MacsecDeviceOps()


def setup(dev: Device) -> None:
    """macsec_setup()."""
    ether_setup(dev)
    dev.min_mtu = 0
    dev.max_mtu = ETH_MAX_MTU
    dev.no_queue = True
    dev.unicast_filter = True
    dev.broadcast = NO_ADDRESS


def driver_of(macsec: Macsec) -> MacsecOps:
    """Who offloads: EOPNOTSUPP when nobody can any more."""
    ops = macsec.ops
    if ops is None:
        raise Refusal(EOPNOTSUPP)
    return ops


def room_for(macsec: Macsec) -> int:
    """The largest MTU that the device below leaves room for, in the kernel's unsigned arithmetic."""
    return macsec.lower.mtu - macsec.longer & U32


def make_room(dev: Device) -> None:
    """macsec_set_head_tail_room()."""
    macsec = state_of(dev)
    here = macsec.ops is None
    dev.needed_headroom = macsec.lower.needed_headroom + (extra_len(True) if here else 0)
    dev.needed_tailroom = macsec.lower.needed_tailroom + (DEFAULT_ICV_LEN if here else 0)


def update_offload(macsec: Macsec, offload: int) -> None:
    """macsec_update_offload(): somebody else does the work from now on. EOPNOTSUPP; EBUSY while the device is up or has
    channels or associations; what the driver refuses."""
    dev = macsec.dev
    if offload != OFF and ops_for(macsec.lower, offload) is None:
        raise Refusal(EOPNOTSUPP)
    if dev.running or macsec.secy.configured:
        raise Refusal(EBUSY)
    driver = ops_for(macsec.lower, macsec.offload if offload == OFF else offload)
    if driver is None:
        raise Refusal(EOPNOTSUPP)
    if offload == OFF:
        driver.delete_secy(macsec.secy)
    else:
        driver.add_secy(macsec.secy)
    macsec.offload = offload
    make_room(dev)
    if macsec.offloaded:
        settings.inherit_tso_max(dev, macsec.lower)
    dev.changed()
    features.update_features(dev)


def take(secy: Secy, data: MacsecParams) -> None:
    """macsec_changelink_common(): EINVAL."""
    if data.encoding_sa is not None:
        secy.encoding_sa = data.encoding_sa
        sa = secy.sa[data.encoding_sa]
        secy.operational = sa is not None and sa.active
    for name, value in (
        ("encrypt", data.encrypt), ("protect", data.protect), ("send_sci", data.inc_sci), ("end_station", data.es),
        ("scb", data.scb), ("replay_protect", data.replay_protect),
    ):
        if value is not None:
            setattr(secy, name, bool(value))
    if data.validation is not None:
        secy.validate = data.validation
    if data.cipher_suite is not None:
        secy.key_len, secy.xpn = CIPHERS[MacsecCipherId(data.cipher_suite)]
    if data.window is not None:
        secy.replay_window = data.window
        if secy.xpn and secy.replay_window > XPN_MAX_REPLAY_WINDOW:
            raise Refusal(EINVAL)


OF_STATE = (NetdevEvent.UP, NetdevEvent.DOWN, NetdevEvent.CHANGE)
HEEDED = frozenset({NetdevEvent.FEAT_CHANGE, NetdevEvent.CHANGEMTU, NetdevEvent.UNREGISTER, *OF_STATE})


def follow(event: NetdevEvent, lower: Device, info: Info) -> None:
    """macsec_notify(): something happens to a device that others stand on. They go with it, even if it only moves."""
    if KEY not in lower.attached:
        return
    devices = tuple(on(lower))
    if event in OF_STATE:
        for dev in devices:
            link_watch.transfer_operstate(lower, dev)
    elif event == NetdevEvent.UNREGISTER:
        delete_links(devices)
    elif event == NetdevEvent.CHANGEMTU:
        for dev in devices:
            room = room_for(state_of(dev))
            if dev.mtu > room:
                with suppress(Refusal):
                    settings.set_mtu(dev, room)
    else:
        for dev in devices:
            if state_of(dev).offloaded:
                settings.inherit_tso_max(dev, lower)
            features.update_features(dev)


class MacsecKind(Kind):
    """macsec_link_ops."""

    name = "macsec"
    option = "MACSEC"
    ops = OPS
    setup = staticmethod(setup)
    devtype = "macsec"
    params = MacsecParams
    notifiers = ((Stage.DRIVERS, follow, HEEDED),)

    def validate(self, params: LinkParams) -> None:
        """macsec_validate_attr()."""
        data: MacsecParams | None = params.data
        if data is None:
            return
        if data.icv_len is not None and data.icv_len != DEFAULT_ICV_LEN:
            check_icv_len(data.icv_len)
        if sum(map(bool, (data.inc_sci, data.es, data.scb))) > 1:
            raise Refusal(EINVAL)
        if data.replay_protect and data.window is None:
            raise Refusal(EINVAL)

    def new_link(self, dev: Device, params: LinkParams) -> None:
        """macsec_newlink()."""
        lower = params.demanded_lower()
        if lower.type != ARPHRD.ETHER:
            raise Refusal(EINVAL)
        data: MacsecParams = params.data or MacsecParams()
        offload = OFF if data.offload is None else data.offload
        if offload != OFF and ops_for(lower, offload) is None:
            raise Refusal(EOPNOTSUPP)
        if data.sci is not None and data.inc_sci == 0:
            raise Refusal(EINVAL)
        icv_len = DEFAULT_ICV_LEN if data.icv_len is None else data.icv_len
        dev.mtu = max(lower.mtu - icv_len - extra_len(True), 0)
        taken = rx_handler.is_busy(lower)
        if taken and lower.attached[RX_HANDLER] is not frames.arrive:
            raise Refusal(EBUSY)
        if dev.address == NO_ADDRESS:
            dev.address, dev.addr_assign_type = lower.address, lower.addr_assign_type
        port = PORT_ES if data.port is None else data.port
        sci = make_sci(dev.address, port) if data.sci is None else data.sci
        secy = Secy(make_sci(dev.address, PORT_ES) if sci == UNDEF_SCI else sci, icv_len)
        take(secy, data)
        dev.priv = Macsec(dev, lower, secy, offload)
        register(dev)
        self._join(dev, sci, taken=taken)
        features.update_features(dev)
        link_watch.transfer_operstate(lower, dev)
        dev.kernel.link_watch.fire(dev)
        generation(dev.kernel).count += 1

    def _join(self, dev: Device, sci: int, *, taken: bool) -> None:
        """What follows on its registration, which is undone if it fails: EBUSY for an identifier that another has; what
        who offloads refuses; register_macsec_dev()."""
        macsec = state_of(dev)
        lower = macsec.lower
        linked = False
        try:
            adjacency.link(lower, dev)
            linked = True
            if taken and any(state_of(other).secy.sci == sci for other in on(lower)):
                raise Refusal(EBUSY)
            if macsec.offloaded:
                driver_of(macsec).add_secy(macsec.secy)
            if not taken:
                rx_handler.register(lower, frames.arrive)
                lower.attach(KEY, [])
        except Refusal:
            if linked:
                adjacency.unlink(lower, dev)
            unregister(dev)
            raise
        on(lower).append(dev)

    def del_link(self, dev: Device, kill: KillList) -> None:
        """macsec_dellink()."""
        macsec = state_of(dev)
        lower, secy = macsec.lower, macsec.secy
        ops = macsec.ops
        if ops is not None:
            with suppress(Refusal):
                ops.delete_secy(secy)
        queue_unregister(dev, kill)
        devices = on(lower)
        if dev in devices:
            devices.remove(dev)
        secy.rx_sc = []
        secy.sa = no_associations()
        adjacency.unlink(lower, dev)
        generation(dev.kernel).count += 1
        if not devices:
            lower.attach(KEY, None)
            rx_handler.unregister(lower)

    def change_link(self, dev: Device, data: MacsecParams | None) -> None:
        """macsec_changelink(): EINVAL; what is refused leaves all as it was."""
        if data is None:
            return
        macsec = state_of(dev)
        if any(one is not None for one in (data.cipher_suite, data.icv_len, data.sci, data.port)):
            raise Refusal(EINVAL)
        before = macsec.secy
        macsec.secy = copy.copy(before)
        try:
            take(macsec.secy, data)
            if data.offload is not None and data.offload != macsec.offload:
                update_offload(macsec, data.offload)
            elif macsec.offloaded:
                driver_of(macsec).update_secy(macsec.secy)
        except Refusal:
            macsec.secy = before
            raise
        dev.changed()

    def fill_info(self, dev: Device) -> Mapping[str, Any]:
        macsec = state_of(dev)
        secy = macsec.secy
        return {
            "sci": secy.sci,
            "icv_len": secy.icv_len,
            "cipher_suite": secy.cipher_suite,
            "encoding_sa": secy.encoding_sa,
            "encrypt": secy.encrypt,
            "protect": secy.protect,
            "inc_sci": secy.send_sci,
            "es": secy.end_station,
            "scb": secy.scb,
            "replay_protect": secy.replay_protect,
            "validation": secy.validate,
            "offload": macsec.offload,
            "window": secy.replay_window if secy.replay_protect else None,
        }

    def get_link_net(self, dev: Device) -> Net | None:
        return state_of(dev).lower.net


KIND = MacsecKind()
