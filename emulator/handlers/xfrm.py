"""XFRM of a kernel in which no SA and no policy was ever made (net/xfrm/xfrm_user.c).

There is no IPsec here, so what makes or changes something is refused as not emulated by the receiver
(emulator/machine/xfrm.py); what asks, deletes or flushes finds nothing, as it would there.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from nlemu.emulator.netlink.parse import parse_message
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families import xfrm
from nlemu.protocol.families.xfrm import Sad, Spd, Xfrma
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.netlink import NLM_F
from nlemu.protocol.uapi.xfrm import IpsecProto, XfrmPolicyDir, XfrmPolicyType, XfrmUserpolicy

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Body, Call, Messages
    from nlemu.protocol.schema.attributes import Attr

SAD_BUCKETS = 8
"""xfrm_state_init(): as many hash buckets as fit into 64 bytes."""
SPD_BUCKETS = 7
"""xfrm_policy_init(): the mask of such a table."""
MOST_BUCKETS = 1 << 20
"""xfrm_state_hashmax, xfrm_policy_hashmax."""
BITS = {Spd.ipv4_thresholds: 32, Spd.ipv6_thresholds: 128}
"""Prefix lengths from which on policies are hashed: of both addresses, the full length at first."""
IPSEC_PROTO_ANY = 255
ADDRESS_BITS = 128
AE_PARAMETERS: tuple[Attr[Any], ...] = (
    Xfrma.ltime_val, Xfrma.replay_val, Xfrma.replay_esn_val, Xfrma.etimer_thresh, Xfrma.replay_thresh,
)


@dumpit(xfrm.GETSA)
def dump_sa(call: Call) -> Messages:
    """xfrm_dump_sa(). Its attributes stand right behind the message's header, and are looked at in the dump."""
    parse_message(call, None, xfrm.TAKEN)
    wanted = call.attrs.get(Xfrma.address_filter)
    if wanted is not None and max(wanted.splen, wanted.dplen) > ADDRESS_BITS:
        raise Refusal(errno.EINVAL)
    yield from ()


@dumpit(xfrm.GETPOLICY)
def dump_policy(call: Call) -> Messages:
    """xfrm_dump_policy(). It looks at nothing."""
    yield from ()


@doit(xfrm.GETSA)
@doit(xfrm.DELSA)
def find_sa(call: Call) -> Body | None:
    """xfrm_user_state_lookup(): ESRCH. Of a protocol that is not IPsec's the source address has to be told: EINVAL."""
    proto = call.fixed.proto
    known = proto in (IPSEC_PROTO_ANY, *IpsecProto)
    if not known and Xfrma.srcaddr not in call.attrs:
        raise Refusal(errno.EINVAL)
    raise Refusal(errno.ESRCH)


@doit(xfrm.GETPOLICY)
@doit(xfrm.DELPOLICY)
def find_policy(call: Call) -> Body | None:
    """xfrm_get_policy(): ENOENT."""
    check_type(call)
    if call.fixed.dir not in tuple(XfrmPolicyDir):
        raise Refusal(errno.EINVAL, "Invalid policy direction")
    raise Refusal(errno.ENOENT)


@doit(xfrm.FLUSHSA)
def flush_sa(call: Call) -> Body | None:
    """xfrm_flush_sa(): an empty table is no error, and nobody hears of it."""
    return None


@doit(xfrm.FLUSHPOLICY)
def flush_policy(call: Call) -> Body | None:
    """xfrm_flush_policy(). EINVAL for a type that there is not."""
    check_type(call)
    return None


@doit(xfrm.GETAE)
def get_ae(call: Call) -> Body | None:
    """xfrm_get_ae(): ESRCH."""
    raise Refusal(errno.ESRCH)


@doit(xfrm.NEWAE)
def new_ae(call: Call) -> Body | None:
    """xfrm_new_ae(): ESRCH."""
    if not any(attr in call.attrs for attr in AE_PARAMETERS):
        raise Refusal(errno.EINVAL, "Missing required attribute for AE")
    if not call.flags & NLM_F.REPLACE:
        raise Refusal(errno.EINVAL, "NLM_F_REPLACE flag is required")
    raise Refusal(errno.ESRCH)


@doit(xfrm.GETSADINFO)
def get_sadinfo(call: Call) -> Body | None:
    """xfrm_get_sadinfo(): the flags come back as they came."""
    figures = {Sad.count: 0, Sad.hash_info: (SAD_BUCKETS, MOST_BUCKETS)}
    return call.op.body(figures, fixed=xfrm.FLAGS.encode(call.fixed))


@doit(xfrm.GETSPDINFO)
def get_spdinfo(call: Call) -> Body | None:
    """xfrm_get_spdinfo()."""
    figures = {
        Spd.info: (0,) * 6,
        Spd.hash_info: (SPD_BUCKETS, MOST_BUCKETS),
        **{attr: (bits, bits) for attr, bits in BITS.items()},
    }
    return call.op.body(figures, fixed=xfrm.FLAGS.encode(call.fixed))


@doit(xfrm.NEWSPDINFO)
def set_spdinfo(call: Call) -> Body | None:
    """xfrm_set_spdinfo(): thresholds are checked, and not emulated. EINVAL."""
    for attr, bits, version in ((Spd.ipv4_thresholds, 32, 4), (Spd.ipv6_thresholds, 128, 6)):
        wanted = call.attrs.get(attr)
        if wanted is not None and max(wanted.lbits, wanted.rbits) > bits:
            raise Refusal(errno.EINVAL, f"Invalid hash threshold (must be <= {bits} for IPv{version})")
    if call.attrs.get(Spd.ipv4_thresholds) or call.attrs.get(Spd.ipv6_thresholds):
        call.machine.refuse_not_emulated("xfrm newspdinfo")
    return None


@doit(xfrm.GETDEFAULT)
def get_default(call: Call) -> Body | None:
    """xfrm_get_default(): packets that no policy is for pass. The structure is padded."""
    return xfrm.DEFAULTS.encode((XfrmUserpolicy.ACCEPT,) * 3) + b"\0"


def check_type(call: Call) -> None:
    """copy_from_user_policy_type(). EINVAL."""
    told = call.attrs.get(Xfrma.policy_type)
    known = {XfrmPolicyType.MAIN}
    if call.machine.build.has("XFRM_SUB_POLICY"):
        known.add(XfrmPolicyType.SUB)
    if told is not None and told.type not in known:
        raise Refusal(errno.EINVAL, "Invalid policy type")
