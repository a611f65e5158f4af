"""What a live NIC tells of itself, in the words of a profile (world/profile.py): as far as its kernel can be asked
without privileges, and only where it is not as its driver's profile has it."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nlemu.emulator.client.live import Live
from nlemu.emulator.kernel.devices.features import HIGHDMA, RX_UDP_TUNNEL_PORT, TSO_MANGLEID, word
from nlemu.emulator.kernel.nics import pci
from nlemu.emulator.kernel.nics.profiles import PROFILES, Profile
from nlemu.emulator.world.observe import values_of
from nlemu.emulator.world.profile import COUNTED, FEATURE_BITS, KERNELS_OWN, RING_KEYS, profile_of
from nlemu.emulator.world.values import ProfileError
from nlemu.protocol.encode.conversation import NlError

SIOCETHTOOL, ETHTOOL_GDRVINFO = 0x8946, 3
DRVINFO = struct.Struct("=I32s32s32s32s32s12s5I")
"""struct ethtool_drvinfo"""
SYS = Path("/sys/class/net")
OF_THE_CORE = KERNELS_OWN | TSO_MANGLEID | RX_UDP_TUNNEL_PORT | HIGHDMA
"""Features that the kernel adds or takes by itself."""
UNKNOWN_SPEED = 0xFFFFFFFF
NUMBERS = ("vendor", "device", "subsystem-vendor", "subsystem-device", "revision", "class")
HDS = ("tcp-data-split", "hds-thresh", "rx-buf-len")
"""What is told of rings where it can be set."""
TOGETHER = (("queues", "max-queues"), ("min-mtu", "max-mtu"))
"""Keys of which one is the limit of the other."""
OPERATIONS = (
    *(("ethtool", f"{what}-get") for what in (
        "rings", "channels", "features", "coalesce", "strset", "privflags", "rss", "linkmodes",
    )),
    ("netdev", "dev-get"), ("netdev", "qstats-get"), ("rt-link", "getlink"),
)


class Told:
    """What a kernel tells of its devices, by operation and index."""

    def __init__(self, live: Live) -> None:
        self.found: dict[tuple[str, int], dict[str, Any]] = {}
        for family, operation in OPERATIONS:
            try:
                messages = live.dump(family, operation)
            except (LookupError, NlError):  # an older kernel
                continue
            for values in map(values_of, messages):
                index = values.get("ifi-index", values.get("ifindex", values.get("header", {}).get("dev-index")))
                if index and "context" not in values:
                    self.found.setdefault((operation, index), values)

    def of(self, operation: str, index: int) -> Mapping[str, Any]:
        """What an operation told of a device; nothing where it did not."""
        return self.found.get((operation, index), {})


def profile_words(told: Told, index: int, device: str, name: str) -> dict[str, Any] | None:
    """The words of a profile of that name for a device; None where its driver's says it all, or it has no driver."""
    driver = driver_of(device)
    if driver is None:
        return None
    start = {"name": name, "driver": driver}
    base = PROFILES.get(driver, Profile(driver, ""))
    words: dict[str, Any] = dict(start)
    for group in groups(told, index, device, base):
        words |= changed(start, base, group)
    return words if len(words) > len(start) or driver not in PROFILES else None


def driver_of(device: str) -> str | None:
    """The driver of what is below a device; None where that is nothing."""
    try:
        return os.path.basename(os.readlink(SYS / device / "device" / "driver"))
    except OSError:
        return None


def changed(start: Mapping[str, Any], base: Profile, words: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those words, unless they change nothing or no profile can have them."""
    try:
        profile = profile_of({**start, **words})
    except ProfileError:
        return {}
    if profile.identity == pci.IDENTITIES.get(base.driver):
        profile = replace(profile, identity=None)
    return words if profile != base else {}


def groups(told: Told, index: int, device: str, base: Profile) -> Iterator[dict[str, Any]]:
    """What is told, in parts that hang together."""
    version, firmware = versions(device)
    yield {"firmware": firmware}
    if version != os.uname().release and (base.version or base.driver not in PROFILES):
        yield {"version": version}
    yield {"pci": numbers(device)}
    link, channels = told.of("getlink", index), told.of("channels-get", index)
    combined = "combined-max" in channels
    side = "combined" if combined else "rx"
    yield {"combined": combined} if channels else {}
    yield {key: channels[word] for key, word in zip(TOGETHER[0], (f"{side}-count", f"{side}-max"), strict=True)
           if word in channels}
    yield {key: link[key] for key in TOGETHER[1] if key in link}
    modes = told.of("linkmodes-get", index)
    if modes.get("speed", UNKNOWN_SPEED) not in (0, UNKNOWN_SPEED):
        yield {"speed": modes["speed"]}
    yield {"rings": rings(told.of("rings-get", index), base)}
    yield {"features": features(told.of("features-get", index), base)}
    spread = told.of("rss-get", index)
    if "indir" in spread and "hkey" in spread:
        yield {"rss": {"table": octets(spread["indir"]) // 4, "key": octets(spread["hkey"])}}
    elif base.rss is not None:
        yield {"rss": False}
    wait = {key: int(one) for key, one in told.of("coalesce-get", index).items() if isinstance(one, int)}
    if wait:
        yield {"coalesce": {"settable": list(wait), "first": {key: one for key, one in wait.items() if one}}}
    sets = listed(told.of("strset-get", index).get("stringsets"), "stringset")
    names = {one["id"]: list(strings(one)) for one in sets}
    if not base.counters.blocks and names.get("stats"):
        yield {"statistics": [{"names": names["stats"]}]}
    flags = names.get("priv-flags", [])
    on = [bit["name"] for bit in bits(told.of("privflags-get", index).get("flags")) if bit.get("value")]
    if tuple(flags) != base.private.names + base.private.of_card or set(on) != base.private.first:
        yield {"private-flags": {"names": flags, "on": on}} if flags else {}
    able = told.of("dev-get", index)
    yield {key: able[word] for key, word in (("xdp", "xdp-features"), ("rx-metadata", "xdp-rx-metadata-features"))
           if word in able}
    yield {"xdp-zc-max-segs": able.get("xdp-zc-max-segs", base.xdp_zc_max_segs)}
    counted = [key for key in told.of("qstats-get", index) if key in COUNTED]
    yield {"qstats": {side: [key[3:] for key in counted if key.startswith(side)] for side in ("rx", "tx")}}


def rings(told: Mapping[str, Any], base: Profile) -> dict[str, Any]:
    """Sizes and limits that are not the base's; of a ring beside others for buffers they hang on more."""
    usual = {key: getattr(base, field) for key, (field, _) in RING_KEYS.items()}
    usual |= {"tx": base.tx_ring or base.ring, "tx-max": base.tx_ring_max or base.ring_max}
    beside = ("rx", "rx-max") if "rx-jumbo-max" in told else ()
    found = {
        key: one for key, one in told.items() if key in RING_KEYS and key not in beside and one != usual[key]
    }
    settable = [key for key in HDS if key in told]
    if base.driver not in PROFILES and settable:
        found["settable"] = settable
    return found


def features(told: Mapping[str, Any], base: Profile) -> dict[str, list[str]]:
    """The lists of a profile, of those features that are otherwise than the base has them."""
    on = {bit["name"] for bit in bits(told.get("active"))}  # of which only those are told that are on
    settable = {bit["name"] for bit in bits(told.get("hw")) if bit.get("value")}
    can = base.features if base.settable is None else base.settable
    found: dict[str, list[str]] = {}
    for name in (bit["name"] for bit in bits(told.get("hw"))):
        mask = word(FEATURE_BITS[name]) if name in FEATURE_BITS else 0
        if not mask or mask & OF_THE_CORE:
            continue
        if (name in on, name in settable) != (bool(base.features & mask), bool(can & mask)):
            which = ("" if name in settable else "fixed-") + ("on" if name in on else "off")
            found.setdefault(which, []).append(name)
    return found


def listed(value: Any, inner: str) -> Iterable[Any]:
    """What a nest has of one attribute, which may be there once."""
    found = (value or {}).get(inner, [])
    return found if isinstance(found, list) else [found]


def bits(value: Any) -> Iterable[Mapping[str, Any]]:
    """Those of a bitset."""
    return [bit for bit in listed((value or {}).get("bits"), "bit") if bit.get("name")]


def strings(of: Mapping[str, Any]) -> Iterator[str]:
    """Those of a string set."""
    for one in listed(of.get("strings"), "string"):
        yield one["value"]


def octets(value: Any) -> int:
    """How many bytes a value has, which is told in digits."""
    return len(value) // 2 if isinstance(value, str) else len(value)


def versions(device: str) -> tuple[str, str]:
    """ethtool_get_drvinfo(): the driver's version, and the firmware's; "" where nothing is told."""
    room = array.array("B", DRVINFO.pack(ETHTOOL_GDRVINFO, *[b""] * 6, *[0] * 5))
    request = struct.pack("16sP16x", device.encode(), room.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            fcntl.ioctl(one, SIOCETHTOOL, request)
        except OSError:
            return os.uname().release, ""
    _, _, version, firmware, *_ = DRVINFO.unpack(room.tobytes())
    return text(version), text(firmware)


def text(value: bytes) -> str:
    """Up to the first NUL."""
    return value.partition(b"\0")[0].decode("utf-8", "replace")


def numbers(device: str) -> dict[str, int]:
    """By which a card is known on its bus; nothing where it is on none that has them."""
    found: dict[str, int] = {}
    try:
        if os.path.basename(os.readlink(SYS / device / "device" / "subsystem")) != "pci":
            return found
    except OSError:
        return found
    for key in NUMBERS:
        try:
            found[key] = int((SYS / device / "device" / key.replace("-", "_")).read_text(), 16)
        except (OSError, ValueError):
            continue
    return found
