"""The macsec family: what MACsec devices protect with, and what they counted (drivers/net/macsec.c).

Whatever is wrong inside a nest is EINVAL, without a word. What the device below offloads is done there as well, and
undone here if it refuses.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.kernel.links.macsec import driver_of, update_offload
from nlemu.emulator.kernel.macsec.secy import (
    Macsec as MacsecDevice,
)
from nlemu.emulator.kernel.macsec.secy import (
    RxSc,
    RxscStats,
    Sa,
    SaStats,
    Secy,
    SecyStats,
    TxscStats,
    associations,
    create_channel,
    generation,
    state_of,
)
from nlemu.emulator.netlink.call import Call, Messages
from nlemu.emulator.netlink.dump import Dump
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.macsec import (
    ADD_RXSA,
    ADD_RXSC,
    ADD_TXSA,
    DEL_RXSA,
    DEL_RXSC,
    DEL_TXSA,
    GET_TXSC,
    OFFLOAD_CONFIG,
    PN,
    RXSC_CONFIG,
    SA,
    SA_CONFIG,
    UPD_OFFLOAD,
    UPD_RXSA,
    UPD_RXSC,
    UPD_TXSA,
    XPN,
    XPN_SA,
    Macsec,
    MacsecOffloadAttr,
    MacsecRxsc,
    MacsecRxscStats,
    MacsecSa,
    MacsecSaStats,
    MacsecSecy,
    MacsecSecyStats,
    MacsecTxscStats,
)
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Attrs, Values
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.wire.extack import Extack
from nlemu.protocol.wire.validate import validate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

PN_LEN, XPN_LEN = 4, 8
"""MACSEC_DEFAULT_PN_LEN, MACSEC_XPN_PN_LEN"""
RX_SA = (
    MacsecSaStats.in_pkts_ok, MacsecSaStats.in_pkts_invalid, MacsecSaStats.in_pkts_not_valid,
    MacsecSaStats.in_pkts_not_using_sa, MacsecSaStats.in_pkts_unused_sa,
)
TX_SA = (MacsecSaStats.out_pkts_protected, MacsecSaStats.out_pkts_encrypted)
LOWER = (1 << 32) - 1


# Telling


def told(stats: object, attrs: tuple[Attr[int], ...]) -> Values:
    """Counters, by the names of their attributes."""
    return {attr: getattr(stats, attr.field) for attr in attrs}


def fill_sa(secy: Secy, number: int, sa: Sa, stats: SaStats, attrs: tuple[Attr[int], ...]) -> bytes:
    """An association, as it is told of either channel."""
    values: dict[Attr[Any], Any] = {
        MacsecSa.stats: told(stats, attrs), MacsecSa.an: number, MacsecSa.keyid: sa.keyid, MacsecSa.active: sa.active,
    }
    if secy.xpn:
        return XPN_SA.encode(values | {XPN: sa.next_pn, MacsecSa.ssci: sa.ssci})
    return SA.encode(values | {PN: sa.next_pn & LOWER})


def fill_secy(secy: Secy) -> Values:
    """nla_put_secy()."""
    return {
        MacsecSecy.sci: secy.sci,
        MacsecSecy.cipher_suite: secy.cipher_suite,
        MacsecSecy.icv_len: secy.icv_len,
        MacsecSecy.oper: secy.operational,
        MacsecSecy.protect: secy.protect,
        MacsecSecy.replay: secy.replay_protect,
        MacsecSecy.validate: secy.validate,
        MacsecSecy.encrypt: secy.encrypt,
        MacsecSecy.inc_sci: secy.send_sci,
        MacsecSecy.es: secy.end_station,
        MacsecSecy.scb: secy.scb,
        MacsecSecy.encoding_sa: secy.encoding_sa,
        MacsecSecy.window: secy.replay_window if secy.replay_protect else None,
    }


def fill(dev: Device) -> Values:
    """dump_secy(). Who offloads counts as well; no driver here tells."""
    macsec = state_of(dev)
    secy, here = macsec.secy, not macsec.offloaded
    return {
        Macsec.ifindex: dev.ifindex,
        Macsec.offload: {MacsecOffloadAttr.type: macsec.offload},
        Macsec.secy: fill_secy(secy),
        Macsec.txsc_stats: told(secy.tx_stats if here else TxscStats(), MacsecTxscStats.order),
        Macsec.secy_stats: told(macsec.stats if here else SecyStats(), MacsecSecyStats.order),
        Macsec.txsa_list: [
            fill_sa(secy, number, sa, sa.stats if here else SaStats(), TX_SA) for number, sa in associations(secy.sa)
        ],
        Macsec.rxsc_list: [
            {
                MacsecRxsc.active: channel.active,
                MacsecRxsc.sci: channel.sci,
                MacsecRxsc.stats: told(channel.stats if here else RxscStats(), MacsecRxscStats.order),
                MacsecRxsc.sa_list: [
                    fill_sa(secy, number, sa, sa.stats if here else SaStats(), RX_SA)
                    for number, sa in associations(channel.sa)
                ],
            }
            for channel in secy.rx_sc
        ],
    }


def is_macsec(dev: Device) -> bool:
    """netif_is_macsec()."""
    return dev.kind is not None and dev.kind.name == "macsec"


@dumpit(GET_TXSC)
def get_txsc(call: Call) -> Dump:
    """macsec_dump_txsc()."""

    def messages() -> Messages:
        for dev in call.net:
            if is_macsec(dev):
                yield partial(fill, dev)

    return Dump(call, messages(), done_apart=True, generation=lambda: generation(call.net.kernel).count)


# What a request names


def inside(call: Call, attr: Attr[Any], policy: Policy) -> Attrs:
    """parse_sa_config() and its like: what a nest holds. EINVAL when it is not there, or anything is wrong in it."""
    span = call.attrs.spans.get(attr.number)
    if span is None:
        raise Refusal(errno.EINVAL)
    try:
        return Attrs(call.message, validate(policy, call.message, *span, LIBERAL, Extack()), *span)
    except Refusal as refused:
        raise Refusal(errno.EINVAL) from refused


def demand(holds: bool) -> None:
    """EINVAL unless that holds."""
    if not holds:
        raise Refusal(errno.EINVAL)


def device_of(call: Call) -> MacsecDevice:
    """get_dev_from_nl(): ENODEV for one that there is not, or of another kind."""
    dev = call.net.device(call.attrs[Macsec.ifindex])
    if dev is None or not is_macsec(dev):
        raise Refusal(errno.ENODEV)
    return state_of(dev)



def channel_of(macsec: MacsecDevice, config: Attrs) -> RxSc:
    """get_rxsc_from_nl(): EINVAL, ENODEV."""
    demand(MacsecRxsc.sci in config)
    channel = macsec.secy.channel(config[MacsecRxsc.sci])
    if channel is None:
        raise Refusal(errno.ENODEV)
    return channel


def association_of(sas: list[Sa | None], config: Attrs) -> Sa:
    """The association of a channel: ENODEV."""
    sa = sas[config[MacsecSa.an]]
    if sa is None:
        raise Refusal(errno.ENODEV)
    return sa


def check_pn(secy: Secy, config: Attrs) -> None:
    """EINVAL for a packet number that has not the length of the suite's."""
    if MacsecSa.pn in config:
        start, end = config.spans[MacsecSa.pn.number]
        demand(end - start == (XPN_LEN if secy.xpn else PN_LEN))


def new_association(secy: Secy, sas: list[Sa | None], config: Attrs) -> Sa:
    """The association that a request describes: EINVAL, and EBUSY where there is one. It has no identifier yet."""
    demand(len(config[MacsecSa.key]) == secy.key_len)
    check_pn(secy, config)
    demand(not secy.xpn or (MacsecSa.ssci in config and MacsecSa.salt in config))
    if sas[config[MacsecSa.an]] is not None:
        raise Refusal(errno.EBUSY)
    sa = Sa(config[MacsecSa.key], config[MacsecSa.keyid], config.get(MacsecSa.pn, 1))
    sa.active = bool(config.get(MacsecSa.active, 0))
    if secy.xpn:
        sa.ssci, sa.salt = config[MacsecSa.ssci], config[MacsecSa.salt]
    return sa


# Channels


@doit(ADD_RXSC)
def add_rxsc(call: Call) -> None:
    """macsec_add_rxsc()."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.rxsc_config, RXSC_CONFIG)
    demand(MacsecRxsc.sci in config)
    macsec = device_of(call)
    channel = create_channel(macsec, config[MacsecRxsc.sci], active=bool(config.get(MacsecRxsc.active, 1)))
    try:
        if macsec.offloaded:
            driver_of(macsec).add_channel(macsec.secy, channel)
    except Refusal:
        macsec.secy.rx_sc.remove(channel)
        raise


@doit(DEL_RXSC)
def del_rxsc(call: Call) -> None:
    """macsec_del_rxsc(): a channel that who offloads refuses to forget is gone all the same."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.rxsc_config, RXSC_CONFIG)
    demand(MacsecRxsc.sci in config)
    macsec = device_of(call)
    channel = channel_of(macsec, config)
    macsec.secy.rx_sc.remove(channel)
    if macsec.offloaded:
        driver_of(macsec).delete_channel(macsec.secy, channel)


@doit(UPD_RXSC)
def upd_rxsc(call: Call) -> None:
    """macsec_upd_rxsc()."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.rxsc_config, RXSC_CONFIG)
    demand(MacsecRxsc.sci in config)
    macsec = device_of(call)
    channel = channel_of(macsec, config)
    before = channel.active
    channel.active = bool(config.get(MacsecRxsc.active, before))
    try:
        if macsec.offloaded:
            driver_of(macsec).update_channel(macsec.secy, channel)
    except Refusal:
        channel.active = before
        raise


# Associations that are sent with


@doit(ADD_TXSA)
def add_txsa(call: Call) -> None:
    """macsec_add_txsa()."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.sa_config, SA_CONFIG)
    demand(all(attr in config for attr in (MacsecSa.an, MacsecSa.pn, MacsecSa.key, MacsecSa.keyid)))
    macsec = device_of(call)
    secy, number = macsec.secy, config[MacsecSa.an]
    sa = new_association(secy, secy.sa, config)
    if macsec.offloaded:
        driver_of(macsec).touch_tx_sa(secy)
    if number == secy.encoding_sa and sa.active:
        secy.operational = True
    secy.sa[number] = sa


@doit(DEL_TXSA)
def del_txsa(call: Call) -> None:
    """macsec_del_txsa(): EBUSY while it is active."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.sa_config, SA_CONFIG)
    demand(MacsecSa.an in config)
    macsec = device_of(call)
    secy = macsec.secy
    if association_of(secy.sa, config).active:
        raise Refusal(errno.EBUSY)
    if macsec.offloaded:
        driver_of(macsec).touch_tx_sa(secy)
    secy.sa[config[MacsecSa.an]] = None


@doit(UPD_TXSA)
def upd_txsa(call: Call) -> None:
    """macsec_upd_txsa()."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.sa_config, SA_CONFIG)
    check_update(config)
    macsec = device_of(call)
    secy = macsec.secy
    sa = association_of(secy.sa, config)
    check_pn(secy, config)
    if macsec.offloaded:
        driver_of(macsec).touch_tx_sa(secy)
    update(sa, config)
    if config[MacsecSa.an] == secy.encoding_sa:
        secy.operational = sa.active


def check_update(config: Attrs) -> None:
    """validate_upd_sa(): EINVAL. What it protects with stays."""
    demand(MacsecSa.an in config)
    demand(not any(attr in config for attr in (MacsecSa.key, MacsecSa.keyid, MacsecSa.ssci, MacsecSa.salt)))


def update(sa: Sa, config: Attrs) -> None:
    """The packet number and whether it is active, if they are said."""
    sa.next_pn = config.get(MacsecSa.pn, sa.next_pn)
    sa.active = bool(config.get(MacsecSa.active, sa.active))


# Associations that are received with


def received_with(call: Call, config: Attrs, rxsc: Attrs) -> tuple[MacsecDevice, RxSc, Sa]:
    """get_rxsa_from_nl(): EINVAL, ENODEV."""
    demand(MacsecSa.an in config)
    macsec = device_of(call)
    channel = channel_of(macsec, rxsc)
    return macsec, channel, association_of(channel.sa, config)


@doit(ADD_RXSA)
def add_rxsa(call: Call) -> None:
    """macsec_add_rxsa()."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.sa_config, SA_CONFIG)
    rxsc = inside(call, Macsec.rxsc_config, RXSC_CONFIG)
    demand(all(attr in config for attr in (MacsecSa.an, MacsecSa.key, MacsecSa.keyid)))
    macsec = device_of(call)
    channel = channel_of(macsec, rxsc)
    sa = new_association(macsec.secy, channel.sa, config)
    if macsec.offloaded:
        driver_of(macsec).touch_rx_sa(macsec.secy, channel)
    channel.sa[config[MacsecSa.an]] = sa


@doit(DEL_RXSA)
def del_rxsa(call: Call) -> None:
    """macsec_del_rxsa(): EBUSY while it is active."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.sa_config, SA_CONFIG)
    rxsc = inside(call, Macsec.rxsc_config, RXSC_CONFIG)
    macsec, channel, sa = received_with(call, config, rxsc)
    if sa.active:
        raise Refusal(errno.EBUSY)
    if macsec.offloaded:
        driver_of(macsec).touch_rx_sa(macsec.secy, channel)
    channel.sa[config[MacsecSa.an]] = None


@doit(UPD_RXSA)
def upd_rxsa(call: Call) -> None:
    """macsec_upd_rxsa()."""
    demand(Macsec.ifindex in call.attrs)
    rxsc = inside(call, Macsec.rxsc_config, RXSC_CONFIG)
    config = inside(call, Macsec.sa_config, SA_CONFIG)
    check_update(config)
    macsec, channel, sa = received_with(call, config, rxsc)
    check_pn(macsec.secy, config)
    if macsec.offloaded:
        driver_of(macsec).touch_rx_sa(macsec.secy, channel)
    update(sa, config)


@doit(UPD_OFFLOAD)
def upd_offload(call: Call) -> None:
    """macsec_upd_offload()."""
    demand(Macsec.ifindex in call.attrs)
    config = inside(call, Macsec.offload, OFFLOAD_CONFIG)
    macsec = device_of(call)
    demand(MacsecOffloadAttr.type in config)
    if macsec.offload != config[MacsecOffloadAttr.type]:
        update_offload(macsec, config[MacsecOffloadAttr.type])
