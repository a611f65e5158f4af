"""The SEG6 family: the source of tunnels, and keys (net/ipv6/seg6.c). The order of keys in a dump is that of a hash,
which on Linux differs from boot to boot."""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING

from nlemu.emulator.handlers.common.wanted import need
from nlemu.emulator.kernel.ipv6 import seg6
from nlemu.emulator.kernel.ipv6.seg6 import Key
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.seg6 import DUMPHMAC, GET_TUNSRC, SET_TUNSRC, SETHMAC, Seg6
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.uapi.seg6_genl import SEG6_HMAC_SECRET_LEN

if TYPE_CHECKING:
    from nlemu.emulator.netlink.call import Call, Messages
    from nlemu.protocol.schema.attributes import Values


@doit(SETHMAC)
def set_key(call: Call) -> None:
    """seg6_genl_sethmac(): without a length the key goes. EINVAL, ENOENT."""
    attrs = call.attrs
    need(call, Seg6.hmackeyid, Seg6.secretlen, Seg6.algid)
    number, length = attrs[Seg6.hmackeyid], attrs[Seg6.secretlen]
    if not number or length > SEG6_HMAC_SECRET_LEN:
        raise Refusal(errno.EINVAL)
    known = seg6.of(call.net)
    if not length:
        known.delete(number)
        return
    if Seg6.secret not in attrs or length > len(attrs[Seg6.secret]):
        raise Refusal(errno.EINVAL)
    known.add(Key(number, attrs[Seg6.secret][:length], attrs[Seg6.algid]))


@dumpit(DUMPHMAC)
def dump_keys(call: Call) -> Messages:
    """seg6_genl_dumphmac()."""
    for key in tuple(seg6.of(call.net).keys.values()):
        yield partial(_body, key)


def _body(key: Key) -> bytes:
    """__seg6_hmac_fill_info()."""
    return DUMPHMAC.body({
        Seg6.hmackeyid: key.number, Seg6.secretlen: len(key.secret), Seg6.secret: key.secret,
        Seg6.algid: key.algorithm,
    })


@doit(SET_TUNSRC)
def set_source(call: Call) -> None:
    """seg6_genl_set_tunsrc(): EINVAL."""
    need(call, Seg6.dst)
    seg6.of(call.net).source = call.attrs[Seg6.dst][:16]


@doit(GET_TUNSRC)
def get_source(call: Call) -> Values:
    """seg6_genl_get_tunsrc()."""
    return {Seg6.dst: seg6.of(call.net).source}
