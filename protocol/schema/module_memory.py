"""The memory of modules and cables: what is plugged into a cage says who it is by pages of 256 bytes, of which the
lower half is the same in all.

Three standards say where what stands: SFF-8472 (one lane, SFP), SFF-8636 (four lanes, QSFP) and CMIS (faster ones). The
layouts here are of cables of copper without electronics: nothing is monitored, and there is one page (flat memory),
whichever is asked for. Numbers are those of SFF-8024.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import construct as c

from nlemu.protocol.schema.codec import prepare
from nlemu.protocol.schema.structs import u8

HALF, PAGE = 128, 256
COPPER_IN_SFP, COPPER_IN_QSFP = "sff-8472", "sff-8636"
NO_SEPARABLE_CONNECTOR, PASSIVE, UNEQUALIZED, READY = 0x23, 0x04, 0xA0, 0x06
FLAT_QSFP, FLAT_CMIS = 0x04, 0x80
FASTEST = 0xFF
"""Of a nominal rate in hundreds of Mbit/s: it stands elsewhere, in steps of 250."""


def text(room: int) -> c.Construct:
    """ASCII, filled up with spaces."""
    return c.Bytes(room)


who = ("vendor" / text(16), "extended_compliance" / u8, "oui" / c.Bytes(3), "part" / text(16))
sff_8472_base = "sff_8472_base" / c.Struct(
    "identifier" / u8, "extended_identifier" / u8, "connector" / u8, "compliance" / c.Bytes(8), "encoding" / u8,
    "rate" / u8, c.Padding(5), "length" / u8, c.Padding(1), *who, "revision" / text(4), "cable" / u8, c.Padding(2),
)
sff_8472_rest = "sff_8472_rest" / c.Struct(
    c.Padding(2), "fast_rate" / u8, c.Padding(1), "serial" / text(16), "date" / text(8), c.Padding(3),
)
sff_8636_lower = "sff_8636_lower" / c.Struct("identifier" / u8, "standard" / u8, "status" / u8, c.Padding(125))
sff_8636_base = "sff_8636_base" / c.Struct(
    "identifier" / u8, "extended_identifier" / u8, "connector" / u8, "compliance" / c.Bytes(8), "encoding" / u8,
    "rate" / u8, c.Padding(5), "length" / u8, "technology" / u8, "vendor" / text(16), c.Padding(1), "oui" / c.Bytes(3),
    "part" / text(16), "revision" / text(2), c.Padding(5),
)
sff_8636_rest = "sff_8636_rest" / c.Struct(
    "extended_compliance" / u8, c.Padding(3), "serial" / text(16), "date" / text(8), c.Padding(2), "fast_rate" / u8,
)
cmis_lower = "cmis_lower" / c.Struct(
    "identifier" / u8, "standard" / u8, "status" / u8, "state" / u8, c.Padding(81), "media" / u8,
    "host_interface" / u8, "media_interface" / u8, "lanes" / u8, "first_lane" / u8, "no_more" / u8, c.Padding(37),
)
cmis_upper = "cmis_upper" / c.Struct(
    "identifier" / u8, "vendor" / text(16), "oui" / c.Bytes(3), "part" / text(16), "revision" / text(2),
    "serial" / text(16), "date" / text(8), c.Padding(12), "length" / u8, "connector" / u8, c.Padding(8),
    "technology" / u8, c.Padding(9),
)


def pages(module: Mapping[str, Any]) -> dict[int, bytes]:
    """Its memory, by addresses on I2C. module: the fields of a Module (emulator/kernel/devices/module.py): standard,
    identifier, vendor, oui, part, revision, serial, date, metres, rate (Mbit/s of a lane), lanes, compliance,
    extended_compliance, encoding and host_interface."""
    layouts = {COPPER_IN_SFP: _sfp, COPPER_IN_QSFP: _qsfp}
    return {0x50: layouts.get(module["standard"], _cmis)(module)}


def read(module: Mapping[str, Any], address: int, offset: int, length: int) -> bytes | None:
    """So many bytes of a page of it; None: nothing answers at that address."""
    page = pages(module).get(address)
    return None if page is None else page[offset : offset + length]


def image(module: Mapping[str, Any], size: int) -> bytes:
    """All of it in a row: the lower half, and the upper half of one page after the other; of SFP the second address
    instead, which a cable of copper does not have."""
    page = pages(module)[0x50]
    if module["standard"] == COPPER_IN_SFP:
        return page[:size]
    return (page[:HALF] + page[HALF:] * (size // HALF))[:size]


def _padded(value: str, room: int) -> bytes:
    return value.encode("ascii")[:room].ljust(room)


def _common(module: Mapping[str, Any], revision: int) -> dict[str, Any]:
    return {
        "vendor": _padded(module["vendor"], 16), "oui": module["oui"], "part": _padded(module["part"], 16),
        "revision": _padded(module["revision"], revision), "serial": _padded(module["serial"], 16),
        "date": _padded(module["date"], 8), "identifier": module["identifier"], "length": module["metres"],
        "connector": NO_SEPARABLE_CONNECTOR,
    }


def _rate(module: Mapping[str, Any]) -> dict[str, int]:
    hundreds, steps = module["rate"] // 100, module["rate"] // 250
    return {"rate": min(hundreds, FASTEST), "fast_rate": steps if hundreds >= FASTEST else 0}


def _fields(layout: c.Construct, values: Mapping[str, Any]) -> bytes:
    codec = prepare(layout)
    names = codec.unpack(bytes(codec.size))._fields
    return codec.pack(**{name: values[name] for name in names})


def _checked(data: bytes) -> bytes:
    """With the sum behind it."""
    return data + bytes((sum(data) & 0xFF,))


def _sfp(module: Mapping[str, Any]) -> bytes:
    values = _common(module, 4) | _rate(module) | {
        "extended_identifier": 4, "compliance": bytes((0, 0, 0, 0, 0, PASSIVE, 0, 0)), "cable": 1,
        "encoding": module["encoding"], "extended_compliance": module["extended_compliance"],
    }
    return (_checked(_fields(sff_8472_base, values)) + _checked(_fields(sff_8472_rest, values))).ljust(PAGE, b"\0")


def _qsfp(module: Mapping[str, Any]) -> bytes:
    values = _common(module, 2) | _rate(module) | {
        "standard": 7, "status": FLAT_QSFP, "extended_identifier": 0, "technology": UNEQUALIZED,
        "compliance": bytes((module["compliance"],)) + bytes(7), "encoding": module["encoding"],
        "extended_compliance": module["extended_compliance"],
    }
    upper = _checked(_fields(sff_8636_base, values)) + _checked(_fields(sff_8636_rest, values))
    return (_fields(sff_8636_lower, values) + upper).ljust(PAGE, b"\0")


def _cmis(module: Mapping[str, Any]) -> bytes:
    lanes = module["lanes"]
    values = _common(module, 2) | {
        "standard": 0x50, "status": FLAT_CMIS, "state": READY, "media": 3, "media_interface": 1, "lanes": lanes * 0x11,
        "host_interface": module["host_interface"], "first_lane": 1, "no_more": 0xFF, "technology": 0x0A,
        "length": 0x40 | module["metres"],
    }
    return (_fields(cmis_lower, values) + _checked(_fields(cmis_upper, values))).ljust(PAGE, b"\0")
