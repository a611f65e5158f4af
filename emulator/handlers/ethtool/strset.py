"""String sets: the names of bits and counters, the same for all devices or a driver's own (net/ethtool/strset.c)."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from nlemu.emulator.handlers.ethtool.bitset import children
from nlemu.emulator.handlers.ethtool.common import (
    Request,
    check_phy,
    dump_devices,
    named_header,
    parse_header,
    parse_nest,
    start_dump,
)
from nlemu.emulator.kernel.ethtool import link as model
from nlemu.emulator.netlink.call import Body, Call, Messages
from nlemu.emulator.netlink.registry import doit, dumpit
from nlemu.protocol.families.ethtool.commands import STRSET_GET
from nlemu.protocol.families.ethtool.common import (
    STRINGSET_ASKED,
    STRINGSETS_ASKED,
    String,
    Strings,
    Stringset,
    Stringsets,
    Strset,
)
from nlemu.protocol.families.ethtool.strings import STRING_SETS
from nlemu.protocol.refusal import Refusal
from nlemu.protocol.schema.attributes import Attr, Values
from nlemu.protocol.uapi.ethtool import StringSet

if TYPE_CHECKING:
    from nlemu.emulator.kernel.devices.device import Device

PER_DEVICE = frozenset((StringSet.TEST, StringSet.STATS, StringSet.PRIV_FLAGS, StringSet.PHY_STATS))
U16_MAX = 0xFFFF


@dataclass(frozen=True, slots=True)
class Wanted:
    """struct strset_req_info. ids: none for whatever goes with the device, or with none."""

    ids: frozenset[int]
    counts_only: bool


def parse(request: Request) -> Wanted:
    """strset_parse_request(). The counts alone can only be had of sets that are named."""
    attrs = request.attrs
    if Strset.stringsets not in attrs:
        return Wanted(frozenset(), False)
    start, end = attrs.spans[Strset.stringsets.number]
    parse_nest(request.extack, attrs.message, start - 4, end, STRINGSETS_ASKED)
    ids = set()
    for _, at, last in children(attrs, Strset.stringsets):
        one = parse_nest(request.extack, attrs.message, at, last, STRINGSET_ASKED)
        one.require((Stringset.id,))
        number = one[Stringset.id]
        if number > max(StringSet):
            raise Refusal(errno.EOPNOTSUPP, "unknown string set id", at=at)
        ids.add(number)
    return Wanted(frozenset(ids), Strset.counts_only in attrs)


def fill(dev: Device | None, request: Request) -> Values:
    """strset_prepare_data(), strset_fill_reply()."""
    wanted: Wanted = request.options
    if dev is None:
        if wanted.ids & PER_DEVICE:
            raise Refusal(errno.EINVAL, "requested per device strings without dev")
    else:
        check_phy(request)
    sets = []
    for number in StringSet:
        if wanted.ids:
            included = number in wanted.ids
        elif number in PER_DEVICE:
            included = dev is not None
        else:
            included = dev is None and number in STRING_SETS
        if included:
            strings = strings_of(dev, number)
            if strings:
                sets.append(fill_set(number, strings, wanted.counts_only))
    return {Strset.stringsets: {Stringsets.stringset: sets}}


def strings_of(dev: Device | None, number: StringSet) -> tuple[str, ...]:
    """The strings of one set, as far as the device has any. Refusal EOPNOTSUPP: there is no such set."""
    if number in PER_DEVICE:
        return () if dev is None else model.get_strings(dev, number)
    if number not in STRING_SETS:
        raise Refusal(errno.EOPNOTSUPP)
    return STRING_SETS[number]


def fill_set(number: int, strings: tuple[str, ...], counts_only: bool) -> Values:
    """strset_fill_set()."""
    values: dict[Attr[Any], Any] = {Stringset.id: number, Stringset.count: len(strings)}
    if not counts_only:
        nest = {Strings.string: [{String.index: i, String.value: text} for i, text in enumerate(strings)]}
        if len(Strings.spec.layout.encode(nest)) + 4 > U16_MAX:
            raise Refusal(errno.EMSGSIZE)
        values[Stringset.strings] = nest
    return values


@doit(STRSET_GET)
def strset(call: Call) -> Body:
    """ethnl_default_doit(); the one query that goes without a device."""
    request = parse_header(call, demanded=False)
    request.options = parse(request)
    return named_header(STRSET_GET, request.dev) | dict(fill(request.dev, request))


@dumpit(STRSET_GET)
def strset_dump(call: Call) -> Messages:
    """ethnl_default_dumpit()."""
    return dump_devices(call, STRSET_GET, partial(fill), start_dump(call, parse))
