"""XFRM: IPsec's states (SAs) and policies, as net/xfrm/xfrm_user.c has its messages (xfrm_dispatch, xfrm_msg_min).

Of the structures that requests begin with, those are spelled out of which something is read; of the others the size is
told, by which a request is known to be cut short.
"""

import construct as c

from nlemu.protocol.schema.attributes import Attr, AttrSet, Layout
from nlemu.protocol.schema.family import Family, Half, Operation
from nlemu.protocol.schema.kinds import Structure, flag, structure, u8, u16, u32, u64, unspec
from nlemu.protocol.schema.policy import LIBERAL, Policy
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.xfrm import XFRMA_MAX, XfrmMsg

xfrm = Family("xfrm", dump_flags=NLM_F.MULTI)

usersa_id = c.Struct(
    "daddr" / c.Bytes(16), "spi" / c.Int32ub, "family" / c.Int16ul, "proto" / c.Int8ul, c.Padding(1)
)
userpolicy_id = c.Struct("sel" / c.Bytes(56), "index" / c.Int32ul, "dir" / c.Int8ul, c.Padding(3))
userpolicy_default = c.Struct("in_" / c.Int8ul, "fwd" / c.Int8ul, "out" / c.Int8ul)
userpolicy_type = c.Struct("type" / c.Int8ul, c.Padding(5))
sadhinfo = c.Struct("sadhcnt" / c.Int32ul, "sadhmcnt" / c.Int32ul)
spdinfo = c.Struct(
    "incnt" / c.Int32ul, "outcnt" / c.Int32ul, "fwdcnt" / c.Int32ul,
    "inscnt" / c.Int32ul, "outscnt" / c.Int32ul, "fwdscnt" / c.Int32ul,
)
spdhinfo = c.Struct("spdhcnt" / c.Int32ul, "spdhmcnt" / c.Int32ul)
spdhthresh = c.Struct("lbits" / c.Int8ul, "rbits" / c.Int8ul)
address_filter = c.Struct(
    "saddr" / c.Bytes(16), "daddr" / c.Bytes(16), "family" / c.Int16ul, "splen" / c.Int8ul, "dplen" / c.Int8ul
)


def sized(name: str, size: int) -> Structure:
    """A structure of which nothing but the size matters here."""
    return structure(c.Struct("all" / c.Bytes(size)), name)


SA_INFO = sized("xfrm_usersa_info", 224)
SA_ID = structure(usersa_id, "xfrm_usersa_id")
POLICY_INFO = sized("xfrm_userpolicy_info", 168)
POLICY_ID = structure(userpolicy_id, "xfrm_userpolicy_id")
AEVENT_ID = sized("xfrm_aevent_id", 48)
FLAGS = structure(c.Struct("flags" / c.Int32ul), "flags")
FLUSH = sized("xfrm_usersa_flush", 1)
DEFAULTS = structure(userpolicy_default, "xfrm_userpolicy_default")


class Xfrma(AttrSet):
    """XFRMA_*, with the least sizes of xfrma_policy."""

    alg_auth = Attr(1, unspec, length=68)
    alg_crypt = Attr(2, unspec, length=68)
    alg_comp = Attr(3, unspec, length=68)
    encap = Attr(4, unspec, length=24)
    tmpl = Attr(5, unspec, length=64)
    sa = Attr(6, unspec, length=224)
    policy = Attr(7, unspec, length=168)
    sec_ctx = Attr(8, unspec, length=8)
    ltime_val = Attr(9, unspec, length=32)
    replay_val = Attr(10, unspec, length=12)
    replay_thresh = Attr(11, u32)
    etimer_thresh = Attr(12, u32)
    srcaddr = Attr(13, unspec, length=16)
    coaddr = Attr(14, unspec, length=16)
    lastused = Attr(15, u64)
    policy_type = Attr(16, structure(userpolicy_type, "xfrm_userpolicy_type"))
    migrate = Attr(17, unspec, length=76)
    alg_aead = Attr(18, unspec, length=72)
    kmaddress = Attr(19, unspec, length=40)
    alg_auth_trunc = Attr(20, unspec, length=72)
    mark = Attr(21, unspec, length=8)
    tfcpad = Attr(22, u32)
    replay_esn_val = Attr(23, unspec, length=24)
    sa_extra_flags = Attr(24, u32)
    proto = Attr(25, u8)
    address_filter = Attr(26, structure(address_filter, "xfrm_address_filter"))
    offload_dev = Attr(28, unspec, length=8)
    set_mark = Attr(29, u32)
    set_mark_mask = Attr(30, u32)
    if_id = Attr(31, u32)
    mtimer_thresh = Attr(32, u32)
    sa_dir = Attr(33, u8, min=1, max=2)
    nat_keepalive_interval = Attr(34, u32)
    sa_pcpu = Attr(35, u32)
    iptfs_drop_time = Attr(36, u32)
    iptfs_reorder_window = Attr(37, u16)
    iptfs_dont_frag = Attr(38, flag)
    iptfs_init_delay = Attr(39, u32)
    iptfs_max_qsize = Attr(40, u32)
    iptfs_pkt_size = Attr(41, u32)


class Sad(AttrSet):
    """XFRMA_SAD_*."""

    count = Attr(1, u32)
    hash_info = Attr(2, structure(sadhinfo, "xfrmu_sadhinfo"))


class Spd(AttrSet):
    """XFRMA_SPD_*."""

    info = Attr(1, structure(spdinfo, "xfrmu_spdinfo"))
    hash_info = Attr(2, structure(spdhinfo, "xfrmu_spdhinfo"))
    ipv4_thresholds = Attr(3, structure(spdhthresh, "xfrmu_spdhthresh"))
    ipv6_thresholds = Attr(4, structure(spdhthresh, "xfrmu_spdhthresh"))


TAKEN = Policy(*Xfrma.spec.by_number.values(), top=XFRMA_MAX, strict_from=Xfrma.sa_dir.number, chosen_from=Xfrma)
"""xfrma_policy"""
THRESHOLDS = Policy(Spd.ipv4_thresholds, Spd.ipv6_thresholds, chosen_from=Spd)
"""xfrma_spd_policy"""

ASK = Half(TAKEN, level=LIBERAL)


def _asked(cmd: XfrmMsg, header: Structure | None, dump: Half | None = None) -> Operation:
    return xfrm.operation(cmd, Xfrma, do=ASK, dump=dump, fixed=header)


NEWSA = _asked(XfrmMsg.NEWSA, SA_INFO)
DELSA = _asked(XfrmMsg.DELSA, SA_ID)
GETSA = _asked(XfrmMsg.GETSA, SA_ID, ASK)
NEWPOLICY = _asked(XfrmMsg.NEWPOLICY, POLICY_INFO)
DELPOLICY = _asked(XfrmMsg.DELPOLICY, POLICY_ID)
GETPOLICY = _asked(XfrmMsg.GETPOLICY, POLICY_ID, Half(None))
ALLOCSPI = _asked(XfrmMsg.ALLOCSPI, sized("xfrm_userspi_info", 232))
ACQUIRE = _asked(XfrmMsg.ACQUIRE, sized("xfrm_user_acquire", 280))
EXPIRE = _asked(XfrmMsg.EXPIRE, sized("xfrm_user_expire", 232))
UPDPOLICY = _asked(XfrmMsg.UPDPOLICY, POLICY_INFO)
UPDSA = _asked(XfrmMsg.UPDSA, SA_INFO)
POLEXPIRE = _asked(XfrmMsg.POLEXPIRE, sized("xfrm_user_polexpire", 176))
FLUSHSA = _asked(XfrmMsg.FLUSHSA, FLUSH)
FLUSHPOLICY = _asked(XfrmMsg.FLUSHPOLICY, None)
NEWAE = _asked(XfrmMsg.NEWAE, AEVENT_ID)
GETAE = _asked(XfrmMsg.GETAE, AEVENT_ID)
MIGRATE = _asked(XfrmMsg.MIGRATE, POLICY_ID)
GETSADINFO = xfrm.operation(
    XfrmMsg.GETSADINFO, Sad, do=ASK, replies=Layout(Sad.count, Sad.hash_info), reply_cmd=XfrmMsg.NEWSADINFO,
    fixed=FLAGS,
)
NEWSPDINFO = xfrm.operation(XfrmMsg.NEWSPDINFO, Spd, do=Half(THRESHOLDS, level=LIBERAL), fixed=FLAGS)
GETSPDINFO = xfrm.operation(
    XfrmMsg.GETSPDINFO, Spd, do=ASK, reply_cmd=XfrmMsg.NEWSPDINFO, fixed=FLAGS,
    replies=Layout(Spd.info, Spd.hash_info, Spd.ipv4_thresholds, Spd.ipv6_thresholds),
)
SETDEFAULT = _asked(XfrmMsg.SETDEFAULT, DEFAULTS)
GETDEFAULT = xfrm.operation(XfrmMsg.GETDEFAULT, Xfrma, do=ASK, replies=Layout(), fixed=DEFAULTS)
MIGRATE_STATE = _asked(XfrmMsg.MIGRATE_STATE, sized("xfrm_user_migrate_state", 132))

UNASKED: dict[XfrmMsg, Structure | None] = {
    XfrmMsg.REPORT: sized("xfrm_user_report", 60), XfrmMsg.MAPPING: sized("xfrm_user_mapping", 64),
    XfrmMsg.NEWSADINFO: None,
}
"""What only the kernel says: a request of that type is parsed, and then refused."""
