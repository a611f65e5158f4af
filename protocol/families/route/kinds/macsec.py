"""macsec: IFLA_MACSEC_* of uapi/linux/if_link.h."""

from nlemu.protocol.schema.attributes import Attr, AttrSet
from nlemu.protocol.schema.kinds import be16, be64, sparse_u64, u8, u16, u32, u64
from nlemu.protocol.schema.link_kind import LinkKind
from nlemu.protocol.schema.policy import Policy
from nlemu.protocol.uapi.if_link import MacsecOffload, MacsecValidate
from nlemu.protocol.uapi.if_macsec import MACSEC_MIN_ICV_LEN, MACSEC_STD_ICV_LEN, MacsecCipherId

LAST_AN = 3
"""MACSEC_NUM_AN - 1"""


class Macsec(AttrSet):
    """IFLA_MACSEC_*, written as by macsec_fill_info(); 14 is for padding."""

    sci = Attr(1, be64)
    port = Attr(2, be16)
    icv_len = Attr(3, u8, min=MACSEC_MIN_ICV_LEN, max=MACSEC_STD_ICV_LEN)
    cipher_suite = Attr(4, sparse_u64, shown=MacsecCipherId)
    window = Attr(5, u32)
    encoding_sa = Attr(6, u8, max=LAST_AN)
    encrypt = Attr(7, u8, max=1)
    protect = Attr(8, u8, max=1)
    inc_sci = Attr(9, u8, max=1)
    es = Attr(10, u8, max=1)
    scb = Attr(11, u8, max=1)
    replay_protect = Attr(12, u8, max=1)
    validation = Attr(13, u8, enum=MacsecValidate)
    offload = Attr(15, u8, enum=MacsecOffload)
    order = (
        sci, icv_len, cipher_suite, encoding_sa, encrypt, protect, inc_sci, es, scb, replay_protect, validation,
        offload, window, port,
    )


KIND = LinkKind(
    "macsec", Macsec,
    policy=Policy(
        # The kernel reads these two in network order all the same.
        Macsec.sci.but(kind=u64), Macsec.port.but(kind=u16),
        Macsec.icv_len, Macsec.cipher_suite, Macsec.window, Macsec.encoding_sa, Macsec.encrypt, Macsec.protect,
        Macsec.inc_sci, Macsec.es, Macsec.scb, Macsec.replay_protect, Macsec.validation, Macsec.offload,
    ),
    sized=tuple(attr for attr in Macsec.order if attr is not Macsec.port),
)
"""macsec_link_ops"""
