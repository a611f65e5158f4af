"""What MACsec keeps of a device: struct macsec_dev, its SecY, and the channels and associations of that.

A SecY sends on one channel, whose identifier is its own, and listens to the channels that it was told of. A channel has
up to four associations, each a key and the number of the next packet; one is used to send. Identifiers are numbers of
eight bytes, an address and a port.

Those that stand on one device are kept there in the order of their making.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from errno import EEXIST, EINVAL
from typing import TYPE_CHECKING, cast

from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.if_link import MacsecOffload, MacsecValidate
from nlemu.protocol.uapi.if_macsec import MacsecCipherId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlemu.emulator.kernel.devices.device import Device
    from nlemu.emulator.kernel.kernel import Kernel
    from nlemu.emulator.kernel.macsec.offload import MacsecOps

KEY = "macsec"
NUM_AN = 4
"""MACSEC_NUM_AN: associations of a channel."""
PORT_ES = 1
"""MACSEC_PORT_ES"""
UNDEF_SCI = (1 << 64) - 1
UNDEF_SSCI = (1 << 32) - 1
DEFAULT_ICV_LEN = 16
TAG_LEN = 6
"""MACSEC_TAG_LEN: of what marks a frame, without the channel's identifier and the type in front of it."""
SCI_LEN = 8
ETHERTYPE_LEN = 2
GCM_TAGS = frozenset((4, 8, 12, 13, 14, 15, 16))
"""How long a value that checks integrity can be with GCM, in bytes."""
XPN_MAX_REPLAY_WINDOW = (1 << 30) - 1

CIPHERS = {
    MacsecCipherId.DEFAULT: (16, False), MacsecCipherId.GCM_AES_128: (16, False),
    MacsecCipherId.GCM_AES_256: (32, False), MacsecCipherId.GCM_AES_XPN_128: (16, True),
    MacsecCipherId.GCM_AES_XPN_256: (32, True),
}
"""How long the keys of a suite are, and whether its packet numbers are extended ones."""
TOLD = {
    (16, False): MacsecCipherId.DEFAULT, (32, False): MacsecCipherId.GCM_AES_256,
    (16, True): MacsecCipherId.GCM_AES_XPN_128, (32, True): MacsecCipherId.GCM_AES_XPN_256,
}


def extra_len(sci_present: bool) -> int:
    """macsec_extra_len(): how much longer a frame gets at its front."""
    return TAG_LEN + (SCI_LEN if sci_present else 0) + ETHERTYPE_LEN


def make_sci(address: bytes, port: int) -> int:
    """make_sci()."""
    return int.from_bytes(address + port.to_bytes(2, "big"), "big")


# Statistics, by the names of their attributes


@dataclass(slots=True)
class SaStats:
    """struct macsec_rx_sa_stats, macsec_tx_sa_stats."""

    in_pkts_ok: int = 0
    in_pkts_invalid: int = 0
    in_pkts_not_valid: int = 0
    in_pkts_not_using_sa: int = 0
    in_pkts_unused_sa: int = 0
    out_pkts_protected: int = 0
    out_pkts_encrypted: int = 0


@dataclass(slots=True)
class RxscStats:
    """struct macsec_rx_sc_stats."""

    in_octets_validated: int = 0
    in_octets_decrypted: int = 0
    in_pkts_unchecked: int = 0
    in_pkts_delayed: int = 0
    in_pkts_ok: int = 0
    in_pkts_invalid: int = 0
    in_pkts_late: int = 0
    in_pkts_not_valid: int = 0
    in_pkts_not_using_sa: int = 0
    in_pkts_unused_sa: int = 0


@dataclass(slots=True)
class TxscStats:
    """struct macsec_tx_sc_stats."""

    out_pkts_protected: int = 0
    out_pkts_encrypted: int = 0
    out_octets_protected: int = 0
    out_octets_encrypted: int = 0


@dataclass(slots=True)
class SecyStats:
    """struct macsec_dev_stats."""

    out_pkts_untagged: int = 0
    in_pkts_untagged: int = 0
    out_pkts_too_long: int = 0
    in_pkts_no_tag: int = 0
    in_pkts_bad_tag: int = 0
    in_pkts_unknown_sci: int = 0
    in_pkts_no_sci: int = 0
    in_pkts_overrun: int = 0


@dataclass(slots=True, eq=False)
class Sa:
    """struct macsec_tx_sa, macsec_rx_sa. next_pn: of eight bytes; ssci, salt: with extended packet numbers."""

    key: bytes
    keyid: bytes
    next_pn: int = 1
    active: bool = False
    ssci: int = UNDEF_SSCI
    salt: bytes = b""
    stats: SaStats = field(default_factory=SaStats)


def no_associations() -> list[Sa | None]:
    """Those of a channel that was just made."""
    return [None] * NUM_AN


@dataclass(slots=True, eq=False)
class RxSc:
    """struct macsec_rx_sc."""

    sci: int
    active: bool
    sa: list[Sa | None] = field(default_factory=no_associations)
    stats: RxscStats = field(default_factory=RxscStats)


@dataclass(slots=True, eq=False)
class Secy:
    """struct macsec_secy and its transmit channel. replay_window: as it was told last, kept though it is not told;
    operational: false once there was nothing to protect a frame with."""

    sci: int
    icv_len: int
    key_len: int = 16
    xpn: bool = False
    validate: int = int(MacsecValidate.STRICT)
    operational: bool = True
    protect: bool = True
    replay_protect: bool = False
    replay_window: int = 0
    encoding_sa: int = 0
    encrypt: bool = False
    send_sci: bool = True
    end_station: bool = False
    scb: bool = False
    sa: list[Sa | None] = field(default_factory=no_associations)
    tx_stats: TxscStats = field(default_factory=TxscStats)
    rx_sc: list[RxSc] = field(default_factory=list)
    """The newest first."""

    @property
    def cipher_suite(self) -> int:
        """The suite as it is told."""
        return int(TOLD[self.key_len, self.xpn])

    @property
    def configured(self) -> bool:
        """macsec_is_configured()."""
        return bool(self.rx_sc) or any(self.sa)

    @property
    def sends_sci(self) -> bool:
        """macsec_send_sci(): whether its frames bear the channel's identifier."""
        several = sum(one.active for one in self.rx_sc) > 1
        return self.send_sci or (several and not self.end_station and not self.scb)

    def channel(self, sci: int) -> RxSc | None:
        """find_rx_sc()."""
        return next((one for one in self.rx_sc if one.sci == sci), None)


@dataclass(slots=True, eq=False)
class Macsec:
    """struct macsec_dev of ``dev``, which stands on ``lower``. given, groups_given: the addresses and groups that the
    device below lets in for it."""

    dev: Device
    lower: Device
    secy: Secy
    offload: int = int(MacsecOffload.OFF)
    stats: SecyStats = field(default_factory=SecyStats)
    given: set[bytes] = field(default_factory=set)
    groups_given: set[bytes] = field(default_factory=set)

    @property
    def offloaded(self) -> bool:
        """macsec_is_offloaded()."""
        return self.offload != MacsecOffload.OFF

    @property
    def ops(self) -> MacsecOps | None:
        """macsec_get_ops(): who does the work, if it is not done here."""
        return ops_for(self.lower, self.offload)

    @property
    def longer(self) -> int:
        """How much longer a frame may get, in bytes."""
        return self.secy.icv_len + extra_len(True)


def ops_for(lower: Device, offload: int) -> MacsecOps | None:
    """macsec_check_offload(): who on that device can do it so. No device here has a PHY that could."""
    return lower.ops.macsec_ops(lower) if offload == MacsecOffload.MAC else None


def state_of(dev: Device) -> Macsec:
    """macsec_priv()."""
    state: Macsec = dev.priv
    return state


def on(lower: Device) -> list[Device]:
    """macsec_rxh_data.secys: the devices that stand on that one."""
    found: list[Device] = lower.attached.get(KEY, [])
    return found


def create_channel(macsec: Macsec, sci: int, *, active: bool) -> RxSc:
    """create_rx_sc(): EEXIST when somebody on the device below listens to it."""
    if any(state_of(other).secy.channel(sci) is not None for other in on(macsec.lower)):
        raise Refusal(EEXIST)
    channel = RxSc(sci, active)
    macsec.secy.rx_sc.insert(0, channel)
    return channel


def check_icv_len(length: int) -> None:
    """macsec_alloc_tfm() of a key of zeros: EINVAL."""
    if length not in GCM_TAGS:
        raise Refusal(EINVAL)


@dataclass(slots=True)
class Generation:
    """macsec_generation: how often a device came or went."""

    count: int = 1


def generation(kernel: Kernel) -> Generation:
    """That of a machine."""
    return cast("Generation", kernel.init_net.generic.setdefault(KEY, Generation()))


def associations(sas: Sequence[Sa | None]) -> list[tuple[int, Sa]]:
    """Those that a channel has, with their numbers."""
    return [(number, sa) for number, sa in enumerate(sas) if sa is not None]
