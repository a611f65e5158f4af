"""Frames of MACsec: what is sent is marked and checked, what comes is looked at (drivers/net/macsec.c).

Who sends needs the association that its channel encodes with; without one a frame is dropped, and so are the following
ones. What arrives goes to whoever listens to the channel that it says, and there by its association; the key decides
whether it is valid. A frame without a mark goes on to the device itself, and to those above that are not strict.

A frame is what it says of itself, and its length. The one that arrives is known as such where the device at the other
end has MACsec too, or nobody who takes its frames; what stands between (a bridge) does not hand it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlemu.emulator.kernel.devices import qdisc, rx_handler
from nlemu.emulator.kernel.devices.device import RX_HANDLER
from nlemu.emulator.kernel.devices.states import Xmit
from nlemu.emulator.kernel.macsec.secy import (
    DEFAULT_ICV_LEN,
    PORT_ES,
    Macsec,
    RxSc,
    Sa,
    Secy,
    extra_len,
    make_sci,
    on,
    state_of,
)
from nlemu.protocol.uapi.if_ether import ETH_ALEN, ETH_HLEN
from nlemu.protocol.uapi.if_link import MacsecValidate

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

LOWER = (1 << 32) - 1
FULL = (1 << 64) - 1
MIN_NON_SHORT_LEN = 48
STRICT, CHECK, DISABLED = int(MacsecValidate.STRICT), int(MacsecValidate.CHECK), int(MacsecValidate.DISABLED)


@dataclass(slots=True)
class Frame:
    """struct macsec_eth_header, and what the value that checks it was made with. sci: None where it does not say, and
    then end_station may be said; length: of the frame that it holds, with its header; changed: its text is another (the
    bit C, and E if it is encrypted)."""

    sender: bytes
    sci: int | None
    end_station: bool
    an: int
    pn: int
    encrypted: bool
    changed: bool
    length: int
    icv_len: int
    key: bytes
    nonce: tuple[int, int, bytes]

    @property
    def whole(self) -> int:
        """Its length as it is sent."""
        return self.length + extra_len(self.sci is not None) + self.icv_len


# Sending


def transmit(dev: Device, size: int) -> tuple[Xmit, Device | None]:
    """macsec_start_xmit()."""
    macsec = state_of(dev)
    secy, lower = macsec.secy, macsec.lower
    if macsec.offloaded:
        return qdisc.transmit(lower, size)
    if not secy.protect:
        macsec.stats.out_pkts_untagged += 1
        return _handed(dev, size, *qdisc.transmit(lower, size))
    frame = _protect(dev, macsec, size) if secy.operational else None
    if frame is None:
        dev.stats.tx_dropped += 1
        return Xmit.SUCCESS, None
    xmit, receiver = _handed(dev, size, *qdisc.transmit(lower, frame.whole))
    return xmit, None if receiver is None else receive(receiver, frame)


def _handed(dev: Device, size: int, xmit: Xmit, receiver: Device | None) -> tuple[Xmit, Device | None]:
    """count_tx(): of what the device below has taken, or says so."""
    if xmit != Xmit.DROP:
        dev.stats.sent(size)
    state_of(dev).lower.changed()
    return xmit, receiver


def _protect(dev: Device, macsec: Macsec, size: int) -> Frame | None:
    """macsec_encrypt(): None for what is dropped."""
    secy = macsec.secy
    sa = secy.sa[secy.encoding_sa]
    if sa is None or not sa.active:
        secy.operational = False
        return None
    pn = sa.next_pn
    _count_on(secy, sa)
    if not pn:
        return None
    nonce = (sa.ssci, pn, sa.salt) if secy.xpn else (secy.sci, pn & LOWER, b"")
    frame = Frame(
        dev.address, secy.sci if secy.sends_sci else None, secy.end_station, secy.encoding_sa, pn & LOWER, secy.encrypt,
        secy.encrypt or secy.icv_len != DEFAULT_ICV_LEN, size, secy.icv_len, sa.key, nonce,
    )
    if frame.whole - ETH_HLEN > macsec.lower.mtu:
        macsec.stats.out_pkts_too_long += 1
        return None
    payload = size - 2 * ETH_ALEN
    if secy.encrypt:
        secy.tx_stats.out_octets_encrypted += payload
        secy.tx_stats.out_pkts_encrypted += 1
        sa.stats.out_pkts_encrypted += 1
    else:
        secy.tx_stats.out_octets_protected += payload
        secy.tx_stats.out_pkts_protected += 1
        sa.stats.out_pkts_protected += 1
    return frame


def _count_on(secy: Secy, sa: Sa) -> None:
    """tx_sa_update_pn(): the next packet has the next number; when there is none any more, nothing is sent."""
    if secy.xpn:
        sa.next_pn = sa.next_pn + 1 & FULL
    else:
        sa.next_pn = sa.next_pn & ~LOWER | (sa.next_pn + 1 & LOWER)
    if not sa.next_pn:
        sa.active = False
        if secy.protect:
            secy.operational = False


# Receiving


def arrive(lower: Device, size: int, sender: bytes) -> Device | None:
    """handle_not_macsec(): a frame to a group, without a mark, has come to the device."""
    for dev in on(lower):
        macsec = state_of(dev)
        if macsec.offloaded and dev.running:
            rx_handler.receive(dev, size, sender)
        elif macsec.secy.validate == STRICT:
            macsec.stats.in_pkts_no_tag += 1
            dev.stats.rx_dropped += 1
            dev.changed()
        elif _queued(dev):
            macsec.stats.in_pkts_untagged += 1
            rx_handler.receive(dev, size, sender)
    return lower


def _queued(dev: Device) -> bool:
    """netif_rx() of a frame for that device: one that is down drops it."""
    if not dev.running:
        dev.stats.rx_dropped += 1
    dev.changed()
    return dev.running


def receive(lower: Device, frame: Frame) -> Device | None:
    """macsec_handle_frame(): a marked frame has come to a device; the device that has what it holds, if any."""
    lower.changed()
    handler = lower.attached.get(RX_HANDLER)
    if handler is None:
        lower.own_stats.rx_dropped += 1  # nobody knows its protocol
        return None
    if handler is not arrive:
        return None
    sci = _channel_of(lower, frame)
    if not sci:
        return None
    for dev in on(lower):
        channel = state_of(dev).secy.channel(sci)
        if channel is not None:
            return _take(dev, channel, sci, frame)
    _nobodys(lower, frame)
    return None


def _channel_of(lower: Device, frame: Frame) -> int:
    """macsec_frame_sci(): 0 for a frame that says nothing, where it is not clear who sent it."""
    if frame.sci is not None:
        return frame.sci
    devices = on(lower)
    if frame.end_station or len(devices) != 1:
        return make_sci(frame.sender, PORT_ES)
    channels = state_of(devices[0]).secy.rx_sc
    return channels[0].sci if len(channels) == 1 and channels[0].active else 0


def _take(dev: Device, channel: RxSc, sci: int, frame: Frame) -> Device | None:
    """The frame is of a channel that the device listens to."""
    macsec = state_of(dev)
    secy = macsec.secy
    dev.changed()
    if not _well_formed(secy, frame):
        macsec.stats.in_pkts_bad_tag += 1
        dev.stats.rx_errors += 1
        return None
    sa = channel.sa[frame.an]
    if sa is None or not sa.active:
        if frame.changed or secy.validate == STRICT:
            channel.stats.in_pkts_not_using_sa += 1
            dev.stats.rx_errors += 1
            return None
        channel.stats.in_pkts_unused_sa += 1
    elif not _checked(dev, channel, sa, sci, frame):
        return None
    if not dev.running:
        dev.stats.rx_dropped += 2  # gro_cells_receive() counts it, and who called that
        return None
    dev.stats.received(frame.whole - extra_len(frame.sci is not None) - secy.icv_len)
    return dev


def _well_formed(secy: Secy, frame: Frame) -> bool:
    """macsec_validate_skb(), of what another such device could have sent."""
    if not frame.pn and not secy.xpn:
        return False
    length = frame.whole - 2 * ETH_ALEN
    least = extra_len(frame.sci is not None) + secy.icv_len
    short = frame.length - 2 * ETH_ALEN
    return length == least + short if short < MIN_NON_SHORT_LEN else length >= least + MIN_NON_SHORT_LEN


def _same_half(one: int, other: int) -> bool:
    """pn_same_half()"""
    return one >> 31 == other >> 31


def _checked(dev: Device, channel: RxSc, sa: Sa, sci: int, frame: Frame) -> bool:
    """The number of the packet, then macsec_decrypt() and macsec_post_decrypt(): whether it is delivered."""
    secy, stats, pn = state_of(dev).secy, channel.stats, frame.pn
    expected = sa.next_pn & LOWER
    lowest = expected - secy.replay_window if expected >= secy.replay_window else 0
    if secy.replay_protect and pn < lowest and (not secy.xpn or _same_half(pn, expected)):
        stats.in_pkts_late += 1
        dev.stats.rx_dropped += 1
        return False
    valid = (frame.changed or secy.validate != DISABLED) and _is_valid(secy, sa, sci, frame)
    if secy.validate != DISABLED:
        payload = frame.length + frame.icv_len - secy.icv_len - 2 * ETH_ALEN
        if frame.encrypted:
            stats.in_octets_decrypted += payload
        else:
            stats.in_octets_validated += payload
    if valid:
        if pn < lowest:
            stats.in_pkts_delayed += 1
        else:
            stats.in_pkts_ok += 1
            sa.stats.in_pkts_ok += 1
        _expect(secy, sa, pn)
        return True
    if frame.changed or secy.validate == STRICT:
        stats.in_pkts_not_valid += 1
        sa.stats.in_pkts_not_valid += 1
        dev.stats.rx_errors += 1
        return False
    if secy.validate == CHECK:
        stats.in_pkts_invalid += 1
        sa.stats.in_pkts_invalid += 1
    elif pn < lowest:
        stats.in_pkts_delayed += 1
    else:
        stats.in_pkts_unchecked += 1
    return True


def _is_valid(secy: Secy, sa: Sa, sci: int, frame: Frame) -> bool:
    """Whether the value that checks the frame is right: the same key, and all that goes into it."""
    if frame.key != sa.key or frame.icv_len != secy.icv_len:
        return False
    if not secy.xpn:
        return frame.nonce == (sci, frame.pn, b"")
    expected, upper = sa.next_pn & LOWER, sa.next_pn >> 32
    if frame.pn < expected and not _same_half(frame.pn, expected):
        upper += 1
    return frame.nonce == (sa.ssci, upper << 32 | frame.pn, sa.salt)


def _expect(secy: Secy, sa: Sa, pn: int) -> None:
    """The packet after the newest one is the next."""
    expected, following = sa.next_pn & LOWER, pn + 1 & LOWER
    if following > expected:
        sa.next_pn = sa.next_pn & ~LOWER | following
    elif secy.xpn and (not following or not _same_half(pn, expected)):
        sa.next_pn = (sa.next_pn >> 32) + 1 << 32 | following


def _nobodys(lower: Device, frame: Frame) -> None:
    """Nobody listens to the channel: those that are not strict have what the frame holds, if they can read it. The
    device itself does not know its protocol."""
    for dev in on(lower):
        macsec = state_of(dev)
        dev.changed()
        if frame.changed or macsec.secy.validate == STRICT:
            macsec.stats.in_pkts_no_sci += 1
            dev.stats.rx_errors += 1
        elif _queued(dev):
            macsec.stats.in_pkts_unknown_sci += 1
            rx_handler.receive(dev, frame.length + frame.icv_len - DEFAULT_ICV_LEN, frame.sender)
        else:
            dev.stats.rx_dropped += 1
    lower.own_stats.rx_dropped += 1
