"""The macsec family: channels and associations of MACsec devices (drivers/net/macsec.c).

There is no specification of it. Nests are looked into by the handlers, each by a policy of its own (RXSC_CONFIG,
SA_CONFIG, OFFLOAD_CONFIG); the family's says just that they are nests.
"""

from nlemu.protocol.families.route.kinds.macsec import LAST_AN
from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half
from nlemu.protocol.schema.kinds import array, be32, be64, binary, either_uint, nest, u8, u32, u64
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.genetlink import GenlFlag
from nlemu.protocol.uapi.if_link import MacsecOffload, MacsecValidate
from nlemu.protocol.uapi.if_macsec import (
    MACSEC_GENL_NAME,
    MACSEC_GENL_VERSION,
    MACSEC_KEYID_LEN,
    MACSEC_MAX_KEY_LEN,
    MACSEC_SALT_LEN,
    MacsecCipherId,
    MacsecCmd,
)
from nlemu.protocol.uapi.netlink import NLM_F


class MacsecSecy(AttrSet):
    """MACSEC_SECY_ATTR_*, written as by nla_put_secy()."""

    sci = Attr(1, be64)
    encoding_sa = Attr(2, u8)
    window = Attr(3, u32)
    cipher_suite = Attr(4, u64, shown=MacsecCipherId)
    icv_len = Attr(5, u8)
    protect = Attr(6, u8)
    replay = Attr(7, u8)
    oper = Attr(8, u8)
    validate = Attr(9, u8, shown=MacsecValidate)
    encrypt = Attr(10, u8)
    inc_sci = Attr(11, u8)
    es = Attr(12, u8)
    scb = Attr(13, u8)
    order = (
        sci, cipher_suite, icv_len, oper, protect, replay, validate, encrypt, inc_sci, es, scb, encoding_sa, window,
    )


class MacsecSaStats(AttrSet):
    """MACSEC_SA_STATS_ATTR_*: the first of what is received, the others of what is sent."""

    in_pkts_ok = Attr(1, u32)
    in_pkts_invalid = Attr(2, u32)
    in_pkts_not_valid = Attr(3, u32)
    in_pkts_not_using_sa = Attr(4, u32)
    in_pkts_unused_sa = Attr(5, u32)
    out_pkts_protected = Attr(6, u32)
    out_pkts_encrypted = Attr(7, u32)


class MacsecRxscStats(AttrSet):
    """MACSEC_RXSC_STATS_ATTR_*."""

    in_octets_validated = Attr(1, u64)
    in_octets_decrypted = Attr(2, u64)
    in_pkts_unchecked = Attr(3, u64)
    in_pkts_delayed = Attr(4, u64)
    in_pkts_ok = Attr(5, u64)
    in_pkts_invalid = Attr(6, u64)
    in_pkts_late = Attr(7, u64)
    in_pkts_not_valid = Attr(8, u64)
    in_pkts_not_using_sa = Attr(9, u64)
    in_pkts_unused_sa = Attr(10, u64)


class MacsecTxscStats(AttrSet):
    """MACSEC_TXSC_STATS_ATTR_*."""

    out_pkts_protected = Attr(1, u64)
    out_pkts_encrypted = Attr(2, u64)
    out_octets_protected = Attr(3, u64)
    out_octets_encrypted = Attr(4, u64)


class MacsecSecyStats(AttrSet):
    """MACSEC_SECY_STATS_ATTR_*."""

    out_pkts_untagged = Attr(1, u64)
    in_pkts_untagged = Attr(2, u64)
    out_pkts_too_long = Attr(3, u64)
    in_pkts_no_tag = Attr(4, u64)
    in_pkts_bad_tag = Attr(5, u64)
    in_pkts_unknown_sci = Attr(6, u64)
    in_pkts_no_sci = Attr(7, u64)
    in_pkts_overrun = Attr(8, u64)


class MacsecSa(AttrSet):
    """MACSEC_SA_ATTR_*: an association, of the transmit channel or of a receive channel."""

    an = Attr(1, u8, max=LAST_AN)
    active = Attr(2, u8, max=1)
    pn = Attr(3, either_uint, min=1)
    key = Attr(4, binary, max=MACSEC_MAX_KEY_LEN)
    keyid = Attr(5, binary, min=MACSEC_KEYID_LEN, max=MACSEC_KEYID_LEN)
    stats = Attr(6, nest(MacsecSaStats, flagged=False))
    ssci = Attr(8, be32)
    salt = Attr(9, binary, min=MACSEC_SALT_LEN, max=MACSEC_SALT_LEN)
    order = (stats, an, pn, keyid, ssci, active, key, salt)


SA_CONFIG = Policy(
    MacsecSa.an, MacsecSa.active, MacsecSa.pn, MacsecSa.key, MacsecSa.keyid, MacsecSa.ssci.but(kind=u32), MacsecSa.salt
)
"""macsec_genl_sa_policy"""
PN, XPN = MacsecSa.pn.but(kind=u32), MacsecSa.pn.but(kind=u64)
SA = Layout(MacsecSa.stats, MacsecSa.an, PN, MacsecSa.keyid, MacsecSa.active)
XPN_SA = Layout(MacsecSa.stats, MacsecSa.an, XPN, MacsecSa.keyid, MacsecSa.ssci, MacsecSa.active)
"""How an association is told: with extended packet numbers, these have eight bytes whatever they are."""


class MacsecRxsc(AttrSet):
    """MACSEC_RXSC_ATTR_*: a receive channel."""

    sci = Attr(1, be64)
    active = Attr(2, u8, max=1)
    sa_list = Attr(3, array(nest(MacsecSa, flagged=False), flagged=False))
    stats = Attr(4, nest(MacsecRxscStats, flagged=False))
    order = (active, sci, stats, sa_list)


RXSC_CONFIG = Policy(MacsecRxsc.sci.but(kind=u64), MacsecRxsc.active)
"""macsec_genl_rxsc_policy"""


class MacsecOffloadAttr(AttrSet):
    """MACSEC_OFFLOAD_ATTR_*."""

    type = Attr(1, u8, enum=MacsecOffload)


OFFLOAD_CONFIG = Policy(MacsecOffloadAttr.type)
"""macsec_genl_offload_policy"""


class Macsec(AttrSet):
    """MACSEC_ATTR_*, written as by dump_secy()."""

    ifindex = Attr(1, u32)
    rxsc_config = Attr(2, nest(None, told=MacsecRxsc))
    sa_config = Attr(3, nest(None, told=MacsecSa))
    secy = Attr(4, nest(MacsecSecy, flagged=False))
    txsa_list = Attr(5, array(nest(MacsecSa, flagged=False), flagged=False))
    rxsc_list = Attr(6, array(nest(MacsecRxsc, flagged=False), flagged=False))
    txsc_stats = Attr(7, nest(MacsecTxscStats, flagged=False))
    secy_stats = Attr(8, nest(MacsecSecyStats, flagged=False))
    offload = Attr(9, nest(MacsecOffloadAttr, flagged=False))
    order = (
        ifindex, offload, secy, txsc_stats, secy_stats, txsa_list, rxsc_list, rxsc_config, sa_config,
    )


TAKEN = Policy(
    Macsec.ifindex, Macsec.rxsc_config, Macsec.sa_config, Macsec.offload.but(kind=nest(None, told=MacsecOffloadAttr)),
    top=9, chosen_from=Macsec,
)
"""macsec_genl_policy"""

macsec = Family(
    MACSEC_GENL_NAME, version=MACSEC_GENL_VERSION, attributes=9, strict_from=MacsecCmd.UPD_OFFLOAD + 1,
    dump_flags=NLM_F.MULTI, option="MACSEC",
)

GET_TXSC = macsec.operation(
    MacsecCmd.GET_TXSC, Macsec, dump=Half(None, done_apart=True), replies=Layout(*Macsec.order)
)
SET = Half(TAKEN, flags=GenlFlag.ADMIN_PERM, level=LIBERAL)
ADD_RXSC = macsec.operation(MacsecCmd.ADD_RXSC, Macsec, do=SET)
DEL_RXSC = macsec.operation(MacsecCmd.DEL_RXSC, Macsec, do=SET)
UPD_RXSC = macsec.operation(MacsecCmd.UPD_RXSC, Macsec, do=SET)
ADD_TXSA = macsec.operation(MacsecCmd.ADD_TXSA, Macsec, do=SET)
DEL_TXSA = macsec.operation(MacsecCmd.DEL_TXSA, Macsec, do=SET)
UPD_TXSA = macsec.operation(MacsecCmd.UPD_TXSA, Macsec, do=SET)
ADD_RXSA = macsec.operation(MacsecCmd.ADD_RXSA, Macsec, do=SET)
DEL_RXSA = macsec.operation(MacsecCmd.DEL_RXSA, Macsec, do=SET)
UPD_RXSA = macsec.operation(MacsecCmd.UPD_RXSA, Macsec, do=SET)
UPD_OFFLOAD = macsec.operation(MacsecCmd.UPD_OFFLOAD, Macsec, do=SET)
